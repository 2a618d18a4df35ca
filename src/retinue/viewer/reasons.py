"""What can speak against a user: each reason is a function; `table` says where it counts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, or_
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines import Rows
from retinue.models import UTCDateTime
from retinue.ties import BLOCK, DISMISSAL, FOLLOW, MUTE, REQUEST, blocks_between, not_ended, pending
from retinue.viewer.row import Row

# --- What the user's own row says ----------------------------------------------------------------


def inactive(row: Row) -> ColumnElement[bool] | None:
    """The user is suspended, or on a break."""
    active = row.flag("active")
    return None if active is None else active.is_(False)


def hides_followers(row: Row) -> ColumnElement[bool] | None:
    """The user shows nobody who follows them."""
    hidden = row.flag("hide_followers")
    return None if hidden is None else hidden.is_(True)


def hides_following(row: Row) -> ColumnElement[bool] | None:
    """The user shows nobody whom they follow."""
    hidden = row.flag("hide_following")
    return None if hidden is None else hidden.is_(True)


def locked(row: Row) -> ColumnElement[bool] | None:
    """The user approves their followers, and the viewer is none."""
    flag = row.flag("locked")
    return None if flag is None else and_(flag.is_(True), ~row.is_followed())


def undiscoverable(row: Row) -> ColumnElement[bool] | None:
    """The user does not want to be found."""
    discoverable = row.flag("discoverable")
    return None if discoverable is None else discoverable.is_(False)


# --- What stands between the two -----------------------------------------------------------------


def blocked(row: Row) -> Sequence[Rows]:
    """One of the two blocks the other."""
    if row.viewer is None or not BLOCK.is_declared(row.schema):
        return ()
    return blocks_between(row.schema, row.viewer, row.key, row.at)


def blocks_viewer(row: Row) -> Sequence[Rows]:
    """The user blocks the viewer, who does not block them."""
    rows = blocked(row)
    return [rows[1].where(row.engine.no_row(rows[0]))] if rows else ()


def muted(row: Row) -> Sequence[Rows]:
    """The viewer mutes the user."""
    return row.tie(MUTE, lambda rows: not_ended(rows, row.at))


def muted_wholly(row: Row) -> Sequence[Rows]:
    """The viewer mutes the user, and what is told of them as well."""
    return row.tie(MUTE, lambda rows: rows.c.notifications.is_(True), lambda rows: not_ended(rows, row.at))


def followed(row: Row) -> Sequence[Rows]:
    """The viewer follows the user."""
    return row.tie(FOLLOW)


def requested(row: Row) -> Sequence[Rows]:
    """The viewer has asked to follow the user; or was rejected so lately that they may not ask again."""

    def holds(rows: FromClause) -> ColumnElement[bool]:
        waits = pending(row.schema, rows)
        if row.schema.settings.request_cooldown is None:
            return waits
        return or_(waits, rows.c.rejected_at > bindparam("rejected_after", type_=UTCDateTime))

    return row.tie(REQUEST, holds)


def dismissed(row: Row) -> Sequence[Rows]:
    """The viewer does not want the user to be suggested."""
    return row.tie(DISMISSAL)
