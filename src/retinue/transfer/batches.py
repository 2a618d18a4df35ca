"""
One batch of edges into the database, with the counts of all whom it touches.

The order in which a batch locks is that of every verb: the users (shared, so that
none of them can be deleted meanwhile), the guards, the edges, the count rows; each ascending.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any, Final, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    and_,
    bindparam,
    func,
    select,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause, Subquery

from retinue.effects import close_requests, record_selected
from retinue.effects.changes import IMPORTED, Changed, Selected, as_sent
from retinue.engines import EngineRules, engine_of
from retinue.keys import Keys, user_keys_of
from retinue.models import UTCDateTime, new_id, now
from retinue.retry import transact
from retinue.schema import Schema
from retinue.transfer.bulk import Bulk, bulk_of
from retinue.transfer.privacy import EDGE, Privacy, Refused, named
from retinue.values import Key
from retinue.work import Pair, Work, inserting
from retinue.work.building import OPTION
from retinue.work.routing import bind_of, connection_of

#: Edges to be written, and since when; None: not said.
Edges = Mapping[Pair, datetime | None]

T = TypeVar("T")

#: How often a batch is tried while other sessions keep adding edges that are in it.
_ATTEMPTS: Final = 30

#: After so many attempts that met a row, and then found none that is there, the database is to say what it was.
_UNEXPLAINED_MOST: Final = 3

#: Seconds: the longest pause between two attempts.
_PAUSE_MOST: Final = 0.1


@dataclass(slots=True)
class Loaded:
    """What became of a batch."""

    added: int = 0
    #: Keys in it that no user has.
    unknown: set[Key] = field(default_factory=set)
    #: Edges in it that were there.
    present: set[Pair] = field(default_factory=set)
    #: Edges in it that must not be.
    refused: Refused = field(default_factory=Refused)


class Loader:
    """Writes batches of edges into one graph, each in a transaction of its own."""

    def __init__(self, schema: Schema, sessions: Callable[[], Session]) -> None:
        self._schema = schema
        self._sessions = sessions
        # Worth a statement only once a duplicate was met.
        self._look_first = False
        #: What keys users have.
        self.keys: Keys
        self.keys, self._bulk, self._run = transact(sessions, self._prepare)
        #: Whether the database works in this process, and so leaves it no time for anything else.
        self.in_process: bool = self._bulk.in_process
        #: Seconds that a batch should take.
        self.seconds: float = self._bulk.hold_seconds
        #: Rows that it should have at least.
        self.rows_least: int = self._bulk.rows_least

    def packed(self, edges: Edges) -> Packed:
        """Return *edges*, which are some, as `load()` takes them: all that can be done while another batch is written."""
        run = self._run
        return Packed(edges, run.dated if any(edges.values()) else run.undated, run.people, self._bulk)

    def load(self, given: Packed) -> Loaded:
        """
        Write the edges of *given*, and count them.

        Raises:
            sqlalchemy.exc.DBAPIError: The database refuses, and not for a reason that passes; or for a unique
                constraint of the application's own.
        """
        collision: _CollisionError | None = None
        attempt = unexplained = 0
        while True:
            attempt += 1
            plainly = unexplained == _UNEXPLAINED_MOST or attempt == _ATTEMPTS
            try:
                return self._transact(partial(self._write, given, plainly=plainly))
            except _CollisionError as error:
                # A row of the batch that came meanwhile is found by the next attempt's look; what is met by a
                # unique constraint of the application's own is not.
                unexplained = unexplained + 1 if collision and collision.present >= error.present else 0
                collision = error
            if self._look_first:
                time.sleep(random.uniform(0, min(_PAUSE_MOST, 0.001 * 2**attempt)))  # noqa: S311 - not a secret
            self._look_first = True

    def _prepare(self, session: Session) -> tuple[Keys, Bulk, _Statements]:
        connection = connection_of(session, self._schema, writes=True)
        engine, bulk = engine_of(connection), bulk_of(connection.dialect, {OPTION: "import_batch"})
        return user_keys_of(self._schema.key, connection), bulk, _Statements(self._schema, engine, bulk, connection)

    def _transact(self, work: Callable[[Work], T]) -> T:
        def begin(session: Session) -> T:
            options = {"isolation_level": self._bulk.isolation} if self._may_isolate(session) else {}
            connection = connection_of(session, self._schema, writes=True, **options)
            with self._bulk.tuned(connection):
                return work(Work.on(session, self._schema, connection))

        return transact(self._sessions, begin)

    def _may_isolate(self, session: Session) -> bool:
        bind = bind_of(session, self._schema, writes=True)
        # A session that is joined to an outer transaction keeps the level of that.
        return self._bulk.isolation is not None and not (isinstance(bind, Connection) and bind.in_transaction())

    def _write(self, given: Packed, work: Work, *, plainly: bool) -> Loaded:
        connection, run, of, loaded = work.connection, self._run, given.of, Loaded()
        people = self._bulk.send(connection, run.people, given.people)
        loaded.unknown = self._lock(connection, given.users, people)
        some = given.without(loaded.unknown, ()) if loaded.unknown else given
        held = of.privacy.hold(connection, some.pairs) if of.privacy and some.pairs else {}
        at = now()
        batch = self._bulk.send(connection, of.edges, some.edges)
        if self._look_first or (of.privacy and of.privacy.looks_first):
            present: Any = connection.execute(of.present, batch)
            loaded.present = {(follower, followed) for follower, followed in present}
        if of.privacy and some.pairs:
            known = set(some.pairs) - loaded.present
            # Where there is no room for all, those stay that come first in the source.
            wanted = (pair for pair in given.since if pair in known)
            loaded.refused = of.privacy.refuse(work, held, batch, wanted, at)
        left_out = loaded.present | loaded.refused.blocked | loaded.refused.beyond
        if left_out:
            some = some.without((), left_out)
            batch = self._bulk.send(connection, of.edges, some.edges)
        loaded.added = len(some.pairs)
        if not some.pairs:
            close_requests(work, loaded.refused.asked)
            return loaded
        if some is not given:
            people = self._bulk.send(connection, run.people, some.people)
        try:
            self._insert(work, some, {**batch, "edges_at": at}, at, plainly=plainly)
        except _CollisionError as collision:
            collision.present = loaded.present
            raise
        first = new_id()
        parameters = {**people, **batch, "edges_at": at, "edges_first_id": first}

        def values() -> Sequence[Changed]:
            return [Changed(*pair, since, first + n) for n, (pair, since) in enumerate(some.times(at), 1)]

        record_selected(work, IMPORTED, Selected(of.changed, run.people, parameters, values, "import_"))
        close_requests(work, loaded.refused.asked)
        return loaded

    def _lock(self, connection: Connection, users: Sequence[Key], sent: dict[str, Any]) -> set[Key]:
        """Lock *users*, ascending, against deletion; return the keys that no user has, to the letter."""
        # Their number says enough, but not of texts: where a collation ignores case, 'ANNE' finds 'anne'.
        by_number = not isinstance(users[0], str)
        if by_number and connection.execute(self._run.lock_people, sent).scalar_one() == len(users):
            return set()
        return set(users).difference(connection.execute(self._run.known_people, sent).scalars())

    def _insert(self, work: Work, some: Packed, parameters: dict[str, Any], at: datetime, *, plainly: bool) -> None:
        """Insert edges; *plainly*: what refuses one is the caller's."""
        rows = self._schema.own_of(self._schema.follows).per_row
        try:
            if rows or plainly:
                inserting.insert_plainly(work, self._schema.follows, [_edge(*one) for one in some.times(at)])
                return
            result = work.connection.execute(some.of.insert, parameters)
        except IntegrityError as error:
            if not plainly and self._bulk.says_duplicate(error):
                raise _CollisionError from error
            raise
        if self._bulk.met_a_row(result):
            raise _CollisionError


