"""Times: aware, UTC, microseconds; on every engine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import DateTime, type_coerce
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeDecorator

#: Times before and after all that a database holds.
FIRST: Final = datetime(1000, 1, 1, tzinfo=UTC)
LAST: Final = datetime(9999, 12, 31, tzinfo=UTC)

_from_iso: Final = datetime.fromisoformat


class UTCDateTime(TypeDecorator[datetime]):
    """
    An aware UTC time with microseconds, on every engine.

    SQLite and MariaDB keep no zone: there the UTC time is stored bare. A naive
    time is refused with `ValueError`, as nobody can know what it means.
    """

    impl: Any = DateTime(timezone=True)
    cache_ok: bool | None = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Ask MariaDB for microseconds, which it leaves out otherwise."""
        if dialect.name in ("mysql", "mariadb"):
            from sqlalchemy.dialects.mysql import DATETIME  # noqa: PLC0415 - a dialect is loaded where it is used

            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; refuse a naive time."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"{value!r} is naive: give an aware time, such as datetime.now(UTC)"
            raise ValueError(message)
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return UTC, and say so."""
        del dialect  # what they return says whether it has a zone
        return _in_utc(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """
        Do the same in one call.

        SQLAlchemy's own way takes three for each value, which were a tenth of the time of a page on SQLite.
        """
        inner = self.impl_instance.result_processor(dialect, coltype)
        if inner is None:
            return _in_utc
        if dialect.name == "sqlite":
            return _from_text
        return lambda value: _in_utc(inner(value))


class BareUTCDateTime(UTCDateTime):
    """The same for a column that keeps no zone on any engine: the UTC time is stored bare."""

    impl: Any = DateTime()
    cache_ok: bool | None = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Leave the column as the application made it."""
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Take the zone off."""
        value = super().process_bind_param(value, dialect)
        return None if value is None else value.replace(tzinfo=None)


def in_utc(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """
    Return an application's *column* of times as one of aware UTC times: bare ones are UTC.

    A type that the application has made itself is left to know what it stores.
    """
    kind = column.type
    if not isinstance(kind, DateTime):
        return column
    return type_coerce(column, UTCDateTime() if kind.timezone else BareUTCDateTime())


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _from_text(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        return _from_iso(value + "+00:00")
    except ValueError:  # written by others: with a zone, or without a time
        return _in_utc(_from_iso(value))


def aware(time: datetime) -> datetime:
    """Return *time* with its zone, UTC; a type of the application's own may return it bare."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def now() -> datetime:
    """Return the time at which an edge is made: aware, UTC, microseconds."""
    return datetime.now(UTC)
