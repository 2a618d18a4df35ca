"""
The follows of an application's older table: into the table of a `FollowMixin` model, and back.

Both ways are one statement within the database, and repeatable: what is there already is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import (
    TIMESTAMP,
    ColumnClause,
    Connection,
    Date,
    DateTime,
    FromClause,
    Select,
    SelectBase,
    String,
    TableClause,
    case,
    cast,
    column,
    func,
    insert,
    inspect,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import NullType, TypeEngine

from retinue.models import UTCDateTime, now

#: A time in the form in which SQLAlchemy writes it into SQLite: only times of one form can be compared as text.
_WRITTEN = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]"

_NEW = ("follower_id", "following_id", "timestamp")


def copy_follows(
    connection: Connection,
    source: str,
    target: str,
    *,
    follower: str = "follower_id",
    followed: str = "followed_id",
    timestamp: str | None = None,
    through: tuple[str, str, str] | None = None,
) -> int:
    """
    Copy who follows whom from an application's older table into that of a `FollowMixin` model.

    For a migration, between the new table and the end of the old one:
    ``copy_follows(op.get_bind(), "followers", "follows")``. Pairs that the new table may not
    hold are left out: users who follow themselves, and deleted users. Pairs that it holds already stay
    as they are, so copying again is safe. A pair with two rows is copied once, as old as the first of them.
    Counts are counted from the rows until `recount()` stores them. One statement that copies, within the
    database, in the caller's transaction, and at most nine before it that ask what the tables look like.

    Args:
        connection: To the database; nothing is committed.
        source: The older table; ``"schema.table"`` where it is not in the default schema.
        target: The table of the `FollowMixin` model, likewise.
        follower: The column of *source* with the key of the user who follows.
        followed: The one with the key of the user who is followed.
        timestamp: The one that says since when: a time with a zone, or UTC without. Where it is
            NULL, the edge is as old as the oldest in *source*; where there is no such column,
            all are as old as the copy.
        through: Where *source* names something else than users, such as their profiles: the table of these, its
            column that *source* refers to, and its column with the key of the user.

    Returns:
        How many rows were copied.

    Raises:
        ValueError: A table or column is not there, or *timestamp* holds no times; nothing was changed.
    """
    older = _Older.find(connection, source, follower, followed, timestamp, through)
    new = _new(connection, target)
    pairs, who, whom = older.users()
    since: ColumnElement[Any] = literal(now(), UTCDateTime())
    if older.time is not None:
        time = _stored(connection, older.time)
        since = func.coalesce(func.min(time), select(func.min(time)).scalar_subquery(), since)
    users = _users(connection, target)
    there = select(new.c.follower_id).where(new.c.follower_id == who, new.c.following_id == whom).exists()
    rows = (
        select(who, whom, since)
        .select_from(pairs)
        .where(who != whom, who.in_(users), whom.in_(users), ~there)
        .group_by(who, whom)
    )
    return _insert(connection, new, _NEW, rows)


def copy_follows_back(
    connection: Connection,
    source: str,
    target: str,
    *,
    follower: str = "follower_id",
    followed: str = "followed_id",
    timestamp: str | None = None,
    through: tuple[str, str, str] | None = None,
) -> int:
    """
    Copy who follows whom from the table of a `FollowMixin` model into an application's older one.

    The way back of `copy_follows()`, for the ``downgrade()`` of a revision:
    ``copy_follows_back(op.get_bind(), "follows", "followers")``. Pairs that *target* holds already stay as they are;
    a time without a zone is UTC, whatever the zone of the connection is. Columns that *target* has beside these get
    their defaults. One statement that copies, in the caller's transaction, and at most eight before it that ask what
    the tables look like.

    Args:
        connection: To the database; nothing is committed.
        source: The table of the `FollowMixin` model.
        target: The older table; ``"schema.table"`` where it is not in the default schema.
        follower: The column of *target* for the key of the user who follows.
        followed: The one for the key of the user who is followed.
        timestamp: The one for since when; None: there is none.
        through: As in `copy_follows()`, where *target* names something else than users.

    Returns:
        How many rows were copied.

    Raises:
        ValueError: A table or column is not there, or *timestamp* holds no times; nothing was changed.
    """
    older = _Older.find(connection, target, follower, followed, timestamp, through)
    new = _new(connection, source)
    pairs, who, whom = older.owners(new)
    old = older.table
    there = select(old.c[follower]).where(old.c[follower] == who, old.c[followed] == whom).exists()
    values, into = [who, whom], [follower, followed]
    if older.time is not None:
        values.append(_as_in(connection, older.time, new.c.timestamp))
        into.append(older.time.name)
    return _insert(connection, old, into, select(*values).select_from(pairs).where(~there))


class _Through(NamedTuple):
    """What an older table refers to in the place of users."""

    table: TableClause
    id: str
    user: str


class _Older(NamedTuple):
    """An application's older table of follows."""

    table: TableClause
    follower: str
    followed: str
    time: ColumnClause[Any] | None
    through: _Through | None

    @classmethod
    def find(
        cls,
        connection: Connection,
        name: str,
        follower: str,
        followed: str,
        timestamp: str | None,
        through: tuple[str, str, str] | None,
    ) -> _Older:
        """Return the table *name*; `ValueError` unless it is as it is said to be."""
        old = _table(connection, name, [one for one in (follower, followed, timestamp) if one])
        time = None
        if timestamp is not None:
            time = old.c[timestamp]
            # SQLite has no type for times: as text they can be told, as numbers they may be seconds or days.
            text_too = (String, NullType) if connection.dialect.name == "sqlite" else ()
            if not isinstance(time.type, (DateTime, Date, *text_too)):
                message = f"the column {timestamp!r} of {name!r} holds no times, but {time.type!r}"
                raise ValueError(message)
        if through is None:
            return cls(old, follower, followed, time, None)
        place, id_, user = through
        return cls(old, follower, followed, time, _Through(_table(connection, place, [id_, user]), id_, user))

    def users(self) -> tuple[FromClause, ColumnElement[Any], ColumnElement[Any]]:
        """Return what has the pairs of this table, with the keys of both users."""
        who, whom = self.table.c[self.follower], self.table.c[self.followed]
        if self.through is None:
            return self.table, who, whom
        place, id_, user = self.through
        ours, theirs = place.alias(), place.alias()
        pairs = self.table.join(ours, ours.c[id_] == who).join(theirs, theirs.c[id_] == whom)
        return pairs, ours.c[user], theirs.c[user]

    def owners(self, new: TableClause) -> tuple[FromClause, ColumnElement[Any], ColumnElement[Any]]:
        """Return what has the pairs of *new*, as this table names them."""
        who, whom = new.c.follower_id, new.c.following_id
        if self.through is None:
            return new, who, whom
        place, id_, user = self.through
        ours, theirs = place.alias(), place.alias()
        pairs = new.join(ours, ours.c[user] == who).join(theirs, theirs.c[user] == whom)
        return pairs, ours.c[id_], theirs.c[id_]


