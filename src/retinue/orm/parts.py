"""All uses of private names of SQLAlchemy for statements and results, where there is no public way."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Dialect
from sqlalchemy.engine import Result
from sqlalchemy.engine.cursor import _NO_CURSOR_DML, _NO_RESULT_METADATA
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.orm.context import FromStatement

#: The metadata of a result without rows.
NO_ROWS: Final[Any] = _NO_RESULT_METADATA


def written_by(statement: Any) -> Any:
    """Return the INSERT, UPDATE or DELETE that *statement* is, or from which it selects."""
    return statement.element if isinstance(statement, FromStatement) else statement


def returns_nothing(result: Any) -> None:
    """Make *result* one without rows, as the caller's statement returns none."""
    result._metadata, result.cursor_strategy = NO_ROWS, _NO_CURSOR_DML  # noqa: SLF001


def others_follow(state: ORMExecuteState) -> bool:
    """Return whether event handlers of the application have still to be called with the statement."""
    return bool(state._remaining_events())  # noqa: SLF001


def run_after_others(state: ORMExecuteState, last: Any) -> Result[Any]:
    """
    Call the remaining event handlers with the statement, each once, and then *last*.

    Handlers are called in the order in which they were registered, and the library is imported before the application.
    """
    state._events_todo.append(last)  # noqa: SLF001
    return state.invoke_statement()


def prefixes(statement: Any) -> list[str]:
    """Return the prefixes of a statement, such as ``OR IGNORE``."""
    return [str(prefix) for prefix, _ in getattr(statement, "_prefixes", ())]


def columns_set(statement: Any) -> list[Any]:
    """
    Return the columns that an UPDATE sets, or their names.

    In a statement about entities, SQLAlchemy has already replaced attributes and synonyms by their columns.
    """
    ordered = getattr(statement, "_ordered_values", None) or ()  # in one place with the others since 2.1
    return [*(getattr(statement, "_values", None) or ()), *dict(ordered)]


def set_options(connection: Any, execution_options: Any) -> None:
    """
    Set the execution options of *connection* to exactly these.

    Its own method only adds to them, and even an empty option wins over that of a statement.
    """
    connection._execution_options = execution_options  # noqa: SLF001


def has_returning(statement: Any) -> bool:
    """Return whether the statement has RETURNING."""
    return bool(getattr(statement, "_returning", ()))


def speaks_of_others(statement: Any, dialect: Dialect) -> bool:
    """Return whether the criteria of a DELETE read tables beside the one that it changes."""
    try:
        compiled: Any = statement.compile(dialect=dialect)
    except NotImplementedError:
        return False  # SQLite has no such statement, and SQLAlchemy will raise
    return bool(getattr(compiled.compile_state, "is_multitable", False))


def conflict_clause(statement: Any) -> str | None:
    """Return the name of the conflict clause of an INSERT, such as ``OnConflictDoNothing``."""
    clause = getattr(statement, "_post_values_clause", None)
    return None if clause is None else type(clause).__name__


def options(statement: Any) -> tuple[Any, ...]:
    """Return the options given by `options()`, such as criteria for a class."""
    found: tuple[Any, ...] = getattr(statement, "_with_options", ())
    return found


def entity(table: Any) -> Any:
    """
    Return the inspected class or alias that a statement changes; None if it changes a table.

    The public `entity_description` fails for a statement about a table with criteria about a class.
    """
    return getattr(table, "_annotations", {}).get("parententity")
