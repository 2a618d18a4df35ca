"""Blocks and mutes."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Delete, Executable, Table, Update, bindparam, delete, null, select, update
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import EngineRules, Rows
from retinue.models import BlockMixin, MuteMixin, UTCDateTime
from retinue.schema import Schema
from retinue.work.building import insert_row, once, people, user_key

_BLOCK = {"blocker_id": "blocker", "blocked_id": "blocked", "timestamp": "at", "until": "until_"}
_MUTE = {
    "muter_id": "muter",
    "muted_id": "muted",
    "timestamp": "at",
    "until": "until_",
    "notifications": "notifications_",
}
_CUTS = ("cut_following", "cut_followed_by", "cut_requested", "cut_requested_by")


def _time(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=UTCDateTime)


# --- Blocks --------------------------------------------------------------------------------------


def _block(schema: Schema) -> tuple[Table, tuple[ColumnElement[bool], ColumnElement[bool]]]:
    rows = schema.table(BlockMixin)
    return rows, (rows.c.blocker_id == user_key(schema, "blocker"), rows.c.blocked_id == user_key(schema, "blocked"))


@once
def insert_block(schema: Schema, engine: EngineRules) -> Executable:
    """*blocker* blocks *blocked* since *at* until *until_*, unless there is such a row."""
    return insert_row(schema, engine, schema.table(BlockMixin), _BLOCK, people(schema, "blocker", "blocked"))


@once
def select_block(schema: Schema) -> Rows:
    """The row (timestamp, until, and what it cut) by which *blocker* blocks or blocked *blocked*; locked."""
    rows, pair = _block(schema)
    return select(rows.c.timestamp, rows.c.until, *(rows.c[name] for name in _CUTS)).where(*pair).with_for_update()


@once
def prolong_block(schema: Schema) -> Update:
    """The block of *blocked* by *blocker* now ends at *until_*."""
    rows, pair = _block(schema)
    return update(rows).where(*pair).values(until=_time("until_"))


@once
def renew_block(schema: Schema) -> Update:
    """A block that has ended begins again: since *at* until *until_*."""
    rows, pair = _block(schema)
    nothing_cut = dict.fromkeys(_CUTS, null())
    return update(rows).where(*pair).values(timestamp=_time("at"), until=_time("until_"), **nothing_cut)


@once
def remember_cut(schema: Schema) -> Update:
    """The block of *blocked* by *blocker* cut what had begun at those times."""
    rows, pair = _block(schema)
    return update(rows).where(*pair).values({name: _time(f"{name}_") for name in _CUTS})


@once
def delete_block(schema: Schema) -> Delete:
    """*blocker* blocks *blocked* no longer."""
    rows, pair = _block(schema)
    return delete(rows).where(*pair)


# --- Mutes ---------------------------------------------------------------------------------------


def _mute(schema: Schema) -> tuple[Table, tuple[ColumnElement[bool], ColumnElement[bool]]]:
    rows = schema.table(MuteMixin)
    return rows, (rows.c.muter_id == user_key(schema, "muter"), rows.c.muted_id == user_key(schema, "muted"))


@once
def insert_mute(schema: Schema, engine: EngineRules) -> Executable:
    """*muter* mutes *muted* since *at* until *until_*, unless there is such a row."""
    return insert_row(schema, engine, schema.table(MuteMixin), _MUTE, people(schema, "muter", "muted"))


@once
def select_mute(schema: Schema) -> Rows:
    """The row (until) by which *muter* mutes or muted *muted*; locked."""
    rows, pair = _mute(schema)
    return select(rows.c.until).where(*pair).with_for_update()


@once
def change_mute(schema: Schema) -> Update:
    """The mute of *muted* by *muter* has another end and extent."""
    rows, pair = _mute(schema)
    return (
        update(rows)
        .where(*pair)
        .values(until=_time("until_"), notifications=bindparam("notifications_", type_=Boolean))
    )


@once
def renew_mute(schema: Schema) -> Update:
    """A mute that has ended begins again *at* that time."""
    rows, pair = _mute(schema)
    return (
        update(rows)
        .where(*pair)
        .values(timestamp=_time("at"), until=_time("until_"), notifications=bindparam("notifications_", type_=Boolean))
    )


@once
def delete_mute(schema: Schema) -> Delete:
    """*muter* mutes *muted* no longer."""
    rows, pair = _mute(schema)
    return delete(rows).where(*pair)
