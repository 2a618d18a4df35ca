"""
Whether the count rows say what the edges say; and making them say it.

The library's own verbs keep them right. What can make them wrong is what it does not see: raw SQL, a restored
backup of some tables, a trigger. Works in transactions of its own, a batch of users each.

**Looking** is one select for a batch, so it sees edges and counts at one moment, and waits for nobody: a change
that is half done elsewhere is either in both or in neither.

**Correcting** is explained where it is done: `retinue.effects.counts.recounting`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from retinue import arguments
from retinue.effects.counts import recounting
from retinue.engines import Rows
from retinue.models import FollowCountMixin
from retinue.retry import sessions_of, transact
from retinue.schema import Schema, schema_of
from retinue.settings import BATCH_MOST
from retinue.values import Counts, Key
from retinue.work import Work
from retinue.work.building import once, user_key, users_after

#: Users whose rows are held at once while they are corrected: others who follow them wait so long.
_HELD_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Miscount:
    """A user whose stored counts are not what the edges say."""

    user: Key
    #: What was stored.
    stored: Counts
    #: What the edges say.
    counted: Counts

    @property
    def difference(self) -> int:
        """By how much the number that is more wrong is wrong."""
        return max(
            abs(self.stored.followers - self.counted.followers), abs(self.stored.following - self.counted.following)
        )


@dataclass(frozen=True, slots=True)
class CountReport:
    """What was found so far."""

    #: Users gone through.
    users: int = 0
    #: Those whose stored counts were wrong; after `recount()` they are right.
    wrong: int = 0
    #: Those who have edges and no stored counts yet: no fault. After `recount()` they have them.
    uncounted: int = 0
    #: The biggest difference between a stored number and the right one, in edges.
    biggest: int = 0
    #: The key of the last user; give it as *after* to go on from there. None: nobody yet.
    last: Key | None = None
    #: How many users there were to go through, when it began.
    total: int = 0
    #: Seconds since it began.
    seconds: float = 0.0

    @property
    def share_done(self) -> float:
        """How much of it is done, from 0 to 1."""
        return min(self.users / self.total, 1.0) if self.total else 1.0


def drift(
    engine_or_session_factory: Engine | Callable[[], Session],
    user_class: type[Any],
    *,
    after: Key | None = None,
    batch: int = BATCH_MOST,
    progress: Callable[[CountReport], object] | None = None,
    on_wrong: Callable[[Miscount], object] | None = None,
) -> CountReport:
    """
    Return how many users have stored counts that are not what the edges say. Changes nothing, and delays nobody.

    Users are gone through in the order of their keys. Others may follow and unfollow
    meanwhile: what they do is never taken for an error. Memory does not grow with the
    number of users.

    Cost: one select that counts the users; two for each batch, which reads all edges of its users by index.

    Args:
        engine_or_session_factory: An engine, which is prepared (`prepare_engine`), or what
            makes a new session, such as a ``sessionmaker``.
        user_class: The class with `FollowerMixin`.
        after: The key of the user after whom to begin; None: from the beginning.
        batch: Users of one transaction, 1 to 1,000.
        progress: Is called after each batch with the `CountReport` so far.
        on_wrong: Is called with the `Miscount` of each user whose counts are wrong.

    Raises:
        InvalidUserError: *after* is not a possible key.
        MappingError, ModelMissingError: *user_class* is not a user class, or keeps no counts.
        TypeError: The first argument is neither an engine nor a factory of sessions.
        ValueError: *batch* is outside its range.
    """
    round_ = _Round(engine_or_session_factory, user_class, after, batch)
    return round_.run(progress, on_wrong, correct=False)


def recount(
    engine_or_session_factory: Engine | Callable[[], Session],
    user_class: type[Any],
    *,
    after: Key | None = None,
    batch: int = BATCH_MOST,
    progress: Callable[[CountReport], object] | None = None,
    on_wrong: Callable[[Miscount], object] | None = None,
) -> CountReport:
    """
    Correct every stored count that is not what the edges say; store those of users who have edges and were never counted.

    Exact although others follow and unfollow meanwhile: they wait only while one of at
    most 100 users whom they follow or unfollow is being corrected. Cut off at any
    moment, it is started again, or goes on *after* the last user that it reported. Nobody
    is told: there are no events.

    Cost: as `drift()`; and for every 100 users to correct, one upsert, one select, and one update.

    Args:
        engine_or_session_factory: As in `drift()`.
        user_class: As in `drift()`.
        after: As in `drift()`.
        batch: As in `drift()`.
        progress: Is called after each batch, which is committed, with the `CountReport` so far.
        on_wrong: Is called with the `Miscount` of each user whose counts were wrong, after
            they are right.

    Raises:
        sqlalchemy.exc.DBAPIError: The database refuses, and trying again did not help.
        InvalidUserError, MappingError, ModelMissingError, TypeError, ValueError: As in `drift()`.
    """
    round_ = _Round(engine_or_session_factory, user_class, after, batch)
    return round_.run(progress, on_wrong, correct=True)


class _Round:
    """One way through all users."""

    def __init__(self, given: Any, user_class: type[Any], after: Key | None, batch: int) -> None:
        self._batch = arguments.whole_number("batch", batch, BATCH_MOST)
        self._schema: Schema = schema_of(user_class)
        self._schema.table(FollowCountMixin)  # raises if there is none
        self._sessions = sessions_of(given)
        self._began = time.monotonic()
        self._after = after

    def run(
        self,
        progress: Callable[[CountReport], object] | None,
        on_wrong: Callable[[Miscount], object] | None,
        *,
        correct: bool,
    ) -> CountReport:
        """Go through all users; *correct* what is wrong."""
        users = wrong = uncounted = biggest = 0
        total = transact(self._sessions, self._number)
        report = CountReport(last=self._after, total=total)
        while found := transact(self._sessions, self._look):
            keys, tallies = found
            miscounts = [Miscount(one.user, one.stored, one.counted) for one in tallies if one.is_wrong]
            new = [one.user for one in tallies if one.is_uncounted]
            if correct:
                self._correct(sorted([*(one.user for one in miscounts), *new]))
            users, wrong, uncounted = users + len(keys), wrong + len(miscounts), uncounted + len(new)
            biggest = max([biggest, *(one.difference for one in miscounts)])
            self._after = keys[-1]
            seconds = time.monotonic() - self._began
            report = CountReport(users, wrong, uncounted, biggest, self._after, total, seconds)
            if on_wrong is not None:
                for miscount in miscounts:
                    on_wrong(miscount)
            if progress is not None:
                progress(report)
        return report

    def _number(self, session: Session) -> int:
        work, place = self._begin(session)
        return int(work.run(number_of_users, place, bool(place)).scalar_one())

    def _look(self, session: Session) -> tuple[Sequence[Key], Sequence[recounting.Tally]] | None:
        """Return the keys of the next batch, and what there is about them; None if nobody comes any more."""
        work, place = self._begin(session)
        keys = [key for (key,) in work.rows(users_after, {**place, "limit": self._batch}, bool(place))]
        return (keys, recounting.read_tallies(work, keys)) if keys else None

    def _begin(self, session: Session) -> tuple[Work, dict[str, Key | None]]:
        work = Work(session, self._schema).connect()
        return work, {} if self._after is None else {"after": work.key(self._after)}

    def _correct(self, users: Sequence[Key]) -> None:
        for first in range(0, len(users), _HELD_MOST):
            transact(self._sessions, partial(self._set, users=users[first : first + _HELD_MOST]))

    def _set(self, session: Session, *, users: Sequence[Key]) -> None:
        work, _ = self._begin(session)
        recounting.correct(work, users)


@once
def number_of_users(schema: Schema, started: bool) -> Rows:
    """How many users there are; if *started*, after the key *after*."""
    number = select(func.count()).select_from(schema.key.table)
    return number.where(schema.key > user_key(schema, "after")) if started else number
