"""The databases in which calls are measured: one on each engine, and on SQLite one more."""

from __future__ import annotations

from sqlalchemy import URL, Engine, create_engine

from retinue import prepare_engine
from tests.performance.loading import gather_statistics, load
from tests.performance.models import EVERYTHING, PLAIN
from tests.performance.operations import Place
from tests.performance.watch_mariadb import MariaDBWatch
from tests.performance.watch_postgresql import PostgreSQLWatch
from tests.performance.watch_sqlite import SQLiteWatch
from tests.performance.watched import Watch, Watched

WATCHES: dict[str, type[Watch]] = {
    "sqlite": SQLiteWatch,
    "postgresql": PostgreSQLWatch,
    "mariadb": MariaDBWatch,
}
