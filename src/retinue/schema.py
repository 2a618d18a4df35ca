"""A user class with the models declared for it: all that a statement is built from."""

from __future__ import annotations

import dataclasses
from typing import Any, Final, cast

from sqlalchemy import Column, Table
from sqlalchemy.orm import class_mapper
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.sql.selectable import FromClause

from retinue.errors import MappingError, ModelMissingError
from retinue.models import FollowCountMixin, FollowMixin
from retinue.ownership import GraphUser, key_column_of, root_of, user_class_of
from retinue.settings import Settings

#: What a statement calls the edges that it reads from the other end; the auditor knows them by it.
BY_TARGET: Final = "edges_by_target"


@dataclasses.dataclass(slots=True, eq=False)
class Schema:
    """One user class and the models declared for it: all that a statement is built from."""

    user: type[Any]
    #: The user's primary key: its name on the class, and its column.
    key_name: str
    key: Column[Any]
    settings: Settings
    follow: type[FollowMixin]
    follows: Table
    count: type[FollowCountMixin] | None
    counts: Table | None
    #: What tells a session with several databases which one this is.
    bind: dict[str, Any]
    #: Statements, each built once, by the function that builds it and its arguments.
    built: dict[object, Any] = dataclasses.field(default_factory=dict)

    @property
    def edges_by_target(self) -> FromClause:
        """Where edges are read from the other end: this table today, a mirror of it elsewhere."""
        return self.follows.alias(BY_TARGET)


def identity(row: Any) -> tuple[Any, ...]:
    """Return the primary key that *row* has in the database; empty if it has none. No statement, ever."""
    key = instance_state(row).key
    return key[1] if key else ()


def schema_of(cls: Any) -> Schema:
    """
    Return the schema of the user class that *cls* is, or is a subclass of.

    Raises:
        MappingError: *cls* is not a user class, or its models do not fit.
        ModelMissingError: No `FollowMixin` class is declared for it.
    """
    schema: Schema | None = getattr(cls, "__retinue_schema__", None) if isinstance(cls, type) else None
    return schema or _make_schema(cls)


def _make_schema(cls: Any) -> Schema:
    if not (isinstance(cls, type) and issubclass(cls, GraphUser)):
        message = f"{cls!r} is not a user class: add FollowerMixin to its bases"
        raise MappingError(message)
    mapper = class_mapper(cls, configure=False)
    mapper.registry.configure(cascade=True)
    user = root_of(mapper).class_
    follow, count = (_declared(user, kind) for kind in (FollowMixin, FollowCountMixin))
    if follow is None:
        raise ModelMissingError("FollowMixin", "class Follow(FollowMixin, Base): __tablename__ = 'follows'")
    key = key_column_of(user)
    schema = Schema(
        user=user,
        key_name=class_mapper(user).get_property_by_column(key).key,
        key=key,
        settings=user.__retinue__,
        follow=follow,
        follows=cast("Table", class_mapper(follow).local_table),
        count=count,
        counts=cast("Table", class_mapper(count).local_table) if count else None,
        bind={"mapper": class_mapper(follow)},
    )
    user.__retinue_schema__ = schema
    return schema


def _declared(user: type[Any], kind: type[Any]) -> type[Any] | None:
    """Return the model of *kind* that belongs to *user*, or None."""
    models = {root_of(mapper).class_ for mapper in class_mapper(user).registry.mappers}
    found = sorted(
        (model for model in models if issubclass(model, kind) and user_class_of(model) is user),
        key=lambda model: model.__name__,
    )
    if len(found) > 1:
        names = " and ".join(model.__name__ for model in found)
        message = f"{names} are both the {kind.__name__} class of {user.__name__}: keep one"
        raise MappingError(message)
    return found[0] if found else None
