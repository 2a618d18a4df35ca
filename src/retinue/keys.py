"""
Keys of users: what a column can hold, and how a key is written as text. No statements.

A key is judged by what the type of its column converts, not by what that is declared as: a type of the
application's own (``TypeDecorator``) may take a UUID and store text, or take text and store a number. What it
makes of a value is what has to fit the column; what it makes of that again is the one form of the key that every
result has.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Column, Enum, Integer, LargeBinary, SmallInteger, String, Uuid
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import TypeDecorator, TypeEngine

from retinue.engines import EngineRules, engine_of
from retinue.errors import InvalidUserError, MappingError

_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,30}", re.ASCII)

_COLLATION: Final = re.compile(r"COLLATE \W?(\w+)")

#: What a BIGINT holds.
_NUMBER_MOST: Final = 2**63 - 1

#: Bits of the whole numbers that MariaDB and MySQL alone have.
_BITS: Final = {"TINYINT": 8, "MEDIUMINT": 24}

#: What a type of the application's own may raise for a value that it does not convert.
_REFUSED: Final = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, SQLAlchemyError)


class Keys(NamedTuple):
    """The keys that one column can hold, on one kind of database."""

    #: Returns a value as a key, in the one form that results have; or raises `InvalidUserError`.
    check: Callable[[Any], Any]
    #: Returns the key that text of a person's means, as in an address or a file; or raises `InvalidUserError`.
    read: Callable[[str], Any]
    #: Returns a key as text, for `of_text()`.
    text: Callable[[Any], str]
    #: Returns the key that was written as this text; `ValueError` if it is none. `check()` has the last word.
    of_text: Callable[[str], Any]
    #: Whether a value may have another form than the key that it becomes.
    converts: bool = False
    #: Returns whether all of some values are keys as they are; False also where that is not seen at one look.
    are_keys: Callable[[Sequence[Any]], bool] = lambda _values: False


def row_number(value: object) -> int:
    """Return *value*; `InvalidUserError` unless it is a number that a row of the library's own can have."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _NUMBER_MOST:
        raise InvalidUserError(value, "that is not the number of a row")
    return value


#: The keys of rows that have a number.
ROW_NUMBERS: Final = Keys(row_number, lambda text: row_number(int(text)), str, int)


def keys_of(kind: TypeEngine[Any], connection: Connection | Engine) -> Keys:
    """Return the keys of a column of the type *kind* in the database behind *connection*."""
    dialect = connection.dialect
    converters: list[TypeDecorator[Any]] = []
    impl = kind.dialect_impl(dialect)
    while isinstance(impl, TypeDecorator):
        converters.append(impl)
        impl = impl.impl_instance.dialect_impl(dialect)
    # A column of a fixed width is filled up with spaces, and PostgreSQL returns these.
    padded = dialect.name == "postgresql" and isinstance(impl, String) and _ddl(kind, dialect).startswith("CHAR(")
    stored = _stored(impl, engine_of(connection), padded=padded)
    if not converters:
        return stored
    if isinstance(impl, Uuid) and dialect.name == "postgresql":
        stored = _uuids_as_text(stored)
    return _converted(stored, converters, dialect)


def _ddl(kind: TypeEngine[Any], dialect: Dialect) -> str:
    """Return what a column of a type is declared as in the database."""
    return "" if isinstance(kind, Enum) else kind.compile(dialect=dialect)


def user_keys_of(key: Column[Any], connection: Connection | Engine) -> Keys:
    """
    Return the keys of the users whose primary key is the column *key*.

    Two texts that are one key to the database would be two to everybody else, who then follow twice.

    Raises:
        MappingError: The column is declared to ignore the case of its letters.
    """
    keys = keys_of(key.type, connection)
    kind = key.type.dialect_impl(connection.dialect)
    if not isinstance(kind, (String, TypeDecorator)):
        return keys
    collation = declared_collation(kind, connection.dialect)
    if ignores_case(collation):
        message = (
            f"{key.table}.{key.name} ignores case ({_ddl(kind, connection.dialect)}), so one user would have many keys:"
            " the primary key of users needs a type that compares byte by byte"
        )
        raise MappingError(message)
    if isinstance(kind, String) and pads(collation, engine_of(connection)):
        return _without_spaces(keys)
    return keys


