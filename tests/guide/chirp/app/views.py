import sqlalchemy as sa
from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_required, login_user

from app import db
from app.models import User

bp = Blueprint('main', __name__)


@bp.route('/login', methods=['GET', 'POST'])
def login():
    if request.method == 'POST':
        login_user(db.first_or_404(sa.select(User).where(User.username == request.form['username'])))
        return redirect(url_for('main.index'))
    return render_template('login.html')


@bp.route('/')
@login_required
def index():
    page = request.args.get('page', 1, type=int)
    posts = db.paginate(current_user.followed_posts(), page=page,
                        per_page=current_app.config['POSTS_PER_PAGE'], error_out=False)
    return render_template('index.html', posts=posts)


@bp.route('/user/<username>')
@login_required
def user(username):
    user = db.first_or_404(sa.select(User).where(User.username == username))
    return render_template('user.html', user=user)


@bp.route('/user/<username>/followers')
@login_required
def followers(username):
    user = db.first_or_404(sa.select(User).where(User.username == username))
    page = request.args.get('page', 1, type=int)
    people = db.paginate(user.followers.select().where(User.id != user.id).order_by(User.username),
                         page=page, per_page=2, error_out=False)
    return render_template('followers.html', user=user, people=people)


@bp.route('/follow/<username>', methods=['POST'])
@login_required
def follow(username):
    user = db.first_or_404(sa.select(User).where(User.username == username))
    if user == current_user:
        flash('You cannot follow yourself!')
        return redirect(url_for('main.user', username=username))
    current_user.follow(user)
    db.session.commit()
    return redirect(url_for('main.user', username=username))


@bp.route('/unfollow/<username>', methods=['POST'])
@login_required
def unfollow(username):
    user = db.first_or_404(sa.select(User).where(User.username == username))
    if user == current_user:
        flash('You cannot unfollow yourself!')
        return redirect(url_for('main.user', username=username))
    current_user.unfollow(user)
    db.session.commit()
    return redirect(url_for('main.user', username=username))
