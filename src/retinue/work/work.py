"""
Work: one call of a verb or a question, on the caller's session.

It has what each needs: the session, its connection, the engine behind it and the schema of the users; and the one
way in which statements run. Nothing here commits, rolls back or closes the session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast
from uuid import UUID

from sqlalchemy import Executable, Table
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.orm import Session, object_session, scoped_session

from retinue import arguments
from retinue.engines import EngineRules, engine_of
from retinue.errors import AsyncSessionError, InvalidUserError, SelfFollowError, UnknownUserError
from retinue.keys import Keys, user_keys_of
from retinue.schema import Schema, identity
from retinue.values import ALL, Key
from retinue.work import half_done
from retinue.work.building import known_users_now
from retinue.work.criteria import may_hide
from retinue.work.prepared import prepared_of
from retinue.work.routing import place_of, refuse_unfit

if TYPE_CHECKING:
    # At run time this would ask for greenlet, which an application without async does not have.
    from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session

T = TypeVar("T")

#: The two keys of an edge: who follows, and whom.
Pair = tuple[Key, Key]

#: What most keys are: it takes a while to see that such a one is no user of a class of the application's.
_KEYS: Final = frozenset((int, str, UUID))

#: A function that builds a statement of a schema and further arguments.
Build = Callable[..., Executable]


class Work:
    """
    One call on a session: first `read()`, `write()` or `write_of()`, which connect; then statements.

    Attributes:
        session: The caller's.
        schema: The users that it is about, and their models.
        connection: That of the session's transaction.
        engine: What its database does in its own way.
        changed: Whether a statement of it may have changed something.
    """

    __slots__ = ("changed", "connection", "engine", "schema", "session")

    connection: Connection
    engine: EngineRules

    def __init__(self, session: Session, schema: Schema) -> None:
        self.session: Session = session
        self.schema: Schema = schema
        self.changed: bool = False

    @classmethod
    def on(cls, session: Session, schema: Schema, connection: Connection) -> Self:
        """
        Return the work that goes on within a flush or a statement of *session*, on that *connection*.

        Raises:
            MappingError: As `connect()`.
            NotWritableError: As `connect()`.
        """
        refuse_unfit(session, schema)
        work = cls(session, schema)
        work.connection, work.engine = connection, engine_of(connection)
        work.engine.refuse_autocommit(connection)
        return work

    def connect(self, *, writes: bool = True) -> Self:
        """
        Get the connection of the session's transaction: that on which it writes, or else reads.

        Raises:
            MappingError: The session has the models of the graph in several databases.
            AsyncSessionError: It has them behind an async engine, and nobody awaits this call.
            NotWritableError: It writes in AUTOCOMMIT, where nothing can be taken back.
        """
        self.connection, self.engine = place_of(self.session, self.schema, writes=writes)
        return self

    def begin(self) -> Self:
        """
        As `connect()`, for a verb.

        Raises:
            HalfDoneError: One before it has failed half-way, and was not rolled back.
        """
        self.connect()
        half_done.refuse(self.connection)
        return self

    def read(self, *, to_write: bool = False) -> Self:
        """
        As `connect()`, to read, after a flush of what the session holds back: as before any query.

        *to_write*: what is read decides what is written, so it is read there.
        """
        if self.session.autoflush:
            self.flush_held(to_write=to_write)
        self.connect(writes=to_write)
        if not self.schema.hides and may_hide(self.session):
            self.schema = self.schema.hiding
        return self

    def write(self, follower: Any, followed: Any) -> Pair:
        """
        As `begin()`; return the keys of two users who are not the same.

        A user that is in no session yet joins this one, and what the session holds
        back is flushed: so both have keys.

        Raises:
            SelfFollowError: They are the same.
            InvalidUserError: One is neither a user nor a possible key.
            MappingError, NotWritableError, HalfDoneError: As `begin()`.
        """
        if follower is followed and isinstance(follower, self.schema.user):
            raise SelfFollowError(*(identity(follower) or (None,)))
        self._join(follower, followed)
        pair = (self._present_key(follower), self._present_key(followed))
        arguments.not_oneself(*pair)
        return pair

    def write_of(self, user: Any) -> Key:
        """As `write()`, for a verb about one user."""
        self._join(user)
        return self._present_key(user)

    # --- Statements ------------------------------------------------------------------------------

    def run(self, build: Build, parameters: Mapping[str, Any], *arguments: Any) -> CursorResult[Any]:
        """Run what *build* makes of the schema and *arguments*; values that it returns are the driver's."""
        prepared = prepared_of(self.connection, self.schema, build, arguments)
        if prepared.changes:
            return self._change(prepared.run, self.connection, parameters)
        return prepared.run(self.connection, parameters)

    def rows(self, build: Build, parameters: Mapping[str, Any], *arguments: Any) -> Sequence[Sequence[Any]]:
        """As `run()`, for a select: return all its rows, with the values of their types."""
        return prepared_of(self.connection, self.schema, build, arguments).rows(self.connection, parameters)

    def run_each(self, build: Build, rows: Sequence[Mapping[str, Any]], *arguments: Any) -> CursorResult[Any]:
        """As `run()`, once for each of *rows* of parameters, which the driver may send together."""
        return self.execute(build(self.schema, *arguments), rows)

    def execute(self, statement: Executable, parameters: Any) -> CursorResult[Any]:
        """As `run()`, of a *statement* that is not built once; or once for each of the rows that *parameters* are."""
        if statement.is_dml:
            return self._change(self.connection.execute, statement, parameters)
        return self.connection.execute(statement, parameters)

    def seen(self, build: Build, parameters: Mapping[str, Any], *arguments: Any) -> Sequence[Sequence[Any]]:
        """As `rows()`, about users whom the session may hide: then it is the session that runs it."""
        if self.schema.hides:
            return cast("Sequence[Sequence[Any]]", self.entities(build, parameters, *arguments).all())
        return self.rows(build, parameters, *arguments)

    def entities(self, build: Build, parameters: Mapping[str, Any], *arguments: Any) -> Any:
        """As `run()`, through the session: the rows have its objects, and what it has loaded follows a change."""
        statement = build(self.schema, *arguments)
        if statement.is_dml:
            return self._change(self.session.execute, statement, parameters)
        return self.session.execute(statement, parameters)

    def flush_held(self, *, to_write: bool = True) -> None:
        """
        Flush what the session holds back, for a call that reads, or goes on *to_write*.

        Raises:
            MappingError, AsyncSessionError: As `connect()`; nothing was flushed.
        """
        refuse_unfit(self.session, self.schema, writes=to_write)
        self.session.flush()

    def flush(self) -> None:
        """Flush what the call itself has changed in objects of the session."""
        self.session.flush()
        self.changed = True

    def insert(self, build: Build, parameters: Mapping[str, Any], users: Sequence[Key], *arguments: Any) -> bool:
        """
        Run the `EngineRules.insert_new()` about *users* that *build* makes of schema, engine and *arguments*.

        Return whether its row is new.

        Two rounds at most: the second finds its users locked.

        Raises:
            UnknownUserError: The database says that one is not there.
            sqlalchemy.exc.IntegrityError: A constraint of the application's own refuses the row.
        """
        try:
            return self.engine.inserted(self.insert_row(build, parameters, *arguments))
        except IntegrityError as error:
            if not self.engine.names_no_user(error):
                raise
        # Gone, perhaps since this transaction's snapshot: ask about now. If nobody is
        # missing, a user with the same key was made meanwhile, and now they stay.
        self.refuse_unknown(users)
        return self.engine.inserted(self.insert_row(build, parameters, *arguments))

    def insert_row(self, build: Build, parameters: Mapping[str, Any], *arguments: Any) -> CursorResult[Any]:
        """
        As `run()`, for an insert of one row. One statement; one more that fails, where the database hides why.

        Raises:
            sqlalchemy.exc.IntegrityError: The row met another one by a unique constraint of the application's own.
        """
        before = self.changed
        result = self.run(build, parameters, self.engine, *arguments)
        if self.engine.collided(result):
            self.changed = before
            return self.run(build, parameters, self.engine.refusing, *arguments)
        return result

    def insert_each(self, table: Table, build: Build, rows: Sequence[Mapping[str, Any]], *arguments: Any) -> None:
        """As `insert_row()`, for each of *rows* into *table*, one after the other."""
        if self.engine.hides_collisions and self.schema.own_of(table).unique:
            for row in rows:
                self.insert_row(build, row, *arguments)
            return
        given = (self.engine, *arguments)
        statement = prepared_of(self.connection, self.schema, build, given)
        self.run_each(build, [statement.named(row) for row in rows], *given)

    def _change(self, run: Callable[[Any, Any], T], first: Any, parameters: Any) -> T:
        try:
            result = run(first, parameters)
        except StatementError:
            # The statement itself leaves nothing, unless it was sent once for each of several rows.
            self.changed = self.changed or (isinstance(parameters, list) and len(parameters) > 1)
            raise
        except BaseException:
            self.changed = True
            raise
        self.changed = True
        return result

    # --- Users -----------------------------------------------------------------------------------

    def key(self, user: Any) -> Key | None:
        """
        Return the key of *user*; None for an instance that has none yet. No statement.

        Raises:
            InvalidUserError: It is neither a user nor a possible key.
        """
        keys = self.user_keys()
        key: Key | None
        if type(user) in _KEYS or not isinstance(user, self.schema.user):
            key = keys.check(user)
            return key
        identified = identity(user)
        if not identified:
            return None
        # A new user may still have the key as the application wrote it.
        key = keys.check(identified[0]) if keys.converts else identified[0]
        return key

    def viewer(self, viewer: Any) -> Any:
        """
        Return the key of *viewer*; None for somebody who is not logged in, and `ALL` as it is. No statement.

        Who is not logged in may be an object: one that says ``is_authenticated = False``, as a library for logging in
        gives, or a proxy for None.

        Raises:
            InvalidUserError: It is none of these.
        """
        if viewer is None or viewer is ALL:
            return viewer
        if isinstance(viewer, self.schema.user):
            return self.key(viewer)
        if isinstance(viewer, NoneType) or getattr(viewer, "is_authenticated", None) is False:
            return None
        return self.key(viewer)

    def keys(self, users: Iterable[Any]) -> list[Key]:
        """Return the keys of *users*, each once; at most 1,000, and none without a key."""
        chosen, known = arguments.batch(users), self.user_keys()
        if not known.are_keys(chosen):
            check, kind = known.check, self.schema.user
            chosen = [
                check(user) if type(user) in _KEYS or not isinstance(user, kind) else self.key(user) for user in chosen
            ]
        keys = list(dict.fromkeys(chosen))
        if None in keys:
            raise InvalidUserError(None, "a user has no key yet: add it to the session first")
        return keys

    def user_keys(self) -> Keys:
        """Return what keys users can have, found out once for each kind of database."""
        keys: Keys | None = self.schema.built.get(self.engine)
        if keys is None:
            keys = self.schema.built[self.engine] = user_keys_of(self.schema.key, self.connection)
        return keys

    def refuse_unknown(self, users: Sequence[Key]) -> None:
        """
        Raise `UnknownUserError` if no user has one of the keys now. One select.

        Where a transaction keeps its snapshot, that waits for whoever is changing one of them.
        """
        known = {key for (key,) in self.rows(known_users_now, {"users": list(users)}, self.engine)}
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

    def _join(self, *users: Any) -> None:
        """Let *users* join the session, flush it, and connect."""
        refuse_unfit(self.session, self.schema)
        for user in users:
            if isinstance(user, self.schema.user) and not identity(user) and object_session(user) is None:
                self.session.add(user)
        self.session.flush()
        self.begin()

    def _present_key(self, user: Any) -> Key:
        key = self.key(user)
        if key is None:
            raise InvalidUserError(None, "a user that is pending in another session has no key yet")
        return key


def session_of(given: Session | scoped_session[Any], user_class: type[Any]) -> Session:
    """
    Return the session that *given* is, or stands for.

    Raises:
        AsyncSessionError: It is, or stands for, an async one.
        TypeError: It is none.
    """
    session: object = given() if isinstance(given, scoped_session) else given
    if isinstance(session, Session):
        return session
    if hasattr(session, "aclose"):  # as an AsyncSession has, and an async_scoped_session
        raise AsyncSessionError(user_class.__name__)
    message = f"a graph needs a Session, not {type(session).__name__}"
    raise TypeError(message)


def async_session_of(given: AsyncSession | async_scoped_session[Any]) -> AsyncSession:
    """
    Return the async session that *given* is, or stands for.

    Raises:
        TypeError: It is none.
    """
    from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session  # noqa: PLC0415 - see above

    session: object = given() if isinstance(given, async_scoped_session) else given
    if not isinstance(session, AsyncSession):
        message = f"an async graph needs an AsyncSession, not {type(session).__name__}"
        raise TypeError(message)
    return session


def edge_parameters(pair: Pair) -> dict[str, Key]:
    """Return *pair* as the parameters of a statement about an edge, or a request for one."""
    return {"follower": pair[0], "followed": pair[1]}
