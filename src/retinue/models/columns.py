"""
What the tables of a graph are built from.

Their constraints and indexes are attached when a class is mapped, not by
``__table_args__``: the application's own ``__table_args__`` cannot lose them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from inspect import getattr_static
from typing import Any, TypeVar, cast

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, event
from sqlalchemy.orm import Mapped, MappedColumn, Mapper, class_mapper, declared_attr, mapped_column, relationship
from sqlalchemy.orm.attributes import opt_manager_of_class
from sqlalchemy.sql.elements import ColumnElement, conv

from retinue.errors import MappingError
from retinue.models.fields import compare_by_identity, has_fields, let_set
from retinue.models.own_columns import LIBRARY
from retinue.models.ownership import GraphModel, key_column_of, refuse_dataclass, user_class_of
from retinue.models.times import UTCDateTime, now

#: The longest name that every engine takes (PostgreSQL: 63 bytes), less room for a prefix.
_NAME_MOST = 60

Complete = Callable[[Table, type[Any]], None]
T = TypeVar("T")

#: For each mixin: the primary key that its table has, and what completes the table.
_COMPLETE: dict[type, tuple[tuple[str, ...], Complete]] = {}


def completes(mixin: type[GraphModel], *, key: tuple[str, ...]) -> Callable[[Complete], Complete]:
    """Let the decorated function complete the tables of *mixin*, whose primary key is *key*."""

    def keep(complete: Complete) -> Complete:
        _COMPLETE[mixin] = (key, complete)
        # They were for type checkers. A base such as SQLModel would take each for a field of its own.
        mixin.__annotations__ = {}
        return complete

    return keep


def kinds() -> Sequence[type[GraphModel]]:
    """Return the mixins that there are: each registers itself by `completes()`."""
    return list(_COMPLETE)


def key_of(mixin: type[GraphModel]) -> tuple[str, ...]:
    """Return the primary key of the tables of *mixin*."""
    return _COMPLETE[mixin][0]


def line_of(mixin: type[GraphModel], user: type[Any]) -> str:
    """Return the one line that declares a model with *mixin*, on a base like that of *user*."""
    name = mixin.__name__.removesuffix("Mixin")
    if has_fields(user):
        return f"class {name}({mixin.__name__}, SQLModel, table=True): pass"
    table = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    plural = f"{table[:-1]}ies" if table.endswith("y") else f"{table}s"
    return f"class {name}({mixin.__name__}, Base): __tablename__ = {plural!r}"


def user_column(model: Any) -> Mapped[Any]:
    """Return a column of *model* that is part of its key and names a user, with whom the row goes."""
    key = key_column_of(user_class_of(model))
    return mapped_column(key.type, ForeignKey(key, ondelete="CASCADE"), primary_key=True, autoincrement=False)


class _Attribute(declared_attr[T]):
    """What a mixin brings, for each model; a class that is not mapped has nothing of that name."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        if opt_manager_of_class(owner) is None:
            raise AttributeError(f"{owner.__name__} is not mapped")
        return super().__get__(instance, owner)


def attribute(make: Callable[[Any], Mapped[T]]) -> declared_attr[T]:
    """Return the attribute of a mixin that *make* makes for each model; also a decorator."""
    # SQLAlchemy looks for the names in an annotation that is a text in the module of the mixin.
    make.__annotations__["return"] = Mapped[Any]
    return _Attribute(make)


def time_of_row(_model: Any) -> Mapped[Any]:
    """Return the column with the time at which a row was made, by the application."""
    return mapped_column(UTCDateTime, nullable=False, insert_default=now)


def optional_time(_model: Any) -> Mapped[Any]:
    """Return a column with a time that may not be."""
    return mapped_column(UTCDateTime, nullable=True)


def user_by(column: str, back_populates: str | None = None) -> Callable[[Any], Mapped[Any]]:
    """
    Return what makes of a model the user whom its *column* names.

    Joined, so that a list of rows brings its users in one statement.
    """

    def user(model: Any) -> Mapped[Any]:
        keys = [getattr(model, column)]
        return relationship(
            user_class_of(model), foreign_keys=keys, back_populates=back_populates, lazy="joined", innerjoin=True
        )

    return user


def named(prefix: str, table: Table, what: str) -> conv:
    """Name a constraint after its *table*; as ``conv``, so that no naming convention changes it."""
    return conv(_fitting(f"{prefix}_{table.name}_{what}"))


