"""
The caller's own statement, run as it was written; and which rows it changed.

Only so everything that it carries has its effect: LIMIT, criteria of the session and of the
statement, what listeners after ours add to it, schemas, prefixes, CTEs, RETURNING, and what
becomes of the loaded objects. Nothing is taken over into a statement of ours.
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

#: The rows that a statement changed, each by the columns that were asked for.
Keys = list[tuple[Any, ...]]


class Ran(NamedTuple):
    """What came of a statement."""

    keys: Keys
    #: What its caller gets.
    answer: Result[Any]
    #: The execution options that it ran with.
    options: Mapping[str, Any]


class Changed(IteratorResult[Any]):
    """The result of an INSERT whose caller asked for no rows."""

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
            sqlalchemy.exc.InvalidRequestError: There are others, or none.
        """
        if self.rowcount != 1:
            message = f"{self.rowcount} rows were inserted: inserted_primary_key_rows has their keys"
            raise InvalidRequestError(message)
        return self.inserted_primary_key_rows[0]


def connection_of(state: ORMExecuteState) -> Connection:
    """Return the connection that the statement runs on."""
    return state.session.connection(bind_arguments=dict(state.bind_arguments))


def says_what_it_deletes(state: ORMExecuteState, target: Target, connection: Connection) -> bool:
    """Return whether the database returns the rows that this DELETE deletes."""
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
    Run the statement; return *columns* of the rows that it changed, and what its caller gets.

    *returning*: ask for the rows as a caller does; an INSERT returns them in no other way.
    """
    statement: Any = state.statement
    if not (returning or parts.has_returning(statement)):
        asked = target.columns(columns)
        # SQLAlchemy 2.0 keeps the text of a DELETE in its cache by all that it says but this: a hint, which
        # no database is given, tells it from the same one that returns nothing.
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
    # A statement that was compiled before knows the columns of another alias.
    return row[column] if column in row else row[cast("Any", column).name]


def run_asked(state: ORMExecuteState, target: Target, columns: Sequence[ColumnElement[Any]], **options: Any) -> Ran:
    """
    As `run()`, for a DELETE of which the database does not say what it deletes: ask before.

    What a SELECT with the same criteria finds, and locks, is only a guess: a limit and what listeners
    do are not in it. The caller has to see to it that nothing of it is left.

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
    """Return the error for a statement of which nobody knows which rows it changed."""
    return NotWritableError("the database does not say which rows this statement deletes", "criteria about one table")


def _options_of(state: ORMExecuteState, result: Any) -> Mapping[str, Any]:
    """Return the options that a statement ran with: those of its engine, and what listeners after ours set, included."""
    context = getattr(getattr(result, "raw", None) or result, "context", None)
    return state.execution_options if context is None else cast("Mapping[str, Any]", context.execution_options)


@contextmanager
def all_or_nothing(state: ORMExecuteState, connection: Connection) -> Iterator[None]:
    """
    Take back what happens here if it fails, and let the session have its objects again.

    The savepoint is the connection's: one of the session's would flush what a session without autoflush
    holds back. What is to be flushed is flushed before it.

    Raises:
        NotWritableError: The connection is in AUTOCOMMIT, which takes nothing back.
    """
    engine = engine_of(connection)
    if engine.commits_each(connection) and not engine.savepoint_begins:
        what = "in AUTOCOMMIT, what a bulk statement changes cannot be taken back"
        raise NotWritableError(what, "a session with transactions")
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
    """Take back what happens here: after an error, or in any case unless *keep*."""
    first: DBAPIError | None = None
    try:
        with connection.begin_nested() as made:
            try:
                yield
            except DBAPIError as error:
                first = error
                raise
            if not keep:
                made.rollback()
    except DBAPIError as error:
        # A deadlock ends the transaction, its savepoints included: then there is none to go back to.
        raise first or error from None


@contextmanager
def in_schemas_of(connection: Connection, options: Mapping[str, Any]) -> Iterator[None]:
    """Let statements of ours find their tables where a statement with *options* found its own."""
    before, wanted = connection.get_execution_options(), options.get(_SCHEMAS)
    if wanted == before.get(_SCHEMAS):
        yield
        return
    connection.execution_options(**{_SCHEMAS: wanted})
    try:
        yield
    finally:
        parts.set_options(connection, before)
