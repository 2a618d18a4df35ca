"""
The caller's session, as the graph sees it: whose keys are meant, and the connection to work on.

Nothing here commits, rolls back or closes the session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from sqlalchemy import Executable
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, object_session, scoped_session

from retinue import prepared, rules
from retinue.engines import EngineRules, rules_of
from retinue.errors import InvalidUserError, SelfFollowError, UnknownUserError
from retinue.keys import key_checker
from retinue.schema import Schema, identity
from retinue.statements import Rows, edges
from retinue.values import Key

#: The two keys of an edge: who follows, and whom.
Pair = tuple[Key, Key]

#: The statement that returns which keys are users'.
UserQuestion = Callable[[Schema, EngineRules], Rows]


class Caller:
    """
    One session, and the schema of the users that it is about.

    Raises:
        TypeError: *session* is not a session.
    """

    __slots__ = ("schema", "session")

    def __init__(self, session: Session | scoped_session[Any], schema: Schema) -> None:
        given: object = session() if isinstance(session, scoped_session) else session
        if not isinstance(given, Session):
            hint = ": use await session.run_sync(...)" if hasattr(given, "run_sync") else ""
            message = f"a graph needs a Session, not {type(given).__name__}{hint}"
            raise TypeError(message)
        self.session: Session = given
        self.schema: Schema = schema

    def connect(self) -> tuple[Connection, EngineRules]:
        """Return the connection of the session's transaction, and the rules of its database."""
        connection = self.session.connection(bind_arguments=self.schema.bind)
        return connection, rules_of(connection)

    def read(self) -> tuple[Connection, EngineRules]:
        """As `connect()`, after a flush of what the session holds back: as before any query."""
        if self.session.autoflush:
            self.session.flush()
        return self.connect()

    def write(self, follower: Any, followed: Any) -> tuple[Connection, EngineRules, Pair]:
        """
        As `connect()`, with the keys of two users who are not the same.

        A user that is in no session yet joins this one, and what the session holds
        back is flushed: so both have keys.

        Raises:
            SelfFollowError: They are the same.
            InvalidUserError: One is neither a user nor a possible key.
        """
        if follower is followed and isinstance(follower, self.schema.user):
            raise SelfFollowError(*(identity(follower) or (None,)))
        for user in (follower, followed):
            self._join(user)
        self.session.flush()
        connection, engine = self.connect()
        keys = [self.key(user, engine) for user in (follower, followed)]
        if None in keys:
            raise InvalidUserError(None, "a user that is pending in another session has no key yet")
        pair = cast("Pair", tuple(keys))
        rules.not_oneself(*pair)
        return connection, engine, pair

    def write_of(self, user: Any) -> tuple[Connection, EngineRules, Key]:
        """As `write()`, for a verb about one user."""
        self._join(user)
        self.session.flush()
        connection, engine = self.connect()
        key = self.key(user, engine)
        if key is None:
            raise InvalidUserError(None, "a user that is pending in another session has no key yet")
        return connection, engine, key

    def insert(
        self,
        connection: Connection,
        engine: EngineRules,
        build: Callable[[Schema, EngineRules], Executable],
        parameters: dict[str, Any],
        users: Sequence[Key],
    ) -> bool:
        """
        Run the `EngineRules.insert_new()` about *users* that *build* returns; return whether its row is new.

        Two rounds at most: the second finds its users locked.

        Raises:
            UnknownUserError: The database says that one is not there.
            sqlalchemy.exc.IntegrityError: A constraint of the application's own refuses the row.
        """
        try:
            return engine.inserted(prepared.insert(connection, self.schema, build, parameters, engine))
        except IntegrityError as error:
            if not engine.names_no_user(error):
                raise
        # Gone, perhaps since this transaction's snapshot: ask about now. If nobody is
        # missing, a user with the same key was made meanwhile, and now they stay.
        self.refuse_unknown(connection, engine, users, edges.known_users_now)
        return engine.inserted(prepared.insert(connection, self.schema, build, parameters, engine))

    def key(self, user: Any, engine: EngineRules) -> Key | None:
        """
        Return the key of *user*; None for an instance that has none yet. No statement.

        Raises:
            InvalidUserError: It is neither a user nor a possible key.
        """
        if isinstance(user, self.schema.user):
            key = identity(user)
            return cast("Key", key[0]) if key else None
        return self.checker(engine)(user)

    def keys(self, users: Iterable[Any], engine: EngineRules) -> list[Key]:
        """Return the keys of *users*, each once; at most 1,000, and none without a key."""
        check, kind = self.checker(engine), self.schema.user
        keys = dict.fromkeys(
            [self.key(user, engine) if isinstance(user, kind) else check(user) for user in rules.batch(users)]
        )
        if None in keys:
            raise InvalidUserError(None, "a user has no key yet: add it to the session first")
        return cast("list[Key]", list(keys))

    def checker(self, engine: EngineRules) -> Callable[[object], Key]:
        """Return the check for a possible key, made once for each database."""
        check: Callable[[object], Key] | None = self.schema.built.get(engine)
        if check is None:
            check = self.schema.built[engine] = key_checker(self.schema.key.type, engine)
        return check

    def refuse_unknown(
        self, connection: Connection, engine: EngineRules, users: Sequence[Key], ask: UserQuestion = edges.known_users
    ) -> None:
        """
        Raise `UnknownUserError` if no user has one of the keys. One select, made by *ask*.

        `known_users_now` waits for whoever changes one of them, so only who has locked nothing yet, or them
        before all else, may ask by it.
        """
        statement = ask(self.schema, engine)
        known = set(connection.execute(statement, {"users": list(users)}).scalars())
        unknown = [key for key in users if key not in known]
        if unknown:
            raise UnknownUserError(unknown)

    def loaded(self, model: type[Any], pair: Pair) -> Any:
        """Return the row of *model* with the key *pair* that the session has loaded, or None. No statement."""
        return self.session.identity_map.get(self.session.identity_key(model, pair))

    def refresh(self, model: type[Any] | None, pair: Pair) -> None:
        """Let a loaded row of *model* be read again: what it says may no longer be so."""
        row = None if model is None else self.loaded(model, pair)
        if row is not None:
            self.session.expire(row)

    def _join(self, user: Any) -> None:
        if isinstance(user, self.schema.user) and not identity(user) and object_session(user) is None:
            self.session.add(user)


def names_of(pair: Pair) -> dict[str, Key]:
    """Return *pair* as the parameters of a statement."""
    return {"follower": pair[0], "followed": pair[1]}
