"""
Taking users out of the graph: everything of theirs on both sides, and the counts of those they leave.

Done before the users themselves are deleted, in a fixed number of statements and
without loading a row. It does not rely on the database's cascade, which SQLite
does not run unless told to, and which no engine extends to a counter.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Table

from retinue.effects import departures, records
from retinue.models import new_id, now
from retinue.schema import Schema
from retinue.ties import TIES
from retinue.values import HistoryKind, Key
from retinue.work import Work, inserting


def detach(work: Work, users: Sequence[Key]) -> None:
    """
    Remove everything of *users* that is about other users, and correct the others' counts.

    The users stay locked until the transaction ends: who wants to follow one of
    them waits, and then finds nobody. What the history says of them is closed by
    a mark, as their keys may be given to others. Commits nothing and announces
    nothing. Cost: three statements; five more where counts are kept; two for each
    other model, but one for history and for guards.
    """
    work.schema.refuse_unusable()
    parameters = {"users": list(users)}
    # The lock comes first: after it no edge of theirs can appear.
    work.connection.execute(departures.lock_users(work.schema, work.engine), parameters).all()
    if work.schema.counts is not None:
        # Then the edges: one that somebody is just removing, they count out themselves.
        work.connection.execute(departures.lock_neighbours(work.schema, work.engine), parameters).all()
        # A neighbour who was never counted gets a row: whoever counts them for the first time
        # just now still sees the edges that go, and must meet somebody who took them out.
        whole, rows = (
            departures.count_neighbours(work.schema, work.engine),
            departures.uncounted_neighbours(work.schema, work.engine),
        )
        inserting.insert_selected(work, work.schema.counts, whole, rows, parameters)
        work.run(departures.count_out_followers, parameters, work.engine)
        work.run(departures.count_out_followed, parameters, work.engine)
    for table in _tables(work.schema):
        work.connection.execute(departures.delete_rows_of(work.schema, work.engine, table), parameters)
        if "reverse_key" in table.info:
            work.connection.execute(departures.delete_rows_about(work.schema, work.engine, table), parameters)
    if work.schema.history is not None:
        marks = inserting.complete(work.schema, work.schema.history, [_mark(user) for user in users])
        work.connection.execute(records.insert_history(work.schema), marks)


def _tables(schema: Schema) -> list[Table]:
    """Return the tables whose rows go with their users."""
    ties = [tie.table(schema) for tie in TIES if tie.is_declared(schema)]
    tables = (schema.guards, schema.counts, *ties, schema.notifications, *(schema.timeline or ()))
    return [table for table in tables if table is not None]


def _mark(user: Key) -> dict[str, object]:
    return {
        "follower_id": user,
        "id": new_id(),
        "following_id": user,
        "kind": HistoryKind.REMOVED.value,
        "timestamp": now(),
    }
