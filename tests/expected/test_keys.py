"""D: keys are judged by what their type is declared as, and not by what it converts and the database compares."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest
from sqlalchemy import CHAR, BigInteger, Column, Dialect, Engine, Integer, String, TypeDecorator
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Session

from retinue import InvalidCursor, InvalidUserError, RetinueError
from retinue.transfer import import_follows
from tests.expected.models import Club, club

D = "D: keys are judged by what the type is declared as, not by what it converts"


class HexUUID(TypeDecorator[uuid.UUID]):
    """A UUID kept as 32 letters and digits."""

    impl = CHAR(32)
    cache_ok = True

    def process_bind_param(self, value: uuid.UUID | None, dialect: Dialect) -> str | None:
        """Write it."""
        del dialect
        return None if value is None else value.hex

    def process_result_value(self, value: Any, dialect: Dialect) -> uuid.UUID | None:
        """Read it."""
        del dialect
        return None if value is None else uuid.UUID(value)


def tickets() -> Club:
    """Declare a club whose readers have UUIDs that a type of the application's converts."""
    return club(Column(HexUUID(), primary_key=True, default=uuid.uuid4))


@pytest.mark.xfail(strict=True, raises=InvalidUserError, reason=D)
def test_a_key_that_the_applications_type_converts_is_a_key(engine: Engine) -> None:
    """The values are UUIDs, though the column holds text: fastapi-users/fastapi-users#648."""
    readers = tickets()
    ada, ben = readers.open(engine, "ada", "ben")
    with Session(engine) as session:
        graph = readers.graph(session)
        assert graph.follow(ada, ben)
        assert graph.counts([ben])[ben].followers == 1


@pytest.mark.xfail(strict=True, raises=AssertionError, reason=D)
def test_an_import_takes_keys_as_the_type_has_them(engine: Engine) -> None:
    """The text of a UUID in a file means that reader."""
    readers = tickets()
    ada, ben = readers.open(engine, "ada", "ben")
    assert import_follows(engine, readers.reader, [(str(ada), str(ben))]).added == 1


def numbered(kind: Any, first: int) -> Club:
    """Declare a club whose readers are numbered from *first* on."""
    numbers = itertools.count(first)
    return club(Column(kind, primary_key=True, autoincrement=False, default=lambda: next(numbers)))


KINDS = {
    "unsigned": (mysql.INTEGER(unsigned=True), 2**31),
    "unsigned big": (mysql.BIGINT(unsigned=True), 2**63),
    "variant": (Integer().with_variant(BigInteger(), "postgresql", "mysql", "mariadb"), 2**31),
}
WIDE = pytest.mark.parametrize(
    ("database", "kind"),
    [("mariadb", "unsigned"), ("mariadb", "unsigned big"), ("mariadb", "variant"), ("postgresql", "variant")],
    indirect=["database"],
)


@WIDE
@pytest.mark.xfail(strict=True, raises=InvalidUserError, reason=D)
def test_a_number_that_the_column_holds_is_a_key(engine: Engine, kind: str) -> None:
    """Beyond the range of a plain INTEGER: pallets-eco/flask-sqlalchemy#239."""
    readers = numbered(*KINDS[kind])
    ada, ben = readers.open(engine, "ada", "ben")
    with Session(engine) as session:
        assert readers.graph(session).follow(ada, ben)


@WIDE
@pytest.mark.xfail(strict=True, raises=InvalidCursor, reason=D)
def test_a_list_takes_its_own_cursor(engine: Engine, kind: str) -> None:
    """Whatever keys there are on the page."""
    readers = numbered(*KINDS[kind])
    ada, *others = readers.open(engine, *"abcd")
    with Session(engine) as session:
        host = session.get_one(readers.reader, ada)
        for other in others:
            session.get_one(readers.reader, other).follow(host)
        first = readers.graph(session).followers(host, limit=2)
        second = readers.graph(session).followers(host, limit=2, cursor=first.next)
        assert {person.user.id for person in (*first, *second)} == set(others)


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
@pytest.mark.xfail(strict=True, raises=KeyError, reason="D: equality of text keys is the database's: it pads")
def test_a_key_with_a_blank_behind_it_is_one_key_or_none(engine: Engine) -> None:
    """A collation that pads finds 'ada' for 'ada ': one key in every result, or a typed error."""
    readers = club(Column(String(40, collation="utf8mb4_bin"), primary_key=True))
    readers.base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([readers.reader(id=key, name=key) for key in ("ada", "ben")])
        session.flush()
        try:
            counts = readers.graph(session).counts(["ada "])
        except RetinueError:
            return
        assert [count.followers for count in counts.values()] == [0]