def declared_collation(kind: TypeEngine[Any], dialect: Dialect) -> str:
    """Return the collation of a column of the type *kind* as it is declared, in small letters; "" for the usual one."""
    declared = _ddl(kind, dialect)
    return "citext" if declared == "CITEXT" else (_COLLATION.search(declared) or ("", ""))[1].lower()


def ignores_case(collation: str) -> bool:
    """Return whether two texts that are not the same may be equal by *collation*."""
    return collation in ("citext", "nocase", "nondeterministic") or collation.endswith("_ci")


def pads(collation: str, engine: EngineRules) -> bool:
    """Return whether texts that differ in spaces at their end are equal by *collation*."""
    return collation == "rtrim" or engine.pads(collation)


def _without_spaces(keys: Keys) -> Keys:
    """Return *keys* where the database does not see the spaces at the end of one."""

    def check(value: object) -> Any:
        if isinstance(value, str) and value.endswith(" "):
            raise InvalidUserError(value, "a key here cannot end in a space, which the database does not see")
        return keys.check(value)

    # A user may have such a key all the same. A cursor leads to their place without it, too.
    return Keys(check, lambda text: check(keys.read(text)), lambda key: keys.text(key).rstrip(" "), keys.of_text)


def _stored(kind: TypeEngine[Any], engine: EngineRules, *, padded: bool) -> Keys:
    """Return the keys of a type of SQLAlchemy's own."""
    if isinstance(kind, Integer):
        return _integers(kind, engine)
    if isinstance(kind, Uuid):
        return _uuids(engine) if kind.as_uuid else _texts_of_uuids(engine)
    if isinstance(kind, Enum):
        return _names(kind.enums) if kind.enum_class is None else _members(kind.enum_class)
    if isinstance(kind, String):
        return _texts(kind.length, padded=padded)
    if isinstance(kind, LargeBinary) or kind.python_type is bytes:
        return _read_by(_bytes(getattr(kind, "length", None)), _unchanged, bytes.fromhex, bytes.hex)
    known = kind.python_type
    if known is object:  # nobody knows what it holds
        return _texts(None, padded=False)
    if known is Decimal:
        return _read_by(_instances(Decimal), _decimal, Decimal)
    return _read_by(_instances(known), _unchanged, str)


def _read_by(
    check: Callable[[Any], Any],
    convert: Callable[[str], object],
    of_text: Callable[[str], Any],
    text: Callable[[Any], str] = str,
    *,
    converts: bool = False,
) -> Keys:
    """Return the keys that *check* lets pass of what *convert* makes of text."""
    return Keys(check, lambda written: check(convert(written)), text, of_text, converts)


def _converted(stored: Keys, converters: list[TypeDecorator[Any]], dialect: Dialect) -> Keys:
    """Return the keys of a type that makes of each value what is *stored*, and the other way round."""
    # What a type does not override is not called by SQLAlchemy either.
    there = [one for one in converters if type(one).process_bind_param is not TypeDecorator.process_bind_param]
    back = [one for one in converters if type(one).process_result_value is not TypeDecorator.process_result_value]

    def bound(value: object) -> Any:
        kept: Any = value
        try:
            for kind in there:
                kept = kind.process_bind_param(kept, dialect)
        except _REFUSED as error:
            raise InvalidUserError(value, "the type of the keys does not take it") from error
        if kept is None or isinstance(value, bool):
            raise InvalidUserError(value, "the type of the keys does not take it")
        return kept

    def key_of(kept: Any) -> Any:
        try:
            for kind in reversed(back):
                kept = kind.process_result_value(kept, dialect)
        except _REFUSED as error:
            raise InvalidUserError(kept, "the type of the keys makes nothing of it") from error
        return kept

    def check(value: object) -> Any:
        return key_of(stored.check(bound(value)))

    def read(text: str) -> Any:
        # Nobody knows what the type takes: the text, or what it may be the text of.
        for value in (text, _whole_number(text), _uuid(text)):
            with suppress(InvalidUserError):
                return check(value)
        return check(text)

    return Keys(check, read, lambda key: stored.text(bound(key)), lambda text: key_of(stored.of_text(text)), True)


# --- Types of SQLAlchemy's own -------------------------------------------------------------------


