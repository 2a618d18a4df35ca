from flask import Blueprint, jsonify, request
from flask_jwt_extended import create_access_token, current_user, jwt_required

from api import db
from api.models import Article, Profile, User

bp = Blueprint('api', __name__)


def profile_of(username):
    return Profile.query.join(Profile.user).filter(User.username == username).first_or_404()


def as_json(profile):
    following = current_user.profile.is_following(profile)
    return {'username': profile.user.username, 'bio': profile.bio, 'following': following}


@bp.post('/users/login')
def login():
    user = User.query.filter_by(username=request.json['username']).first_or_404()
    return {'token': create_access_token(identity=str(user.id))}


@bp.get('/profiles/<username>')
@jwt_required()
def get_profile(username):
    return {'profile': as_json(profile_of(username))}


@bp.post('/profiles/<username>/follow')
@jwt_required()
def follow(username):
    if not current_user.confirmed:
        return jsonify(message='Confirm your address first.'), 403
    profile = profile_of(username)
    current_user.profile.follow(profile)
    db.session.commit()
    return {'profile': as_json(profile)}


@bp.delete('/profiles/<username>/follow')
@jwt_required()
def unfollow(username):
    profile = profile_of(username)
    current_user.profile.unfollow(profile)
    db.session.commit()
    return {'profile': as_json(profile)}


@bp.get('/profiles/<username>/followers')
@jwt_required()
def followers(username):
    people = profile_of(username).followed_by
    return {'profiles': [as_json(one) for one in people], 'count': len(people)}


@bp.get('/articles/feed')
@jwt_required()
def feed():
    offset, limit = request.args.get('offset', 0, int), request.args.get('limit', 20, int)
    authors = [one.id for one in current_user.profile.follows]
    found = Article.query.filter(Article.author_id.in_(authors)).order_by(Article.created_at.desc())
    articles = [{'title': one.title, 'author': as_json(one.author)} for one in found.offset(offset).limit(limit)]
    return {'articles': articles, 'articlesCount': found.count()}
