"""
What is stored about many users beside what their edges say; and how that is put right.

Goes through all users by nature, a list of their keys at a time.
"""

from __future__ import annotations

from sqlalchemy import Executable, case, func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from retinue.effects.counting import count_row, count_rows, counted_edges
from retinue.engines import EngineRules, Rows
from retinue.schema import Schema
from retinue.work.building import once, user_key


@once
def tallies(schema: Schema, engine: EngineRules) -> Rows:
    """
    Each of *users* who exists: the user, their lowest slot (NULL: none), and six numbers, followers before following.

    The sums of all slots, the sums of all but slot 0, and what the edges say: as they were at one moment.
    """
    rows = count_rows(schema)
    numbers = (rows.c.followers, rows.c.following)
    beside = [func.sum(case((rows.c.slot == 0, 0), else_=number)) for number in numbers]
    stored = (
        select(
            rows.c.user_id,
            func.min(rows.c.slot).label("first_slot"),
            *(func.sum(number).label(f"stored_{number.name}") for number in numbers),
            *(more.label(f"beside_{number.name}") for more, number in zip(beside, numbers, strict=True)),
        )
        .where(engine.one_of(rows.c.user_id, "users"))
        .group_by(rows.c.user_id)
        .subquery("stored")
    )
    said = [column for column in stored.c if column.name != "user_id"]
    return (
        select(schema.key, *said, *counted_edges(schema, schema.key))
        .join_from(schema.key.table, stored, stored.c.user_id == schema.key, isouter=True)
        .where(engine.one_of(schema.key, "users"))
    )


@once
def hold_first_slots(schema: Schema, engine: EngineRules) -> Executable:
    """Lock slot 0 of each of *users* who exists, ascending; make it, with nothing in it, where it is not there."""
    return _held(schema, engine, first_slots(schema, engine))


@once
def first_slots(schema: Schema, engine: EngineRules) -> Rows:
    """The count rows that `hold_first_slots()` inserts."""
    nothing: ColumnElement[int] = literal_column("0")
    chosen = count_row(schema.key, nothing, nothing).where(engine.one_of(schema.key, "users")).order_by(schema.key)
    return chosen.with_for_update(read=True, key_share=True, of=schema.key.table)


@once
def hold_slots(schema: Schema, engine: EngineRules) -> Executable:
    """Count rows that come as parameters, made or locked, in that order."""
    return _held(schema, engine, None)


def _held(schema: Schema, engine: EngineRules, fresh: Rows | None) -> Executable:
    rows = count_rows(schema)
    return engine.upsert(rows, fresh, lambda _new: {"followers": rows.c.followers})


@once
def number_of_users(schema: Schema, *, started: bool) -> Rows:
    """How many users there are; if *started*, after the key *after*."""
    number = select(func.count()).select_from(schema.key.table)
    return number.where(schema.key > user_key(schema, "after")) if started else number
