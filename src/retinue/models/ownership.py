"""Whose a model is: the user class of a declarative base, found by its mixin and never by its name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, ClassVar

from sqlalchemy import Column, Table, event
from sqlalchemy.orm import Mapper, class_mapper
from sqlalchemy.orm.attributes import manager_of_class

from retinue.errors import MappingError
from retinue.models.fields import has_fields, let_set
from retinue.settings import Settings


class GraphUser:
    """What makes a mapped class the user class of its registry; `FollowerMixin` is one."""

    __retinue__: ClassVar[Settings] = Settings()


class GraphModel:
    """What every model of a graph is: a table that belongs to one user class."""

    #: Set to the user class where a registry has two.
    __retinue_user__: ClassVar[type[Any] | None] = None

    #: Whether the application may make its rows by itself, with a value that no default has: then only a verb that
    #: makes one asks for it.
    __retinue_own_rows__: ClassVar[bool] = False

    #: What follows from changes of edges where the model is declared, as "module:NAME": see `retinue.effects`.
    __retinue_effect__: ClassVar[str | None] = None


def user_class_of(model: type[Any]) -> type[Any]:
    """
    Return the user class that *model* belongs to: by mixin, never by name.

    Raises:
        MappingError: There is none yet, or there are two and the model names none.
    """
    named: type[Any] | None = getattr(model, "__retinue_user__", None)
    if named is not None:
        return named
    users = set(_users_beside(model))
    if len(users) == 1:
        return users.pop()
    if not users:
        message = (
            f"{model.__name__} belongs to no user class: declare the class with"
            " FollowerMixin first, on the same declarative base"
        )
        raise MappingError(message)
    names = " and ".join(sorted(u.__name__ for u in users))
    message = f"{model.__name__} could belong to {names}: set __retinue_user__ on it"
    raise MappingError(message)


def _users_beside(model: type[Any]) -> Iterator[type[Any]]:
    """Yield the user classes of *model*'s registry; it may itself still be in the making."""
    # Not an attribute of the class: each kind of base has another one for it, or none.
    registry, classes = manager_of_class(model).registry, list[type[Any]]([GraphUser])
    while classes:
        cls = classes.pop()
        classes += cls.__subclasses__()
        mapper: Mapper[Any] | None = vars(cls).get("__mapper__")
        if mapper is not None and mapper.registry is registry:
            yield root_of(mapper).class_


def root_of(mapper: Mapper[Any]) -> Mapper[Any]:
    """Return the mapper of the class that first took the mixin: subclasses share its graph."""
    while mapper.inherits is not None and issubclass(mapper.inherits.class_, (GraphUser, GraphModel)):
        mapper = mapper.inherits
    return mapper


def key_column_of(user: type[Any]) -> Column[Any]:
    """Return the primary key of the class *user*; `MappingError` if it has several columns."""
    # Not configured yet: the user class comes before the models that it refers to.
    table = class_mapper(user, configure=False).local_table
    if not isinstance(table, Table):
        message = (
            f"{user.__name__} is mapped to a {type(table).__name__}, and follows need a table to refer to: map the one"
            " with the key, and the other by joined inheritance, or by a relationship"
        )
        raise MappingError(message)
    keys = tuple(table.primary_key.columns)
    if len(keys) != 1:
        names = ", ".join(k.name for k in keys)
        message = f"{user.__name__} has the composite key ({names}); a user class needs a key of one column"
        raise MappingError(message)
    return keys[0]


def refuse_dataclass(cls: type[Any]) -> None:
    """Raise `MappingError` if *cls* is a dataclass."""
    if dataclasses.is_dataclass(cls):
        message = (
            f"{cls.__name__} is mapped as a dataclass, whose constructor cannot take what the mixins"
            " add: give it a base without MappedAsDataclass (both may share one registry)"
        )
        raise MappingError(message)


@event.listens_for(GraphUser, "instrument_class", propagate=True)
def _complete_user(_mapper: Mapper[Any], cls: type[Any]) -> None:
    refuse_dataclass(cls)
    if not isinstance(cls.__retinue__, Settings):
        message = f"{cls.__name__}.__retinue__ must be Settings(...), not {cls.__retinue__!r}"
        raise MappingError(message)
    if has_fields(cls):
        let_set(cls)
