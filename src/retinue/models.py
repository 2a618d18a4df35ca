"""
The mixins that become the application's tables.

The tables' constraints and indexes are attached when a class is mapped, not by
``__table_args__``: the application's own ``__table_args__`` cannot lose them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    SmallInteger,
    Table,
    event,
    inspect,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import (
    Mapped,
    Mapper,
    declared_attr,
    mapped_column,
    relationship,
    synonym,
    validates,
)
from sqlalchemy.sql.elements import conv
from sqlalchemy.types import TypeDecorator

from retinue.errors import MappingError, NotWritableError
from retinue.ownership import GraphModel, key_column_of, refuse_dataclass, user_class_of

#: The longest name that every engine takes (PostgreSQL: 63 bytes), less room for a prefix.
_NAME_MOST = 60


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
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
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
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    """Return the time at which an edge is made: aware, UTC, microseconds."""
    return datetime.now(UTC)


class FollowMixin(GraphModel):
    """
    One edge: *follower* follows *following*, since *timestamp* (aware, UTC).

    The pair of keys is the primary key; both are foreign keys of the users, and
    a row goes when either user goes. Add columns of your own freely.
    """

    @declared_attr
    def follower_id(cls) -> Mapped[Any]:
        """The key of the user who follows."""
        return _user_column(cls)

    @declared_attr
    def following_id(cls) -> Mapped[Any]:
        """The key of the user who is followed."""
        return _user_column(cls)

    @declared_attr
    def timestamp(cls) -> Mapped[datetime]:
        """When it began (aware, UTC), made by the application."""
        return mapped_column(UTCDateTime, nullable=False, insert_default=now)

    # Joined, so that a list of rows brings its users in the same statement.
    @declared_attr
    def follower(cls) -> Mapped[Any]:
        """The user who follows."""
        return _user_relationship(cls, cls.follower_id, "following")

    @declared_attr
    def following(cls) -> Mapped[Any]:
        """The user who is followed."""
        return _user_relationship(cls, cls.following_id, "followers")

    @declared_attr
    def followed_id(cls) -> Mapped[Any]:
        """Another name of ``following_id``, in queries as well."""
        return synonym("following_id")

    @declared_attr
    def followed(cls) -> Mapped[Any]:
        """Another name of ``following``, in queries as well."""
        return synonym("following")

    @validates("follower_id", "following_id", "follower", "following")
    def _keep_key(self, name: str, value: Any) -> Any:
        # None comes from remove() on a relationship, which deletes the row.
        state = inspect(self)
        if value is not None and state.persistent and value != state.dict.get(name, value):
            what = f"{name} of a Follow that is in the database cannot change"
            raise NotWritableError(what, "unfollow() and follow()")
        return value


class FollowCountMixin(GraphModel):
    """
    How many follow a user, and how many the user follows; kept by the library.

    A user may have several slots, whose sum counts. No row at all means "not
    counted yet": the first change counts the edges.
    """

    @declared_attr
    def user_id(cls) -> Mapped[Any]:
        """The key of the user."""
        return _user_column(cls)

    @declared_attr
    def slot(cls) -> Mapped[int]:
        """Which of the user's rows this is, from 0."""
        return mapped_column(SmallInteger, primary_key=True, autoincrement=False, insert_default=0)

    @declared_attr
    def followers(cls) -> Mapped[int]:
        """How many follow the user; the sum over the slots counts."""
        return mapped_column(BigInteger, nullable=False, insert_default=0)

    @declared_attr
    def following(cls) -> Mapped[int]:
        """How many the user follows; the sum over the slots counts."""
        return mapped_column(BigInteger, nullable=False, insert_default=0)


def _user_column(model: Any) -> Mapped[Any]:
    """Return a column of *model* that is part of its key and names a user."""
    key = key_column_of(user_class_of(model))
    return mapped_column(
        key.type,
        ForeignKey(key, ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )


def _user_relationship(model: Any, column: Any, rows: str) -> Mapped[Any]:
    return relationship(user_class_of(model), foreign_keys=[column], back_populates=rows, lazy="joined", innerjoin=True)


def _named(prefix: str, table: Table, what: str) -> conv:
    """Name a constraint after its *table*; as ``conv``, so that no naming convention changes it."""
    name = f"{prefix}_{table.name}_{what}"
    if len(name) > _NAME_MOST:
        digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
        name = f"{name[: _NAME_MOST - 9]}_{digest}"
    return conv(name)


def _complete_follows(table: Table) -> None:
    follower, following, time = (table.c[n] for n in ("follower_id", "following_id", "timestamp"))
    table.info.update(shard_key="follower_id", reverse_key="following_id")
    table.append_constraint(CheckConstraint(follower != following, name=_named("ck", table, "not_self")))
    # Each list in its order, from its owner's end. `table.c` columns attach an index by themselves.
    Index(_named("ix", table, "following"), follower, time, following)
    Index(_named("ix", table, "followers"), following, time, follower)


def _complete_counts(table: Table) -> None:
    table.info.update(shard_key="user_id")


_COMPLETE: dict[type, tuple[tuple[str, ...], Callable[[Table], None]]] = {
    FollowMixin: (("follower_id", "following_id"), _complete_follows),
    FollowCountMixin: (("user_id", "slot"), _complete_counts),
}


@event.listens_for(GraphModel, "instrument_class", propagate=True)
def _complete(mapper: Mapper[Any], cls: type[Any]) -> None:
    """Give the table of a model what the mixin promises, whatever the application's own arguments."""
    refuse_dataclass(cls)
    # A model declared after the first use of the graph belongs to it all the same.
    user = user_class_of(cls)
    if "__retinue_schema__" in vars(user):
        del user.__retinue_schema__
    if mapper.inherits is not None:
        return
    table = cast("Table", mapper.local_table)
    for kind, (key, complete) in _COMPLETE.items():
        if issubclass(cls, kind):
            if tuple(table.primary_key.columns.keys()) != key:
                message = f"{cls.__name__} needs the primary key ({', '.join(key)}) and no other column in it"
                raise MappingError(message)
            # The key is the table's order on disk: one tree less per row.
            table.dialect_options["sqlite"]["with_rowid"] = False
            for constraint in table.foreign_key_constraints:
                if constraint.name is None:
                    constraint.name = _named("fk", table, constraint.column_keys[0])
            complete(table)
