"""
Many rows inserted at once, with what the application's own columns need.

``INSERT .. SELECT`` makes one value of Python's for all its rows. Where Python fills a column of the
application's own, the rows are selected first, by what is committed now, and inserted by SQLAlchemy as any
rows are: each with its own defaults, which find the row. Whatever guards the rows is held by the transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Executable, Table, bindparam, insert, select, tuple_

from retinue.engines import EngineRules
from retinue.schema import Schema
from retinue.work.building import OPTION
from retinue.work.building import insert_rows as rows_of
from retinue.work.work import Work

#: Rows of one look.
_LOOK: Final = 1_000

Values = Mapping[str, Any]


def insert_selected(
    work: Work,
    table: Table,
    whole: Executable,
    rows: Executable,
    parameters: Values,
    same: Values | None = None,
    each: Executable | None = None,
) -> int:
    """
    Insert rows into *table*: by the statement *whole*, or *rows* one by one; return how many, if the database says so.

    Cost: one statement; where Python fills columns of *table*, one more; and one more on MariaDB where it has unique
    constraints of the application's own.

    Args:
        work: Where to.
        table: Where the rows belong.
        whole: The ``INSERT .. SELECT``.
        rows: What it selects, by itself: columns called as those of *table*, without parameters among them.
        parameters: Those of *whole*, or of *rows*.
        same: The values of columns that *rows* leaves out: the same in all.
        each: The insert of rows that come as parameters; None: one that leaves a row as it is.
    """
    if not goes_by_row(work.schema, work.engine, table):
        return work.execute(whole, parameters).rowcount
    found = [{**row._asdict(), **(same or {})} for row in work.connection.execute(rows, parameters)]
    return insert_rows(work, table, found, each)


def goes_by_row(schema: Schema, engine: EngineRules, table: Table) -> bool:
    """Return whether rows of *table* are to be known before they are inserted: Python fills them, or they may collide unheard."""
    own = schema.own_of(table)
    return own.by_python or (own.unique and engine.hides_collisions)


def insert_rows(
    work: Work,
    table: Table,
    rows: Sequence[Values],
    each: Executable | None = None,
) -> int:
    """As `insert_selected()`, of *rows* that are known."""
    if not rows:
        return 0
    given = complete(work.schema, table, rows)
    statement = rows_of(work.schema, work.engine, table) if each is None else each
    # Of one row every driver says whether it was inserted.
    done = work.execute(statement, given if len(given) > 1 else given[0]).rowcount
    refuse_collisions(work, table, given)
    return done


def refuse_collisions(work: Work, table: Table, rows: Sequence[Values]) -> None:
    """
    See to it that *rows*, which were just inserted, are there: none has met another row by a unique constraint.

    Costs nothing where the database says so by itself, or *table* has no such constraint; else one select.

    Raises:
        sqlalchemy.exc.IntegrityError: One has.
    """
    if not (work.engine.hides_collisions and work.schema.own_of(table).unique):
        return
    for start in range(0, len(rows), _LOOK):
        missing = _missing(work, table, rows[start : start + _LOOK])
        if missing:
            # Says which constraint it is; or, if the other row has gone by now, it is none any more.
            insert_plainly(work, table, missing)


def insert_plainly(work: Work, table: Table, rows: Sequence[Values]) -> None:
    """
    Insert *rows*; none of them is to be there. One statement.

    Raises:
        sqlalchemy.exc.IntegrityError: One is, or meets another row by a unique constraint: the database says which.
    """
    statement = insert(table).execution_options(**{OPTION: "insert_rows"})
    work.execute(statement, complete(work.schema, table, rows))


def complete(schema: Schema, table: Table, rows: Sequence[Values]) -> Sequence[Values]:
    """Return *rows* of *table* as a default of the application's may want to find them: see `Own.blank`."""
    own = schema.own_of(table)
    if not (own.by_python and own.blank):
        return rows
    blank = dict.fromkeys(own.blank)
    return [{**blank, **row} for row in rows]


def _missing(work: Work, table: Table, rows: Sequence[Values]) -> list[Values]:
    """Return those of *rows* whose primary keys are not there."""
    keys = [tuple(row[column.key] for column in table.primary_key) for row in rows]
    key, owner = tuple_(*table.primary_key), table.c[table.info["shard_key"]]
    present_keys = select(*table.primary_key).where(
        work.engine.one_of(owner, "owners"), key.in_(bindparam("keys", expanding=True))
    )
    found = work.connection.execute(
        work.engine.current(present_keys).execution_options(**{OPTION: "present_rows"}),
        {"owners": list({row[owner.key] for row in rows}), "keys": keys},
    )
    present = {tuple(row) for row in found}
    return (
        []
        if len(present) == len(set(keys))
        else [row for row, one in zip(rows, keys, strict=True) if one not in present]
    )
