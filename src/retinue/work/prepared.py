"""
Statements compiled once and run as text: those whose answer is a number of plain values, and no object of the session.

SQLAlchemy then has nothing left to do for them but to run them; its connection events see
them all the same. That saves a fifth of a question about one user, and two thirds of one about fifty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple, cast
from weakref import WeakKeyDictionary

from sqlalchemy import CTE, Executable
from sqlalchemy.engine import Connection, CursorResult, Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import TupleType
from sqlalchemy.util import immutabledict

from retinue.engines import COMPILED
from retinue.schema import Schema
from retinue.work.building import HOLDS, OPTION, ROW

#: Up to this length each length of a list has a text of its own; longer ones are filled up to a multiple of it.
_STEP: Final = 100


class _Text(NamedTuple):
    """What the driver is given, for lists of certain lengths and certain values in the text."""

    sql: str
    #: Makes of all values those that the driver wants.
    take: Callable[[Mapping[str, Any]], Any]
    #: For each list, the names of the parameters that its values become.
    spread: Sequence[tuple[str, Sequence[str]]]


class Prepared:
    """One statement for one dialect: one text, or one for each length of the lists in it and each value that stands there."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled: SQLCompiler = statement.compile(dialect=dialect)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        #: Whether Python makes a value for each row, a column of the application's has a name that no parameter can
        #: have as it is, or a list is one of pairs: only SQLAlchemy can do that.
        self._only_as_statement = bool(
            compiled.insert_prefetch
            or compiled.update_prefetch
            or compiled.escaped_bind_names
            or any(isinstance(bind.type, TupleType) for bind in binds.values())
        )
        #: Whether something is another one after it.
        self.changes: bool = HOLDS not in statement.get_execution_options() and writes(statement)
        self._compiled = compiled
        self._statement = statement
        self._required = [name for name, bind in binds.items() if bind.required]
        self._constants = {name: bind.effective_value for name, bind in binds.items() if not bind.required}
        processors = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in binds.items()}
        self._lists = [name for name, bind in binds.items() if bind.expanding]
        #: Those whose values stand in the text: how many rows a page has.
        self._in_text = [name for name, bind in binds.items() if bind.literal_execute]
        self._processors = [
            (name, _each(process) if name in self._lists else process)
            for name, process in processors.items()
            if process
        ]
        self._options = immutabledict({OPTION: statement.get_execution_options()[OPTION], COMPILED: compiled})
        #: The one text, where the driver is given the caller's parameters as they are.
        self._plain: _Text | None = None
        if not (self._lists or self._processors or self._constants or self._in_text):
            self._plain = self._text({})
        self._texts: dict[tuple[Any, ...], _Text] = {}
        self._columns = [column.type for column in getattr(statement, "selected_columns", ())]
        #: For each column whose values the driver does not return as they are: its place, and what makes them so.
        self._readers: list[tuple[int, Callable[[Any], Any]]] | None = None

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> CursorResult[Any]:
        """Run it with *parameters*, by name; the values that it returns are the driver's."""
        if self._is_for_sqlalchemy(connection):
            return self._execute(connection, parameters)
        if self._plain is not None:
            sql, take, _ = self._plain
            return connection.exec_driver_sql(sql, take(parameters), execution_options=self._options)
        values = {**self._constants, **parameters}
        for name, process in self._processors:
            values[name] = process(values[name])
        for name in self._lists:
            values[name] = _filled(values[name])
        key = (*[len(values[name]) for name in self._lists], *[values[name] for name in self._in_text])
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = self._text(values)
        for name, names in text.spread:
            values.update(zip(names, values[name], strict=True))
        return connection.exec_driver_sql(text.sql, text.take(values), execution_options=self._options)

    def _is_for_sqlalchemy(self, connection: Connection) -> bool:
        # Where there is one application and a schema for each tenant, only SQLAlchemy can put its name into the text.
        return self._only_as_statement or "schema_translate_map" in connection.get_execution_options()

    def _execute(self, connection: Connection, parameters: Mapping[str, Any]) -> CursorResult[Any]:
        """Let SQLAlchemy run it, which makes the values that Python makes for a row, and puts names into the text."""
        return connection.execute(self._statement, self.named(parameters))

    def named(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return those of *parameters* that the statement has: by the names as well by which a default looks for them."""
        columns: Mapping[str, str | None] = self._statement.get_execution_options().get(ROW, {})
        named = {column: None if name is None else parameters[name] for column, name in columns.items()}
        # No others: SQLAlchemy takes one that is called as a column for its value.
        return {name: named[name] if name in named else parameters[name] for name in self._required}

    def rows(self, connection: Connection, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run it with *parameters*, and return all rows, their values as the types of the columns have them."""
        if self._is_for_sqlalchemy(connection):
            return self._execute(connection, parameters).all()
        result = self.run(connection, parameters)
        if self._readers is None:
            self._readers = self._readers_of(result, connection.dialect)
        found = result.all()
        if not found or not self._readers:
            return found
        columns: list[Any] = list(zip(*found, strict=True))
        for place, read in self._readers:
            columns[place] = map(read, columns[place])
        return list(zip(*columns, strict=True))

    def _text(self, values: Mapping[str, Any]) -> _Text:
        if not self._lists and not self._in_text:
            return _Text(self._compiled.string, _taking(self._compiled.positiontup), ())
        state = self._compiled.construct_expanded_state(values)
        return _Text(state.statement, _taking(state.positiontup), list(state.parameter_expansion.items()))

    def _readers_of(self, result: CursorResult[Any], dialect: Dialect) -> list[tuple[int, Callable[[Any], Any]]]:
        # Some types want to know what the driver calls theirs.
        cursor: Any = result.cursor
        described = cursor.description or ()
        readers = [
            type_.dialect_impl(dialect).result_processor(dialect, column[1])
            for type_, column in zip(self._columns, described, strict=True)
        ]
        return [(place, read) for place, read in enumerate(readers) if read]


def writes(statement: Executable) -> bool:
    """Return whether *statement* inserts, updates or deletes, itself or in a CTE."""
    waiting, seen = [cast("ClauseElement", statement)], set()
    while waiting:
        part = waiting.pop()
        if isinstance(part.element if isinstance(part, CTE) else part, UpdateBase):
            return True
        # Each once: a part that stands in many places, as the rows of a timeline do, has as many ways to it as they have.
        if part not in seen:
            seen.add(part)
            waiting.extend(part.get_children())
    return False


def prepared_of(
    connection: Connection, schema: Schema, build: Callable[..., Executable], arguments: tuple[Any, ...]
) -> Prepared:
    """Return the statement that *build* returns for *schema* and *arguments*, prepared on first use."""
    of_dialect = _of(schema, connection.dialect)
    key = (build, *arguments) if arguments else build
    prepared = of_dialect.get(key)
    if prepared is None:
        prepared = of_dialect[key] = Prepared(build(schema, *arguments), connection.dialect)
    return prepared


def _of(schema: Schema, dialect: Dialect) -> dict[Any, Prepared]:
    # By dialect, as two servers of one kind may need two texts; weakly, as engines come and go.
    known: WeakKeyDictionary[Dialect, dict[Any, Prepared]] | None = schema.built.get(Prepared)
    if known is None:
        known = schema.built[Prepared] = WeakKeyDictionary()
    found = known.get(dialect)
    if found is None:
        found = known[dialect] = {}
    return found


def _taking(order: Sequence[str] | None) -> Callable[[Mapping[str, Any]], Any]:
    """Return what makes of parameters by name those that the driver wants, in *order* if that is not None."""
    if order is None:
        return dict
    if len(order) > 1:
        return itemgetter(*order)
    return lambda parameters: tuple([parameters[name] for name in order])


def _each(process: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda values: [process(value) for value in values]


def _filled(values: Sequence[Any]) -> Sequence[Any]:
    """Return *values*, the last of them repeated, where a text for their length would be one too many."""
    if len(values) <= _STEP or len(values) % _STEP == 0:
        return values
    return [*values, *[values[-1]] * (-len(values) % _STEP)]
