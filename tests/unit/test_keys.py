"""What a key can be, by the type of its column and by engine; and what text says of one."""

from __future__ import annotations

import enum
import uuid
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import (
    CHAR,
    BigInteger,
    Column,
    Date,
    Enum,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    create_engine,
)
from sqlalchemy.dialects import mysql, postgresql

from retinue import InvalidUserError, MappingError
from retinue.keys import keys_of, user_keys_of
from tests.own_types import HexUuid, PortableUuid, Prefixed

#: They connect to nothing.
ENGINES = {
    "sqlite": create_engine("sqlite://"),
    "postgresql": create_engine("postgresql+psycopg://nowhere"),
    "mariadb": create_engine("mariadb+pymysql://nowhere"),
}


class Wrapped(TypeDecorator[int]):
    """A type of the application's own."""

    impl = SmallInteger
    cache_ok = True


class WrappedTwice(TypeDecorator[int]):
    impl = Wrapped
    cache_ok = True


class Rank(enum.Enum):
    FIRST = "1st"
    LAST = "nth"


#: A UUID of version 4, and one that MariaDB does not hold.
USUAL, ODD = uuid.UUID(int=1 << 80, version=4), uuid.UUID("67ea6fb9-b564-90d1-4a31-d91705d1bff8")
NOWHERE = [None, 1.0, b"1", True, False, [1], object(), int]

#: For each type of column: what it holds on every engine, and what it holds on none.
CASES: list[tuple[Any, list[Any], list[Any]]] = [
    (Integer(), [0, -1, 2**31 - 1, -(2**31)], [2**63, -(2**63) - 1, "1", *NOWHERE]),
    (SmallInteger(), [0, 2**15 - 1, -(2**15)], [2**63, -(2**63) - 1, "1", *NOWHERE]),
    (BigInteger(), [2**63 - 1, -(2**63)], [2**63, -(2**63) - 1, 10**5000, *NOWHERE]),
    (Wrapped(), [2**15 - 1], [2**63, "1", *NOWHERE]),
    (WrappedTwice(), [2**15 - 1], [2**63, *NOWHERE]),
    (PortableUuid(), [USUAL], ["no uuid", 1, *NOWHERE]),
    (Prefixed(), ["user_1", "user_-5"], ["user_", "user_1.5", f"user_{2**63}", 1, *NOWHERE]),
    (Enum(Rank, name="rank"), [Rank.FIRST], ["1st", 1, *NOWHERE]),
    (Enum("anne", "ben", name="names"), ["anne", "ben"], ["Anne", "", "\0", 1, *NOWHERE]),
    (LargeBinary(2), [b"", b"\0\xff"], [b"abc", "ab", *(value for value in NOWHERE if value != b"1")]),
    (Numeric(20, 0), [Decimal(7)], ["7", 7, *NOWHERE]),
    (String(3), ["", "abc", "é☃\U0001f600"], ["abcd", "a\0", "\ud800", 1, *NOWHERE]),
    (Text(), ["x" * 10_000], ["\0", "\ud800", 1, *NOWHERE]),
    (Uuid(), [USUAL], [str(USUAL), 1, *NOWHERE]),
    (Uuid(as_uuid=False), [str(USUAL)], [USUAL, "no uuid", 1, *NOWHERE]),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("kind", "held", "refused"), CASES, ids=[repr(case[0]) for case in CASES])
def test_what_a_column_can_hold(engine: str, kind: Any, held: list[Any], refused: list[Any]) -> None:
    """The ends of its range and no more; a boolean is no number, and text is no number either."""
    keys = keys_of(kind, ENGINES[engine])
    assert [keys.check(value) for value in held] == held
    assert [keys.of_text(keys.text(value)) for value in held] == held
    for value in refused:
        with pytest.raises(InvalidUserError):
            keys.check(value)


@pytest.mark.parametrize(("engine", "holds"), [("sqlite", True), ("postgresql", False), ("mariadb", False)])
def test_integers_of_sqlite_have_eight_bytes(engine: str, holds: bool) -> None:
    """Whatever the column is called there; elsewhere four."""
    check = keys_of(Integer(), ENGINES[engine]).check
    for beyond in (2**31, -(2**31) - 1):
        if holds:
            assert check(beyond) == beyond
        else:
            with pytest.raises(InvalidUserError, match="lies between -2147483648 and 2147483647"):
                check(beyond)


@pytest.mark.parametrize(("engine", "holds"), [("sqlite", True), ("postgresql", True), ("mariadb", False)])
def test_mariadb_holds_not_every_uuid(engine: str, holds: bool) -> None:
    """A key that its type refuses is nobody's."""
    check = keys_of(Uuid(), ENGINES[engine]).check
    if holds:
        assert check(ODD) == ODD
    else:
        with pytest.raises(InvalidUserError, match="version and variant"):
            check(ODD)


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        (mysql.INTEGER(unsigned=True), 2**32 - 1),
        (mysql.BIGINT(unsigned=True), 2**64 - 1),
        (mysql.TINYINT(unsigned=True), 255),
        (mysql.MEDIUMINT(), 2**23 - 1),
        (SmallInteger(), 2**15 - 1),
        (WrappedTwice(), 2**15 - 1),
        (Integer().with_variant(BigInteger(), "mariadb"), 2**63 - 1),
        (Wrapped().with_variant(BigInteger(), "mariadb"), 2**63 - 1),
    ],
    ids=repr,
)
def test_a_number_is_as_great_as_this_databases_column(kind: Any, most: int) -> None:
    """That of MariaDB may have no sign, and a variant of its own."""
    keys = keys_of(kind, ENGINES["mariadb"])
    assert keys.of_text(keys.text(most)) == keys.check(most) == most
    with pytest.raises(InvalidUserError):
        keys.check(most + 1)


