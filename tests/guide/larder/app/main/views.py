from flask import current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_required

from app import db
from app.main import main
from app.models import Follow, Recipe, User


@main.route('/')
def index():
    page = request.args.get('page', 1, type=int)
    recipes = Recipe.query.order_by(Recipe.timestamp.desc()).paginate(
        page=page, per_page=current_app.config['LARDER_RECIPES_PER_PAGE'])
    return render_template('index.html', recipes=recipes)


@main.route('/user/<username>')
def user(username):
    user = User.query.filter_by(username=username).first_or_404()
    recipes = user.recipes.order_by(Recipe.timestamp.desc()).all()
    return render_template('user.html', user=user, recipes=recipes)


@main.route('/follow/<username>')
@login_required
def follow(username):
    user = User.query.filter_by(username=username).first_or_404()
    current_user.follow(user)
    db.session.commit()
    flash('You are now following %s.' % username)
    return redirect(url_for('.user', username=username))


@main.route('/unfollow/<username>')
@login_required
def unfollow(username):
    user = User.query.filter_by(username=username).first_or_404()
    current_user.unfollow(user)
    db.session.commit()
    flash('You are not following %s anymore.' % username)
    return redirect(url_for('.user', username=username))


@main.route('/followers/<username>')
def followers(username):
    user = User.query.filter_by(username=username).first_or_404()
    follows = user.followers.order_by(Follow.timestamp.desc()).paginate(page=1, per_page=50)
    return render_template('followers.html', user=user, follows=follows.items)
