"""What goes in and out. Pages, relationships and errors come from `retinue.fastapi`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from retinue.fastapi import CountsOut, RelationshipOut

# PostgreSQL keeps no NUL in a text.
Text = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
NoticeId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class SignUp(BaseModel):
    """A new account."""

    username: Annotated[str, Field(pattern=r"^[a-z0-9_]{3,30}$")]
    password: Annotated[str, Field(min_length=8, max_length=128)]


class TokenOut(BaseModel):
    """A token, as OAuth2 has it."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - it is not one


class UserOut(BaseModel):
    """A user, as others see them."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    username: str
    bio: str
    locked: bool


class OwnOut(UserOut):
    """A user, as they see themselves."""

    hide_followers: bool
    hide_following: bool
    unread: int


class ProfileOut(BaseModel):
    """The page of a user."""

    user: UserOut
    counts: CountsOut
    relationship: RelationshipOut | None
    """How one stands with them; null for somebody who is not logged in."""


class Changes(BaseModel):
    """What a user changes about themselves; what is left out stays."""

    bio: Text | None = None
    locked: bool | None = None
    hide_followers: bool | None = None
    hide_following: bool | None = None


class PostIn(BaseModel):
    """A new post."""

    text: Annotated[Text, Field(min_length=1)]


class PostOut(BaseModel):
    """A post."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    text: str
    created_at: datetime
    author: UserOut


class Read(BaseModel):
    """Which notifications have been read; null: all of them."""

    ids: Annotated[list[NoticeId], Field(max_length=1_000)] | None = None
