"""Users with a name and a time when they were last there, in a graph that can be private."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index, MetaData, String, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from retinue import BlockMixin, FollowerMixin, FollowMixin, Settings, UTCDateTime, declare_posts


@dataclass(frozen=True)
class NamedModels:
    """The mapped classes of such a graph."""

    metadata: MetaData
    user: type[Any]
    follow: type[Any]
    block: type[Any]
    post: type[Any]


def declare(settings: Settings, *, posts: bool = False) -> NamedModels:
    """Declare the models once more, for a user class with these *settings*; posts say who is dormant, if they are to."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        __retinue__ = settings
        id: Mapped[int] = mapped_column(primary_key=True)
        username: Mapped[str] = mapped_column(String(64))
        nickname: Mapped[str | None] = mapped_column(String(64))
        seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
        locked: Mapped[bool] = mapped_column(default=False)
        active: Mapped[bool] = mapped_column(default=True)
        hide_followers: Mapped[bool] = mapped_column(default=False)
        hide_following: Mapped[bool] = mapped_column(default=False)

    # The index as the documentation has it.
    Index("ix_users_username", func.lower(User.username).collate("C"), User.id).ddl_if(dialect="postgresql")
    Index("ix_users_username_lite", User.username.collate("NOCASE"), User.id).ddl_if(dialect="sqlite")
    Index("ix_users_username_my", User.username).ddl_if(dialect="mariadb")

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    class Block(BlockMixin, Base):
        __tablename__ = "blocks"

    class Post(Base):
        __tablename__ = "posts"
        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int]
        # Bare UTC, as many applications keep it.
        created_at: Mapped[datetime]

    if posts:
        declare_posts(Post, author="author_id", time="created_at")
    return NamedModels(Base.metadata, User, Follow, Block, Post)
