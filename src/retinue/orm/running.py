"""
Run the caller's own statement as it was written, and find out which rows it changed.

So everything in it has its effect: LIMIT, criteria of the session and of the statement, what
later event handlers add to it, schemas, prefixes, CTEs, RETURNING, and the changes of loaded
objects. Nothing of it is copied into a statement of the library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import select
from sqlalchemy.engine import Connection, IteratorResult, Result
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import engine_of
from retinue.errors import NotWritableError
from retinue.orm import parts
from retinue.orm.loaded import bring_back
from retinue.orm.tables import Target

_SCHEMAS: Final = "schema_translate_map"

#: The rows that a statement changed: of each, the values of the wanted columns.
Keys = list[tuple[Any, ...]]


class Ran(NamedTuple):
    """The result of a statement that was run."""

    keys: Keys
    #: The result for its caller.
    answer: Result[Any]
    #: The execution options that it ran with.
    options: Mapping[str, Any]


class Changed(IteratorResult[Any]):
    """The result of an INSERT without RETURNING."""

    returns_rows = False
    is_insert = True

    def __init__(self, keys: Keys) -> None:
        super().__init__(parts.NO_ROWS, iter(()))
        self.rowcount: int = len(keys)
        self.inserted_primary_key_rows: Keys = keys

    @property
    def inserted_primary_key(self) -> tuple[Any, ...]:
        """
        The key of the one row that was inserted.

        Raises:
            sqlalchemy.exc.InvalidRequestError: There are several rows, or none.
        """
        if self.rowcount != 1:
            message = f"{self.rowcount} rows were inserted: inserted_primary_key_rows has their keys"
            raise InvalidRequestError(message)
        return self.inserted_primary_key_rows[0]


def connection_of(state: ORMExecuteState) -> Connection:
    """
    Return the connection of a statement that changes more than it says.

    Raises:
        NotWritableError: It is in AUTOCOMMIT.
    """
    connection = state.session.connection(bind_arguments=dict(state.bind_arguments))
    engine_of(connection).refuse_autocommit(connection)
    return connection


def says_what_it_deletes(state: ORMExecuteState, target: Target, connection: Connection) -> bool:
    """Return whether the database can return the rows that this DELETE deletes."""
    dialect = connection.dialect
    if not (dialect.delete_returning and getattr(target.table, "implicit_returning", True)):
        return False
    return dialect.delete_returning_multifrom or not parts.speaks_of_others(state.statement, dialect)


def run(
    state: ORMExecuteState,
    target: Target,
    columns: Sequence[ColumnElement[Any]],
    *,
    returning: bool = False,
    **options: Any,
) -> Ran:
    """
    Run the statement; return *columns* of the rows that it changed, and the result for its caller.

    *returning*: add RETURNING as a caller does; an INSERT returns its rows in no other way.
    """
    statement: Any = state.statement
    if not (returning or parts.has_returning(statement)):
        asked = target.columns(columns)
        # The cache of SQLAlchemy 2.0 does not tell a DELETE with return_defaults() from one without: a hint,
        # which no database gets, does.
        returns = statement.return_defaults(*asked).with_hint("returns", dialect_name="retinue")
        result: Any = state.invoke_statement(returns, execution_options=options)
        rows = result.returned_defaults_rows or ()
        keys = [tuple(_value_of(row._mapping, column) for column in asked) for row in rows]  # noqa: SLF001 - public
        used = _options_of(state, result)
        parts.returns_nothing(result)
        return Ran(keys, result, used)
    labels = [column.label(f"retinue_{column.key}") for column in target.attributes(columns)]
    result = state.invoke_statement(statement.returning(*labels), execution_options=options)
    used = _options_of(state, result)
    # All at once: SQLite changes rows only as they are fetched.
    frozen = result.freeze()
    width = len(frozen().keys()) - len(labels)
    keys = [tuple(row)[width:] for row in frozen()]
    answer: Any = frozen().columns(*range(width)) if width else Changed(keys)
    answer.rowcount = len(keys)
    return Ran(keys, answer, used)


def _value_of(row: Mapping[Any, Any], column: ColumnElement[Any]) -> Any:
    # A cached statement has the columns of another alias.
    return row[column] if column in row else row[cast("Any", column).name]


def run_asked(state: ORMExecuteState, target: Target, columns: Sequence[ColumnElement[Any]], **options: Any) -> Ran:
    """
    As `run()`, for a DELETE whose rows the database cannot return: select them before.

    A SELECT with the same criteria, which locks its rows, is only a guess: it lacks a limit and what event
    handlers add. The caller has to check that none of the rows is left.

    Raises:
        NotWritableError: The statement deleted another number of rows.
    """
    statement: Any = state.statement
    wanted = select(*target.attributes(columns)).with_for_update().options(*parts.options(statement))
    if statement.whereclause is not None:
        wanted = wanted.where(statement.whereclause)
    keys: Keys = list(dict.fromkeys(tuple(row) for row in state.invoke_statement(wanted)))
    result: Any = state.invoke_statement(execution_options=options)
    if result.rowcount != len(keys):
        raise unknown_rows()
    return Ran(keys, result, _options_of(state, result))


def unknown_rows() -> NotWritableError:
    """Return the error for a statement whose changed rows cannot be known."""
    return NotWritableError("the database does not say which rows this statement deletes", "criteria about one table")


def _options_of(state: ORMExecuteState, result: Any) -> Mapping[str, Any]:
    """Return the options that a statement ran with, those of its engine and of later event handlers included."""
    context = getattr(getattr(result, "raw", None) or result, "context", None)
    return state.execution_options if context is None else cast("Mapping[str, Any]", context.execution_options)


@contextmanager
def all_or_nothing(state: ORMExecuteState, connection: Connection) -> Iterator[None]:
    """
    Roll the block back if it fails, and give the session its objects back.

    The savepoint is one of the connection: one of the session would flush, even without autoflush. With autoflush,
    the session is flushed before.
    """
    session = state.session
    if session.autoflush and state.execution_options.get("autoflush", True):
        session.flush()
    loaded = list(session.identity_map.values())
    try:
        with session.no_autoflush, savepoint(connection, keep=True):
            yield
    except BaseException:
        bring_back(session, loaded)
        raise


@contextmanager
def savepoint(connection: Connection, *, keep: bool = False) -> Iterator[None]:
    """Roll the block back: after an error, and without *keep* in any case."""
    first: DBAPIError | None = None
    try:
        with connection.begin_nested() as nested:
            try:
                yield
            except DBAPIError as error:
                first = error
                raise
            if not keep:
                nested.rollback()
    except DBAPIError as error:
        # A deadlock ends the transaction with its savepoints: then the rollback to one fails, too.
        raise first or error from None


@contextmanager
def in_schemas_of(connection: Connection, options: Mapping[str, Any]) -> Iterator[None]:
    """Run the block with the ``schema_translate_map`` of *options*: its statements use the same schemas."""
    before, wanted = connection.get_execution_options(), options.get(_SCHEMAS)
    if wanted == before.get(_SCHEMAS):
        yield
        return
    connection.execution_options(**{_SCHEMAS: wanted})
    try:
        yield
    finally:
        parts.set_options(connection, before)
