"""
What is wrong around the rows: tables, indexes, foreign keys, collations, and the connection itself.

Nothing here is repaired: it is the application's, and its migrations' and its configuration's. A finding has the
statement, where that is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Column, ForeignKeyConstraint, Index, String, Table, inspect
from sqlalchemy.engine import Connection, Dialect, Inspector
from sqlalchemy.exc import CompileError
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable
from sqlalchemy.types import TypeDecorator

from retinue import keys
from retinue.doctor.findings import Finding
from retinue.effects import effects_of, removal
from retinue.engines import engine_of
from retinue.errors import NotWritableError
from retinue.faults import Severity
from retinue.schema import Schema

_PREPARE = "Call retinue.prepare_engine(engine) for the engine of these sessions, before its first connection."


def of_connection(connection: Connection) -> Iterator[Finding]:
    """Yield what is wrong with *connection*, in a transaction. Three statements at most."""
    rules, where = engine_of(connection), connection.dialect.name

    def finding(what: str, severity: Severity, fix: str, *examples: str) -> Finding:
        return Finding(what, where, 1, (examples,) if examples else (), severity, False, fix)

    if not rules.is_prepared(connection):
        yield finding("engine_not_prepared", Severity.ERROR, _PREPARE)
    if _commits_each(connection):
        fix = "Leave the isolation level AUTOCOMMIT out: what a verb writes must be committed together."
        yield finding("autocommit", Severity.ERROR, fix)
    for one in rules.unlike(connection):
        fix = f"It is {one.found}, and must be {one.wanted}. {_PREPARE}"
        yield finding("setting", Severity.ERROR, fix, one.name)


def _commits_each(connection: Connection) -> bool:
    try:
        engine_of(connection).refuse_autocommit(connection)
    except NotWritableError:
        return True
    return False


def tables_of(schema: Schema) -> Sequence[Table]:
    """Return the tables of the graph, each once."""
    of_effects = (table for effect in effects_of(schema) for table in effect.tables(schema))
    return list(dict.fromkeys((*removal.tables_of(schema), *of_effects)))


def of_tables(connection: Connection, schema: Schema) -> Iterator[Finding]:
    """Yield what the tables lack. A few statements for each table, which read no row of it."""
    found = inspect(connection)
    there = [table for table in tables_of(schema) if found.has_table(table.name, schema=table.schema)]
    for table in tables_of(schema):
        if table not in there:
            fix = "Make it, by a migration; it may be that one was not run."
            yield _of_table(
                "missing_table", table, [], Severity.ERROR, fix, str(CreateTable(table).compile(connection))
            )
    for table in there:
        yield from _indexes(found, table, connection.dialect)
        yield from _foreign_keys(found, table, connection.dialect)
    for table in (schema.key.table, *there):
        yield from _collations(connection, table, schema)


def missing_tables(findings: Iterable[Finding]) -> set[str]:
    """Return the tables that are not there, by *findings*."""
    return {one.where for one in findings if one.what == "missing_table"}


def _of_table(
    what: str, table: Table, columns: Iterable[Any], severity: Severity, fix: str, ddl: str | None = None
) -> Finding:
    names = tuple(column.name for column in columns)
    ddl = None if ddl is None else f"{ddl.strip()};"
    return Finding(what, str(table), 1, (names,) if names else (), severity, False, fix, ddl)


def _indexes(found: Inspector, table: Table, dialect: Dialect) -> Iterator[Finding]:
    """Yield the indexes that are not there, by themselves or as the beginning of another one."""
    there: list[Sequence[str | None]] = [
        one["column_names"] for one in found.get_indexes(table.name, schema=table.schema)
    ]
    there.append(found.get_pk_constraint(table.name, schema=table.schema)["constrained_columns"])
    there += [one["column_names"] for one in found.get_unique_constraints(table.name, schema=table.schema)]
    for index in sorted(table.indexes, key=_name):
        names = [column.name for column in index.columns]
        if len(names) == len(index.expressions) and not any(one[: len(names)] == names for one in there):
            fix = f"Make the index {index.name}, by a migration: what reads by it reads the whole table now."
            ddl = str(CreateIndex(index).compile(dialect=dialect))
            yield _of_table("missing_index", table, index.columns, Severity.WARNING, fix, ddl)


def _name(index: Index) -> str:
    return str(index.name)


def _foreign_keys(found: Inspector, table: Table, dialect: Dialect) -> Iterator[Finding]:
    there = {
        (*one["constrained_columns"], one["referred_table"], one.get("options", {}).get("ondelete"))
        for one in found.get_foreign_keys(table.name, schema=table.schema)
    }
    for key in sorted(table.foreign_key_constraints, key=lambda one: str(one.name)):
        if (*(column.name for column in key.columns), key.referred_table.name, key.ondelete) not in there:
            fix = f"Make the foreign key {key.name}, by a migration, when no orphans are left; {_how(dialect)}"
            yield _of_table("missing_foreign_key", table, key.columns, Severity.WARNING, fix, _added(key, dialect))


def _how(dialect: Dialect) -> str:
    if dialect.name == "sqlite":
        return "SQLite makes the table anew for it: Alembic's batch_alter_table() does that."
    return "it locks the table while it checks the rows."


def _added(key: ForeignKeyConstraint, dialect: Dialect) -> str | None:
    if dialect.name == "sqlite":
        return None
    return str(AddConstraint(key).compile(dialect=dialect))


def _collations(connection: Connection, table: Table, schema: Schema) -> Iterator[Finding]:
    """Yield the columns with keys of users whose texts the database compares otherwise than letter by letter."""
    dialect, rules = connection.dialect, engine_of(connection)
    if not isinstance(schema.key.type.dialect_impl(dialect), (String, TypeDecorator)):
        return
    found = rules.collations(connection, table)
    for column in _columns(table, schema):
        collation = found.get(column.name)
        if collation is None:
            continue
        if keys.ignores_case(collation):
            fix = "Give it a type that compares byte by byte: to the database, two keys of two users may be one."
            yield _of_table("collation_ignores_case", table, [column], Severity.ERROR, _named(fix, collation))
        elif keys.pads(collation, rules) and not _is_padded(column, connection):
            fix = "Declare it with that collation, or give it another: the database does not see spaces at its end."
            yield _of_table("collation_pads", table, [column], Severity.WARNING, _named(fix, collation))


def _columns(table: Table, schema: Schema) -> Sequence[Column[Any]]:
    if table is schema.key.table:
        return [schema.key]
    return [table.c[table.info[end]] for end in ("shard_key", "reverse_key") if end in table.info]


def _is_padded(column: Column[Any], connection: Connection) -> bool:
    """Return whether it is known of *column* that it pads, as it is declared: then no verb takes such a key."""
    dialect = connection.dialect
    try:
        declared = column.type.compile(dialect=dialect)
    except CompileError:
        return False
    collation = keys.declared_collation(column.type, dialect)
    return declared.startswith("CHAR(") or keys.pads(collation, engine_of(connection))


def _named(fix: str, collation: str) -> str:
    return f"Its collation is {collation}. {fix}"
