"""
Sessions of private users that meet, and a judge.

The judge is the follow system in plain Python (`machine.world`): whatever sessions did
at once, one after the other it must have been able to come to the same results, and to
leave the same behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from retinue import BlockedError, HistoryKind, LimitError, UnknownUserError, listen
from retinue.events import EdgeEvent
from tests.database import graph_models
from tests.database.clock import Clock
from tests.database.graph_models import Crowd, Pair
from tests.database.machine.facts import MEANINGS
from tests.database.machine.world import World
from tests.database.models_private import PrivateModels
from tests.database.plain_view import Member
from tests.database.private_models import Application
from tests.models import Models

#: What to do to a graph, or to a `World`: ``methodcaller("block", 1, 2)``.
Verb = Callable[[Any], object]


class Plain(World):
    """In plain Python, what an `Application` does."""

    def put(self, follower: int, followed: int) -> bool:  # type: ignore[override]
        pair = follower, followed
        if self.apart(*pair):
            raise BlockedError(*pair)
        if pair in self.edges:
            return False
        super().put(pair)
        return True

    def leave(self, user: int) -> None:
        self.bury({user})

    def copy(self) -> Plain:
        return Plain(**vars(super().copy()))


def outcome(verb: Verb, graph: Any) -> object:
    """Return what *verb* returns; or the class of the error that is an answer, too."""
    try:
        return verb(graph)
    except (BlockedError, LimitError, UnknownUserError) as error:
        return type(error)


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


def state_of(world: World) -> State:
    """Return what there is in *world*."""
    return State(
        frozenset(user for user, member in world.users.items() if member.locked),
        frozenset(world.edges),
        frozenset(pair for pair in world.requests if world.pending(pair)),
        frozenset(world.blocks),
        frozenset(world.mutes),
        frozenset((*key[:2], key[2].value, told.read is not None) for key, told in world.notifications.items()),
    )


def audit(engine: Engine, models: PrivateModels) -> State:
    """
    Fail unless all holds that must hold at any time; return what there is.

    Counters equal rows; beside a block there is nothing else, and beside an edge no request; no row
    is about somebody who has gone; and the history tells of each edge how it came to be, or to an end.
    """
    edges = frozenset(graph_models.audit(engine, models))
    user = models.user.__table__.c
    with engine.connect() as connection:

        def pairs(model: type[Any], *condition: Any) -> frozenset[Pair]:
            one, other = list(model.__table__.primary_key)[:2]
            return frozenset((a, b) for a, b in connection.execute(select(one, other).where(*condition)))

        people = set(connection.execute(select(user.id)).scalars())
        told = models.notification.__table__.c
        notice = (told.recipient_id, told.actor_id, told.kind, told.read_at)
        state = State(
            frozenset(connection.execute(select(user.id).where(user.locked)).scalars()),
            edges,
            pairs(models.request, models.request.rejected_at.is_(None)),
            pairs(models.block),
            pairs(models.mute),
            frozenset((a, b, kind, read is not None) for a, b, kind, read in connection.execute(select(*notice))),
        )
        for table in models.metadata.sorted_tables:
            named = [key.parent for key in table.foreign_keys]
            assert {user for row in connection.execute(select(*named)) for user in row} <= people if named else True
    apart = state.blocks | {(b, a) for a, b in state.blocks}
    assert not apart & edges, "an edge beside a block"
    assert not apart & state.requests, "a request beside a block"
    assert not apart & {told[:2] for told in state.notifications}, "a notification beside a block"
    assert not edges & state.requests, "a request beside an edge"
    assert edges == edges_of(history(engine, models)), "what there is (left) is not what happened (right)"
    return state


def history(engine: Engine, models: PrivateModels) -> list[tuple[HistoryKind, Pair]]:
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
        elif kind in (HistoryKind.UNFOLLOWED, HistoryKind.FOLLOWER_REMOVED):
            assert pair in edges, f"{kind} without an edge: {pair}"
            edges.remove(pair)
        elif kind is not HistoryKind.REQUEST_REJECTED:
            assert pair not in edges, f"{kind} beside an edge: {pair}"
            if kind is not HistoryKind.REQUESTED:
                edges.add(pair)
    return edges


@contextmanager
def heard(models: Models) -> Iterator[Counter[HistoryKind]]:
    """Count the events of edges, by what the history calls them."""
    counted: Counter[HistoryKind] = Counter()

    def hear(happened: EdgeEvent) -> None:
        counted[MEANINGS[type(happened)][0]] += 1

    stop = listen(models.user, EdgeEvent, hear)
    yield counted
    stop()


# --- The judge -----------------------------------------------------------------------------------


def some_order_explains(before: Plain, done: Sequence[tuple[Verb, object]], after: State) -> bool:
    """Return whether the verbs, one after the other in some order, have these results and leave this."""
    if not done:
        return state_of(before) == after
    for number, (verb, result) in enumerate(done):
        world = before.copy()
        rest = [*done[:number], *done[number + 1 :]]
        if outcome(verb, world) == result and some_order_explains(world, rest, after):
            return True
    return False


@dataclass
class Scene:
    """Some users, what they did before, and what they do at once."""

    users: list[int]
    before: list[Verb]
    verbs: list[Verb]


def play(them: Crowd, models: PrivateModels, scenes: Sequence[Scene], *, patient: bool = False) -> State:
    """
    Play the *scenes*; fail if one ends as no order of its verbs does, or with an error.

    Each verb has a session and a transaction of its own (with *patient*, in `transact()`), which has read
    all the users before any of the verbs begins. Returns what there is in the end.
    """
    with heard(models) as events:
        worlds = [prepare(them, models, scene) for scene in scenes]
        met = [them.race([job(models, verb) for verb in scene.verbs], scene.users, patient=patient) for scene in scenes]
    state = audit(them.engine, models)
    assert events == Counter(kind for kind, _ in history(them.engine, models) if kind is not HistoryKind.REMOVED)
    for scene, world, results in zip(scenes, worlds, met, strict=True):
        done = list(zip(scene.verbs, results, strict=True))
        after = state.among(scene.users)
        assert graph_models.errors(results) == [], done
        assert some_order_explains(world, done, after), f"before: {scene.before}\nat once: {done}\nafter: {after}"
    return state


def prepare(them: Crowd, models: PrivateModels, scene: Scene) -> Plain:
    """Do what was done before *scene*; return the same in plain Python."""
    world = Plain(models.user.__retinue__, Clock(), dict.fromkeys(scene.users, Member()))
    with them.sessions() as session:
        for verb in scene.before:
            assert outcome(verb, world) == outcome(verb, Application(session, models)), scene.before
        session.commit()
    return world


def job(models: Models, verb: Verb) -> Callable[[Session], object]:
    """Return the job of *verb*, for `Crowd.race()`."""
    return lambda session: outcome(verb, Application(session, models))
