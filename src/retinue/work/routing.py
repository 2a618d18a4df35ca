"""
To which of the application's databases a call goes: its session says so, as of every statement.

A session may send what writes to a primary and what reads to a replica, a class to a database of its own, or each tenant
to theirs. It decides by the mapper and the statement that it is asked about. What reads to decide what is written
goes where that is written.

Where that is an async engine, only what somebody awaits can wait for it: `AsyncGraph`, or a function in ``run_sync()``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from weakref import ReferenceType, ref

from sqlalchemy import Select, Update, select, update
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import UnboundExecutionError
from sqlalchemy.orm import Mapper, Session, SessionTransaction, class_mapper
from sqlalchemy.util.concurrency import in_greenlet

from retinue.engines import EngineRules, engine_of
from retinue.errors import AsyncSessionError, MappingError
from retinue.schema import Schema

#: Where a session keeps the places that it has found.
_PLACES: Final = "retinue.places"
#: Where a session keeps the graphs of which it is known that each is in one database.
_SLOT: Final = "retinue.in_one_database"
#: The same, of those that have to be awaited.
_ASYNC_SLOT: Final = "retinue.in_one_database.async"
_NO_PLACES: Final[Mapping[Any, Any]] = {}


class _Question(NamedTuple):
    """What a session is asked about a class."""

    mapper: Mapper[Any]
    reads: Select[Any]
    #: An UPDATE, also for what inserts: of all that writes, it is what every recipe sends to the primary.
    writes: Update

    def arguments(self, *, writes: bool) -> dict[str, Any]:
        """Return them by the names that `Session.get_bind()` has for them; anew, as a session may keep them."""
        return {"mapper": self.mapper, "clause": self.writes if writes else self.reads}


class Place(NamedTuple):
    """
    Where a graph is for what reads it, or writes to it: in one transaction or savepoint of a session.

    Weakly: it keeps nothing of them, and is nothing once they have ended.
    """

    transaction: ReferenceType[SessionTransaction]
    #: What the session is asked for its bind, and what it said.
    mapper: Mapper[Any]
    clause: Select[Any] | Update
    bind: Engine | Connection
    connection: ReferenceType[Connection]
    engine: EngineRules
    #: Whether somebody has to await what goes there.
    awaited: bool


def place_of(session: Session, schema: Schema, *, writes: bool) -> tuple[Connection, EngineRules]:
    """
    Return the connection of *session* for what reads the graph, or *writes* to it; and what its database does.

    The session is asked for its bind each time, as it may decide anew. Its connection there is the same until a
    transaction or savepoint begins or ends, and so is whether that is in AUTOCOMMIT.

    Raises:
        MappingError, AsyncSessionError: As `refuse_unfit()`.
        NotWritableError: It *writes*, in AUTOCOMMIT.
    """
    transaction = session.get_nested_transaction() or session.get_transaction()
    place: Place | None = session.info.get(_PLACES, _NO_PLACES).get((schema, writes))
    if place and transaction and place.transaction() is transaction and transaction.is_active:
        known = place.connection()
        if (
            known is not None
            and place.bind is session.get_bind(mapper=place.mapper, clause=place.clause)
            and not (place.awaited and not in_greenlet())
        ):
            return known, place.engine
    connection = connection_of(session, schema, writes=writes)
    engine = engine_of(connection)
    if writes:
        engine.refuse_autocommit(connection)
    _remember(session, schema, connection, engine, writes=writes)
    return connection, engine


def _remember(session: Session, schema: Schema, connection: Connection, engine: EngineRules, *, writes: bool) -> None:
    transaction = session.get_nested_transaction() or session.get_transaction()
    if transaction is not None:
        bind, asked = bind_of(session, schema, writes=writes), _questions(schema)[0].arguments(writes=writes)
        session.info.setdefault(_PLACES, {})[schema, writes] = Place(
            ref(transaction),
            **asked,
            bind=bind,
            connection=ref(connection),
            engine=engine,
            awaited=bind.dialect.is_async,
        )


def connection_of(session: Session, schema: Schema, *, writes: bool, **options: Any) -> Connection:
    """
    Return the connection of *session* for what reads the graph, or *writes* to it; with execution *options*.

    Raises:
        MappingError, AsyncSessionError: As `refuse_unfit()`.
    """
    refuse_unfit(session, schema, writes=writes)
    return session.connection(_questions(schema)[0].arguments(writes=writes), options or None)


def bind_of(session: Session, schema: Schema, *, writes: bool) -> Engine | Connection:
    """Return what `connection_of()` connects to. No statement, and no connection."""
    return session.get_bind(**_questions(schema)[0].arguments(writes=writes))


def refuse_unfit(session: Session, schema: Schema, *, writes: bool = True) -> None:
    """
    Raise unless *session* has all models of the graph in one database, for which this call can wait. No statement.

    Where the databases are is asked once, whether anybody awaits the call each time.

    Raises:
        MappingError: They are in several: what is one change of the graph would be several transactions.
        AsyncSessionError: It would wait for an async engine, and nobody awaits it.
    """
    if schema in session.info.get(_SLOT, ()):  # each call comes by here
        return
    known: set[Schema] = session.info.setdefault(_SLOT, set())
    awaited: set[Schema] = session.info.setdefault(_ASYNC_SLOT, set())
    if schema not in awaited:
        (awaited if _in_one_database(session, schema, writes=writes) else known).add(schema)
    if schema in awaited and not in_greenlet():
        raise AsyncSessionError(schema.user.__name__)


def _in_one_database(session: Session, schema: Schema, *, writes: bool) -> bool:
    """Raise `MappingError` unless *session* has all models in one database; return whether that is to be awaited."""
    elsewhere = _elsewhere(session, schema, writes=writes)
    # Replicas may take turns, so it is the primary that counts.
    if elsewhere and not writes:
        elsewhere = _elsewhere(session, schema, writes=True)
    if elsewhere:
        follow, others = schema.follow.__name__, " and ".join(elsewhere)
        message = (
            f"{follow} is in another database than {others}: this session has a bind for each, and a graph"
            " needs all of its models in one"
        )
        raise MappingError(message)
    return bind_of(session, schema, writes=writes).dialect.is_async


def _elsewhere(session: Session, schema: Schema, *, writes: bool) -> list[str]:
    """Return the names of the classes that *session* has in another database than follows."""
    if _has_one_bind(session):
        return []
    bind, found = bind_of(session, schema, writes=writes), []
    for question in _questions(schema)[1:]:
        try:
            other = session.get_bind(**question.arguments(writes=writes))
        except UnboundExecutionError:
            continue  # Nothing is said of it: it is where the graph is.
        if other is not bind:
            found.append(question.mapper.class_.__name__)
    return found


def _has_one_bind(session: Session) -> bool:
    """Return whether *session* has but one database, as most do: then none of that need be asked, request by request."""
    known = vars(session)
    # Of a name of its own until SQLAlchemy 2.1.
    others = known.get("binds", known.get("_Session__binds"))
    return others == {} and session.bind is not None and type(session).get_bind is Session.get_bind


def _questions(schema: Schema) -> list[_Question]:
    """Return what is asked about each class of the graph, that of follows first."""
    questions: list[_Question] | None = schema.built.get(_Question)
    if questions is None:
        classes = dict.fromkeys((schema.follow, schema.user, *schema.models.values()))
        # With concrete inheritance the users' own selectable is a union.
        tables: dict[Any, Any] = {one: class_mapper(one).local_table for one in classes} | {
            schema.user: schema.key.table
        }
        questions = [_Question(class_mapper(one), select(one), update(tables[one])) for one in classes]
        schema.built[_Question] = questions
    return questions
