"""Rows in the place of objects: the attributes that a list reads of each user, or post, where those are enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Label, Row, SQLColumnExpression
from sqlalchemy.engine import result_tuple
from sqlalchemy.orm import Mapper, QueryableAttribute, class_mapper

from retinue import errors
from retinue.errors import MappingError
from retinue.schema import Schema

#: What a caller gives: attributes of the user class.
Columns: TypeAlias = Sequence[SQLColumnExpression[Any]]


class Attributes(NamedTuple):
    """The attributes that are read: for each its class and its name, of which no two are the same."""

    of: tuple[tuple[type[Any], str], ...]

    def selected(self) -> list[Label[Any]]:
        """Return what a statement selects for them, each by a name that nothing else has."""
        return [getattr(model, name).label(f"attribute_{place}") for place, (model, name) in enumerate(self.of)]

    def are_of(self, model: type[Any]) -> bool:
        """Return whether some of them are of *model*."""
        return any(of is model for of, _ in self.of)

    def put_first(self, rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        """Return *rows*, which end with them, with a row of them in the place of the key that each begins with."""
        columns, first = list(zip(*rows, strict=True)), -len(self.of)
        made = map(_maker_of(self), zip(*columns[first:], strict=True))
        return list(zip(made, *columns[1:first], strict=True))


@lru_cache(maxsize=256)
def _maker_of(attributes: Attributes) -> Callable[[Sequence[Any]], Row[Any]]:
    """Return what makes a row, of which they are the *attributes*, of their values."""
    maker: Callable[[Sequence[Any]], Row[Any]] = result_tuple([name for _, name in attributes.of])
    return maker


def attributes_of(columns: Any, *models: type[Any]) -> Attributes | None:
    """
    Return the attributes of *models* that *columns* are; None where objects are wanted. No statement.

    Raises:
        MappingError: They are none, two have the same name, or one is no column of one of *models*.
    """
    if columns is None:
        return None
    if not isinstance(columns, Sequence) or isinstance(columns, str) or not columns:
        message = f"columns= takes some attributes in a tuple, as in columns=({_example(models)},)"
        raise MappingError(message)
    return _found(tuple(columns), models)


@lru_cache(maxsize=256)
def _found(columns: Sequence[Any], models: Sequence[type[Any]]) -> Attributes:
    found = tuple([(_model_of(column, models), column.key) for column in columns])
    names = [name for _, name in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        message = f"columns=: a row has one attribute of each name, and {twice} is there twice"
        raise MappingError(message)
    return Attributes(found)


def _model_of(column: Any, models: Sequence[type[Any]]) -> type[Any]:
    """Return that of *models* of which *column* is an attribute that a column, or an expression, stands behind."""
    if isinstance(column, QueryableAttribute):
        parent: Any = column.parent
        for model in models:
            mapper = class_mapper(model)
            if isinstance(parent, Mapper) and mapper.isa(parent) and _is_a_value(mapper, column.key):
                return model
    wanted = " or ".join(model.__name__ for model in models)
    message = f"columns= takes attributes of {wanted}, as {_example(models)}, not {errors.shown(column)}"
    raise MappingError(message)


def _is_a_value(mapper: Mapper[Any], name: str) -> bool:
    """Return whether the attribute of that *name* is one value: no related object, and not several columns."""
    return name not in mapper.relationships and name not in mapper.composites and name in mapper.all_orm_descriptors


def _example(models: Sequence[type[Any]]) -> str:
    model = models[0]
    return f"{model.__name__}.{class_mapper(model).column_attrs.keys()[0]}"


def may_repeat(schema: Schema, *models: type[Any]) -> bool:
    """Return whether objects of *models* may come several times, as a collection that is joined brings a row for each."""
    found: bool | None = schema.built.get((may_repeat, models))
    if found is None:
        mappers = [mapper for model in models for mapper in class_mapper(model).self_and_descendants]
        found = any(relation.lazy in ("joined", False) for mapper in mappers for relation in mapper.relationships)
        schema.built[may_repeat, models] = found
    return found
