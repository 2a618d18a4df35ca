"""
Users that a statement deletes: taken out of the graph before they go.

Nothing tells which users a statement deletes but the statement itself, and when it has run, their
follows have gone with them, uncounted. So it runs in a savepoint, says which they are, and is taken back. Then
they are locked, leave the graph, and are deleted by their keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import Column, Table
from sqlalchemy.engine import Connection, Result
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.sql.selectable import FromClause

from retinue.engines import engine_of
from retinue.errors import NotWritableError
from retinue.models.ownership import GraphUser, user_class_of
from retinue.orm import deleting
from retinue.orm.cascades import cascades_from, chunks, let_go, taken_along, users_in
from retinue.orm.loaded import forget_rows
from retinue.orm.running import (
    Ran,
    all_or_nothing,
    connection_of,
    in_schemas_of,
    run,
    run_asked,
    savepoint,
    says_what_it_deletes,
    unknown_rows,
)
from retinue.orm.tables import Target, model_of
from retinue.schema import Schema, schema_of
from retinue.values import Key
from retinue.work.building import OPTION

#: How often to ask again which rows a statement deletes, while others change them.
_ATTEMPTS = 5


def delete_users(state: ORMExecuteState, target: Target) -> Result[Any]:
    """
    Run a bulk delete of users, or of rows with which the database deletes users or follows.

    Raises:
        NotWritableError: Nobody can tell which rows go; none has gone.
    """
    connection, table = connection_of(state), cast("Table", target.table)
    key, schema = _key_of(table), _schema_of(table, *(constraint.table for constraint in cascades_from(table)))
    with all_or_nothing(state, connection):
        ran = _find(state, target, connection, schema, key)
        doomed: set[Key] = {found for (found,) in ran.keys}
        with in_schemas_of(connection, ran.options):
            going = taken_along(connection, table, ran.keys)
            let_go(state.session, connection, going)
            _delete(connection, schema, key, doomed)
            gone = users_in(going)
            for graph, users in gone.items():
                below = users - doomed if graph.key is key else users
                if _rows(connection, graph, graph.key, below):
                    raise unknown_rows()
    forget_rows(state.session, [(graph.user, user) for graph, users in gone.items() for user in users])
    return ran.answer


def _schema_of(*tables: FromClause) -> Schema:
    """Return the graph of the first of *tables* that has one."""
    models = (model_of(table) for table in tables)
    model = next(model for model in models if model is not object)
    return schema_of(model if issubclass(model, GraphUser) else user_class_of(model))


def _key_of(table: Table) -> Column[Any]:
    key, *more = table.primary_key.columns
    if more:
        what = f"users or follows go with rows of {table}, which have a key of several columns"
        raise NotWritableError(what, "a DELETE of those first")
    return key


def _find(state: ORMExecuteState, target: Target, connection: Connection, schema: Schema, key: Column[Any]) -> Ran:
    """
    Let the statement say which rows it deletes, and take it back; those rows are locked.

    Raises:
        NotWritableError: Others change them all the time, or it never says the same twice.
    """
    engine, exact = engine_of(connection), says_what_it_deletes(state, target, connection)

    def once(**options: Any) -> Ran:
        with savepoint(connection):
            ran = (run if exact else run_asked)(state, target, [key], **options)
            with in_schemas_of(connection, ran.options):
                if not exact and _rows(connection, schema, key, {found for (found,) in ran.keys}):
                    raise unknown_rows()
        return ran

    locked: set[Key] | None = None
    for _ in range(_ATTEMPTS):
        if locked is None and not engine.savepoint_keeps_locks:
            try:
                # The last time counts: only then the session takes its objects for deleted.
                ran = once(synchronize_session=False)
            except (ProgrammingError, NotWritableError):
                once()  # as the caller wrote it, SQLAlchemy itself may refuse it, in words of its own
                raise
        else:
            ran = once()
        keys = {found for (found,) in ran.keys}
        if engine.savepoint_keeps_locks or keys == locked:
            return ran
        with in_schemas_of(connection, ran.options):
            locked = _rows(connection, schema, key, keys)
    what = "nobody can tell which rows this statement deletes: they are others each time"
    raise NotWritableError(what, "a DELETE by their keys")


def _rows(connection: Connection, schema: Schema, key: Column[Any], keys: Iterable[Key]) -> set[Key]:
    """Lock the rows of *keys*, ascending, until the transaction ends; return the keys that are there."""
    statement = deleting.rows_of(schema, engine_of(connection), key).execution_options(**{OPTION: "doomed_users"})
    return {one for some in chunks(keys) for one in connection.execute(statement, {"keys": some}).scalars()}


def _delete(connection: Connection, schema: Schema, key: Column[Any], keys: Iterable[Key]) -> None:
    statement, every = deleting.delete_rows(schema, engine_of(connection), key), set(keys)
    deleted = sum(connection.execute(statement, {"keys": some}).rowcount for some in chunks(every))
    # A row may have gone with another one of them.
    if deleted != len(every) and _rows(connection, schema, key, every):
        raise unknown_rows()
