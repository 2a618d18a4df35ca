"""
What a batch of edges owes to requests, blocks and limits.

It takes the guards of all its followers, as the verbs do: after the users, before the
edges, ascending. From then on nobody blocks them, is blocked by them or lets them ask,
until the batch is committed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Executable, and_, func, literal_column, select, true
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Subquery

from retinue.arguments import most_followed
from retinue.effects.changes import as_sent
from retinue.effects.counts.rows import stored
from retinue.engines import EngineRules
from retinue.models import FollowCountMixin
from retinue.schema import Schema
from retinue.ties import BLOCK, REQUEST, delete_tie, not_ended, pending
from retinue.transfer.bulk import Bulk
from retinue.values import Key
from retinue.work import Pair, Work
from retinue.work.building import OPTION, moment

#: The columns of an edge.
EDGE: Final = ["follower_id", "following_id", "timestamp"]


@dataclass(slots=True)
class Refused:
    """The edges that must not be."""

    #: One of the two blocks the other.
    blocked: set[Pair] = field(default_factory=set)
    #: More than the follower may have.
    beyond: set[Pair] = field(default_factory=set)
    #: Edges that may be, and whose requests are gone: for `effects.close_requests()`.
    asked: list[Pair] = field(default_factory=list)


class Privacy:
    """What the edges of the batch *edges* are asked; each thing only where its model is declared."""

    def __init__(self, schema: Schema, engine: EngineRules, bulk: Bulk, spelled_key: str, edges: Subquery) -> None:
        self._schema, self._bulk = schema, bulk
        self._limited = schema.settings.max_following is not None
        self._followers = bulk.batch("followers", {"person": (schema.key.type, spelled_key)})
        self._take_guards = self._guards(engine)
        self._blocks = self._blocked(engine, edges)
        self._asked = self._requests(edges) if REQUEST.is_declared(schema) else None
        self._usage = self._used() if self._limited else None

    @property
    def looks_first(self) -> bool:
        """Whether it must be known which edges are there: they do not count against a limit."""
        return self._limited

    def hold(self, connection: Connection, pairs: Iterable[Pair]) -> dict[str, Any]:
        """Hold the guards of those who follow in *pairs*; return them, as they were sent."""
        packed = self._bulk.packed(self._followers, [sorted({follower for follower, _ in pairs})])
        sent = self._bulk.send(connection, self._followers, packed)
        connection.execute(self._take_guards, sent)
        return sent

    def refuse(
        self, work: Work, held: dict[str, Any], batch: dict[str, Any], wanted: Iterable[Pair], at: datetime
    ) -> Refused:
        """
        Return which of *wanted* must not be, where there is no room those that come last; delete the others' requests.

        Requests go before edges come: whoever accepts one has locked it, and wants the edge.
        """
        times, refused = moment(self._schema, at), Refused()
        for statement in self._blocks:
            rows = work.connection.execute(statement, {**batch, **times})
            refused.blocked.update((follower, followed) for follower, followed in rows)
        asked: dict[Pair, bool] = {}
        if self._asked is not None:
            rows = work.connection.execute(self._asked, {**batch, **times})
            asked = {(follower, followed): bool(waits) for follower, followed, waits in rows}
        if self._usage is not None:
            room = self._room(work.connection, {**held, **times})
            for pair in wanted:
                if pair in refused.blocked:
                    continue
                # It takes the place of its own request, if that was counted.
                counted = asked.get(pair, False)
                if room[pair[0]] + counted <= 0:
                    refused.beyond.add(pair)
                elif not counted:
                    room[pair[0]] -= 1
        refused.asked = [pair for pair in asked if pair not in refused.blocked and pair not in refused.beyond]
        if refused.asked:
            work.run_each(delete_tie, [REQUEST.parameters(pair) for pair in refused.asked], REQUEST)
        return refused

    def _room(self, connection: Connection, parameters: dict[str, Any]) -> dict[Key, int]:
        """Return how many more each follower may follow."""
        settings, rows = self._schema.settings, connection.execute(self._usage, parameters)  # type: ignore[arg-type]
        return {
            user: (most_followed(settings, int(followers)) or 0) - int(following) - waiting
            for user, following, followers, waiting in rows
        }

    def _guards(self, engine: EngineRules) -> Executable:
        guards, key, person = self._schema.guards, self._schema.key, self._followers.c.person
        assert guards is not None  # noqa: S101 - asked for only where there are guards
        # Ordered as the verbs order them: by the column's own collation.
        rows = select(key.label("user_id"), literal_column("1").label("version")).join_from(
            self._followers, key.table, key == person
        )
        rows = as_sent(rows.where(true()).order_by(key))
        return named(
            engine.upsert(guards, rows, lambda new: {"version": guards.c.version + new.version}), "take_guards"
        )

    def _blocked(self, engine: EngineRules, edges: Subquery) -> list[Executable]:
        """Return what finds the edges whose follower blocks the followed, and those whose followed blocks the follower."""
        if not BLOCK.is_declared(self._schema):
            return []
        block, new = BLOCK.table(self._schema), edges.c

        def blocked_by(blocker: ColumnElement[Any], blocked: ColumnElement[Any]) -> Executable:
            same = and_(block.c.blocker_id == blocker, block.c.blocked_id == blocked, not_ended(block))
            rows = as_sent(select(new.follower, new.followed).join_from(edges, block, same))
            return named(engine.current(rows), "blocked_edges")

        return [blocked_by(new.follower, new.followed), blocked_by(new.followed, new.follower)]

    def _requests(self, edges: Subquery) -> Executable:
        request: Any = REQUEST.table(self._schema)
        new = edges.c
        same = and_(request.c.follower_id == new.follower, request.c.following_id == new.followed)
        rows = select(new.follower, new.followed, pending(self._schema, request)).join_from(edges, request, same)
        return named(as_sent(rows.order_by(new.n)).with_for_update(of=request), "requested_edges")

    def _used(self) -> Executable:
        """Return what says how many each of the followers follows, is followed by, and has asked."""
        schema, person = self._schema, self._followers.c.person
        edge, mirror = schema.follows.c, schema.edges_by_target.c
        following: Any = select(func.count()).where(edge.follower_id == person).scalar_subquery()
        followers: Any = select(func.count()).where(mirror.following_id == person).scalar_subquery()
        if FollowCountMixin in schema.models:
            to, out = (rows.scalar_subquery() for rows in stored(schema, person))
            followers, following = func.coalesce(to, followers), func.coalesce(out, following)
        waiting: Any = literal_column("0")
        if REQUEST.is_declared(schema):
            request = REQUEST.table(schema)
            rows = select(func.count()).where(request.c.follower_id == person, pending(schema, request))
            waiting = rows.scalar_subquery()
        return named(select(person, following, followers, waiting).select_from(self._followers), "usage")


def named(statement: Any, name: str) -> Executable:
    """Return *statement* with its name, as those of the graph have one."""
    carries: Executable = statement.execution_options(**{OPTION: f"import_{name}"})
    return carries