def not_oneself(table: Table, differ: ColumnElement[bool]) -> CheckConstraint:
    """Return the constraint of *table* that the two users of a row *differ*."""
    return CheckConstraint(differ, name=named("ck", table, "not_self"), info={LIBRARY: "not_self"})


def _fitting(name: str) -> str:
    """Return *name*, cut where it is too long, with a digest of what was cut off."""
    if len(name) <= _NAME_MOST:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{name[: _NAME_MOST - 9]}_{digest}"


def complete_tie(table: Table, *, listed: str | None, reverse: str, by_time: bool = False) -> None:
    """
    Complete a table with the rows that one user has about another, whose keys are its primary key.

    Args:
        table: The table.
        listed: The name of the index by which the owner's list is read, newest first; None: there is no list.
        reverse: The name of the index from the other end, by which the rows are found when that user goes.
        by_time: Whether that index is in the order of time, as there is a list from that end too.
    """
    owner, other = table.primary_key.columns
    table.info.update(shard_key=owner.key, reverse_key=other.key)
    table.append_constraint(not_oneself(table, owner != other))
    # `table.c` columns attach an index by themselves.
    if listed is not None:
        Index(named("ix", table, listed), owner, table.c.timestamp, other)
    Index(named("ix", table, reverse), other, *((table.c.timestamp,) if by_time else ()), owner)


def needs_guards(user: type[Any]) -> None:
    """Give the metadata of *user* the table of guard rows, unless it is there: see `retinue.guards`."""
    if guards_of(user) is None:
        users = cast("Table", class_mapper(user, configure=False).local_table)
        user_table(user, _guards_name(users), Column("version", BigInteger, nullable=False))


def user_table(user: type[Any], name: str, *columns: Column[Any]) -> Table:
    """Give the metadata of *user* a table of its own with one row a user, who takes it along."""
    key = key_column_of(user)
    users = cast("Table", class_mapper(user, configure=False).local_table)
    table = Table(
        _fitting(name),
        users.metadata,
        Column("user_id", key.type, ForeignKey(key, ondelete="CASCADE"), primary_key=True, autoincrement=False),
        *columns,
        schema=users.schema,
        info={"shard_key": "user_id"},
        sqlite_with_rowid=False,
    )
    _name_foreign_keys(table)
    return table


def guards_of(user: type[Any]) -> Table | None:
    """Return the table of guard rows of the graph of *user*; None where nothing needs one."""
    users = cast("Table", class_mapper(user, configure=False).local_table)
    name = _guards_name(users)
    return users.metadata.tables.get(f"{users.schema}.{name}" if users.schema else name)


def _guards_name(users: Table) -> str:
    return _fitting(f"{users.name}_follow_guards")


def _name_foreign_keys(table: Table) -> None:
    for constraint in table.foreign_key_constraints:
        if constraint.name is None:
            constraint.name = named("fk", table, constraint.column_keys[0])


def _refuse_other_names(cls: type[Any], table: Table, kind: type[Any]) -> None:
    """Refuse a column of the application's in the place of one of *kind*'s that statements do not find."""
    for name in vars(kind):
        own = getattr_static(cls, name)
        if isinstance(own, (Column, MappedColumn)) and name not in table.c:
            called = own.column.name if isinstance(own, MappedColumn) else own.name
            message = (
                f"{cls.__name__}.{name} is the column {called!r}: to have another name in the database,"
                f" write mapped_column({called!r}, ..., key={name!r})"
            )
            raise MappingError(message)


@event.listens_for(GraphModel, "instrument_class", propagate=True)
def _complete(mapper: Mapper[Any], cls: type[Any]) -> None:
    """Give the table of a model what the mixin promises, whatever the application's own arguments."""
    refuse_dataclass(cls)
    if has_fields(cls):
        let_set(cls)
        compare_by_identity(cls)
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
                others = ", ".join(name for name in table.primary_key.columns.keys() if name not in key)  # noqa: SIM118 - keys
                hint = f": take a base that brings no {others}" if others else ""
                message = f"{cls.__name__} needs the primary key ({', '.join(key)}) and no other column in it{hint}"
                raise MappingError(message)
            _refuse_other_names(cls, table, kind)
            # The key is the table's order on disk: one tree less per row.
            table.dialect_options["sqlite"]["with_rowid"] = False
            _name_foreign_keys(table)
            complete(table, user)