class _CollisionError(Exception):
    """An edge that was to be new was there: the batch is to be tried again."""

    def __init__(self) -> None:
        super().__init__()
        #: The edges that were known to be there.
        self.present: set[Pair] = set()


def _edge(pair: Pair, since: datetime) -> dict[str, Any]:
    return dict(zip(EDGE, (*pair, since), strict=True))


class Packed:
    """Edges in the order in which they are written, and all that is sent of them."""

    def __init__(self, since: Edges, of: _EdgeStatements, people: Subquery, bulk: Bulk) -> None:
        #: As they were given: the first one first.
        self.since = since
        self.of = of
        self._make: Callable[[Edges], Packed] = lambda edges: Packed(edges, of, people, bulk)
        self.pairs: list[Pair] = sorted(since)
        following, followers = (Counter(map(itemgetter(end), self.pairs)) for end in (0, 1))
        #: Both ends of all, ascending; and how many more followers and followed each gets.
        self.users: list[Any] = sorted(following.keys() | followers.keys())
        more = ([counter[user] for user in self.users] for counter in (followers, following))
        self.people: Any = bulk.packed(people, (self.users, *more))
        self.edges: Any = bulk.packed(of.edges, of.columns(self.pairs, since))

    def without(self, users: Collection[Key], pairs: Collection[Pair]) -> Packed:
        """Return the same without the edges of these *users*, and without these *pairs*."""
        left_out = ((pair, pair in pairs or pair[0] in users or pair[1] in users) for pair in self.since)
        return self._make({pair: self.since[pair] for pair, is_left_out in left_out if not is_left_out})

    def times(self, at: datetime) -> Iterator[tuple[Pair, datetime]]:
        """Yield the edges with their times; *at*, where it was not said."""
        return ((pair, self.since[pair] or at) for pair in self.pairs)


