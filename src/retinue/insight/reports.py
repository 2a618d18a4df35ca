"""
How the followers of a user came and went, for that user and for reports; and numbers about a graph as a whole.

The first are read from the history (`FollowEventMixin`), so they go back as far as the history does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Generic, TypeAlias, TypeVar

from sqlalchemy.orm import Session, scoped_session

from retinue import arguments
from retinue.effects import counts
from retinue.errors import NotVisibleError
from retinue.insight import statements, whole
from retinue.models import FollowCountMixin, FollowEventMixin, now
from retinue.schema import schema_of
from retinue.ties import TIES
from retinue.values import ALL, Churn, DayCount, Everything, Key, NewFollower
from retinue.viewer import Audience
from retinue.work import Work, session_of
from retinue.work.building import moment

U = TypeVar("U")

#: What reports take as a session.
AnySession: TypeAlias = Session | scoped_session[Any]

#: The most days that can be asked for: ten years.
DAYS_MOST = 3_660


@dataclass(frozen=True, slots=True)
class DegreeBand:
    """How many users have a number of followers, or of followed users, within a range."""

    #: The fewest and the most edges of a user in this band.
    least: int
    most: int
    users: int


@dataclass(frozen=True)
class Popular(Generic[U]):
    """One of the most followed users."""

    #: The user, as the application's own class.
    user: U
    followers: int


@dataclass(frozen=True)
class Statistics(Generic[U]):
    """Numbers about a graph as a whole."""

    users: int
    follows: int
    #: How many of the follows are returned: each of the two users follows the other.
    returned: int
    #: Requests that wait for an answer; None where no model for them is declared.
    requests: int | None
    #: Blocks and mutes that have not ended; None where no model for them is declared.
    blocks: int | None
    mutes: int | None
    #: The users with the most followers, in that order.
    most_followed: tuple[Popular[U], ...]
    #: How many users have 0 followers, 1, 2 to 3, 4 to 7, and so on up to the most followed one.
    by_followers: tuple[DegreeBand, ...]
    #: How many users follow 0 others, 1, 2 to 3, and so on.
    by_following: tuple[DegreeBand, ...]

    @property
    def mutual_share(self) -> float:
        """The share of follows that are returned, 0 to 1."""
        return self.returned / self.follows if self.follows else 0.0


#: The ties whose total is a field of `Statistics`.
_TOTALS: Final = tuple(tie for tie in TIES if tie.plural in {field.name for field in fields(Statistics)})


def follower_growth(
    session: AnySession,
    user_class: type[U],
    user: U | Key,
    *,
    days: int = 30,
    viewer: U | Key | Everything | None = ALL,
) -> list[DayCount]:
    """
    Return for each of the last *days* days in UTC, today last, how many followers *user* gained, lost, and had.

    A follower who is deleted is lost on that day. The totals are counted back from the present one, so what the
    history does not have (raw SQL; edges older than the history whose follower was deleted) is missing
    from the days before it. Where `Settings(history_retention=...)` ends it, so does the list.

    Cost: two selects. What is read is the user's part of the history.

    Args:
        session: The caller's session, or a ``scoped_session``.
        user_class: The class with `FollowerMixin`.
        user: Whose followers.
        days: How many days, 1 to 3,660.
        viewer: Who looks: *user*, or `ALL`.

    Raises:
        InvalidUserError: *user* or *viewer* is neither a user nor a possible key.
        ModelMissingError: No model with `FollowEventMixin` is declared.
        NotVisibleError: *viewer* is somebody else.
        ValueError: *days* is outside its range.
    """
    work, key, _ = _about(session, user_class, user, viewer, FollowEventMixin)
    first, day = _first_day(work, days), now().date()
    if key is None:
        return []
    parameters = {"user": key, "since": _midnight(first)}
    rows = work.rows(statements.growth, parameters, work.engine)
    changes = Counter({(day, change): number for day, change, number in rows})
    total = counts.read(work, [key])[key].followers
    found = []
    while day >= first:
        found.append(DayCount(day, changes[day, 1], changes[day, -1], total))
        total -= found[-1].net
        day -= timedelta(days=1)
    return found[::-1]


def churn(
    session: AnySession,
    user_class: type[U],
    user: U | Key,
    *,
    days: int = 30,
    viewer: U | Key | Everything | None = ALL,
) -> Churn:
    """
    Return how many of the followers of *days* days ago *user* has lost, and how many were won since, and lost again.

    Cost, arguments and errors: as `follower_growth()`.
    """
    work, key, _ = _about(session, user_class, user, viewer, FollowEventMixin)
    first = _first_day(work, days)
    if key is None:
        return Churn()
    new = left = passed_by = 0
    parameters = {"user": key, "since": _midnight(first)}
    for change, came_first, number in work.rows(statements.churn, parameters):
        if change > 0:
            new += number
        elif change < 0:
            left += number
        elif came_first:
            passed_by += number
    present = counts.read(work, [key])[key].followers
    return Churn(at_start=present - new + left, left=left, won=new + passed_by, won_and_left=passed_by)


def top_new_followers(
    session: AnySession,
    user_class: type[U],
    user: U | Key,
    *,
    days: int = 30,
    limit: int = 10,
    viewer: U | Key | Everything | None = ALL,
) -> list[NewFollower[U]]:
    """
    Return who began to follow *user* in the last *days* days and still does, those with the most followers first.

    Needs no history, but stored counts; a user who was never counted has none. One select, which reads a count for
    each new follower. The owner does not see inactive users. Arguments and errors: as `follower_growth()`.

    Raises:
        ModelMissingError: No model with `FollowCountMixin` is declared.
        ValueError: *days*, or *limit* (1 to 100), is outside its range.
    """
    work, key, audience = _about(session, user_class, user, viewer, FollowCountMixin)
    limit = arguments.page_limit(limit)
    since = now() - timedelta(days=arguments.whole_number("days", days, DAYS_MOST))
    if key is None:
        return []
    statement = statements.top_new(work.schema, work.engine, audience)
    rows = session.execute(statement, {"user": key, "since": since, "limit": limit}).unique().all()
    return [NewFollower(person, since, int(followers)) for person, since, followers in rows]


def statistics(session: AnySession, user_class: type[U], *, most_followed: int = 10) -> Statistics[U]:
    """
    Return numbers about the graph as a whole: for operators, as everybody and everything is counted.

    They are counted from the edges, not read from stored counts, so they are right whatever those say. Reads all
    edges five times, by index: on two million edges a few seconds, on SQLite and MariaDB more.

    Cost: four selects.

    Args:
        session: The caller's session, or a ``scoped_session``.
        user_class: The class with `FollowerMixin`.
        most_followed: How many of the most followed users to return, 1 to 100.

    Raises:
        ValueError: *most_followed* is outside its range.
    """
    limit = arguments.page_limit(most_followed)
    work = Work(session_of(session, user_class), schema_of(user_class)).read()
    connection, schema = work.connection, work.schema
    found = connection.execute(whole.totals(schema, _TOTALS), moment(schema, now())).one()
    numbers = {name: None if number is None else int(number) for name, number in found._mapping.items()}  # noqa: SLF001 - public
    users = numbers["users"] or 0
    by_followers, by_following = (
        _bands(users, connection.execute(whole.degrees(schema, followers=followers))) for followers in (True, False)
    )
    rows = session.execute(whole.most_followed(schema), {"limit": limit}).unique().all()
    return Statistics(
        **numbers,  # type: ignore[arg-type] # NULL where a model is not declared
        most_followed=tuple(Popular(user, int(number)) for user, number in rows),
        by_followers=by_followers,
        by_following=by_following,
    )


def _bands(users: int, powers: Iterable[Sequence[Any]]) -> tuple[DegreeBand, ...]:
    """Return a band for users without edges, and one for each power of two up to the highest of *powers*."""
    by_power = {int(power): int(number) for power, number in powers}
    nobody = DegreeBand(0, 0, max(users - sum(by_power.values()), 0))
    highest = max(by_power, default=-1)
    return (
        nobody,
        *(DegreeBand(2**power, 2 ** (power + 1) - 1, by_power.get(power, 0)) for power in range(highest + 1)),
    )


def _about(
    session: AnySession, user_class: Any, user: Any, viewer: Any, model: Any
) -> tuple[Work, Key | None, Audience]:
    """Return what a report about *user* needs; `NotVisibleError` if *viewer* may not read it."""
    work = Work(session_of(session, user_class), schema_of(user_class))
    work.schema.table(model)
    key = work.read().key(user)
    audience = Audience.of(work.viewer(viewer), key)
    if audience not in (Audience.TRUSTED, Audience.OWNER):
        raise NotVisibleError(key)
    return work, key, audience


def _first_day(work: Work, days: int) -> date:
    """Return the first of the last *days* days, or the first day that the history has as a whole."""
    at, retention = now(), work.schema.settings.history_retention
    first = at.date() - timedelta(days=arguments.whole_number("days", days, DAYS_MOST) - 1)
    return first if retention is None else max(first, min((at - retention).date() + timedelta(days=1), at.date()))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
