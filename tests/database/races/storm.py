"""Many sessions that act at the same moment: each has read all the users before any of them begins."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from retinue import transact
from tests.database.graph_models import crowd, errors
from tests.database.races.actions import Action, Application
from tests.database.races.judge import audit, check_history, heard, left_by
from tests.database.races.scenes import Scene, invite, job, judge, prepare
from tests.models import Models


def let_loose(engine: Engine, models: Models, scenes: Sequence[Scene], *, retries: bool) -> None:
    """
    Play *scenes* one after the other; fail unless each ends as an order of its actions does.

    Each action has a session and a transaction of its own, in which nobody meets an error of the database. With
    *retries*, every second scene is played in `transact()`, for which the same holds; and in the others an action may
    end with an error that the engine calls retriable, and has not happened then.
    """
    invite(engine, models, scenes[-1].users[-1])
    with crowd(engine, models, max(len(scene.beside) for scene in scenes)) as them, heard(models) as told:
        worlds = [prepare(them, scene) for scene in scenes]
        results = []
        for number, scene in enumerate(scenes):
            patient = retries and number % 2 == 0
            jobs = [job(models, action) for action in scene.beside]
            met = them.race(jobs, scene.users, loads=scene.loads, patient=patient)
            assert errors(met) == [] or (retries and not patient), list(zip(scene.beside, met, strict=True))
            results.append(met)
    judge(them, scenes, worlds, results, told)


def let_wander(engine: Engine, models: Models, actions: Sequence[Action], *, most: int, times: int) -> None:
    """
    Let eight sessions each do *times* transactions of one to *most* of *actions*, in `transact()`.

    So many can have happened in too many orders to try them all: what must hold is what holds at any time.
    """
    roles = sorted({one for action in actions for one in action.who})
    users = invite(engine, models, len(roles))
    played = dict(zip(roles, users, strict=True))

    def wander(seed: int) -> Callable[[Session], None]:
        chance = random.Random(seed)
        sizes = [chance.randint(1, most) for _ in range(times)]
        plan = [[action.by(played) for action in chance.choices(actions, k=size)] for size in sizes]

        def run(_session: Session) -> None:
            for several in plan:
                transact(them.sessions, read_and(several))

        return run

    def read_and(several: Sequence[Action]) -> Callable[[Session], None]:
        def work(session: Session) -> None:
            held = [session.get(models.user, user) for user in users]
            for one in several:
                one.on(Application(session, models))
            del held

        return work

    with crowd(engine, models, 8) as them, heard(models) as told:
        assert errors(them.race([wander(seed) for seed in range(8)])) == []
    state = audit(engine, models)
    check_history(engine, models, told)
    assert state.edges == left_by(told), "what there is (left) is not what listeners heard (right)"
