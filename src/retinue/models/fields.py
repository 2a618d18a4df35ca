"""
Bases with fields of their own, as SQLModel's are Pydantic's: what the mixins bring is no field.

Such a base leaves out of its constructor what is no field, refuses to set it, and compares rows by their fields alone.
Nothing of it is imported: an application without it has none.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import class_mapper, declared_attr


def has_fields(cls: type[Any]) -> bool:
    """Return whether *cls* makes fields of its attributes."""
    return isinstance(getattr(cls, "model_fields", None), dict)


def let_set(cls: Any) -> None:
    """Let the constructor and assignments of *cls*, a class with fields, take what its mixins bring as well."""
    bases = [base for base in cls.__mro__ if not has_fields(base)]
    brought = {name for base in bases for name, value in vars(base).items() if isinstance(value, declared_attr)}
    brought -= cls.model_fields.keys()  # declared anew, as a field
    set_field = cls.__setattr__

    def set_either(row: Any, name: str, value: Any) -> None:
        if name in brought:
            object.__setattr__(row, name, value)
        else:
            set_field(row, name, value)

    def take(row: Any, _arguments: Any, values: dict[str, Any]) -> None:
        class_mapper(cls)  # configured by now, so that it can be set
        for name in brought & values.keys():
            object.__setattr__(row, name, values.pop(name))

    cls.__setattr__ = set_either
    if "__init__" not in vars(cls):
        event.listen(cls, "init", take)


def compare_by_identity(cls: Any) -> None:
    """Let a row of *cls*, a class with fields, be equal to itself alone, as any other: two without fields are not equal."""
    if cls.__hash__ is None:  # nobody but the base said what is equal
        cls.__eq__, cls.__hash__ = object.__eq__, object.__hash__
