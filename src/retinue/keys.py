"""Keys of users: check what a column can hold, and read a key from text. No statements."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, Integer, SmallInteger, String, Uuid
from sqlalchemy.types import TypeDecorator, TypeEngine

from retinue.engines import EngineRules
from retinue.errors import InvalidUserError
from retinue.values import Key

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,30}", re.ASCII)


def key_checker(kind: TypeEngine[Any], engine: EngineRules) -> Callable[[object], Key]:
    """
    Return a function that checks whether the column type *kind* can hold a value on *engine*.

    It returns the value, or raises `InvalidUserError`: another type, out of range, too long.
    """
    while isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    if isinstance(kind, Integer):
        return _integers(kind, engine)
    if isinstance(kind, Uuid):
        return _uuids(engine) if kind.as_uuid else _instances(str)
    if isinstance(kind, String):
        return _texts(kind.length)
    return _instances(kind.python_type)


def _integers(kind: Integer, engine: EngineRules) -> Callable[[object], int]:
    bits = 64 if isinstance(kind, BigInteger) else 16 if isinstance(kind, SmallInteger) else None
    lowest, highest = engine.integer_range if bits is None else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)

    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidUserError(value, "a key here is a whole number")
        if not lowest <= value <= highest:
            raise InvalidUserError(value, f"a key here lies between {lowest} and {highest}")
        return value

    return check


def _texts(length: int | None) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str):
            raise InvalidUserError(value, "a key here is text")
        if length is not None and len(value) > length:
            raise InvalidUserError(value, f"a key here has at most {length} characters")
        if "\0" in value:
            raise InvalidUserError(value, "a key cannot hold a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidUserError(value, "a key must be valid Unicode") from None
        return value

    return check


def _uuids(engine: EngineRules) -> Callable[[object], uuid.UUID]:
    def check(value: object) -> uuid.UUID:
        if not isinstance(value, uuid.UUID):
            raise InvalidUserError(value, "a key here is a UUID")
        if not engine.holds_uuid(value):
            raise InvalidUserError(value, "no key here is of that version and variant")
        return value

    return check


def _instances(kind: type[Any]) -> Callable[[object], Any]:
    def check(value: object) -> Any:
        if not isinstance(value, kind):
            raise InvalidUserError(value, f"a key here is a {kind.__name__}")
        return value

    return check


def key_reader(kind: TypeEngine[Any]) -> Callable[[str], Any]:
    """Return a function that reads a key of type *kind* from text; other text it returns unchanged."""
    while isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    if isinstance(kind, Integer):
        return _whole_number
    if isinstance(kind, Uuid):
        return _uuid if kind.as_uuid else lambda text: str(_uuid(text))
    return _unchanged


def _unchanged(value: Any) -> Any:
    return value


def _whole_number(text: str) -> object:
    if text.isdecimal() and text.isascii() and len(text) < 30:
        return int(text)
    stripped = text.strip()
    return int(stripped) if _WHOLE_NUMBER.fullmatch(stripped) else text


def _uuid(text: str) -> object:
    try:
        return uuid.UUID(text.strip())
    except ValueError:
        return text
