"""
To which of the application's databases a call goes: its session says so, as of every statement.

A session may send what writes to a primary and what reads to a replica, a class to a database of its own, or each tenant
to theirs. It decides by the mapper and the statement that it is asked about. What reads to decide what is written
goes where that is written.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy import Executable, select, update
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import UnboundExecutionError
from sqlalchemy.orm import Mapper, Session, class_mapper

from retinue.errors import MappingError
from retinue.schema import Schema

#: Where a session keeps the graphs of which it is known that each is in one database.
_SLOT: Final = "retinue.in_one_database"


class _Question(NamedTuple):
    """What a session is asked about a class."""

    mapper: Mapper[Any]
    reads: Executable
    #: An UPDATE, also for what inserts: of all that writes, it is what every recipe sends to the primary.
    writes: Executable

    def arguments(self, *, writes: bool) -> dict[str, Any]:
        """Return them by the names that `Session.get_bind()` has for them; anew, as a session may keep them."""
        return {"mapper": self.mapper, "clause": self.writes if writes else self.reads}


def connection_of(session: Session, schema: Schema, *, writes: bool, **options: Any) -> Connection:
    """
    Return the connection of *session* for what reads the graph, or *writes* to it; with execution *options*.

    Raises:
        MappingError: The session has its models in several databases.
    """
    if schema not in session.info.get(_SLOT, ()):  # else it is known: each call comes by here
        refuse_several(session, schema, writes=writes)
    mapper, reading, writing = _questions(schema)[0]
    return session.connection({"mapper": mapper, "clause": writing if writes else reading}, options or None)


def bind_of(session: Session, schema: Schema, *, writes: bool) -> Engine | Connection:
    """Return what `connection_of()` connects to. No statement, and no connection."""
    return session.get_bind(**_questions(schema)[0].arguments(writes=writes))


def refuse_several(session: Session, schema: Schema, *, writes: bool = True) -> None:
    """
    Raise unless *session* has all models of the graph in one database; it is asked once. No statement.

    Raises:
        MappingError: It has not: what is one change of the graph would be several transactions.
    """
    known: set[Schema] = session.info.setdefault(_SLOT, set())
    if schema in known:
        return
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
    known.add(schema)


def _elsewhere(session: Session, schema: Schema, *, writes: bool) -> list[str]:
    """Return the names of the classes that *session* has in another database than follows."""
    bind, found = bind_of(session, schema, writes=writes), []
    for question in _questions(schema)[1:]:
        try:
            other = session.get_bind(**question.arguments(writes=writes))
        except UnboundExecutionError:
            continue  # Nothing is said of it: it is where the graph is.
        if other is not bind:
            found.append(question.mapper.class_.__name__)
    return found


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
