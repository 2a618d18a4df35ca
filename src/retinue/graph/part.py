"""What every part of the graph works on: the caller's session, and the models of one user class."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session, scoped_session

from retinue import changes
from retinue.caller import Caller
from retinue.events import Event
from retinue.schema import schema_of

U = TypeVar("U")


class Part(Generic[U]):
    """A subject of the graph: its verbs and its questions."""

    __slots__ = ("_caller", "_schema")

    def __init__(self, session: Session | scoped_session[Any], user_class: type[U]) -> None:
        self._schema = schema_of(user_class)
        self._schema.refuse_unusable()
        self._caller = Caller(session, self._schema)

    def _record(self, connection: Connection, *happened: Event, many: bool = False) -> None:
        """Write down what follows from what *happened*."""
        changes.record(self._caller.session, connection, self._schema, *happened, many=many)
