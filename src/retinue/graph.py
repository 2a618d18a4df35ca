"""The graph: every verb and every read of who follows whom, on the caller's session."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, scoped_session

from retinue import counters, pages, prepared, statements
from retinue.caller import Caller, Pair
from retinue.engines import EngineRules
from retinue.events import Event, Followed, FollowerRemoved, Unfollowed, listeners_of, outbox_of
from retinue.models import now
from retinue.schema import schema_of
from retinue.settings import PAGE_DEFAULT
from retinue.values import ALL, Counts, Everything, Key, Outcome, Page, Person, Relationship

U = TypeVar("U")


class Graph(Generic[U]):
    """
    Who follows whom, on the caller's session.

    Adds to the caller's transaction; never commits, never rolls back. Wherever a
    method takes a user, it takes an instance (also an expired one) or its primary
    key. Work that the session holds back is flushed first, as before any query.

    Args:
        session: A session, or a ``scoped_session``. From async code:
            ``await session.run_sync(lambda s: Graph(s, User).follow(a, b))``.
        user_class: The class with `FollowerMixin`.

    Raises:
        MappingError: *user_class* is not a user class.
        ModelMissingError: It has no `FollowMixin` class.
        TypeError: *session* is not a session.
    """

    __slots__ = ("_caller", "_schema")

    def __init__(self, session: Session | scoped_session[Any], user_class: type[U]) -> None:
        self._schema = schema_of(user_class)
        self._caller = Caller(session, self._schema)

    # --- Verbs -----------------------------------------------------------------------------------

    def follow(self, follower: U | Key, followed: U | Key) -> Outcome:
        """
        Make *follower* follow *followed*.

        Following twice is not an error: the second call changes nothing. Cost: one
        insert, and two updates where counts are kept (up to four more statements
        for a user who was never counted); if nothing changed, one insert and at
        most one select.

        Returns:
            `Outcome.FOLLOWED`, or the falsy `Outcome.UNCHANGED`.

        Raises:
            SelfFollowError: Both are the same user.
            InvalidUserError: One is neither a user nor a possible key.
            UnknownUserError: One is a key that no user has.
        """
        connection, engine, pair = self._caller.write(follower, followed)
        at = now()
        inserted = self._insert(connection, engine, pair, at)
        # A row of this pair that the session has loaded may be of an edge that somebody has replaced.
        self._refresh(self._caller.loaded_edge(pair))
        if not inserted:
            # The edge was there, so its users are; only where it is not, somebody may be missing.
            if not engine.unknown_user_fails and not self._edge_exists(connection, pair):
                self._caller.refuse_unknown(connection, engine, pair)
            return Outcome.UNCHANGED
        self._record(connection, pair, +1, Followed(*pair, at))
        return Outcome.FOLLOWED

    def unfollow(self, follower: U | Key, followed: U | Key) -> bool:
        """
        End that *follower* follows *followed*; nothing happens if they do not.

        Cost: one delete, and two updates where counts are kept; if nothing
        changed, one delete and one select.

        Returns:
            Whether an edge was there.

        Raises:
            SelfFollowError, InvalidUserError, UnknownUserError: As in `follow()`.
        """
        return self._remove(follower, followed, Unfollowed)

    def remove_follower(self, user: U | Key, follower: U | Key) -> bool:
        """
        End that *follower* follows *user*, at the wish of *user*.

        As `unfollow()`, but announced as `FollowerRemoved`.
        """
        return self._remove(follower, user, FollowerRemoved)

    # --- Questions about pairs -------------------------------------------------------------------

    def is_following(self, follower: U | Key, followed: U | Key) -> bool:
        """
        Return whether *follower* follows *followed*; False for a user without a key. One select.

        Raises:
            InvalidUserError: One is neither a user nor a possible key.
        """
        connection, engine = self._caller.read()
        pair = (self._caller.key(follower, engine), self._caller.key(followed, engine))
        if None in pair:
            return False
        return self._edge_exists(connection, pair)

    def relationships(self, viewer: U | Key | None, users: Iterable[U | Key]) -> dict[Key, Relationship]:
        """
        Return how *viewer* and each of *users* stand, by the users' keys. One select.

        A viewer of None (not logged in) and users that do not exist stand in no
        relationship.

        Raises:
            InvalidUserError: One is neither a user nor a possible key, or has no key yet.
            ValueError: *users* are more than 1,000.
        """
        connection, engine = self._caller.read()
        keys = self._caller.keys(users, engine)
        key = None if viewer is None else self._caller.key(viewer, engine)
        if key is None or not keys:
            return dict.fromkeys(keys, Relationship())
        statement = statements.relationships(self._schema, engine)
        following: dict[Key, datetime] = {}
        followers: set[Key] = set()
        for user, since in connection.execute(statement, {"viewer": key, "users": keys}):
            if since is None:
                followers.add(user)
            else:
                following[user] = since
        return {user: Relationship(user in following, user in followers, following.get(user)) for user in keys}

    def counts(self, users: Iterable[U | Key]) -> dict[Key, Counts]:
        """
        Return how many follow each of *users* and how many each follows, by their keys.

        Users that do not exist have zero. Cost: one select, of the count rows; one
        more, which counts the edges, if one of *users* was never counted. Where no
        `FollowCountMixin` class is declared: one select, which counts the edges.

        Raises:
            InvalidUserError: One is neither a user nor a possible key, or has no key yet.
            ValueError: *users* are more than 1,000.
        """
        connection, engine = self._caller.read()
        keys = self._caller.keys(users, engine)
        return counters.read(connection, self._schema, keys)

    # --- Lists -----------------------------------------------------------------------------------

    def followers(
        self,
        user: U | Key,
        *,
        viewer: U | Key | Everything | None = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> Page[Person[U]]:
        """
        Return a page of those who follow *user*, newest first. One select, at any depth.

        What stays on the list is neither repeated nor left out between pages, while
        others follow and unfollow. A row whose transaction commits late may appear
        behind a place already passed.

        Args:
            user: Whose followers.
            viewer: Who looks: a user, None for somebody not logged in, or `ALL`.
            limit: Rows, 1 to 100.
            cursor: `Page.next` or `Page.prev` of this list; None for the first page.

        Raises:
            InvalidUserError: *user* or *viewer* is neither a user nor a possible key.
            InvalidCursor: *cursor* is of another list, user or viewer, or altered.
            ValueError: *limit* is outside its range.
        """
        return pages.people(self._caller, statements.followers, user=user, viewer=viewer, limit=limit, cursor=cursor)

    def following(
        self,
        user: U | Key,
        *,
        viewer: U | Key | Everything | None = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> Page[Person[U]]:
        """Return a page of those whom *user* follows, newest first; else as `followers()`."""
        return pages.people(self._caller, statements.following, user=user, viewer=viewer, limit=limit, cursor=cursor)

    def mutuals(
        self,
        user: U | Key,
        *,
        viewer: U | Key | Everything | None = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> Page[Person[U]]:
        """
        Return a page of those whom *user* follows and who follow *user*; else as `followers()`.

        `Person.since` is when *user* began to follow them, and the list goes by it.
        """
        return pages.people(self._caller, statements.mutuals, user=user, viewer=viewer, limit=limit, cursor=cursor)

    # --- Within ----------------------------------------------------------------------------------

    def _insert(self, connection: Connection, engine: EngineRules, pair: Pair, at: datetime) -> bool:
        """Insert an edge; return whether it is new. Two rounds at most: the second finds its users locked."""
        statement = statements.insert_edge(self._schema, engine)
        parameters = {"follower": pair[0], "followed": pair[1], "at": at}
        try:
            return engine.inserted(connection.execute(statement, parameters))
        except IntegrityError as error:
            if not engine.names_no_user(error):
                raise
        # Gone, perhaps since this transaction's snapshot: ask about now. If nobody is
        # missing, a user with the same key was made meanwhile, and now they stay.
        self._caller.refuse_unknown(connection, engine, pair, statements.known_users_now)
        return engine.inserted(connection.execute(statement, parameters))

    def _edge_exists(self, connection: Connection, pair: tuple[Key | None, Key | None]) -> bool:
        parameters = {"follower": pair[0], "followed": pair[1]}
        return prepared.run(connection, self._schema, statements.is_following, parameters).first() is not None

    def _remove(self, follower: U | Key, followed: U | Key, kind: type[Event]) -> bool:
        connection, engine, pair = self._caller.write(follower, followed)
        parameters = {"follower": pair[0], "followed": pair[1]}
        row = self._caller.loaded_edge(pair)
        if row is None:
            gone = prepared.run(connection, self._schema, statements.delete_edge, parameters).rowcount
        else:
            statement = statements.delete_loaded_edge(self._schema)
            gone = cast("CursorResult[Any]", self._caller.session.execute(statement, parameters)).rowcount
        if not gone:
            self._refresh(row)
            self._caller.refuse_unknown(connection, engine, pair)
            return False
        self._record(connection, pair, -1, kind(*pair, now()))
        return True

    def _refresh(self, row: Any) -> None:
        """Let a loaded `Follow` be read again: another session has removed or replaced its row."""
        if row is not None:
            self._caller.session.expire(row)

    def _record(self, connection: Connection, pair: Pair, change: int, happened: Event) -> None:
        """Count a changed edge, and keep the event until COMMIT."""
        if self._schema.counts is not None:
            deltas = counters.Deltas()
            deltas.edge(*pair, change)
            counters.apply(connection, self._schema, deltas)
        if listeners := listeners_of(self._schema.user):
            outbox_of(self._caller.session).add(connection, listeners, happened)
