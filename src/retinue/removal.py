"""
Taking users out of the graph: everything of theirs on both sides, and the counts of those they leave.

Done before the users themselves are deleted, in a fixed number of statements and
without loading a row. It does not rely on the database's cascade, which SQLite
does not run unless told to, and which no engine extends to a counter.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from retinue import inserting, prepared
from retinue.engines import rules_of
from retinue.models import new_id, now
from retinue.schema import Schema
from retinue.statements import departures, records
from retinue.values import HistoryKind, Key


def detach(connection: Connection, schema: Schema, users: Sequence[Key]) -> None:
    """
    Remove everything of *users* that is about other users, and correct the others' counts.

    The users stay locked until the transaction ends: who wants to follow one of
    them waits, and then finds nobody. What the history says of them is closed by
    a mark, as their keys may be given to others. Commits nothing and announces
    nothing. Cost: three statements; five more where counts are kept; two for each
    other model, but one for history and for guards.
    """
    schema.refuse_unusable()
    rules = rules_of(connection)
    parameters = {"users": list(users)}
    # The lock comes first: after it no edge of theirs can appear.
    connection.execute(departures.lock_users(schema, rules), parameters).all()
    if schema.counts is not None:
        # Then the edges: one that somebody is just removing, they count out themselves.
        connection.execute(departures.lock_neighbours(schema, rules), parameters).all()
        # A neighbour who was never counted gets a row: whoever counts them for the first time
        # just now still sees the edges that go, and must meet somebody who took them out.
        whole, rows = departures.count_neighbours(schema, rules), departures.uncounted_neighbours(schema, rules)
        inserting.insert_selected(connection, schema, rules, schema.counts, whole, rows, parameters)
        prepared.run(connection, schema, departures.count_out_followers, parameters, rules)
        prepared.run(connection, schema, departures.count_out_followed, parameters, rules)
    for table in _tables(schema):
        connection.execute(departures.delete_rows_of(schema, rules, table), parameters)
        if "reverse_key" in table.info:
            connection.execute(departures.delete_rows_about(schema, rules, table), parameters)
    if schema.history is not None:
        marks = inserting.complete(schema, schema.history, [_mark(user) for user in users])
        connection.execute(records.insert_history(schema), marks)


def _tables(schema: Schema) -> list[Table]:
    """Return the tables whose rows go with their users."""
    tables = (schema.guards, schema.counts, schema.follows, schema.requests, schema.blocks, schema.mutes)
    tables = (*tables, schema.notifications, schema.dismissals, *(schema.timeline or ()))
    return [table for table in tables if table is not None]


def _mark(user: Key) -> dict[str, object]:
    return {
        "follower_id": user,
        "id": new_id(),
        "following_id": user,
        "kind": HistoryKind.REMOVED.value,
        "timestamp": now(),
    }
