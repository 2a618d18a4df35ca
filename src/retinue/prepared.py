"""
Statements that answer "whether" or "how many", compiled once and run as text.

They return no value that has a type, so nothing is left for SQLAlchemy to do but
to run them: that saves a tenth of such a call. Its connection events see them all
the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Executable
from sqlalchemy.engine import Connection, CursorResult, Dialect
from sqlalchemy.sql.compiler import SQLCompiler

from retinue.schema import Schema
from retinue.statements import OPTION

#: The execution option that holds what the text was compiled from.
COMPILED: Final = "retinue.compiled"


class Prepared:
    """One statement, as text for one dialect."""

    __slots__ = ("_constants", "_names", "_options", "_processors", "_text", "made_by_python")

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled: SQLCompiler = statement.compile(dialect=dialect)
        #: Whether a column of the application has a value that Python makes for each row: only SQLAlchemy can do that.
        self.made_by_python = bool(compiled.insert_prefetch or compiled.update_prefetch)
        binds = compiled.binds
        self._text = compiled.string
        #: The parameters in their order, where the driver wants them by order.
        self._names: list[str] | None = compiled.positiontup
        self._constants = {name: value for name, value in compiled.params.items() if not binds[name].required}
        processors = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in binds.items()}
        self._processors = [(name, process) for name, process in processors.items() if process]
        self._options = {OPTION: statement.get_execution_options()[OPTION], COMPILED: compiled}

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> CursorResult[Any]:
        """Run it with *parameters*, by name."""
        values = {**self._constants, **parameters}
        for name, process in self._processors:
            values[name] = process(values[name])
        given: Any = values if self._names is None else tuple([values[name] for name in self._names])
        return connection.exec_driver_sql(self._text, given, execution_options=self._options)


def run(
    connection: Connection,
    schema: Schema,
    build: Callable[..., Executable],
    parameters: Mapping[str, Any],
    *arguments: Any,
) -> CursorResult[Any]:
    """Run the statement that *build* returns for *schema* and *arguments*, prepared on first use."""
    if "schema_translate_map" in connection.get_execution_options():
        # One application, a schema for each tenant: only SQLAlchemy can put its name into the text.
        return connection.execute(build(schema, *arguments), parameters)
    of_dialect = _of(schema, connection.dialect)
    prepared = of_dialect.get((build, arguments))
    if prepared is None:
        prepared = of_dialect[build, arguments] = Prepared(build(schema, *arguments), connection.dialect)
    if prepared.made_by_python:
        return connection.execute(build(schema, *arguments), parameters)
    return prepared.run(connection, parameters)


def _of(schema: Schema, dialect: Dialect) -> dict[Any, Prepared]:
    # By dialect, as two servers of one kind may need two texts; weakly, as engines come and go.
    known: WeakKeyDictionary[Dialect, dict[Any, Prepared]] | None = schema.built.get(Prepared)
    if known is None:
        known = schema.built[Prepared] = WeakKeyDictionary()
    found = known.get(dialect)
    if found is None:
        found = known[dialect] = {}
    return found
