"""Correct what a session has loaded after rows were deleted behind its back, or were not deleted after all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.orm import Session, class_mapper, make_transient, make_transient_to_detached
from sqlalchemy.orm.attributes import instance_state, set_committed_value

from retinue.models import FollowEventMixin
from retinue.models.ownership import GraphModel, user_class_of
from retinue.schema import identity, schema_of
from retinue.values import Key


def forget_rows(session: Session, gone: Iterable[tuple[type[Any], Key]]) -> None:
    """
    Let *session* take the loaded rows of deleted users for deleted: the database has deleted them, too.

    As what it deletes itself, they come back with a rollback, also one to a savepoint.
    """
    gone = set(gone)
    for row in list(session.identity_map.values()):
        if isinstance(row, GraphModel) and not isinstance(row, FollowEventMixin):
            user = schema_of(user_class_of(type(row))).user
            if any((user, key) in gone for key in _users_of(row)):
                session._remove_newly_deleted([instance_state(row)])  # noqa: SLF001 - as a flush does; nothing public


def _users_of(row: Any) -> Iterable[Key]:
    """Return the keys of the users in the primary key of *row*."""
    columns = class_mapper(type(row)).primary_key
    owners = {columns[0].table.info.get("shard_key"), columns[0].table.info.get("reverse_key")}
    return [key for column, key in zip(columns, identity(row), strict=False) if column.name in owners]


def bring_back(session: Session, loaded: Sequence[Any]) -> None:
    """Put back into *session* those of *loaded* that it took for deleted: their rows still exist."""
    for row in loaded:
        if row in session:
            continue
        mapper, key = class_mapper(type(row)), identity(row)
        make_transient(row)
        for column, value in zip(mapper.primary_key, key, strict=True):
            set_committed_value(row, mapper.get_property_by_column(column).key, value)
        make_transient_to_detached(row)
        session.add(row)