@pytest.mark.parametrize(
    ("kind", "engine", "written", "key"),
    [
        (Uuid(as_uuid=False), "sqlite", USUAL.hex.upper(), str(USUAL)),
        (PortableUuid(), "sqlite", str(USUAL).upper(), USUAL),
        (PortableUuid(), "postgresql", USUAL.hex, USUAL),
        (Prefixed(), "mariadb", "007", "user_7"),
        (CHAR(5), "postgresql", "anna", "anna "),
        (CHAR(5), "sqlite", "anna", "anna"),
        (Enum(Rank, name="rank"), "sqlite", "LAST", Rank.LAST),
    ],
)
def test_a_key_has_one_form(kind: Any, engine: str, written: str, key: object) -> None:
    """That in which the column returns it: results are asked by it."""
    keys = keys_of(kind, ENGINES[engine])
    assert keys.converts is (engine == "postgresql" or not isinstance(kind, CHAR))
    assert keys.check(written) == keys.read(written) == keys.check(key) == key


def _users_with(kind: Any) -> Column[Any]:
    return Table("users", MetaData(), Column("id", kind, primary_key=True)).c.id


@pytest.mark.parametrize(
    ("engine", "kind", "refused"),
    [
        ("mariadb", String(9), True),
        ("mariadb", String(9, collation="utf8mb4_bin"), True),
        ("mariadb", String(9, collation="utf8mb4_nopad_bin"), False),
        ("sqlite", String(9, collation="RTRIM"), True),
        ("sqlite", String(9), False),
        ("postgresql", String(9), False),
    ],
)
def test_spaces_at_the_end_that_the_database_does_not_see(engine: str, kind: Any, refused: bool) -> None:
    """A key is refused that would be another user's; a cursor beside such a user leads to their place."""
    keys = user_keys_of(_users_with(kind), ENGINES[engine])
    if refused:
        with pytest.raises(InvalidUserError, match="end in a space"):
            keys.check("anna ")
        assert keys.check(keys.of_text(keys.text("anna "))) == "anna"
    else:
        assert keys.check("anna ") == keys.of_text(keys.text("anna ")) == "anna "


@pytest.mark.parametrize(
    ("engine", "kind"),
    [
        ("postgresql", postgresql.CITEXT()),
        ("sqlite", String(9, collation="NOCASE")),
        ("mariadb", String(9, collation="utf8mb4_general_ci")),
    ],
)
def test_keys_that_ignore_case_are_refused(engine: str, kind: Any) -> None:
    """One user would have many keys, and follow as each of them."""
    with pytest.raises(MappingError, match="ignores case"):
        user_keys_of(_users_with(kind), ENGINES[engine])
    assert keys_of(kind, ENGINES[engine]).read("Anna") == "Anna"  # a column of names may


def test_a_key_of_another_type_is_what_python_calls_it() -> None:
    check = keys_of(Date(), ENGINES["sqlite"]).check
    with pytest.raises(InvalidUserError, match="a key here is a date"):
        check("2026-01-01")


@pytest.mark.parametrize(
    ("kind", "text", "key"),
    [
        (Integer(), "12", 12),
        (Integer(), " +12 ", 12),
        (Integer(), "-0012", -12),
        (Wrapped(), "7", 7),
        (Uuid(), f" {USUAL} ", USUAL),
        (Uuid(), USUAL.hex, USUAL),
        (Uuid(as_uuid=False), USUAL.hex.upper(), str(USUAL)),
        (PortableUuid(), USUAL.hex, USUAL),
        (HexUuid(), str(USUAL), USUAL),
        (HexUuid(), USUAL.hex, USUAL),
        (String(9), " 12 ", " 12 "),
    ],
)
def test_what_text_says_of_a_key(kind: Any, text: str, key: object) -> None:
    found = keys_of(kind, ENGINES["sqlite"]).read(text)
    assert (found, type(found)) == (key, type(key))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((Integer(), text) for text in ("9" * 29, "9" * 31, "1_000", "1.0", "٣", "")),
        *((Uuid(), text) for text in ("no uuid", "")),
        (Date(), "2026-01-01"),
        (PortableUuid(), "\0"),
        (Prefixed(), "user_x"),
    ],
)
def test_text_that_says_nothing_of_a_key(kind: Any, text: str) -> None:
    with pytest.raises(InvalidUserError):
        keys_of(kind, ENGINES["sqlite"]).read(text)
