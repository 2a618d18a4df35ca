"""For whom home timelines are kept ready, and of which posts they are made."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from retinue import changes, rules, timeline
from retinue.errors import UnknownUserError
from retinue.graph.part import Part, U
from retinue.keys import key_checker
from retinue.models import TimelineEntryMixin, new_id, now
from retinue.schema import identity
from retinue.statements import departures
from retinue.statements import entries as statements
from retinue.timeline import Task, Unit
from retinue.values import Key

#: Being there again so soon is not written down.
_STILL_ACTIVE: Final = timedelta(hours=1)


class Readers(Part[U]):
    """For whom home timelines are kept ready, and of which posts they are made."""

    __slots__ = ()

    def mark_active(self, user: U | Key) -> bool:
        """
        Note that *user* is here: a home timeline is kept ready for them, for ``Settings(timeline_kept=...)``.

        Call it when they log in, or with every page that they open: within an hour of
        the last time it costs one select and writes nothing. Else one update; for
        somebody new one select and one insert, and `TimelineWork` is told.

        Returns:
            Whether a timeline is kept from now on that was not before.

        Raises:
            InvalidUserError: *user* is neither a user nor a possible key.
            UnknownUserError: It is a key that no user has.
            ModelMissingError: No model with `TimelineEntryMixin` is declared.
        """
        schema = self._schema
        schema.table(TimelineEntryMixin)
        connection, engine, key = self._caller.write_of(user)
        at, version = now(), new_id()
        reader = connection.execute(statements.reader(schema), {"user": key}).first()
        if reader is not None and reader.active_at > at - _STILL_ACTIVE:
            return False
        # Only where there was a row: on MariaDB an update of none locks the place of the row, and two who
        # come at once would each wait for the other's lock.
        if reader is not None and connection.execute(statements.touch_reader(schema), {"user": key, "at": at}).rowcount:
            return False
        # Whoever is just following somebody as this user is waited for: they do not see the new row, and
        # could not note that it is not complete.
        if not connection.execute(departures.lock_users(schema, engine), {"users": [key]}).all():
            raise UnknownUserError([key])
        parameters = {"user": key, "at": at, "version_": version}
        if not self._caller.insert(connection, engine, statements.insert_reader, parameters, (key,)):
            return False  # another session was first
        work = timeline.work_of([Unit(Task.FILL, key, version)])
        changes.say(self._caller.session, connection, schema, *work)
        return True

    def note_posts(self, posts: Iterable[Any]) -> None:
        """
        Note that *posts* were made: only for those that the session did not see.

        What `session.add()` and ``session.execute(insert(Post), ...)`` bring is noted
        by itself; what raw SQL and ``bulk_insert_mappings()`` bring is not. One select, one insert.

        Args:
            posts: Posts or their keys, at most 1,000.

        Raises:
            InvalidUserError: One is neither a post nor a possible key of one.
            ValueError: They are more than 1,000.
            ModelMissingError: No model with `TimelineEntryMixin` is declared.
        """
        schema = self._schema
        schema.table(TimelineEntryMixin)
        self._caller.session.flush()
        connection, engine = self._caller.connect()
        declared: Any = schema.posts
        check = key_checker(declared.key.type, engine)
        keys = [
            identity(post)[0] if isinstance(post, declared.model) and identity(post) else check(post)
            for post in rules.batch(posts)
        ]
        made = connection.execute(statements.authors(schema, engine), {"posts": keys}).all()
        work = timeline.work_of(timeline.posts_made(connection, schema, [tuple(row) for row in made]))
        changes.say(self._caller.session, connection, schema, *work)