class _Statements:
    """What a batch runs. Each statement takes a whole batch, and carries its name as those of the graph do."""

    def __init__(self, schema: Schema, engine: EngineRules, bulk: Bulk, connection: Connection) -> None:
        key, spelled = schema.key, bulk.spelled(connection, schema.key)
        number = (BigInteger(), bulk.compiled(BigInteger()))
        columns = {"person": (key.type, spelled), "more_followers": number, "more_following": number}
        self.people = bulk.batch("people", columns)
        self.known_people = named(_known(self.people, key), "known_people")
        self.lock_people = named(_number(_known(self.people, key)), "lock_people")
        self.dated = _EdgeStatements(schema, engine, bulk, spelled, dated=True)
        self.undated = _EdgeStatements(schema, engine, bulk, spelled, dated=False)


class _EdgeStatements:
    """What a batch of edges runs, with a time for some of them or without."""

    def __init__(self, schema: Schema, engine: EngineRules, bulk: Bulk, spelled_key: str, *, dated: bool) -> None:
        follows, time_type = schema.follows, UTCDateTime()
        key = (schema.key.type, spelled_key)
        since = {"since": (time_type, bulk.compiled(time_type))} if dated else {}
        self._dated = dated
        self.edges: Subquery = bulk.batch("edges", {"follower": key, "followed": key, **since})
        new = self.edges.c
        same_edge = and_(follows.c.follower_id == new.follower, follows.c.following_id == new.followed)
        self.present: Any = named(
            as_sent(select(new.follower, new.followed).join_from(self.edges, follows, same_edge)), "present_edges"
        )
        at: ColumnElement[Any] = bindparam("edges_at", type_=time_type)
        if dated:
            at = func.coalesce(new.since, at, type_=time_type)
        number = bindparam("edges_first_id", type_=BigInteger) + new.n
        #: The edges, once they are there. The numbers of a batch are used up in less time than it takes to write one.
        self.changed: Changed = Changed(new.follower, new.followed, at, number)
        self.insert: Any = named(bulk.insert_all(follows, EDGE, select(*self.changed[:3])), "insert_edges")
        guarded = schema.guards is not None
        self.privacy: Privacy | None = Privacy(schema, engine, bulk, spelled_key, self.edges) if guarded else None

    def columns(self, pairs: Sequence[Pair], edges: Edges) -> Sequence[Sequence[Any]]:
        """Return what is sent of *edges*: those of *pairs*."""
        keys = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        return (*keys, [edges[pair] for pair in pairs]) if self._dated else keys


def _known(people: FromClause, key: Column[Any]) -> Any:
    """Return the keys of *people* who are users, locked against deletion in the order of *people*."""
    users = key.table
    rows = select(key).join_from(people, users, key == people.c.person).order_by(people.c.n)
    return as_sent(rows).with_for_update(read=True, key_share=True, of=users)


def _number(rows: Any) -> Any:
    """Return how many *rows* there are, so that none is sent."""
    return select(func.count()).select_from(rows.subquery("found"))
