"""
Whether the count rows say what the edges say; and making them say it.

The library's own verbs keep them right. What can make them wrong is what it does not see: raw SQL, a restored
backup of some tables, a trigger. Works in transactions of its own, a batch of users each.

**Looking** is one select for a batch, so it sees edges and counts at one moment, and waits for nobody: a change
that is half done elsewhere is either in both or in neither.

**Correcting** holds slot 0 of those who are wrong, and nothing else, and then looks again. Slot 0 becomes what the
edges say less what the other slots hold. That is exact although others change edges meanwhile: who has changed slot
0 has committed before; who has changed another slot has changed that and the edge in one transaction, so the
difference is the same with or without; and who has not counted their edge yet, which nobody else sees, waits for
slot 0 and adds to it afterwards. A row is never deleted: on MariaDB who makes one counts by an older snapshot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from retinue import arguments
from retinue.doctor import recounting
from retinue.effects.counting import set_count
from retinue.models import FollowCountMixin
from retinue.retry import sessions_of, transact
from retinue.schema import Schema, schema_of
from retinue.settings import BATCH_MOST
from retinue.values import Counts, Key
from retinue.work import Work, inserting
from retinue.work.building import users_after

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


@dataclass(frozen=True, slots=True)
class _Tally:
    """What is stored about one user, and what the edges say."""

    user: Key
    #: Their lowest slot; None: they have none.
    first_slot: int | None
    stored: Counts
    #: What the slots other than 0 hold.
    beside: Counts
    counted: Counts

    @property
    def is_uncounted(self) -> bool:
        """Whether there are edges to count, and nobody has counted them."""
        return self.first_slot is None and self.counted != Counts()

    @property
    def is_wrong(self) -> bool:
        """Whether what is stored is not what the edges say, or lacks the slot that the verbs look for."""
        return self.first_slot is not None and (self.first_slot != 0 or self.stored != self.counted)


class _Round:
    """One way through all users."""

    def __init__(self, given: Any, user_class: type[Any], after: Key | None, batch: int) -> None:
        self._batch = arguments.whole_number("batch", batch, BATCH_MOST)
        self._schema: Schema = schema_of(user_class)
        self._schema.table(FollowCountMixin)
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
        statement = recounting.number_of_users(self._schema, started=bool(place))
        return int(work.connection.execute(statement, place).scalar_one())

    def _look(self, session: Session) -> tuple[Sequence[Key], list[_Tally]] | None:
        """Return the keys of the next batch, and what there is about them; None if nobody comes any more."""
        work, place = self._begin(session)
        statement = users_after(self._schema, started=bool(place))
        keys = work.connection.execute(statement, {**place, "limit": self._batch}).scalars().all()
        return (keys, self._tallies(work, keys)) if keys else None

    def _begin(self, session: Session) -> tuple[Work, dict[str, Key | None]]:
        work = Work(session, self._schema).connect()
        return work, {} if self._after is None else {"after": work.key(self._after)}

    def _tallies(self, work: Work, users: Sequence[Key]) -> list[_Tally]:
        """Return what there is about those of *users* who exist, in their order. One select."""
        found = {
            user: _Tally(
                user,
                first,
                *(Counts(int(a or 0), int(b or 0)) for a, b in zip(numbers[::2], numbers[1::2], strict=True)),
            )
            for user, first, *numbers in work.connection.execute(
                recounting.tallies(self._schema, work.engine), {"users": users}
            )
        }
        return [found[user] for user in users if user in found]

    def _correct(self, users: Sequence[Key]) -> None:
        for first in range(0, len(users), _HELD_MOST):
            transact(self._sessions, partial(self._set, users=users[first : first + _HELD_MOST]))

    def _set(self, session: Session, *, users: Sequence[Key]) -> None:
        """Give *users* the counts that their edges say."""
        work, _ = self._begin(session)
        # First of all: what is read after it is not older, on any engine.
        inserting.insert_selected(
            work,
            self._schema.table(FollowCountMixin),
            recounting.hold_first_slots(self._schema, work.engine),
            recounting.first_slots(self._schema, work.engine),
            {"users": users},
            each=recounting.hold_slots(self._schema, work.engine),
        )
        values = [
            {
                "user": tally.user,
                "slot_": 0,
                "set_followers": tally.counted.followers - tally.beside.followers,
                "set_following": tally.counted.following - tally.beside.following,
            }
            for tally in self._tallies(work, users)
            if tally.stored != tally.counted
        ]
        if values:
            work.run_each(set_count, values)
