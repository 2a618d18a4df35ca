from datetime import datetime, timezone

from api import db

followers_assoc = db.Table(
    'followers_assoc',
    db.Column('follower', db.Integer, db.ForeignKey('profiles.id')),
    db.Column('followed_by', db.Integer, db.ForeignKey('profiles.id')),
)


class User(db.Model):
    __tablename__ = 'users'
    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.String(80), unique=True, nullable=False)
    confirmed = db.Column(db.Boolean, nullable=False, default=True)
    profile = db.relationship('Profile', back_populates='user', uselist=False, cascade='all, delete-orphan')


class Profile(db.Model):
    __tablename__ = 'profiles'
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey('users.id'), nullable=False, unique=True)
    bio = db.Column(db.String(300), nullable=False, default='')
    user = db.relationship(User, back_populates='profile')
    articles = db.relationship('Article', back_populates='author', cascade='all, delete-orphan')
    follows = db.relationship('Profile', secondary=followers_assoc,
                              primaryjoin=id == followers_assoc.c.follower,
                              secondaryjoin=id == followers_assoc.c.followed_by,
                              backref='followed_by', lazy='dynamic')

    def is_following(self, profile):
        return self.follows.filter(followers_assoc.c.followed_by == profile.id).count() > 0

    def follow(self, profile):
        if self is not profile and not self.is_following(profile):
            self.follows.append(profile)

    def unfollow(self, profile):
        if self is not profile and self.is_following(profile):
            self.follows.remove(profile)


class Article(db.Model):
    __tablename__ = 'articles'
    id = db.Column(db.Integer, primary_key=True)
    title = db.Column(db.String(100), nullable=False)
    created_at = db.Column(db.DateTime, nullable=False, default=lambda: datetime.now(timezone.utc))
    author_id = db.Column(db.Integer, db.ForeignKey('profiles.id'), nullable=False)
    author = db.relationship(Profile, back_populates='articles')
