"""The tables, and what of them goes in and out: SQLModel all the way."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints
from sqlmodel import Field, SQLModel

from retinue import BlockMixin, FollowCountMixin, FollowerMixin, FollowMixin, FollowRequestMixin, Settings
from retinue.fastapi import CountsOut, RelationshipOut


class UserBase(SQLModel):
    """What somebody says of themselves."""

    # The regex= of SQLModel's Field() is looked at by nobody.
    name: Annotated[str, StringConstraints(pattern="^[a-z0-9_]+$")] = Field(max_length=30, unique=True)
    # Retinue knows this one by its name: who follows a locked user asks first.
    locked: bool = False


class User(FollowerMixin, UserBase, table=True):
    """Somebody with an account."""

    __retinue__ = Settings(name="name", max_following=7_500)

    id: int | None = Field(default=None, primary_key=True)
    key_digest: str = Field(unique=True, max_length=64)


class Follow(FollowMixin, SQLModel, table=True):
    """Who follows whom."""


class FollowCount(FollowCountMixin, SQLModel, table=True):
    """How many follow a user, and how many a user follows."""


class FollowRequest(FollowRequestMixin, SQLModel, table=True):
    """Who asks to follow whom."""


class Block(BlockMixin, SQLModel, table=True):
    """Who blocks whom."""


class UserCreate(UserBase):
    """A new account."""


class UserUpdate(SQLModel):
    """What can be changed."""

    locked: bool


class UserPublic(UserBase):
    """What everybody may see of somebody."""

    id: int


class UserCreated(UserPublic):
    """A new account, with its key: this once, as only a digest of it is kept."""

    key: str


class Profile(SQLModel):
    """Somebody's page."""

    user: UserPublic
    counts: CountsOut
    relationship: RelationshipOut | None
