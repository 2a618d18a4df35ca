"""Bulk statements that meet: two sessions about the same rows, and follows that are made to users who go."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from retinue import UnknownUserError, transact
from retinue.models import now
from tests.database.graph_models import MANY, ONE, Crowd, crowd, populate, refuse_but_retriable
from tests.models import Models

Job = Callable[[Session], object]

models_of = pytest.mark.parametrize("models", [ONE, MANY], ids=["one slot", "many slots"])


def delete_users(models: Models, names: list[int]) -> Job:
    """Return the job of deleting users by a column that is not their key."""
    user = models.user
    return lambda session: session.execute(delete(user).where(user.name.in_([f"user {n}" for n in names]))).rowcount  # type: ignore[attr-defined]


def delete_table(models: Models, names: list[int]) -> Job:
    """Return the same as a statement about the table."""
    table = models.user.__table__
    return lambda session: session.execute(delete(table).where(table.c.name.in_([f"user {n}" for n in names])))


def if_there(job: Job) -> Job:
    """Return *job*, which may find that a user is gone."""

    def run(session: Session) -> object:
        try:
            return job(session)
        except UnknownUserError:
            return None

    return run


def make_rows(models: Models, pairs: list[tuple[int, int]]) -> Job:
    rows = [{"follower_id": a, "following_id": b, "timestamp": now()} for a, b in pairs]

    def run(session: Session) -> object:
        try:
            return session.execute(insert(models.follow), rows)
        except DBAPIError as error:
            if type(error).__name__ == "IntegrityError":
                return None
            raise

    return run


def befriend_all(them: Crowd, people: list[int]) -> None:
    for a in people:
        for b in people:
            if a < b and (a + b) % 3:
                transact(them.sessions, them.follow((a, b)))


@models_of
@pytest.mark.parametrize("remove", [delete_users, delete_table], ids=["class", "table"])
def test_users_are_deleted_twice_while_others_follow_them(
    engine: Engine, models: Models, remove: Callable[[Models, list[int]], Job]
) -> None:
    """Two sessions delete some of the same users, others follow these, in bulk too: counts are the edges."""
    people = populate(engine, models, 12)
    first, second = [1, 2, 3, 4, 5], [3, 4, 5, 6, 7]
    with crowd(engine, models, 6) as them:
        befriend_all(them, people)
        jobs = [
            remove(models, first),
            remove(models, second),
            if_there(them.follow((8, 3))),
            if_there(them.follow((4, 9))),
            make_rows(models, [(10, 2), (10, 6)]),
            if_there(them.unfollow((1, 4))),
        ]
        refuse_but_retriable(them.race(jobs, [3, 8], patient=True))
        for user in {*first, *second}:
            assert not [pair for pair in them.audit() if user in pair]


@models_of
def test_each_user_is_deleted_by_one_of_two(engine: Engine, models: Models) -> None:
    """What two statements say that they deleted is what is gone: no user twice, none by nobody."""
    # More than once: on MariaDB they meet only when both have their statements compiled.
    for _ in range(5):
        people = populate(engine, models, 16)
        with crowd(engine, models, 2) as them:
            befriend_all(them, people)
            results: list[Any] = them.race(
                [delete_users(models, [1, 2, 3, 4]), delete_users(models, [3, 4, 5, 6])], patient=True
            )
            assert sum(results) == 6
            them.audit()


@models_of
def test_follows_are_deleted_twice(engine: Engine, models: Models) -> None:
    """Statements that overlap, beside verbs: each row is counted out once."""
    people = populate(engine, models, 8)
    table = models.follow

    def clear(column: Any, users: list[int]) -> Job:
        return lambda session: session.execute(delete(table).where(column.in_(users)))

    with crowd(engine, models, 5) as them:
        for turn in range(4):
            chance = random.Random(turn)
            befriend_all(them, people)
            one, other = (sorted(chance.sample(people, 4)) for _ in range(2))
            jobs = [
                clear(table.following_id, one),
                clear(table.follower_id, other),
                clear(table.following_id, other),
                them.follow((1, 8)),
                them.unfollow((2, 6)),
            ]
            refuse_but_retriable(them.race(jobs, (1, 8), patient=True))
            them.audit()