def _integers(kind: Integer, engine: EngineRules) -> Keys:
    lowest, highest = _range_of(kind, engine)

    def check(value: object) -> int:
        if type(value) is int and lowest <= value <= highest:
            return value
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidUserError(value, "a key here is a whole number")
        if not lowest <= value <= highest:
            raise InvalidUserError(value, f"a key here lies between {lowest} and {highest}")
        return value

    def are_keys(values: Sequence[Any]) -> bool:
        return set(map(type, values)) == {int} and lowest <= min(values) and max(values) <= highest

    return _read_by(check, _whole_number, int)._replace(are_keys=are_keys)


def _range_of(kind: Integer, engine: EngineRules) -> tuple[int, int]:
    """Return the least and the greatest number that a column holds."""
    if engine.integers_are_alike:
        return engine.integer_range
    bits = _BITS.get(kind.__visit_name__)
    if bits is None:
        bits = 64 if isinstance(kind, BigInteger) else 16 if isinstance(kind, SmallInteger) else None
    lowest, highest = engine.integer_range if bits is None else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return (0, 2 * highest + 1) if getattr(kind, "unsigned", False) else (lowest, highest)


def _texts(length: int | None, *, padded: bool) -> Keys:
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
        return value.ljust(length or 1) if padded else value

    return _read_by(check, _unchanged, str, converts=padded)


def _names(names: Sequence[str]) -> Keys:
    def check(value: object) -> object:
        if value not in names:
            raise InvalidUserError(value, "a key here is one of the names that the column can have")
        return value

    return _read_by(check, _unchanged, str)


def _members(kind: type[Any]) -> Keys:
    def check(value: object) -> Any:
        if isinstance(value, kind):
            return value
        found = kind.__members__.get(value) if isinstance(value, str) else None
        if found is None:
            raise InvalidUserError(value, f"a key here is a {kind.__name__}")
        return found

    return _read_by(check, _unchanged, check, lambda member: str(member.name), converts=True)


def _uuids(engine: EngineRules) -> Keys:
    def check(value: object) -> uuid.UUID:
        if not isinstance(value, uuid.UUID):
            raise InvalidUserError(value, "a key here is a UUID")
        if not engine.holds_uuid(value):
            raise InvalidUserError(value, "no key here is of that version and variant")
        return value

    return _read_by(check, _uuid, uuid.UUID)


def _uuids_as_text(uuids: Keys) -> Keys:
    """Return *uuids* for a type that may hand them over as text, which PostgreSQL takes as well."""

    def check(value: object) -> Any:
        return uuids.check(_uuid(value) if isinstance(value, str) else value)

    return uuids._replace(check=check)


def _texts_of_uuids(engine: EngineRules) -> Keys:
    check_uuid = _uuids(engine).check

    def check(value: object) -> str:
        if not isinstance(value, str):
            raise InvalidUserError(value, "a key here is the text of a UUID")
        check_uuid(_uuid(value))
        # However it was written, so it comes back.
        return str(_uuid(value))

    return _read_by(check, _unchanged, str, converts=True)


def _bytes(length: int | None) -> Callable[[object], bytes]:
    def check(value: object) -> bytes:
        if not isinstance(value, bytes):
            raise InvalidUserError(value, "a key here is bytes")
        if length is not None and len(value) > length:
            raise InvalidUserError(value, f"a key here has at most {length} bytes")
        return value

    return check


def _instances(kind: type[Any]) -> Callable[[object], Any]:
    def check(value: object) -> Any:
        if not isinstance(value, kind):
            raise InvalidUserError(value, f"a key here is a {kind.__name__}")
        return value

    return check


# --- Text of a person's --------------------------------------------------------------------------


def _unchanged(text: str) -> object:
    return text


def _whole_number(text: str) -> object:
    if text.isdecimal() and text.isascii() and len(text) < 30:
        return int(text)
    stripped = text.strip()
    return int(stripped) if _WHOLE_NUMBER.fullmatch(stripped) else text


def _decimal(text: str) -> object:
    return Decimal(text) if _WHOLE_NUMBER.fullmatch(text) else text


def _uuid(text: str) -> object:
    try:
        return uuid.UUID(text.strip())
    except ValueError:
        return text
