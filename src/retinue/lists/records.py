"""What is written down: the history of edges, and what a user is to be told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from retinue import arguments
from retinue.errors import InvalidUserError
from retinue.lists import pages
from retinue.lists import record_statements as statements
from retinue.lists.pages import Listing, Visit
from retinue.models import FIRST, FollowEventMixin, NotificationMixin, now
from retinue.settings import PAGE_DEFAULT
from retinue.values import ALL, Everything, HistoryEntry, HistoryKind, Key, Notice, NotificationKind, Page
from retinue.viewer import Audience
from retinue.work import Pair, Work
from retinue.work.building import known_users, moment

#: What a BIGINT holds.
_ID_MOST = 2**63 - 1


def history(
    work: Work, follower: Any, followed: Any, *, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Page[HistoryEntry]:
    """See `Graph.history()`."""
    work.schema.table(FollowEventMixin)
    work.read()
    pair, kept = (work.key(follower), work.key(followed)), work.schema.settings.history_retention
    visit = Visit(pair, empty=None in pair)
    parameters = {
        "follower": pair[0],
        "followed": pair[1],
        "kept_after": now() - kept if kept else FIRST,
        "after": 0 if visit.empty else _present_since(work, pair),  # type: ignore[arg-type]
    }
    rows = pages.read(work, _HISTORY, visit, parameters, limit, cursor)[0]
    entries = tuple(HistoryEntry(HistoryKind(kind), *pair, at) for kind, at in rows)  # type: ignore[arg-type]
    return replace(rows, items=entries)


def erase_history(work: Work, user: Any) -> int:
    """See `Graph.erase_history()`."""
    work.schema.table(FollowEventMixin)
    key = work.write_of(user)
    return work.connection.execute(statements.delete_history(work.schema), {"user": key}).rowcount


def notifications(
    work: Work,
    user: Any,
    *,
    unread: bool = False,
    viewer: Any | Everything | None = ALL,
    limit: int = PAGE_DEFAULT,
    cursor: str | None = None,
) -> Page[Notice[Any]]:
    """See `Graph.notifications()`."""
    work.schema.table(NotificationMixin)
    visit = pages.enter(work, user, viewer, None, unread)
    parameters = {"user": visit.owner, **moment(work.schema, now())}
    return pages.read(work, _NOTIFICATIONS[unread], visit, parameters, limit, cursor, work.engine, visit.audience)[0]


def unread_notifications(work: Work, user: Any) -> int:
    """See `Graph.unread_notifications()`."""
    work.schema.table(NotificationMixin)
    work.read()
    parameters = {"user": work.key(user), **moment(work.schema, now())}
    unread: int = work.connection.execute(
        statements.count_unread(work.schema, work.engine, Audience.OWNER), parameters
    ).scalar_one()
    return unread


def mark_read(work: Work, user: Any, ids: Iterable[int] | None = None) -> int:
    """See `Graph.mark_read()`."""
    work.schema.table(NotificationMixin)
    key = work.write_of(user)
    parameters: dict[str, Any] = {"user": key, **moment(work.schema, now())}
    if ids is None:
        return work.run(statements.mark_read, parameters).rowcount
    numbers = [_number(number) for number in arguments.batch(ids)]
    if not numbers:
        return 0
    parameters["ids"] = numbers
    return work.run(statements.mark_some_read, parameters, work.engine).rowcount


def _present_since(work: Work, pair: Pair) -> int:
    """Return the removal mark after which the history is about these two users, and not about former ones."""
    parameters = {"users": list(pair)}
    marks: dict[Key, list[int]] = {key: [] for key in pair}
    for user, mark in work.connection.execute(statements.removals(work.schema, work.engine), parameters):
        marks[user].append(mark)
    there = set(work.connection.execute(known_users(work.schema, work.engine), parameters).scalars())
    # Of a user who is gone, the last mark closes what is asked for: the one before opens it.
    return max((marks[key] if key in there else marks[key][1:])[:1] or [0] for key in pair)[0]


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _ID_MOST:
        raise InvalidUserError(value, "that is not the number of a row")
    return value


def _numbers(_work: Work) -> tuple[Callable[[object], Any], type]:
    return _number, int


def _notice(row: Any) -> Notice[Any]:
    user, number, kind, at, read_at = row
    return Notice(number, NotificationKind(kind), user, at, read_at is not None)


_HISTORY: Final[Listing[Any]] = Listing(
    "history",
    statements.history,
    item=lambda row: (row.kind, row.timestamp),
    place=lambda row: (row.timestamp, row.id),
    keys=_numbers,
)

#: By whether only those are wanted that are not read.
_NOTIFICATIONS: Final[dict[bool, Listing[Notice[Any]]]] = {
    unread: Listing(
        "notifications",
        partial(statements.notifications, unread=unread),
        item=_notice,
        place=lambda row: (row.timestamp, row.id),
        keys=_numbers,
    )
    for unread in (False, True)
}
