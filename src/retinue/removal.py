"""
Taking users out of the graph: their edges on both sides, and the counts of those they leave.

Done before the users themselves are deleted, in a fixed number of statements and
without loading an edge. It does not rely on the database's cascade, which SQLite
does not run unless told to, and which no engine extends to a counter.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from retinue import statements
from retinue.engines import rules_of
from retinue.schema import Schema
from retinue.values import Key


def detach(connection: Connection, schema: Schema, users: Sequence[Key]) -> None:
    """
    Remove every edge of *users*, and their own count rows; correct the others' counts.

    The users stay locked until the transaction ends: who wants to follow one of
    them waits, and then finds nobody. Commits nothing and announces nothing. Cost:
    three statements, and five more where counts are kept.
    """
    rules = rules_of(connection)
    parameters = {"users": list(users)}
    # The lock comes first: after it no edge of theirs can appear.
    connection.execute(statements.lock_users(schema, rules), parameters).all()
    if schema.counts is not None:
        # Then the edges: one that somebody is just removing, they count out themselves.
        connection.execute(statements.lock_neighbours(schema, rules), parameters).all()
        # A neighbour who was never counted gets a row: whoever counts them for the first time
        # just now still sees the edges that go, and must meet somebody who took them out.
        connection.execute(statements.count_neighbours(schema, rules), parameters)
        connection.execute(statements.count_out_followers(schema, rules), parameters)
        connection.execute(statements.count_out_followed(schema, rules), parameters)
        connection.execute(statements.delete_counts(schema, rules), parameters)
    connection.execute(statements.delete_followings(schema, rules), parameters)
    connection.execute(statements.delete_followers(schema, rules), parameters)
