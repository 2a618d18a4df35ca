"""
What is stored about many users beside what their edges say; and how that is put right.

Correcting holds slot 0 of those who are wrong, and nothing else, and then looks again. Slot 0 becomes what the
edges say less what the other slots hold. That is exact although others change edges meanwhile: who has changed slot
0 has committed before; who has changed another slot has changed that and the edge in one transaction, so the
difference is the same with or without; and who has not counted their edge yet, which nobody else sees, waits for
slot 0 and adds to it afterwards. A row is never deleted: on MariaDB who makes one counts by an older snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, and_, case, func, literal_column, or_, select
from sqlalchemy.sql.elements import ColumnElement

from retinue.effects.counts.rows import NUMBERS, count_row, count_rows, counted_edges, set_count
from retinue.engines import EngineRules, Rows
from retinue.faults import Fault, RowKey, Severity
from retinue.schema import Schema
from retinue.values import Counts, Key
from retinue.work import Work, inserting
from retinue.work.building import once


@dataclass(frozen=True, slots=True)
class Tally:
    """What is stored about one user, and what the edges say."""

    user: Key
    #: In all slots; and in those other than 0.
    stored: Counts
    beside: Counts
    counted: Counts
    #: The lowest slot; None: they were never counted.
    first_slot: int | None

    @property
    def is_uncounted(self) -> bool:
        """Whether there are edges to count, and nobody has counted them."""
        return self.first_slot is None and self.counted != Counts()

    @property
    def is_wrong(self) -> bool:
        """Whether what is stored is not what the edges say, or lacks what the verbs look for: slot 0."""
        return self.first_slot is not None and not (self.first_slot == 0 and self.stored == self.counted)


def read_tallies(work: Work, users: Sequence[Key]) -> list[Tally]:
    """Return what there is about those of *users* who exist, in their order: as it was at one moment. One select."""
    found = {}
    for user, first, *numbers in work.rows(tallies, {"users": users}, work.engine):
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        stored, beside, counted = (Counts(int(to or 0), int(out or 0)) for to, out in pairs)
        found[user] = Tally(user, stored, beside, counted, first)
    return [found[user] for user in users if user in found]


def correct(work: Work, users: Sequence[Key]) -> None:
    """Give *users* the counts that their edges say, although others change edges meanwhile. Three statements at most."""
    # First of all: what is read after it is not older, on any engine.
    whole, selected = hold_first_slots(work.schema, work.engine), first_slots(work.schema, work.engine)
    each = hold_slots(work.schema, work.engine)
    inserting.insert_selected(work, count_rows(work.schema), whole, selected, {"users": users}, each=each)
    values = [
        {
            "user": tally.user,
            "slot_": 0,
            "set_followers": tally.counted.followers - tally.beside.followers,
            "set_following": tally.counted.following - tally.beside.following,
        }
        for tally in read_tallies(work, users)
        if tally.stored != tally.counted
    ]
    if values:
        work.run_each(set_count, values)


# --- What can be wrong ---------------------------------------------------------------------------


def faults(schema: Schema) -> Sequence[Fault]:
    """Return that a count is below zero, or is another than that of the edges: each user has one of the two at most."""
    table, fix = (
        count_rows(schema),
        "Let the doctor repair it, or run `flask retinue recount`: the edges are counted again.",
    )
    return (
        Fault("count_below_zero", table, _below_zero, Severity.ERROR, fix, _correct_owners),
        Fault("wrong_count", table, _differs, Severity.ERROR, fix, _correct_owners),
    )


def _correct_owners(work: Work, _fault: Fault, rows: Sequence[RowKey], _given: Mapping[str, Any]) -> None:
    correct(work, sorted({user for user, _ in rows}))


def _sums(schema: Schema) -> tuple[ColumnElement[bool], Sequence[ColumnElement[int]]]:
    """Return whether a count row is the first of its user; and what all of them say."""
    row, other = count_rows(schema), count_rows(schema).alias("slots")
    theirs = select(func.min(other.c.slot)).where(other.c.user_id == row.c.user_id).correlate(row)
    sums = [theirs.with_only_columns(func.sum(other.c[name])).scalar_subquery() for name in NUMBERS]
    return row.c.slot == theirs.scalar_subquery(), sums


def _below_zero(schema: Schema, _engine: EngineRules) -> ColumnElement[bool]:
    is_first, sums = _sums(schema)
    return and_(is_first, or_(*(number < 0 for number in sums)))


def _differs(schema: Schema, _engine: EngineRules) -> ColumnElement[bool]:
    is_first, sums = _sums(schema)
    row = count_rows(schema)
    # Verbs look for slot 0.
    differ = [number != edges for number, edges in zip(sums, counted_edges(schema, row.c.user_id), strict=True)]
    return and_(is_first, *(number >= 0 for number in sums), or_(row.c.slot != 0, *differ))


# --- Statements ----------------------------------------------------------------------------------


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
    sums = [column for column in stored.c if column.name != "user_id"]
    return (
        select(schema.key, *sums, *counted_edges(schema, schema.key))
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
