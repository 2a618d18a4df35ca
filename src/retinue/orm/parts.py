"""What SQLAlchemy gives no public way to ask for, or to do; nowhere else are such names used."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Dialect
from sqlalchemy.engine import Result
from sqlalchemy.engine.cursor import _NO_CURSOR_DML, _NO_RESULT_METADATA
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.orm.context import FromStatement

#: What a result without rows knows of them: asked for any, it says that there are none.
NO_ROWS: Final[Any] = _NO_RESULT_METADATA


def written_by(statement: Any) -> Any:
    """Return the INSERT, UPDATE or DELETE that *statement* is, or that a SELECT is made from."""
    return statement.element if isinstance(statement, FromStatement) else statement


def returns_nothing(result: Any) -> None:
    """Let *result* be that of a statement that returns no rows, as its caller knows of none."""
    result._metadata, result.cursor_strategy = NO_ROWS, _NO_CURSOR_DML  # noqa: SLF001


def others_follow(state: ORMExecuteState) -> bool:
    """Return whether events of the application's are still to see the statement."""
    return bool(state._remaining_events())  # noqa: SLF001


def run_after_others(state: ORMExecuteState, last: Any) -> Result[Any]:
    """
    Let the events that are still to come see the statement first, each once, and then *last*.

    An event is called in the order in which it was registered, and the library is imported before the application.
    """
    state._events_todo.append(last)  # noqa: SLF001
    return state.invoke_statement()


def prefixes(statement: Any) -> list[str]:
    """Return what stands before INTO, or before the table: ``OR IGNORE`` and the like."""
    return [str(prefix) for prefix, _ in getattr(statement, "_prefixes", ())]


def columns_set(statement: Any) -> list[Any]:
    """
    Return what the values of an UPDATE are set to: columns, or their names.

    Of a statement about entities SQLAlchemy has put the columns that they stand for in the place
    of the names of attributes, of synonyms and the like already.
    """
    ordered = getattr(statement, "_ordered_values", None) or ()  # in one place with the others since 2.1
    return [*(getattr(statement, "_values", None) or ()), *dict(ordered)]


def set_options(connection: Any, execution_options: Any) -> None:
    """
    Let *connection* have the execution options again that it had before.

    Its own method only adds to them; and an option that is there and says nothing still goes before a statement's.
    """
    connection._execution_options = execution_options  # noqa: SLF001


def has_returning(statement: Any) -> bool:
    """Return whether the caller asks for rows."""
    return bool(getattr(statement, "_returning", ()))


def speaks_of_others(statement: Any, dialect: Dialect) -> bool:
    """Return whether the criteria of a DELETE bring in tables beside the one that rows are deleted from."""
    try:
        compiled: Any = statement.compile(dialect=dialect)
    except NotImplementedError:
        return False  # SQLite has no such statement, and SQLAlchemy will say so
    return bool(getattr(compiled.compile_state, "is_multitable", False))


def conflict_clause(statement: Any) -> str | None:
    """Return the name of what an INSERT does about a row that is there, such as ``OnConflictDoNothing``."""
    clause = getattr(statement, "_post_values_clause", None)
    return None if clause is None else type(clause).__name__


def options(statement: Any) -> tuple[Any, ...]:
    """Return the options that were given by `options()`: criteria for each class, most of all."""
    found: tuple[Any, ...] = getattr(statement, "_with_options", ())
    return found


def entity(table: Any) -> Any:
    """
    Return what is known of the class or alias that a statement changes; None where it is about a table.

    There is `entity_description`, which fails for a statement about a table with criteria about a class.
    """
    return getattr(table, "_annotations", {}).get("parententity")
