"""
Guard rows: what puts the verbs about one user in order.

Follow and block could each miss what the other is just doing: neither sees rows
that are not committed. So each takes the guard of the users whose edges it decides
about, by a real write that waits for whoever else took it; ascending by key, before
anything else, so that nobody waits in a circle. A graph that has neither requests nor
blocks nor limits has no guards and needs none.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy.engine import Connection

from retinue import prepared
from retinue.engines import EngineRules
from retinue.schema import Schema
from retinue.statements import Rows, moment
from retinue.statements import guards as statements
from retinue.values import Key


class Before(NamedTuple):
    """What two users find before one of them changes what leads from the first, the follower, to the second."""

    #: Whether the change needs the guards of both; else the follower's will do.
    both: bool = False
    #: Whether it is so already: then there is nothing to change, and no guard is taken.
    enough: bool = False
    #: Whether there is a request, answered or not.
    asked: bool = False
    #: Whether it waits for an answer.
    waits: bool = False


#: A statement about *follower* and *followed* that answers as many of these as it asks for.
Question: TypeAlias = Callable[[Schema, EngineRules], Rows]


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


def ask_and_take(
    connection: Connection, schema: Schema, rules: EngineRules, pair: tuple[Key, Key], ask: Question, at: datetime
) -> Before:
    """
    Hold the guards that the change of an edge needs, if it needs any: *ask* tells.

    One statement; two where changes do not go together; none where nothing needs a guard.
    """
    if schema.guards is None:
        return Before()
    parameters = {"follower": pair[0], "followed": pair[1], **moment(schema, at)}
    together = rules.changes_together
    build, arguments = (statements.ask_and_take_guards, (rules, ask)) if together else (ask, (rules,))
    found: Any = prepared.run(connection, schema, build, parameters, *arguments).first()
    before = Before(*(bool(answer) for answer in found or ()))
    if not (together or before.enough):
        take(connection, schema, rules, *(pair if before.both else pair[:1]), beside=pair)
    return before


def version(connection: Connection, schema: Schema, user: Key) -> int:
    """Return how often the guard of *user* was taken, as this transaction sees it. One statement."""
    return prepared.run(connection, schema, statements.guard_version, {"user": user}).scalar() or 0
