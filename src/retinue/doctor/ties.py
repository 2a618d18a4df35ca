"""What can be wrong with any tie, from the table of ties; and with any row of users who are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

from sqlalchemy import Column, Table, and_, exists, or_, select
from sqlalchemy.sql.elements import ColumnElement

from retinue import effects, guards, ties
from retinue.effects import effects_of, removal
from retinue.engines import EngineRules, Rows
from retinue.events import Unfollowed
from retinue.faults import Fault, RowKey, Severity, delete_if_wrong
from retinue.models import now
from retinue.schema import Schema
from retinue.ties import APART, BLOCK, FOLLOW, REQUEST, TIES, Apart, Tie
from retinue.verbs import safety
from retinue.work import Pair, Work
from retinue.work.building import known_users_now

#: Adds the parameters of one fault to those of its repair.
Given = Mapping[str, Any]

_REPAIR: Final = "Let the doctor repair it: "


def faults_of(schema: Schema) -> Sequence[Fault]:
    """Return all that can be wrong with rows of the graph of *schema*: what others are counted by comes first."""
    found: Sequence[Fault] | None = schema.built.get(faults_of)
    if found is None:
        of_effects = (fault for effect in effects_of(schema) for fault in effect.faults(schema))
        found = schema.built[faults_of] = (*_of_ties(schema), *_orphans(schema), *of_effects)
    return found


def _of_ties(schema: Schema) -> Iterator[Fault]:
    for tie in TIES:
        if tie.is_declared(schema) and tie.other_class(schema) is schema.user:
            words = (
                f"{_REPAIR}it ends such a {tie.name}, which no verb makes; and see that its CHECK constraint is there."
            )
            ends = partial(_end, tie=tie)
            yield Fault("self", tie.table(schema), partial(_is_self, tie=tie), Severity.ERROR, words, ends)
    for apart in APART:
        if apart.first.is_declared(schema) and apart.to.is_declared(schema):
            name, table = f"{apart.first.name}_beside_{apart.to.name}", apart.first.table(schema)
            words, repair = f"{_REPAIR}the {apart.to.name} wins, and the {apart.first.name} goes.", _repair_of(apart)
            yield Fault(name, table, partial(_is_beside, apart=apart), Severity.ERROR, words, repair)


# --- Users who are gone --------------------------------------------------------------------------


def _orphans(schema: Schema) -> Iterator[Fault]:
    """Yield that a user of a row is gone, for each table whose rows go with their users."""
    words = f"{_REPAIR}it removes what is left of users who are gone, as deleting them by the ORM does."
    for table in removal.tables_of(schema):
        yield Fault("orphan", table, partial(_is_orphan, table=table), Severity.ERROR, words, _detach)


def _ends(table: Table) -> list[Column[Any]]:
    return [table.c[table.info[name]] for name in ("shard_key", "reverse_key") if name in table.info]


def _is_orphan(schema: Schema, engine: EngineRules, *, table: Table) -> ColumnElement[bool]:
    users = (select(schema.key).where(schema.key == end) for end in _ends(table))
    return or_(*(engine.no_row(user, one_by_one=True) for user in users))


def _detach(work: Work, fault: Fault, rows: Sequence[RowKey], _given: Given) -> None:
    """Remove everything of those of *rows* who are gone, as `removal.detach()` does: each user in one transaction."""
    places = [fault.table.primary_key.columns.keys().index(end.key) for end in _ends(fault.table)]
    keys = sorted({row[place] for row in rows for place in places})
    gone = [key for key in keys if key not in _there(work, keys)]
    removal.detach(work, gone)
    if _there(work, gone):
        # Somebody got such a key just now: what was removed may have been theirs. Then they are no longer gone.
        work.session.rollback()


def _there(work: Work, keys: Sequence[Any]) -> set[Any]:
    return {key for (key,) in work.rows(known_users_now, {"users": list(keys)}, work.engine)}


# --- Ties beside others --------------------------------------------------------------------------


def _is_self(schema: Schema, _engine: EngineRules, *, tie: Tie) -> ColumnElement[bool]:
    rows = tie.table(schema).c
    return rows[tie.owner] == rows[tie.other]


def _is_beside(schema: Schema, engine: EngineRules, *, apart: Apart) -> ColumnElement[bool]:
    """Return whether a row that counts is beside one to which it gives way."""
    rows = apart.first.table(schema)
    ends = rows.c[apart.first.owner], rows.c[apart.first.other]
    ways = [_between(schema, apart.to, ends)]
    if apart.either_way:
        ways.append(_between(schema, apart.to, ends[::-1]))
    del engine
    return and_(*apart.first.live(schema, rows), or_(*(exists(way) for way in ways)))


def _between(schema: Schema, tie: Tie, ends: Sequence[ColumnElement[Any]]) -> Rows:
    rows = tie.table(schema).alias("beside")
    pair = rows.c[tie.owner] == ends[0], rows.c[tie.other] == ends[1]
    return select(rows.c.timestamp).where(*pair, *tie.live(schema, rows))


def _repair_of(apart: Apart) -> Callable[[Work, Fault, Sequence[RowKey], Given], None]:
    return _cut if apart.to is BLOCK else partial(_end, tie=apart.first)


def _cut(work: Work, _fault: Fault, rows: Sequence[RowKey], given: Given) -> None:
    """Let the blocks of *rows* cut what is beside them, as they do when they are made."""
    pairs = _held(work, rows)
    for pair in dict.fromkeys((*pairs, *((other, one) for one, other in pairs))):
        if ties.locked(work, BLOCK, pair, "timestamp", at=given["now"]) is not None:
            safety.cut(work, pair, now())


def _end(work: Work, fault: Fault, rows: Sequence[RowKey], given: Given, *, tie: Tie) -> None:
    """End the ties of *rows* that are still wrong, and write what follows."""
    gone = cast("list[Pair]", delete_if_wrong(work, fault, _held(work, rows), given))
    if tie is FOLLOW:
        effects.record(work, *(Unfollowed(*pair, now()) for pair in gone))
    if tie is REQUEST:
        effects.close_requests(work, gone)


def _held(work: Work, rows: Sequence[RowKey]) -> list[Pair]:
    """Hold the guards of all users of *rows*, and return these as pairs: no verb about them is half done."""
    pairs = [cast("Pair", tuple(row)) for row in rows]
    guards.take(work, *sorted({user for pair in pairs for user in pair}))
    return pairs
