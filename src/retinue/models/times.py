"""Times: aware, UTC, microseconds; on every engine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import DateTime, type_coerce
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from retinue.cursors import StoredTime

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
        if value.utcoffset() is None:
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


class _OwnTime(TypeDecorator[datetime]):
    """
    A time in UTC in a column of the application's own type *kind*: bare ones are UTC.

    A type that the application has made itself is left to know what it takes and returns.
    """

    impl: Any = DateTime()
    cache_ok: bool | None = True

    def __init__(self, kind: TypeEngine[Any]) -> None:
        super().__init__()
        self.kind = kind

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Leave the column as the application made it."""
        return self.kind.dialect_impl(dialect)

    def bind_processor(self, dialect: Dialect) -> Any:
        """Take the zone off where the column keeps none; SQLite gets back the text that it gave."""
        inner = self.impl_instance.bind_processor(dialect)
        is_text = dialect.name == "sqlite"
        is_bare = isinstance(self.kind, DateTime) and not (self.kind.timezone and dialect.name == "postgresql")

        def process(value: datetime | None) -> Any:
            if is_text and isinstance(value, StoredTime):
                return value.stored
            if is_bare and value is not None:
                value = value.astimezone(UTC).replace(tzinfo=None)
            return inner(value) if inner else value

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Return UTC, and say so; and what SQLite holds, where that is not what it would be asked for."""
        inner = self.impl_instance.result_processor(dialect, coltype)
        as_text = self.bind_processor(dialect) if dialect.name == "sqlite" else None

        def process(value: Any) -> datetime | None:
            time = _in_utc(inner(value) if inner else value)
            if as_text is None or time is None or not isinstance(value, str) or as_text(time) == value:
                return time
            return StoredTime.of(time, value)

        return process


def in_utc(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return an application's *column* of times as one of aware UTC times: bare ones are UTC."""
    kind = column.type
    return column if isinstance(kind, (UTCDateTime, _OwnTime)) else type_coerce(column, _OwnTime(kind))


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
