"""The graph: every verb and every read, on one session, and the only place that runs them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import inspect
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, scoped_session

from retinue import counters, rules, statements
from retinue.cursors import Place, Scope, Way
from retinue.engines import EngineRules, rules_of
from retinue.errors import InvalidCursor, InvalidUserError, UnknownUserError
from retinue.events import Event, Followed, FollowerRemoved, Unfollowed, outbox_of
from retinue.models import identity, now, schema_of
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

    __slots__ = ("_schema", "_session")

    def __init__(self, session: Session | scoped_session[Any], user_class: type[U]) -> None:
        if isinstance(session, scoped_session):
            session = session()
        if not isinstance(session, Session):
            hint = ": use await session.run_sync(...)" if isinstance(session, AsyncSession) else ""
            message = f"Graph needs a Session, not {type(session).__name__}{hint}"
            raise TypeError(message)
        self._session = session
        self._schema = schema_of(user_class)

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
        engine, pair = self._pair(follower, followed)
        connection = self._connection()
        at = now()
        parameters = {"follower": pair[0], "followed": pair[1], "at": at}
        try:
            result = connection.execute(statements.insert_edge(self._schema, engine), parameters)
        except IntegrityError as error:
            if not engine.names_no_user(error):
                raise
            self._refuse_unknown(engine, pair)
            raise
        if not engine.inserted(result):
            self._refuse_unknown(engine, pair)
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
        engine = self._ready_to_read()
        pair = (self._key(follower, engine), self._key(followed, engine))
        if None in pair:
            return False
        parameters = {"follower": pair[0], "followed": pair[1]}
        statement = statements.is_following(self._schema)
        return self._connection().execute(statement, parameters).first() is not None

    def relationships(self, viewer: U | Key | None, users: Iterable[U | Key]) -> dict[Key, Relationship]:
        """
        Return how *viewer* and each of *users* stand, by the users' keys. One select.

        A viewer of None (not logged in) and users that do not exist stand in no
        relationship.

        Raises:
            InvalidUserError: One is neither a user nor a possible key, or has no key yet.
            ValueError: *users* are more than 1,000.
        """
        engine = self._ready_to_read()
        keys = self._keys(users, engine)
        key = None if viewer is None else self._key(viewer, engine)
        if key is None or not keys:
            return dict.fromkeys(keys, Relationship())
        statement = statements.relationships(self._schema, engine)
        following: dict[Key, datetime] = {}
        followers: set[Key] = set()
        for user, since in self._connection().execute(statement, {"viewer": key, "users": keys}):
            if since is None:
                followers.add(user)
            else:
                following[user] = since
        return {
            user: Relationship(user in following, user in followers, following.get(user)) for user in keys
        }

    def counts(self, users: Iterable[U | Key]) -> dict[Key, Counts]:
        """
        Return how many follow each of *users* and how many each follows, by their keys. One select.

        From the count rows; for a user without one, and where no `FollowCountMixin`
        class is declared, by counting the edges. Users that do not exist have zero.

        Raises:
            InvalidUserError: One is neither a user nor a possible key, or has no key yet.
            ValueError: *users* are more than 1,000.
        """
        engine = self._ready_to_read()
        keys = self._keys(users, engine)
        found = dict.fromkeys(keys, Counts())
        if keys:
            statement = statements.counts(self._schema, engine)
            for user, followers, following in self._connection().execute(statement, {"users": keys}):
                found[user] = Counts(int(followers), int(following))
        return found

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
        Return a page of those who follow *user*, newest first. Two selects, at any depth.

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
        return self._page(statements.followers, user, viewer, limit, cursor)

    def following(
        self,
        user: U | Key,
        *,
        viewer: U | Key | Everything | None = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> Page[Person[U]]:
        """Return a page of those whom *user* follows, newest first; else as `followers()`."""
        return self._page(statements.following, user, viewer, limit, cursor)

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
        return self._page(statements.mutuals, user, viewer, limit, cursor)

    # --- Within ----------------------------------------------------------------------------------

    def _remove(self, follower: U | Key, followed: U | Key, kind: type[Event]) -> bool:
        engine, pair = self._pair(follower, followed)
        connection = self._connection()
        parameters = {"follower": pair[0], "followed": pair[1]}
        gone = connection.execute(statements.delete_edge(self._schema), parameters).rowcount
        if not gone:
            self._forget(pair)
            self._refuse_unknown(engine, pair)
            return False
        self._record(connection, pair, -1, kind(*pair, now()))
        return True

    def _connection(self) -> Connection:
        return self._session.connection(bind_arguments=self._schema.bind)

    def _pair(self, follower: U | Key, followed: U | Key) -> tuple[EngineRules, tuple[Key, Key]]:
        """Return the keys of two users for a verb, and what the session held back flushed."""
        if follower is followed and not isinstance(follower, (int, str)):
            rules.not_oneself(*[cast("Key", _key_of(follower))] * 2)
        engine = rules_of(self._connection())
        keys = []
        for user in (follower, followed):
            if isinstance(user, self._schema.user) and inspect(user).transient:
                self._session.add(user)
        self._session.flush()
        for user in (follower, followed):
            key = self._key(user, engine)
            if key is None:
                raise InvalidUserError(user, "it has no key yet, and belongs to another session")
            keys.append(key)
        rules.not_oneself(*keys)
        return engine, (keys[0], keys[1])

    def _record(self, connection: Connection, pair: tuple[Key, Key], change: int, happened: Event) -> None:
        """Count a changed edge, let the loaded `Follow` know, and keep the event until COMMIT."""
        if self._schema.counts is not None:
            deltas = counters.Deltas()
            deltas.edge(*pair, change)
            counters.apply(connection, self._schema, deltas)
        self._forget(pair)
        if self._schema.listeners:
            outbox_of(self._session).add(connection, self._schema.listeners, happened)

    def _forget(self, pair: tuple[Key, Key]) -> None:
        """Let a `Follow` that this session has loaded be read again: its row is another, or gone."""
        session = self._session
        row = session.identity_map.get(session.identity_key(self._schema.follow, pair))
        if row is not None:
            session.expire(row)

    def _refuse_unknown(self, engine: EngineRules, pair: tuple[Key, Key]) -> None:
        statement = statements.known_users(self._schema, engine)
        known = set(self._connection().execute(statement, {"users": list(pair)}).scalars())
        unknown = [key for key in pair if key not in known]
        if unknown:
            raise UnknownUserError(unknown)

    def _ready_to_read(self) -> EngineRules:
        session = self._session
        if session.autoflush:
            session.flush()
        return rules_of(self._connection())

    def _key(self, user: U | Key | Everything, engine: EngineRules) -> Key | None:
        """Return the key of *user*; None for an instance that has none yet. No statement."""
        if isinstance(user, self._schema.user):
            return _key_of(user)
        if hasattr(type(user), "__mapper__"):
            raise InvalidUserError(user, f"it is not a {self._schema.user.__name__}")
        return rules.possible_key(user, self._schema.key.type, engine)

    def _keys(self, users: Iterable[U | Key], engine: EngineRules) -> list[Key]:
        keys = dict.fromkeys(self._key(user, engine) for user in rules.batch(users))
        if None in keys:
            raise InvalidUserError(None, "a user has no key yet: add it to the session first")
        return cast("list[Key]", list(keys))

    def _page(
        self,
        rows: Any,
        user: U | Key,
        viewer: U | Key | Everything | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Person[U]]:
        limit = rules.page_limit(limit)
        engine = self._ready_to_read()
        owner = self._key(user, engine)
        watching = viewer if viewer is None or viewer is ALL else self._key(viewer, engine)
        scope = self._scope(rows.__name__, owner, watching)
        place = None if cursor is None else self._place(scope, cursor, engine)
        if owner is None:
            return Page()
        parameters = {"user": owner, "limit": limit + 1}
        if place is not None:
            parameters |= {"time": place.time, "key": place.key}
        statement = rows(self._schema, place.way if place else None)
        found = self._connection().execute(statement, parameters).all()
        edges = found[:limit]
        forward = place is None or place.way.forward
        if not forward:
            edges.reverse()
        older, newer = _ends(scope, place, edges, more=len(found) > limit)
        return Page(self._people(edges, engine), older, newer)

    def _people(self, edges: list[Any], engine: EngineRules) -> tuple[Person[U], ...]:
        """Return the users of *edges* in their order; one deleted meanwhile is left out."""
        if not edges:
            return ()
        statement = statements.users(self._schema, engine)
        keys = [key for key, _ in edges]
        users = self._session.scalars(statement, {"users": keys}).unique()
        by_key = {_key_of(user): user for user in users}
        return tuple(Person(by_key[key], since) for key, since in edges if key in by_key)

    def _scope(self, name: str, owner: Key | None, viewer: Key | Everything | None) -> Scope:
        secret = self._schema.settings.secret or b""
        if isinstance(secret, str):
            secret = secret.encode()
        return Scope((name, owner, viewer), secret, self._schema.key.type.python_type)

    def _place(self, scope: Scope, cursor: object, engine: EngineRules) -> Place:
        place = scope.decode(cursor)
        try:
            rules.possible_key(place.key, self._schema.key.type, engine)
        except InvalidUserError:
            raise InvalidCursor(cursor) from None
        return place


def _key_of(user: object) -> Key | None:
    key = identity(user)
    return cast("Key", key[0]) if key else None


def _ends(scope: Scope, place: Place | None, edges: list[Any], *, more: bool) -> tuple[str | None, str | None]:
    """Return the cursors that lead on and back from a page of *edges*, which *place* led to."""
    if not edges:
        # Nothing here any more. The way back starts at the row that led here, itself included.
        if place is None:
            return None, None
        back = Way.NEWER_OR_SAME if place.way.forward else Way.OLDER_OR_SAME
        cursor = scope.encode(Place(back, place.time, place.key))
        return (None, cursor) if place.way.forward else (cursor, None)
    forward = place is None or place.way.forward
    (first_key, first_time), (last_key, last_time) = edges[0], edges[-1]
    older = scope.encode(Place(Way.OLDER, last_time, last_key)) if more or not forward else None
    came_from_newer = place is not None and forward
    newer = scope.encode(Place(Way.NEWER, first_time, first_key)) if (more and not forward) or came_from_newer else None
    return older, newer
