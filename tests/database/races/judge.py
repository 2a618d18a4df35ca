"""
Says whether an end is right.

The judge is the follow system in plain Python (`machine.world`): whatever sessions did at once, one after the other
it must have been able to come to the same results, to tell of the same events, and to leave the same behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from retinue import HistoryKind, UnknownUserError, listen
from retinue.events import EdgeEvent
from tests.database import graph_models
from tests.database.graph_models import Pair
from tests.database.machine.facts import MEANINGS
from tests.database.machine.world import World
from tests.database.races.actions import Action, Plain
from tests.models import Models

#: What events tell of whom, and how often.
Told = Counter[tuple[HistoryKind, Pair]]

_ENDED = (HistoryKind.UNFOLLOWED, HistoryKind.FOLLOWER_REMOVED)

# --- What is there -------------------------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """What there is, and must be so whichever way sessions meet. Requests are the pending ones."""

    locked: frozenset[int]
    edges: frozenset[Pair]
    requests: frozenset[Pair]
    blocks: frozenset[Pair]
    mutes: frozenset[Pair]
    #: Recipient and actor, what it is about, and whether it was read.
    notifications: frozenset[tuple[int, int, str, bool]]

    def among(self, users: Iterable[int]) -> State:
        """Return what concerns nobody but *users*."""
        them = set(users)

        def within(pairs: frozenset[Pair]) -> frozenset[Pair]:
            return frozenset(pair for pair in pairs if them >= {*pair})

        told = frozenset(told for told in self.notifications if them >= {*told[:2]})
        rows = (within(self.edges), within(self.requests), within(self.blocks), within(self.mutes))
        return State(self.locked & them, *rows, told)


def state_of(world: World, models: Models) -> State:
    """Return what there is in *world*, of what *models* have."""
    told = world.notifications.items() if models.notification else ()
    return State(
        frozenset(user for user, member in world.users.items() if member.locked),
        frozenset(world.edges),
        frozenset(pair for pair in world.requests if world.pending(pair)),
        frozenset(world.blocks),
        frozenset(world.mutes),
        frozenset((*key[:2], key[2].value, one.read is not None) for key, one in told),
    )


def audit(engine: Engine, models: Models, counted: Iterable[int] = ()) -> State:
    """
    Fail unless all holds that must hold at any time; return what there is.

    Counters equal rows, and there are some for whom is *counted*; beside a block there is nothing else, and beside
    an edge no request; no row is about somebody who has gone; and the history tells of each edge how it came to be,
    or to an end.
    """
    edges = frozenset(graph_models.audit(engine, models, counted))
    user = models.user.__table__.c
    with engine.connect() as connection:

        def pairs(model: Any, *condition: Any) -> frozenset[Pair]:
            if model is None:
                return frozenset()
            one, other = list(model.__table__.primary_key)[:2]
            return frozenset((a, b) for a, b in connection.execute(select(one, other).where(*condition)))

        people = set(connection.execute(select(user.id)).scalars())
        locked = connection.execute(select(user.id).where(user.locked)).scalars() if "locked" in user else ()
        notice = models.notification.__table__.c if models.notification else None
        rows = [notice.recipient_id, notice.actor_id, notice.kind, notice.read_at] if notice is not None else []
        told = connection.execute(select(*rows)) if rows else ()
        state = State(
            frozenset(locked),
            edges,
            pairs(models.request, models.request.rejected_at.is_(None)) if models.request else frozenset(),
            pairs(models.block),
            pairs(models.mute),
            frozenset((a, b, kind, read is not None) for a, b, kind, read in told),
        )
        for table in models.metadata.sorted_tables:
            named = [key.parent for key in table.foreign_keys]
            assert {user for row in connection.execute(select(*named)) for user in row} <= people if named else True
    apart = state.blocks | {(b, a) for a, b in state.blocks}
    assert not apart & edges, "an edge beside a block"
    assert not apart & state.requests, "a request beside a block"
    assert not apart & {told[:2] for told in state.notifications}, "a notification beside a block"
    assert not edges & state.requests, "a request beside an edge"
    if models.event is not None:
        assert edges == edges_of(history(engine, models)), "what there is (left) is not what happened (right)"
    return state


def history(engine: Engine, models: Models) -> list[tuple[HistoryKind, Pair]]:
    """Return all that is written down, oldest first."""
    row = models.event.__table__.c
    with engine.connect() as connection:
        rows = connection.execute(select(row.kind, row.follower_id, row.following_id).order_by(row.id))
        return [(HistoryKind(kind), (a, b)) for kind, a, b in rows]


def edges_of(history: Iterable[tuple[HistoryKind, Pair]]) -> set[Pair]:
    """Return the edges that a history leaves; fail if it tells of one that began or ended twice."""
    edges: set[Pair] = set()
    for kind, pair in history:
        if kind is HistoryKind.REMOVED:
            edges = {edge for edge in edges if pair[0] not in edge}
        elif kind in _ENDED:
            assert pair in edges, f"{kind} without an edge: {pair}"
            edges.remove(pair)
        elif kind is not HistoryKind.REQUEST_REJECTED:
            assert pair not in edges, f"{kind} beside an edge: {pair}"
            if kind is not HistoryKind.REQUESTED:
                edges.add(pair)
    return edges


@contextmanager
def heard(models: Models) -> Iterator[Told]:
    """Count the events of edges, by what the history calls them, and by whom they are about."""
    told: Told = Counter()

    def hear(happened: EdgeEvent) -> None:
        told[_meaning(happened)] += 1

    stop = listen(models.user, EdgeEvent, hear)
    yield told
    stop()


def left_by(told: Told) -> set[Pair]:
    """Return the edges that were made once more than they ended."""
    balance: Counter[Pair] = Counter()
    for (kind, pair), times in told.items():
        if kind in _ENDED:
            balance[pair] -= times
        elif kind not in (HistoryKind.REQUESTED, HistoryKind.REQUEST_REJECTED):
            balance[pair] += times
    assert {*balance.values()} <= {0, 1}, "an edge was told of that is not, or twice"
    return set(balance.elements())


def check_history(engine: Engine, models: Models, told: Told) -> None:
    """Fail unless all that was *told* is written down once, and nothing else."""
    if models.event is not None:
        written = Counter(entry for entry in history(engine, models) if entry[0] is not HistoryKind.REMOVED)
        assert told == written, "what listeners heard (left) is not what is written down (right)"


def _meaning(event: EdgeEvent) -> tuple[HistoryKind, Pair]:
    a, b = int(str(event.follower_id)), int(str(event.followed_id))
    return MEANINGS[type(event)][0], (a, b)


# --- The judge -----------------------------------------------------------------------------------

Done = tuple[Action, object]


@dataclass(frozen=True)
class End:
    """What there is in the end, and what listeners heard on the way."""

    state: State
    told: frozenset[tuple[tuple[HistoryKind, Pair], int]]


def end_of(world: World, models: Models) -> End:
    told = Counter(_meaning(event) for event in world.said if isinstance(event, EdgeEvent))
    return End(state_of(world, models), frozenset(told.items()))


def agree(wanted: object, result: object) -> bool:
    """
    Return whether *result* is the right one.

    Who finds nothing to end may say just that, where somebody has gone of whom an older snapshot still knows.
    """
    return result == wanted or (wanted is UnknownUserError and result is False)


def order_that_explains(models: Models, before: Plain, done: Sequence[Done], end: End) -> Plain | None:
    """Return the world after the actions, one after the other in an order which has these results and leaves *end*."""
    failed: set[tuple[frozenset[tuple[Done, int]], End]] = set()

    def search(world: Plain, left: Counter[Done]) -> Plain | None:
        here = end_of(world, models)
        if not left:
            return world if here == end else None
        mark = frozenset(left.items()), here
        if mark in failed:
            return None
        for one in left:
            then = world.copy()
            if agree(one[0].on(then), one[1]):
                found = search(then, left - Counter([one]))
                if found is not None:
                    return found
        failed.add(mark)
        return None

    return search(before, Counter(done))
