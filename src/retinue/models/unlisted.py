"""
Lists without an end, kept away from whatever goes through all attributes of a user class.

An admin screen or a serializer loads what it finds there, for every user that it shows: all followers of a celebrity.
And its forms write back what they found: without whoever followed meanwhile. So it does not find the lists. Under their
names they are there, and among the relationships of the mapper, which is where SQLAlchemy itself looks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy.orm import InstrumentedAttribute, Mapper, MapperProperty
from sqlalchemy.util import HasMemoized, ReadOnlyProperties

#: The names of the lists.
ENDLESS: Final = ("following", "followers")


class UserMapper(Mapper[Any]):
    """The mapper of a user class, whose ``attrs`` have the endless lists by their names alone."""

    @HasMemoized.memoized_attribute
    def attrs(self) -> ReadOnlyProperties[MapperProperty[Any]]:
        """As those of every mapper; to go through them does not lead to the endless lists."""
        return _Named(dict(super().attrs.items()))


def unlisting(mapper: type[Mapper[Any]]) -> type[Mapper[Any]]:
    """Return *mapper*, which is the application's choice, as a `UserMapper`."""
    if issubclass(mapper, UserMapper):
        return mapper
    return UserMapper if mapper is Mapper else type(mapper.__name__, (UserMapper, mapper), {})


class _Named(ReadOnlyProperties[MapperProperty[Any]]):
    """The properties of a mapper: all of them by name, and those that end one after the other."""

    __slots__ = ()

    def keys(self) -> list[str]:
        return [name for name in super().keys() if name not in ENDLESS]  # noqa: SIM118 - it is no mapping

    def values(self) -> list[MapperProperty[Any]]:
        return [self[name] for name in self.keys()]

    def items(self) -> list[tuple[str, MapperProperty[Any]]]:
        return [(name, self[name]) for name in self.keys()]

    def __iter__(self) -> Iterator[MapperProperty[Any]]:
        return iter(self.values())

    def __len__(self) -> int:
        return len(self.keys())


class _EndlessList(InstrumentedAttribute[Any]):  # pyright: ignore[reportIncompatibleVariableOverride] - its __doc__
    # Without a docstring: SQLAlchemy gives each attribute its own.
    __slots__ = ()
    inherit_cache = True


def keep_away(user: type[Any]) -> None:
    """Let the attributes of *user* that are such lists be no plain ones: those are taken for fields."""
    for name in ENDLESS:
        attribute: Any = vars(user)[name]
        attribute.__class__ = _EndlessList