def _insert(connection: Connection, into: TableClause, names: Iterable[str], rows: SelectBase) -> int:
    copy = insert(into).from_select([*names], rows)
    return connection.execute(copy.execution_options(preserve_rowcount=True)).rowcount


def _table(connection: Connection, name: str, needed: Iterable[str]) -> TableClause:
    """Return the table *name* with its columns; `ValueError` unless it has those *needed*."""
    schema, inspector = _schema_of(name), inspect(connection)
    if not inspector.has_table(schema[1], schema=schema[0]):
        message = f"there is no table {name!r}"
        raise ValueError(message)
    types: dict[str, TypeEngine[Any]] = {
        one["name"]: one["type"] for one in inspector.get_columns(schema[1], schema=schema[0])
    }
    for one in needed:
        if one not in types:
            message = f"the table {name!r} has no column {one!r}; it has {', '.join(types)}"
            raise ValueError(message)
    return table(schema[1], *(column(*one) for one in types.items()), schema=schema[0])


def _new(connection: Connection, name: str) -> TableClause:
    """Return the table of a `FollowMixin` model, as it is whatever the model adds to it."""
    found = _table(connection, name, _NEW)
    return table(
        found.name, *(column(one) for one in _NEW[:2]), column("timestamp", UTCDateTime()), schema=found.schema
    )


def _schema_of(name: str) -> tuple[str | None, str]:
    schema, _, bare = name.rpartition(".")
    return schema or None, bare


def _users(connection: Connection, target: str) -> Select[Any]:
    """Select the keys of all users, from the table that *target* refers to."""
    schema, bare = _schema_of(target)
    keys = inspect(connection).get_foreign_keys(bare, schema=schema)
    for one in keys:
        if one["constrained_columns"] == ["follower_id"]:
            (name,) = one["referred_columns"]
            users = table(one["referred_table"], column(name), schema=one["referred_schema"])
            return select(users.c[name])
    message = f"{target!r} is no table of a FollowMixin model: its follower_id refers to no users"
    raise ValueError(message)


def _stored(connection: Connection, when: ColumnClause[Any]) -> ColumnElement[Any]:
    """Return the time in *when*, of an application's own column, as `UTCDateTime` stores one."""
    if connection.dialect.name == "sqlite":
        # Times are compared as text, so they need one form; what is no time becomes NULL.
        converted = func.strftime("%Y-%m-%d %H:%M:%f", when, type_=String).concat("000")
        return case((when.op("GLOB")(_WRITTEN), when), else_=converted)
    zoned = _has_zone(connection, when)
    if connection.dialect.name == "postgresql":
        return when if zoned else func.timezone("UTC", cast(when, DateTime()))
    if not zoned:
        return when
    # It reads as a clock in the zone of the connection; in seconds it has none, and no hour comes twice.
    return func.timestampadd(
        text("MICROSECOND"), func.unix_timestamp(when) * 1_000_000, text("TIMESTAMP'1970-01-01 00:00:00'")
    )


def _as_in(connection: Connection, older: ColumnClause[Any], when: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return *when*, a time that `UTCDateTime` stored, as the application's own column *older* stores it."""
    zoned = _has_zone(connection, older)
    if connection.dialect.name == "postgresql":
        when = when if zoned else func.timezone("UTC", when)
    elif zoned:
        when = func.convert_tz(when, text("'+00:00'"), text("@@session.time_zone"))
    return func.date(when) if isinstance(older.type, Date) else when


def _has_zone(connection: Connection, when: ColumnClause[Any]) -> bool:
    """Return whether a column keeps a moment, and not what some clock says."""
    if connection.dialect.name == "postgresql":
        return bool(getattr(when.type, "timezone", False))
    # MariaDB's TIMESTAMP is a moment; its DATETIME is not, nor is SQLite's text.
    return connection.dialect.name != "sqlite" and isinstance(when.type, TIMESTAMP)
