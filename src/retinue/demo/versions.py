"""Telling whether a database was made by this version of the demo, which has no migrations."""

from __future__ import annotations

from sqlalchemy import Engine, inspect

from retinue.demo.models import db


class OtherVersionError(Exception):
    """The database holds the tables of another version of the demo; the text says what is missing."""


def refuse_other_version(engine: Engine) -> None:
    """
    Raise `OtherVersionError` if a table is there without one of its columns. Changes nothing.

    A table that is not there yet is no reason: it can be made.
    """
    try:
        there = inspect(engine)
        names = set(there.get_table_names())
        for table in db.metadata.sorted_tables:
            if table.name not in names:
                continue
            missing = {column.name for column in table.columns} - {one["name"] for one in there.get_columns(table.name)}
            if missing:
                message = f"its table {table.name} has no column {min(missing)}"
                raise OtherVersionError(message)
    finally:
        # The engine is not prepared yet, so no connection of now may be used later.
        engine.dispose()
