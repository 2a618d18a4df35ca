"""What an application says of its posts, and what is refused of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from retinue import FollowerMixin, FollowMixin, MappingError, declare_posts
from retinue.schema import schema_of


def declared() -> tuple[Any, Any]:
    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    class Post(Base):
        __tablename__ = "posts"
        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
        body: Mapped[str]
        made: Mapped[datetime] = mapped_column("created_at")

    return User, Post


def test_the_columns_are_found_by_name_or_by_attribute() -> None:
    for ask in (lambda _: ("author_id", "made"), lambda post: (post.author_id, post.made)):
        user, post = declared()
        assert schema_of(user).posts is None
        author, time = ask(post)
        assert declare_posts(post, author=author, time=time) is post
        posts = schema_of(user).posts
        assert posts is not None
        assert (posts.author.name, posts.time.name, posts.key.name) == ("author_id", "created_at", "id")
        declare_posts(post, author=author, time=time)  # twice is no other thing


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"author": "writer", "time": "made"}, "maps no column as 'writer'"),
        ({"author": "author_id", "time": "body"}, "must be a time"),
        ({"author": "body", "time": "made"}, "does not hold keys of User"),
        ({"author": "author_id", "time": "made", "until": "id"}, "must be a time"),
        ({"author": None, "time": "made"}, "maps no column"),
    ],
)
def test_what_does_not_fit_is_refused(columns: dict[str, Any], says: str) -> None:
    user, post = declared()
    with pytest.raises(MappingError, match=says):
        declare_posts(post, **columns)
    assert schema_of(user).posts is None


def test_a_second_class_of_posts_is_refused() -> None:
    user, post = declared()
    declare_posts(post, author="author_id", time="made")

    class Photo(post.__bases__[0]):  # type: ignore[misc, name-defined]
        __tablename__ = "photos"
        id: Mapped[int] = mapped_column(primary_key=True)
        author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
        made: Mapped[datetime]

    with pytest.raises(MappingError, match="has posts already: Post"):
        declare_posts(Photo, author="author_id", time="made")
    with pytest.raises(MappingError, match="is not a mapped class"):
        declare_posts(object, author="author_id", time="made")
    assert schema_of(user).posts.model is post  # type: ignore[union-attr]
