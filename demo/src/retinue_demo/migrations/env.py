r"""
What Alembic runs: on the connection that `retinue_demo.migrating` gives it.

For a new revision, from the folder ``demo``, on a database that is up to date::

    alembic -c src/retinue_demo/migrations/alembic.ini -x database=sqlite:///demo.sqlite3 \
        revision --autogenerate --rev-id 0002 -m "what it is for"
"""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine

from retinue.migrations import prepare_revision, render_item
from retinue_demo.models import db


def include_object(_thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Leave alone what each engine has its own of: Alembic cannot compare expressions."""
    return not (kind == "index" and (name or "").startswith(("ix_users_name_", "ix_search_texts_")))


def run(connection: Connection) -> None:
    """Run what was asked for, on *connection*."""
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        include_object=include_object,
        render_item=render_item,
        process_revision_directives=prepare_revision,
        # SQLite alters a table by making it anew.
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if given := context.config.attributes.get("connection"):
    run(given)
else:
    with create_engine(context.get_x_argument(as_dictionary=True)["database"]).connect() as own:
        run(own)
