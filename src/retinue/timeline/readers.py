"""For whom home timelines are kept ready, and of which posts they are made."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from retinue import arguments
from retinue.effects import outbox, post
from retinue.effects.removal import lock_users
from retinue.errors import UnknownUserError
from retinue.keys import keys_of
from retinue.models import TimelineEntryMixin, new_id, now
from retinue.schema import identity
from retinue.timeline import changes as timeline
from retinue.timeline import entries as statements
from retinue.timeline.changes import Task, Unit
from retinue.work import Work
from retinue.work.whole import whole

#: Being there again so soon is not written down.
_STILL_ACTIVE: Final = timedelta(hours=1)


@whole(alone=True)
def mark_active(work: Work, user: Any) -> bool:
    """See `Graph.mark_active()`."""
    schema = work.schema
    schema.table(TimelineEntryMixin)
    key = work.write_of(user)
    at, version = now(), new_id()
    reader = work.connection.execute(statements.reader(schema), {"user": key}).first()
    if reader is not None and reader.active_at > at - _STILL_ACTIVE:
        return False
    # Only where there was a row: on MariaDB an update of none locks the place of the row, and two who
    # come at once would each wait for the other's lock.
    if reader is not None and work.run(statements.touch_reader, {"user": key, "at": at}).rowcount:
        return False
    # Whoever is just following somebody as this user is waited for: they do not see the new row, and
    # could not note that it is not complete.
    if not work.rows(lock_users, {"users": [key]}, work.engine):
        raise UnknownUserError([key])
    parameters = {"user": key, "at": at, "version_": version}
    if not work.insert(statements.insert_reader, parameters, (key,)):
        return False  # another session was first
    outbox.add(work, *timeline.work_of(work, [Unit(Task.FILL, key, version)]))
    return True


@whole(alone=True)
def note_posts(work: Work, posts: Iterable[Any]) -> None:
    """See `Graph.note_posts()`."""
    schema = work.schema
    schema.table(TimelineEntryMixin)
    work.flush_held()
    work.begin()
    declared: Any = schema.posts
    check = keys_of(declared.key.type, work.connection).check
    keys = [
        identity(post)[0] if isinstance(post, declared.model) and identity(post) else check(post)
        for post in arguments.batch(posts)
    ]
    post(work, [(author, key) for author, key in work.rows(statements.authors, {"posts": keys}, work.engine)])
