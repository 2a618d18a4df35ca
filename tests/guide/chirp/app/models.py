from datetime import datetime, timezone
from typing import Optional

import sqlalchemy as sa
import sqlalchemy.orm as so
from flask_login import UserMixin

from app import db, login


def now():
    return datetime.now(timezone.utc)


followers = sa.Table(
    'followers',
    db.metadata,
    sa.Column('follower_id', sa.ForeignKey('user.id'), primary_key=True),
    sa.Column('followed_id', sa.ForeignKey('user.id'), primary_key=True),
    sa.Column('since', sa.DateTime(timezone=True), default=now),
)


class User(UserMixin, db.Model):
    id: so.Mapped[int] = so.mapped_column(primary_key=True)
    username: so.Mapped[str] = so.mapped_column(sa.String(64), index=True, unique=True)
    about: so.Mapped[Optional[str]] = so.mapped_column(sa.String(140))

    posts: so.WriteOnlyMapped['Post'] = so.relationship(back_populates='author', passive_deletes=True)
    followed: so.WriteOnlyMapped['User'] = so.relationship(
        secondary=followers, primaryjoin=(followers.c.follower_id == id),
        secondaryjoin=(followers.c.followed_id == id), back_populates='followers')
    followers: so.WriteOnlyMapped['User'] = so.relationship(
        secondary=followers, primaryjoin=(followers.c.followed_id == id),
        secondaryjoin=(followers.c.follower_id == id), back_populates='followed')

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.follow(self)

    def follow(self, user):
        if not self.is_following(user):
            self.followed.add(user)

    def unfollow(self, user):
        if self.is_following(user):
            self.followed.remove(user)

    def is_following(self, user):
        if user.id is None:
            return False
        query = self.followed.select().where(User.id == user.id)
        return db.session.scalar(query) is not None

    def is_followed_by(self, user):
        return user.is_following(self)

    def followers_count(self):
        query = sa.select(sa.func.count()).select_from(self.followers.select().subquery())
        return db.session.scalar(query) - 1

    def followed_count(self):
        query = sa.select(sa.func.count()).select_from(self.followed.select().subquery())
        return db.session.scalar(query) - 1

    def followed_posts(self):
        return (
            sa.select(Post)
            .join(followers, followers.c.followed_id == Post.user_id)
            .where(followers.c.follower_id == self.id)
            .order_by(Post.timestamp.desc())
        )

    @staticmethod
    def add_self_follows():
        for user in db.session.scalars(sa.select(User)):
            if not user.is_following(user):
                user.follow(user)
        db.session.commit()


class Post(db.Model):
    id: so.Mapped[int] = so.mapped_column(primary_key=True)
    body: so.Mapped[str] = so.mapped_column(sa.String(140))
    timestamp: so.Mapped[datetime] = so.mapped_column(index=True, default=now)
    user_id: so.Mapped[int] = so.mapped_column(sa.ForeignKey('user.id', ondelete='CASCADE'), index=True)
    author: so.Mapped[User] = so.relationship(back_populates='posts')


@login.user_loader
def load_user(id):
    return db.session.get(User, int(id))
