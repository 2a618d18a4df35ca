"""What is written down: the history of edges, and what a user is to be told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Connection

from retinue import pages, prepared, rules
from retinue.caller import Pair
from retinue.engines import EngineRules
from retinue.errors import InvalidUserError
from retinue.graph.part import U
from retinue.graph.reads import Reads
from retinue.models import FIRST, FollowEventMixin, NotificationMixin, now
from retinue.pages import Listing
from retinue.settings import PAGE_DEFAULT
from retinue.statements import edges, moment
from retinue.statements import records as statements
from retinue.values import ALL, Everything, HistoryEntry, HistoryKind, Key, Notice, NotificationKind, Page

#: What a BIGINT holds.
_ID_MOST = 2**63 - 1


class Records(Reads[U]):
    """What is written down: the history of edges, and what a user is to be told."""

    __slots__ = ()

    # --- History ---------------------------------------------------------------------------------

    def history(
        self, follower: U | Key, followed: U | Key, *, limit: int = PAGE_DEFAULT, cursor: str | None = None
    ) -> Page[HistoryEntry]:
        """
        Return a page of what happened to the edge from *follower* to *followed*, newest first. Three selects.

        For trusted code. It goes on answering when a user was deleted; but if their key
        was given to a new user, only what happened to the new one is told.

        Raises:
            InvalidUserError: One is neither a user nor a possible key.
            InvalidCursor: *cursor* is of another list, or altered.
            ModelMissingError: No model with `FollowEventMixin` is declared.
            ValueError: *limit* is outside its range.
        """
        self._schema.table(FollowEventMixin)
        connection, engine = self._caller.read()
        pair = (self._caller.key(follower, engine), self._caller.key(followed, engine))
        kept = self._schema.settings.history_retention
        listing = Listing(
            name=("history", *pair),
            statement=lambda way: statements.history(self._schema, way),
            parameters={"follower": pair[0], "followed": pair[1], "kept_after": now() - kept if kept else FIRST},
            item=lambda row: HistoryEntry(HistoryKind(row.kind), *pair, row.timestamp),  # type: ignore[arg-type]
            place=lambda row: (row.timestamp, row.id),
            check=_number,
        )
        if None in pair:
            return pages.nothing(self._caller, listing, limit, cursor)
        since = self._present_since(connection, engine, pair)  # type: ignore[arg-type]
        listing = replace(listing, parameters={**listing.parameters, "after": since})
        return pages.read(self._caller, listing, limit, cursor)[0]

    def erase_history(self, user: U | Key) -> int:
        """
        Forget everything that *user* did, and that was done to them; return how many rows that was. One delete.

        For who asks to be forgotten. What counts against ``max_follows_per_day`` is
        forgotten with it.

        Raises:
            InvalidUserError: *user* is neither a user nor a possible key.
            ModelMissingError: No model with `FollowEventMixin` is declared.
        """
        self._schema.table(FollowEventMixin)
        connection, _, key = self._caller.write_of(user)
        return connection.execute(statements.delete_history(self._schema), {"user": key}).rowcount

    # --- Notifications ---------------------------------------------------------------------------

    def notifications(
        self,
        user: U | Key,
        *,
        unread: bool = False,
        viewer: U | Key | Everything | None = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> Page[Notice[U]]:
        """
        Return a page of what *user* is told: who follows them, asks to, or said yes; newest first. One select.

        What several did is several rows; what one did several times within
        ``Settings(notify_again_after=...)`` is one. Whom *user* muted with their
        notifications, or blocks, made none. That somebody asks to follow stands here as long as
        it waits for an answer: accepted, it says that they follow, and is read; withdrawn, rejected
        or expired, it is gone. Asked again, it is told again, whatever that setting says.

        Args:
            user: Who is told.
            unread: Only what they have not read.
            viewer: Who looks: *user*, or `ALL`.
            limit: Rows, 1 to 100.
            cursor: `Page.next` or `Page.prev` of this list; None for the first page.

        Raises:
            InvalidUserError: *user* or *viewer* is neither a user nor a possible key.
            InvalidCursor: *cursor* is of another list, user or viewer, or altered.
            NotVisibleError: *viewer* is somebody else.
            ModelMissingError: No model with `NotificationMixin` is declared.
            ValueError: *limit* is outside its range.
        """
        self._schema.table(NotificationMixin)
        connection, engine = self._caller.read()
        owner, watching = self._keys(engine, user, viewer)
        audience = self._audience(connection, engine, owner, watching, None)
        listing = Listing(
            name=("notifications", owner, watching, unread),
            statement=lambda way: statements.notifications(self._schema, engine, way, audience, unread=unread),
            parameters={"user": owner, **moment(self._schema, now())},
            item=_notice,
            place=lambda row: (row.timestamp, row.id),
            check=_number,
        )
        if owner is None:
            return pages.nothing(self._caller, listing, limit, cursor)
        return pages.read(self._caller, listing, limit, cursor)[0]

    def unread_notifications(self, user: U | Key) -> int:
        """
        Return how many notifications *user* has not read. One select.

        As the owner sees them: what inactive users did is left out.

        Raises:
            InvalidUserError: *user* is neither a user nor a possible key.
            ModelMissingError: No model with `NotificationMixin` is declared.
        """
        self._schema.table(NotificationMixin)
        connection, engine = self._caller.read()
        parameters = {"user": self._caller.key(user, engine), **moment(self._schema, now())}
        unread: int = connection.execute(
            statements.count_unread(self._schema, engine, rules.Audience.OWNER), parameters
        ).scalar_one()
        return unread

    def mark_read(self, user: U | Key, ids: Iterable[int] | None = None) -> int:
        """
        Note that *user* has read the notifications *ids*, or all; return how many were unread. One update.

        Ids of others' notifications do nothing.

        Raises:
            InvalidUserError: *user* is neither a user nor a possible key.
            ValueError: One of *ids* is not a number that a notification has, or they are more than 1,000.
            ModelMissingError: No model with `NotificationMixin` is declared.
        """
        self._schema.table(NotificationMixin)
        connection, engine, key = self._caller.write_of(user)
        parameters: dict[str, Any] = {"user": key, **moment(self._schema, now())}
        if ids is None:
            return prepared.run(connection, self._schema, statements.mark_read, parameters).rowcount
        numbers = [_number(number) for number in rules.batch(ids)]
        if not numbers:
            return 0
        parameters["ids"] = numbers
        return prepared.run(connection, self._schema, statements.mark_some_read, parameters, engine).rowcount

    # --- Within ----------------------------------------------------------------------------------

    def _present_since(self, connection: Connection, engine: EngineRules, pair: Pair) -> int:
        """Return the removal mark after which the history is about these two users, and not about former ones."""
        parameters = {"users": list(pair)}
        marks: dict[Key, list[int]] = {key: [] for key in pair}
        for user, mark in connection.execute(statements.removals(self._schema, engine), parameters):
            marks[user].append(mark)
        there = set(connection.execute(edges.known_users(self._schema, engine), parameters).scalars())
        # Of a user who is gone, the last mark closes what is asked for: the one before opens it.
        return max((marks[key] if key in there else marks[key][1:])[:1] or [0] for key in pair)[0]


def _notice(row: Any) -> Notice[Any]:
    user, number, kind, at, read_at = row
    return Notice(number, NotificationKind(kind), user, at, read_at is not None)


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _ID_MOST:
        raise InvalidUserError(value, "that is not the number of a row")
    return value
