"""The one statement of a change and its effects, which PostgreSQL can do."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.dialects import mysql, postgresql

from retinue import Unfollowed
from retinue.effects import change_with_effects
from retinue.engines.postgresql import PostgreSQL
from retinue.schema import schema_of
from retinue.ties import delete_edge
from retinue.work.prepared import Prepared
from tests.models import declare


def test_models_of_two_databases_share_no_statement_that_was_compiled() -> None:
    """An application that has MariaDB and PostgreSQL, and the same models on both, unfollows on either."""
    schema = schema_of(declare("Follow").user)
    mariadb: Dialect = mysql.dialect(is_mariadb=True)
    Prepared(delete_edge(schema), mariadb)
    plain: Any = delete_edge(schema)
    assert not list(plain.exported_columns)

    statement = change_with_effects(schema, PostgreSQL(), Unfollowed, True, delete_edge)
    text = str(statement.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert "RETURNING follows.follower_id" in text
