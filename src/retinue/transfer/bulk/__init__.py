"""
How one statement writes a whole batch of rows, on each family of databases.

They differ in how the batch is sent to be read as a table: as arrays, as one JSON
document, or into a temporary table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Dialect

from retinue.transfer.bulk.contract import Bulk
from retinue.transfer.bulk.mariadb import MariaDBBulk
from retinue.transfer.bulk.postgresql import PostgreSQLBulk
from retinue.transfer.bulk.sqlite import SQLiteBulk

__all__ = ["Bulk", "bulk_of"]

_BULK: dict[str, type[Bulk]] = {
    "sqlite": SQLiteBulk,
    "postgresql": PostgreSQLBulk,
    "mysql": MariaDBBulk,
    "mariadb": MariaDBBulk,
}


def bulk_of(dialect: Dialect, options: Mapping[str, Any]) -> Bulk:
    """
    Return how the database of *dialect* takes batches.

    The statements that it runs by itself get the execution *options*.

    Raises:
        NotImplementedError: It is none of SQLite, PostgreSQL, MariaDB and MySQL.
    """
    try:
        return _BULK[dialect.name](dialect, options)
    except KeyError:
        message = f"Retinue knows SQLite, PostgreSQL, MariaDB and MySQL, not {dialect.name}"
        raise NotImplementedError(message) from None
