"""
Suggestions for everybody: a job that goes through all users, and can go on where it stopped.

It works in transactions of its own, of a few users each.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from retinue import arguments
from retinue.discovery.suggestions import suggested_keys
from retinue.retry import sessions_of, transact
from retinue.schema import schema_of
from retinue.settings import BATCH_MOST, PAGE_DEFAULT
from retinue.values import Key, Suggestion
from retinue.work import Work
from retinue.work.building import users_after

#: Users of one transaction, unless the caller says otherwise.
_CHUNK: Final = 50

#: Stores the suggestions of one user: it gets the session of the transaction, the user's key, and the suggestions.
Store: TypeAlias = Callable[[Session, Key, Sequence[Suggestion[Key]]], object]


@dataclass(frozen=True, slots=True)
class SuggestReport:
    """The progress so far: all of it is committed."""

    #: Users gone through.
    users: int = 0
    #: Suggestions handed over.
    suggestions: int = 0
    #: The key of the last user; give it as *after* to go on from there. None: nobody yet.
    last: Key | None = None
    #: Seconds since the job began.
    seconds: float = 0.0


def suggest_to_all(
    engine_or_session_factory: Engine | Callable[[], Session],
    user_class: type[Any],
    store: Store,
    *,
    limit: int = PAGE_DEFAULT,
    after: Key | None = None,
    chunk_users: int = _CHUNK,
    progress: Callable[[SuggestReport], object] | None = None,
) -> SuggestReport:
    """
    Make the suggestions of every user and hand them to *store*, user by user, in the order of the keys.

    Each chunk of users has a transaction of its own, in which *store* is called: what
    it writes by the session that it gets is committed with the chunk, or not at all.
    Cut off at any moment, the job goes on after the last user that it reported, or
    that *store* kept: no user is left out. A chunk that the database asks to try again
    is handed over again, after a rollback. Users who join meanwhile are included if their keys
    come later. Memory does not grow with the number of users.

    Cost: one select for each chunk, and what `Graph.suggestions()` takes for each user, less one.

    Args:
        engine_or_session_factory: An engine, which is prepared (`prepare_engine`), or what
            makes a new session, such as a ``sessionmaker``.
        user_class: The class with `FollowerMixin`.
        store: ``store(session, key, suggestions)``. In the suggestions, keys stand in
            the place of users. Who has none gets an empty list. It must not commit.
        limit: Suggestions for each user at most, 1 to 100.
        after: The key of the user after whom to go on; None: from the beginning.
        chunk_users: Users of one transaction, from 1 to 1,000. On SQLite nobody else writes
            while *store* does.
        progress: Is called after each chunk is committed, with the `SuggestReport` so far.

    Returns:
        The report of the whole job.

    Raises:
        MappingError, ModelMissingError: *user_class* is not a user class with a `FollowMixin` class.
        InvalidUserError: *after* is not a possible key.
        TypeError: The first argument is neither an engine nor a factory of sessions.
        ValueError: *limit* or *chunk_users* is outside its range.
        sqlalchemy.exc.DBAPIError: The database refuses, and trying again did not help.
    """
    limit = arguments.page_limit(limit)
    chunk_users = arguments.whole_number("chunk_users", chunk_users, BATCH_MOST)
    schema = schema_of(user_class)
    sessions = sessions_of(engine_or_session_factory)
    began = time.monotonic()
    report = SuggestReport(last=after)

    def chunk(session: Session) -> tuple[Sequence[Key], int]:
        work, number = Work(session, schema).read(), 0
        place = {} if report.last is None else {"after": work.key(report.last)}
        keys = [key for (key,) in work.rows(users_after, {**place, "limit": chunk_users}, bool(place))]
        for key in keys:
            suggestions = suggested_keys(work, key, limit)
            store(session, key, suggestions)
            number += len(suggestions)
        return keys, number

    while True:
        keys, number = transact(sessions, chunk)
        if not keys:
            return SuggestReport(report.users, report.suggestions, report.last, time.monotonic() - began)
        seconds = time.monotonic() - began
        report = SuggestReport(report.users + len(keys), report.suggestions + number, keys[-1], seconds)
        if progress is not None:
            progress(report)
