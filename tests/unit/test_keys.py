"""What a key can be, by the type of its column and by engine; and what text says of one."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import BigInteger, Date, Integer, SmallInteger, String, Text, TypeDecorator, Uuid

from retinue import InvalidUserError
from retinue.engines import EngineRules
from retinue.engines.mariadb import MariaDB
from retinue.engines.postgresql import PostgreSQL
from retinue.engines.sqlite import SQLite
from retinue.keys import key_checker, key_reader

ENGINES: dict[str, EngineRules] = {"sqlite": SQLite(), "postgresql": PostgreSQL(), "mariadb": MariaDB()}


class Wrapped(TypeDecorator[int]):
    """A type of the application's own."""

    impl = SmallInteger
    cache_ok = True


class WrappedTwice(TypeDecorator[int]):
    impl = Wrapped
    cache_ok = True


#: A UUID of version 4, and one that MariaDB does not hold.
USUAL, ODD = uuid.UUID(int=1 << 80, version=4), uuid.UUID("67ea6fb9-b564-90d1-4a31-d91705d1bff8")
NOWHERE = [None, 1.0, b"1", True, False, [1], object(), int]

#: For each type of column: what it holds on every engine, and what it holds on none.
CASES: list[tuple[Any, list[Any], list[Any]]] = [
    (Integer(), [0, -1, 2**31 - 1, -(2**31)], [2**63, -(2**63) - 1, "1", *NOWHERE]),
    (SmallInteger(), [0, 2**15 - 1, -(2**15)], [2**15, -(2**15) - 1, "1", *NOWHERE]),
    (BigInteger(), [2**63 - 1, -(2**63)], [2**63, -(2**63) - 1, 10**5000, *NOWHERE]),
    (Wrapped(), [2**15 - 1], [2**15, "1", *NOWHERE]),
    (WrappedTwice(), [2**15 - 1], [2**15, *NOWHERE]),
    (String(3), ["", "abc", "é☃\U0001f600"], ["abcd", "a\0", "\ud800", 1, *NOWHERE]),
    (Text(), ["x" * 10_000], ["\0", "\ud800", 1, *NOWHERE]),
    (Uuid(), [USUAL], [str(USUAL), 1, *NOWHERE]),
    (Uuid(as_uuid=False), [str(USUAL)], [USUAL, 1, *NOWHERE]),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("kind", "held", "refused"), CASES, ids=[repr(case[0]) for case in CASES])
def test_what_a_column_can_hold(engine: str, kind: Any, held: list[Any], refused: list[Any]) -> None:
    """The ends of its range and no more; a boolean is no number, and text is no number either."""
    check = key_checker(kind, ENGINES[engine])
    assert [check(value) for value in held] == held
    for value in refused:
        with pytest.raises(InvalidUserError):
            check(value)


@pytest.mark.parametrize(("engine", "holds"), [("sqlite", True), ("postgresql", False), ("mariadb", False)])
def test_integers_of_sqlite_have_eight_bytes(engine: str, holds: bool) -> None:
    """Whatever the column is called there; elsewhere four."""
    check = key_checker(Integer(), ENGINES[engine])
    for beyond in (2**31, -(2**31) - 1):
        if holds:
            assert check(beyond) == beyond
        else:
            with pytest.raises(InvalidUserError, match="lies between -2147483648 and 2147483647"):
                check(beyond)


@pytest.mark.parametrize(("engine", "holds"), [("sqlite", True), ("postgresql", True), ("mariadb", False)])
def test_mariadb_holds_not_every_uuid(engine: str, holds: bool) -> None:
    """A key that its type refuses is nobody's."""
    check = key_checker(Uuid(), ENGINES[engine])
    if holds:
        assert check(ODD) == ODD
    else:
        with pytest.raises(InvalidUserError, match="version and variant"):
            check(ODD)


def test_a_key_of_another_type_is_what_python_calls_it() -> None:
    check = key_checker(Date(), ENGINES["sqlite"])
    with pytest.raises(InvalidUserError, match="a key here is a date"):
        check("2026-01-01")


@pytest.mark.parametrize(
    ("kind", "text", "key"),
    [
        (Integer(), "12", 12),
        (Integer(), " +12 ", 12),
        (Integer(), "-0012", -12),
        (Integer(), "9" * 29, int("9" * 29)),
        (Integer(), "9" * 31, "9" * 31),
        (Integer(), "1_000", "1_000"),
        (Integer(), "1.0", "1.0"),
        (Integer(), "٣", "٣"),
        (Integer(), "", ""),
        (Wrapped(), "7", 7),
        (Uuid(), f" {USUAL} ", USUAL),
        (Uuid(), USUAL.hex, USUAL),
        (Uuid(), "no uuid", "no uuid"),
        (Uuid(as_uuid=False), USUAL.hex.upper(), str(USUAL)),
        (String(9), " 12 ", " 12 "),
        (Date(), "2026-01-01", "2026-01-01"),
    ],
)
def test_what_text_says_of_a_key(kind: Any, text: str, key: object) -> None:
    """What says nothing of the kind is returned as it is: the check then refuses it."""
    found = key_reader(kind)(text)
    assert (found, type(found)) == (key, type(key))
