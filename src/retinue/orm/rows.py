"""What holds for a row of the graph, whoever writes it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy.engine import Connection

from retinue import changes, guards, prepared
from retinue.caller import Pair, names_of
from retinue.engines import rules_of
from retinue.errors import BlockedError, NotWritableError
from retinue.models import BlockMixin, FollowRequestMixin, now
from retinue.ownership import GraphModel
from retinue.schema import Schema
from retinue.statements import edges, requests

#: Models whose rows only a verb may make, and that verb.
VERBS: dict[type[GraphModel], str] = {
    BlockMixin: "graph.block(blocker, blocked)",
    FollowRequestMixin: "graph.follow(follower, followed)",
}


def refuse_row_of(model: type[Any]) -> None:
    """Raise `NotWritableError` if only a verb may make a row of *model*."""
    for mixin, verb in VERBS.items():
        if issubclass(model, mixin):
            what = f"a {model.__name__} stands for more than its row"
            raise NotWritableError(what, verb)


def refuse_blocked(connection: Connection, schema: Schema, pairs: Sequence[Pair]) -> None:
    """Raise `BlockedError` if two of *pairs* are blocked, and see to it that they stay as they are."""
    if not pairs:
        return
    rules = rules_of(connection)
    beside = tuple(followed for _, followed in pairs)
    guards.take(connection, schema, rules, *(follower for follower, _ in pairs), beside=beside)
    if schema.blocks is not None:
        for pair in pairs:
            if connection.execute(edges.are_blocked(schema, rules), {**names_of(pair), "now": now()}).scalar():
                raise BlockedError(*pair)


def drop_requests(connection: Connection, schema: Schema, pairs: Sequence[Pair]) -> None:
    """
    Delete the requests of *pairs*, who follow now, and what was told of them.

    Their guards are held, so that none can be made. One delete for each pair.
    """
    if schema.requests is not None:
        run = partial(prepared.run, connection, schema, requests.delete_request)
        changes.close_requests(connection, schema, [pair for pair in pairs if run(names_of(pair)).rowcount])
