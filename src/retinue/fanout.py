"""
Fan-out: write posts to the timelines of their author's followers, after the transaction that made the posts.

The work comes in units, which are short texts. The event `TimelineWork` has one, after COMMIT;
hand it to whatever runs background work in your application::

    listen(User, TimelineWork, lambda work: queue.enqueue(run_unit, work.unit))

    def run_unit(unit):                                  # in the worker
        while unit:
            unit = fanout.run(engine, User, unit)

and call ``fanout.work(engine, User)`` now and then: it does what a crash has left undone.
A unit may be lost, done late, or done twice: pages are right all the time (see
`retinue.timeline`), and cost more until it is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zlib import crc32

from sqlalchemy import Executable
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, scoped_session

from retinue.effects import outbox
from retinue.engines import engine_of
from retinue.models import FIRST, TimelineEntryMixin, aware, id_at
from retinue.retry import sessions_of, transact
from retinue.schema import Schema, schema_of
from retinue.timeline import entries as statements
from retinue.timeline.changes import Task, Unit, mark_stale, work_of
from retinue.timeline.searched import all_posted
from retinue.values import Key
from retinue.work import Work, inserting, session_of
from retinue.work.routing import bind_of, connection_of

SessionFactory = Callable[[], Session]

#: Followers that one unit goes through.
BATCH: Final = 1_000

#: How often a unit is tried while posts and users are deleted beside it.
_ATTEMPTS: Final = 10

#: Seconds after which an unfinished unit counts as lost.
LOST_AFTER: Final = 60.0


def run(engine_or_session_factory: Engine | SessionFactory, user_class: type[Any], unit: str) -> str | None:
    """
    Do one unit of work, in a transaction of its own; return the unit that goes on from there, or None.

    To send posts: they are written for at most 1,000 followers of their author, those who have
    a materialized timeline. Three selects (four in the first unit), one insert, and for each
    timeline that is measured one to four statements. The posts of an author with more followers than
    ``Settings(fan_out_most=...)`` are not sent: pages look them up. If there are more posts than
    a timeline holds, the timelines are filled anew instead. To fill a timeline: five statements.

    Args:
        engine_or_session_factory: An engine, which is prepared (`prepare_engine`), or what
            makes a new session, such as a ``sessionmaker``.
        user_class: The class with `FollowerMixin`.
        unit: From `TimelineWork`, `pending()` or this function.

    Raises:
        TypeError: The first is neither an engine nor a factory of sessions.
        ValueError: *unit* is not a unit.
        ModelMissingError: No model with `TimelineEntryMixin` is declared.
        sqlalchemy.exc.DBAPIError: As `transact()`.
    """
    schema = schema_of(user_class)
    schema.table(TimelineEntryMixin)
    sessions = sessions_of(engine_or_session_factory)

    def do(session: Session) -> str | None:
        work = _Work(session, schema)
        keys = work.work.user_keys()
        chosen = Unit.of(unit, keys)
        following = _TASKS[chosen.task](work, chosen)
        return None if following is None else following.text(keys)

    attempt = 0
    while True:
        attempt += 1
        try:
            return transact(sessions, do)
        except IntegrityError:
            # A post or a user was deleted while an entry was written: the next attempt sees that.
            if attempt == _ATTEMPTS:
                raise


def pending(
    session: Session | scoped_session[Any], user_class: type[Any], *, limit: int = 1_000, older_than: float = LOST_AFTER
) -> list[str]:
    """
    Return units that nobody has finished, the oldest first. Two selects.

    Args:
        session: Any session; nothing is written.
        user_class: The class with `FollowerMixin`.
        limit: How many of each kind at most.
        older_than: Seconds: younger units may still be running.

    Raises:
        ModelMissingError: No model with `TimelineEntryMixin` is declared.
    """
    schema = schema_of(user_class)
    work = Work(session_of(session, user_class), schema).read(to_write=True)
    parameters = {"before": id_at(time.time() - older_than), "limit": limit}
    waiting = [
        Unit(task, user, version)
        for task, statement in ((Task.FILL, statements.stale_readers), (Task.SEND, statements.waiting_senders))
        for user, version in work.connection.execute(statement(schema), parameters)
    ]
    keys = work.user_keys()
    return [unit.text(keys) for unit in sorted(waiting, key=lambda unit: unit.version)]


def work(engine_or_session_factory: Engine | SessionFactory, user_class: type[Any], *, older_than: float = 0.0) -> int:
    """
    Do all units, until none is left; return how many there were.

    Raises:
        TypeError, ModelMissingError, sqlalchemy.exc.DBAPIError: As `run()`.
    """
    sessions, done = sessions_of(engine_or_session_factory), 0
    while units := transact(sessions, lambda session: pending(session, user_class, older_than=older_than)):
        for unit in units:
            following: str | None = unit
            while following is not None:
                following = run(sessions, user_class, following)
                done += 1
    return done


class _Work:
    """The transaction of one unit."""

    def __init__(self, session: Session, schema: Schema) -> None:
        bind = bind_of(session, schema, writes=True)
        if engine_of(bind).keeps_snapshot and isinstance(bind, Engine):
            # Else MariaDB locks every row that an insert selects, against follow() and against posts.
            connection_of(session, schema, writes=True, isolation_level="READ COMMITTED")
        self.work = Work(session, schema).connect()
        self.schema, self.engine = schema, self.work.engine

    def run(self, statement: Executable, **parameters: Any) -> Any:
        return self.work.connection.execute(statement, parameters)

    def insert(self, whole: Executable, rows: Executable, same: dict[str, Any], **parameters: Any) -> None:
        """Insert entries: see `inserting.insert_selected()`."""
        table = self.schema.table(TimelineEntryMixin)
        inserting.insert_selected(self.work, table, whole, rows, parameters, same)


def _send(work: _Work, unit: Unit) -> Unit | None:
    """Write the posts of a user to the next followers; return the unit for those after them."""
    schema, author = work.schema, unit.user
    sender = work.run(statements.sender(schema), user=author).first()
    if sender is None or sender.merged:
        return None
    if unit.after is None and _has_too_many_followers(work, author):
        work.run(statements.merge_sender(schema), user=author)
        return None
    place = {"at": unit.after[0], "key": unit.after[1]} if unit.after else {}
    statement = statements.next_followers(schema, work.engine, first=unit.after is None)
    followers = work.run(statement, user=author, limit=BATCH, **place).all()
    users = [follower for follower, _ in followers]
    if unit.after is None:
        users.append(author)
    _write(work, author, sender.since, sorted(users), unit.version)
    if len(followers) == BATCH:
        follower, since = followers[-1]
        return replace(unit, after=(since, follower))
    work.run(statements.delete_sender(schema), user=author, version_=unit.version)
    return None


def _write(work: _Work, author: Key, since: datetime, users: list[Key], version: int) -> None:
    """Write the posts of *author* since a time to *users*; or mark their timelines as stale, if that is less work."""
    schema, limit = work.schema, work.schema.settings.timeline_length
    number: int = work.run(statements.count_posts(schema), user=author, since=since, limit=limit + 1).scalar_one()
    if number > limit:
        # More than a timeline holds, as after a bulk load, or after one post with an old time.
        outbox.add(work.work, *work_of(work.work, mark_stale(work.work, users)))
        return
    sent = statements.send(schema, work.engine), statements.entries_to_send(schema, work.engine)
    work.insert(*sent, {}, users=users, author=author, since=since)
    # A timeline is measured now and then only: one that is too long by a sixteenth does no harm.
    slack = max(1, limit // 16)
    for user in users:
        if (crc32(repr(user).encode()) ^ version) % slack < number:
            _trim(work, user)


def _has_too_many_followers(work: _Work, author: Key) -> bool:
    limit = work.schema.settings.fan_out_most
    if limit is None:
        return False
    found: int = work.run(statements.count_followers(work.schema), user=author, limit=limit + 1).scalar_one()
    return found > limit


def _trim(work: _Work, user: Key) -> None:
    """Delete the oldest entries of a timeline that is too long."""
    schema, limit = work.schema, work.schema.settings.timeline_length
    found, oldest = work.run(statements.length(schema), user=user, limit=limit + 1).one()
    if found <= limit:
        return
    complete_after = work.run(statements.hold_reader(schema), user=user).scalar()
    if complete_after is None:
        return  # whoever fills it trims it, too
    floor = max(aware(oldest), aware(complete_after))
    work.run(statements.raise_floor(schema), user=user, floor=floor)
    work.run(statements.forget(schema), user=user, floor=floor)


def _fill(work: _Work, unit: Unit) -> None:
    """Write the entries of a user's timeline anew; whether the user may see a post is decided when it is read."""
    schema, user, limit = work.schema, unit.user, work.schema.settings.timeline_length
    reader = work.run(statements.reader(schema), user=user).first()
    if reader is None or reader.complete_after is not None:
        return
    found = work.run(all_posted(schema, work.engine), user=user, limit=limit + 1).all()
    floor = aware(found[limit].time) if len(found) > limit else FIRST
    keys = [post.key for post in found if aware(post.time) > floor]
    entries = statements.keep(schema, work.engine), statements.entries_to_keep(schema, work.engine)
    work.insert(*entries, {"reader_id": user}, user=user, posts=keys)
    if work.run(statements.set_complete(schema), user=user, version_=reader.version, floor=floor).rowcount:
        work.run(statements.forget(schema), user=user, floor=floor)


#: What does a unit of each task.
_TASKS: Final[dict[Task, Callable[[_Work, Unit], Unit | None]]] = {Task.SEND: _send, Task.FILL: _fill}
