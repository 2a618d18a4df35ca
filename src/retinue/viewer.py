"""What a viewer may see: whether a list at all (`may_see()`), and which users in it (`shown()`). Asked nowhere else."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import exists, false, select, true
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import EngineRules, Rows
from retinue.schema import Schema
from retinue.ties import not_blocked
from retinue.values import ALL, Everything, Key
from retinue.work.building import once, people, user_key

#: The settings of a user that may hide their lists.
HIDING: Final = ("hide_followers", "hide_following", "locked")


class Audience(enum.Enum):
    """Who looks at a list."""

    #: Code that said ``viewer=ALL``.
    TRUSTED = "trusted"
    #: The user whose list it is.
    OWNER = "owner"
    #: Another user.
    USER = "user"
    #: Somebody who is not logged in.
    ANYBODY = "anybody"

    @property
    def sees_active_only(self) -> bool:
        """Whether rows of inactive users are left out."""
        return self is not Audience.TRUSTED

    @property
    def sees_no_blocks(self) -> bool:
        """Whether rows are left out whose user blocks the viewer, or is blocked by them."""
        return self is Audience.USER

    @classmethod
    def of(cls, viewer: Key | Everything | None, owner: Key | None) -> Audience:
        """Return which audience *viewer* is for a list of *owner*."""
        if viewer is ALL:
            return cls.TRUSTED
        if viewer is None:
            return cls.ANYBODY
        return cls.OWNER if viewer == owner else cls.USER


class Visibility(NamedTuple):
    """What decides whether another user, or somebody not logged in, may see a user's lists."""

    followers_hidden: bool
    following_hidden: bool
    locked: bool
    followed_by_viewer: bool
    blocked_either_way: bool


class ListKind(enum.Flag):
    """What a list tells of a user."""

    FOLLOWERS = enum.auto()
    FOLLOWING = enum.auto()


def may_see(kind: ListKind, user: Visibility) -> bool:
    """
    Return whether somebody but the owner may see a list that tells *kind* of *user*.

    If hidden, nobody; if the user is locked, their followers; never across a block.
    """
    hidden = (ListKind.FOLLOWERS in kind and user.followers_hidden) or (
        ListKind.FOLLOWING in kind and user.following_hidden
    )
    kept_private = user.locked and not user.followed_by_viewer
    return not (hidden or kept_private or user.blocked_either_way)


# --- Statements ----------------------------------------------------------------------------------


@once
def visibility(schema: Schema, engine: EngineRules) -> Rows:
    """
    What decides whether *viewer* may see a list of *user*.

    (followers hidden, following hidden, locked, followed by the viewer, blocked either way); for `rules.may_see`.
    """
    users, edge = schema.key.table, schema.follows
    user, viewer = user_key(schema, "user"), user_key(schema, "viewer")
    flags = [schema.flag(name, users) for name in HIDING]
    followed = exists(select(edge.c.timestamp).where(edge.c.follower_id == viewer, edge.c.following_id == user))
    said = [(false() if flag is None else flag.is_(true())) for flag in flags]
    return select(*said, followed, ~not_blocked(schema, engine, user, viewer)).where(schema.key == user)


def shown(
    schema: Schema, engine: EngineRules, key: ColumnElement[Any], audience: Audience
) -> Sequence[ColumnElement[bool]]:
    """Return the conditions on the user *key* of a row that *audience* sees."""
    conditions = []
    if audience.sees_active_only and "active" in schema.flags:
        conditions.append(active(schema, engine, key))
    if audience.sees_no_blocks and schema.blocks is not None:
        conditions.append(not_blocked(schema, engine, user_key(schema, "viewer"), key))
    return conditions


def active(schema: Schema, engine: EngineRules, key: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether the user *key* is not inactive."""
    (users,) = people(schema, "here").values()
    says_so: Any = schema.flag("active", users)
    there = users.c[schema.key.key]
    return engine.no_row(select(there).where(there == key, says_so.is_(false())), one_by_one=True)
