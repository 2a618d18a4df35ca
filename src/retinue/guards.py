"""
Guard rows: what puts the verbs about one user in order.

Follow and block could each miss what the other is just doing: neither sees rows
that are not committed. So each takes the guard of the users whose edges it decides
about, by a real write that waits for whoever else took it; ascending by key, before
anything else, so that nobody waits in a circle. A graph that has neither requests nor
blocks nor limits has no guards and needs none.
"""

from __future__ import annotations

from sqlalchemy.engine import Connection

from retinue import prepared
from retinue.engines import EngineRules
from retinue.schema import Schema
from retinue.statements import guards as statements
from retinue.values import Key


def take(connection: Connection, schema: Schema, rules: EngineRules, *users: Key, beside: tuple[Key, ...] = ()) -> bool:
    """
    Hold the guards of *users* until the transaction ends; return whether there are any.

    *beside*: the others that the transaction is about. All are locked against deletion
    before the first guard is taken. One statement; none, and true, where nothing needs a guard.
    """
    if schema.guards is None:
        return True
    parameters = {"users": list(users), "people": [*users, *beside]}
    return bool(connection.execute(statements.take_guards(schema, rules), parameters).rowcount)


def version(connection: Connection, schema: Schema, user: Key) -> int:
    """Return how often the guard of *user* was taken, as this transaction sees it. One statement."""
    return prepared.run(connection, schema, statements.guard_version, {"user": user}).scalar() or 0
