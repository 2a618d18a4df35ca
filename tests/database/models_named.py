"""Users with a name and a time when they were last there, in a graph that can be private."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index, MetaData, String, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from retinue import BlockMixin, FollowerMixin, FollowMixin, Settings, UTCDateTime, declare_posts, declare_search


@dataclass(frozen=True)
class NamedModels:
    """The mapped classes of such a graph."""

    metadata: MetaData
    user: type[Any]
    follow: type[Any]
    block: type[Any]
    post: type[Any]
    text: type[Any]


def declare(settings: Settings, *, posts: bool = False, texts: bool = False) -> NamedModels:
    """
    Declare the models once more, for a user class with these *settings*.

    Posts say who is dormant, and texts by what users are found, if they are to.
    """

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

    class SearchText(Base):
        __tablename__ = "search_texts"
        user_id: Mapped[int] = mapped_column(primary_key=True)
        text: Mapped[str] = mapped_column(
            String(255).with_variant(String(255, collation="utf8mb4_bin"), "mysql", "mariadb"), primary_key=True
        )

    Index("ix_search_texts", func.lower(SearchText.text).collate("C"), SearchText.user_id).ddl_if(dialect="postgresql")
    Index("ix_search_texts_lite", SearchText.text.collate("NOCASE"), SearchText.user_id).ddl_if(dialect="sqlite")
    Index("ix_search_texts_my", SearchText.text, SearchText.user_id).ddl_if(dialect="mariadb")

    if posts:
        declare_posts(Post, author="author_id", time="created_at")
    if texts:
        declare_search(SearchText, user="user_id", text="text")
    return NamedModels(Base.metadata, User, Follow, Block, Post, SearchText)
