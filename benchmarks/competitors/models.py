"""An application's models, declared in one place for all that Retinue is measured with."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from retinue import (
    FollowCountMixin,
    FollowerMixin,
    FollowMixin,
    Settings,
    TimelineEntryMixin,
    UTCDateTime,
    declare_posts,
)


class Models(NamedTuple):
    """What was declared."""

    user: Any
    post: Any
    others: tuple[type[Any], ...]
    metadata: MetaData


def declare(*mixins: type[Any], settings: Settings | None = None, private: bool = False) -> Models:
    """Declare a user (*private*: who may approve followers), its follows, exact counts and posts; and each of the *mixins*."""

    class Base(DeclarativeBase):
        """The base of these models alone."""

    class User(FollowerMixin, Base):
        """A user with a name."""

        __tablename__ = "users"
        __retinue__ = settings or Settings()
        id: Mapped[int] = mapped_column(Integer, primary_key=True)
        username: Mapped[str] = mapped_column(String(64))
        if private:
            locked: Mapped[bool] = mapped_column(default=False)

    class Post(Base):
        """What users post."""

        __tablename__ = "posts"
        id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"))
        created_at: Mapped[datetime] = mapped_column(UTCDateTime)
        body: Mapped[str] = mapped_column(String(500))
        author: Mapped[User] = relationship(User)
        __table_args__ = (
            Index("ix_posts_author", "author_id", "created_at", "id"),
            Index("ix_posts_time", "created_at", "id"),
        )

    names: dict[Any, str] = {FollowMixin: "follows", FollowCountMixin: "follow_counts"}
    names |= {mixin: "timeline_entries" if mixin is TimelineEntryMixin else mixin.__name__.lower() for mixin in mixins}
    declare_posts(Post, author=Post.author_id, time=Post.created_at)
    others = [
        type(mixin.__name__.removesuffix("Mixin"), (mixin, Base), {"__tablename__": name, "__module__": __name__})
        for mixin, name in names.items()
    ]
    return Models(User, Post, tuple(others), Base.metadata)
