"""Some people, what they did before, and what they do at once: how a row of the table is prepared, and judged."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from retinue import Outcome
from tests.database.clock import Clock
from tests.database.graph_models import Crowd, Pair, find_deadlocks_at_once, refuse_but_retriable
from tests.database.plain_view import Member
from tests.database.races.actions import Action, Application, Plain, name_of
from tests.database.races.judge import End, Told, audit, check_history, order_that_explains
from tests.models import FLAGS, Models

#: Actions of a row that chance decides about.
Draw = Callable[[random.Random], list[Action]]


def some(number: int, *options: Action) -> Draw:
    """Let so many of *options* happen."""
    return lambda chance: chance.sample(options, number)


def one_of(*options: Action) -> Draw:
    """Let one of *options* happen."""
    return some(1, *options)


def at_most(number: int, *options: Action) -> Draw:
    """Let none to so many of *options* happen."""
    return lambda chance: chance.sample(options, chance.randint(0, number))


def perhaps(share: float, *items: Action | Draw) -> Draw:
    """Let all of *items* happen in that share of the scenes."""
    return lambda chance: drawn(chance, items) if chance.random() < share else []


def again(times: int, *options: Action) -> Draw:
    """Let one of *options* happen so many times, as impatient fingers do it."""
    return lambda chance: [chance.choice(options)] * times


def drawn(chance: random.Random, items: Iterable[Action | Draw]) -> list[Action]:
    """Return the actions of *items*, as *chance* decides."""
    return [action for item in items for action in ([item] if isinstance(item, Action) else item(chance))]


@dataclass
class Scene:
    """Who is there, what they did before, and what they do at once."""

    users: list[int]
    before: list[Action]
    beside: list[Action]
    #: The `Follow` rows that each session has loaded.
    loads: list[Pair] = field(default_factory=list)


def cast(
    number: int,
    roles: str,
    before: Iterable[Action | Draw],
    beside: Iterable[Action | Draw],
    loads: Iterable[tuple[str, str]] = (),
) -> Scene:
    """Return scene *number*: its people are others than those of every other number."""
    chance = random.Random(number)
    users = list(range(number * len(roles) + 1, (number + 1) * len(roles) + 1))
    played = dict(zip(roles, chance.sample(users, len(users)), strict=True))
    did, do = ([action.by(played) for action in drawn(chance, items)] for items in (before, beside))
    return Scene(users, did, do, [(played[a], played[b]) for a, b in loads])


def invite(engine: Engine, models: Models, number: int) -> list[int]:
    """Let there be *number* people, none of them private; return their keys."""
    if engine.dialect.name == "postgresql":
        find_deadlocks_at_once(engine)
    with engine.begin() as connection:
        connection.execute(insert(models.user.__table__), people(models, number))
    return list(range(1, number + 1))


def people(models: Models, number: int) -> list[dict[str, object]]:
    """Return the rows of so many users."""
    rows: list[dict[str, object]] = [{"id": key, "name": name_of(key), **FLAGS} for key in range(1, number + 1)]
    return [{column.name: row[column.name] for column in models.user.__table__.columns} for row in rows]


def prepare(them: Crowd, scene: Scene) -> Plain:
    """Do what was done before *scene*; return the same in plain Python."""
    world = Plain(them.models.user.__retinue__, Clock(), dict.fromkeys(scene.users, Member()))
    with them.sessions() as session:
        for action in scene.before:
            assert action.on(world) == action.on(Application(session, them.models)), scene.before
        session.commit()
    return world


def job(models: Models, action: Action) -> Callable[[Session], object]:
    """Return the job of *action*, for `Crowd.race()`."""
    return lambda session: action.on(Application(session, models))


def judge(
    them: Crowd, scenes: Sequence[Scene], worlds: Sequence[Plain], results: Sequence[Sequence[object]], told: Told
) -> None:
    """
    Fail unless each of *scenes* ended as some order of its actions would have.

    An action that ended with an error which its engine calls retriable is none that happened; another error is a
    failure.
    """
    state = audit(them.engine, them.models)
    check_history(them.engine, them.models, told)
    counted: set[int] = set()
    for scene, world, ended in zip(scenes, worlds, results, strict=True):
        refuse_but_retriable(ended)
        done = [pair for pair in zip(scene.beside, ended, strict=True) if not isinstance(pair[1], DBAPIError)]
        theirs = Counter({entry: times for entry, times in told.items() if {*entry[1]} <= {*scene.users}})
        end = End(state.among(scene.users), frozenset(theirs.items()))
        found = order_that_explains(them.models, world, done, end)
        lines = ["before:", *scene.before, "at once:", *(f"{action} -> {result}" for action, result in done)]
        assert found is not None, "\n".join(map(str, [*lines, "after:", end]))
        counted |= {user for one, result in done if result is Outcome.FOLLOWED for user in one.who} & {*found.users}
    audit(them.engine, them.models, counted)
