"""Posts: any class of the application whose rows have an author and a time; no base class, and no column of ours."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import Column, Table
from sqlalchemy.orm import Mapper, class_mapper
from sqlalchemy.orm.attributes import instance_dict
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from retinue.errors import MappingError
from retinue.models.ownership import key_column_of, user_class_of

M = TypeVar("M", bound=type[Any])

#: What the keys of posts may be: a cursor holds one.
_KEYS = (int, str, uuid.UUID)


@dataclass(frozen=True, slots=True)
class Posts:
    """A class of posts, and which of its columns say what."""

    user: type[Any]
    model: type[Any]
    table: Table
    key: Column[Any]
    author: Column[Any]
    time: Column[Any]
    #: When a post is no longer to be seen; None: they stay.
    until: Column[Any] | None

    @property
    def attributes(self) -> tuple[Any, Any]:
        """The author and the key, as attributes of `model`."""
        mapper = class_mapper(self.model)
        author, key = (mapper.get_property_by_column(column).class_attribute for column in (self.author, self.key))
        return author, key

    def author_and_key(self, row: Any) -> tuple[Any, Any] | None:
        """Return what a row of `model` holds of both, after its flush; None if nobody is its author. No statement."""
        author, key = (instance_dict(row).get(attribute.key) for attribute in self.attributes)
        return None if author is None or key is None else (author, key)


def declare_posts(model: M, *, author: Any, time: Any, until: Any = None) -> M:
    """
    Say that *model* is what users post: their home timelines are made of its rows. No statement.

    Call it once, after the class (where its base has two user classes, ``__retinue_user__``
    on *model* names one, as on the mixins' models). It may be any mapped class with a primary key of
    one column; its author and time must stay as they are once a post is made, and it
    should have the indexes (author, time, key) and (time, key).

    Args:
        model: The class.
        author: Its attribute, or the name of one, that holds the key of the user who posts.
        time: Its attribute, or the name of one, that holds when: a time with a zone, or UTC without.
        until: Its attribute, or the name of one, that says when a post is no longer to be seen;
            a row without such a time stays. None: all stay.

    Returns:
        *model*.

    Raises:
        MappingError: It is not mapped, has a composite key, lacks such an attribute, or its user class
            has posts already.
    """
    mapper = mapper_of(model)
    author_column, time_column = (column_of(mapper, name) for name in (author, time))
    until_column = None if until is None else column_of(mapper, until)
    owner = user_class_of(model)
    table = author_column.table
    keys = tuple(table.primary_key.columns)
    if len(keys) != 1 or not issubclass(values_of(keys[0]), _KEYS):
        raise MappingError(f"{model.__name__} needs a primary key of one column: a whole number, text or a UUID")
    for column in (time_column, until_column):
        if column is not None and (column.table is not table or not issubclass(values_of(column), datetime)):
            raise MappingError(f"{model.__name__}.{column.key} must be a time, in the same table as the author")
    if values_of(author_column) is not values_of(key_column_of(owner)):
        raise MappingError(f"{model.__name__}.{author_column.key} does not hold keys of {owner.__name__}")
    known: Posts | None = vars(owner).get("__retinue_posts__")
    if known is not None and known.model is not model:
        raise MappingError(f"{owner.__name__} has posts already: {known.model.__name__}")
    posts = Posts(owner, model, table, keys[0], author_column, time_column, until_column)
    owner.__retinue_posts__ = model.__retinue_posts__ = posts
    if "__retinue_schema__" in vars(owner):
        del owner.__retinue_schema__
    return model


def mapper_of(model: Any) -> Mapper[Any]:
    """Return the mapper of the class *model*; `MappingError` if it has none."""
    if not (isinstance(model, type) and hasattr(model, "__mapper__")):
        raise MappingError(f"{model!r} is not a mapped class")
    return class_mapper(model, configure=False)


def column_of(mapper: Mapper[Any], attribute: Any) -> Column[Any]:
    """Return the column of *attribute*, which may be its name; `MappingError` if it is none."""
    name = attribute if isinstance(attribute, str) else getattr(attribute, "key", None)
    found = mapper.columns.get(cast("str", name)) if name else None
    if not isinstance(found, Column):
        raise MappingError(f"{mapper.class_.__name__} maps no column as {name or attribute!r}")
    return found


def values_of(column: Column[Any]) -> type[Any]:
    """Return the Python type of the values of *column*."""
    return type_of(column).python_type


def type_of(value: ColumnElement[Any]) -> TypeEngine[Any]:
    """Return the type of *value*; a decorated type is taken for what it decorates."""
    kind: TypeEngine[Any] = value.type
    while isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    return kind
