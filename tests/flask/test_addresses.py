"""Whatever stands in an address names a user or nobody: no error, and nothing of the caller's transaction is lost."""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import CHAR, BigInteger, Date, Engine, Enum, Integer, Numeric, SmallInteger, String, Uuid
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, mapped_column, scoped_session, sessionmaker

from retinue import FollowerMixin, FollowMixin
from retinue.flask import Retinue, current
from tests.own_types import HexUuid, PortableUuid, Prefixed

SOME = uuid.UUID("0abcdef0-0000-4000-8000-00000000000a")

#: For each type of the column that stands in addresses: what Ann has there, and how it is written.
COLUMNS: dict[str, tuple[Any, Any, str]] = {
    "small": (SmallInteger, 7, "7"),
    "number": (Integer, -7, "-7"),
    "big": (BigInteger, 2**60, str(2**60)),
    "text": (String(40), "anna née \U0001f600 100%/..", "anna née \U0001f600 100%/.."),
    "fixed": (CHAR(6), "anna-b", "anna-b"),
    "uuid": (Uuid, SOME, str(SOME)),
    "uuid as text": (Uuid(as_uuid=False), str(SOME), str(SOME)),
    "portable": (PortableUuid, SOME, str(SOME)),
    "hex": (HexUuid, SOME, str(SOME)),
    "prefixed": (Prefixed, "user_7", "user_7"),
    "enum": (Enum("ann", "bob", name="names"), "ann", "ann"),
    "exact": (Numeric(6, 0), 7, "7"),
}

HOSTILE = [
    *(
        "",
        " ",
        "0",
        "-1",
        "007",
        "7 ",
        " 7",
        "7.0",
        "1e1",
        "٣",
        "9" * 40,
        "-" + "9" * 20,
        "x",
        "\0",
        "7\0",
        "a" * 5_000,
    ),
    *("\ud800", "é", "e\u0301", "\U0001f600", "%00", "'", '"; --', "{}", "NULL", "None", "../..", str(SOME).upper()),
    *(SOME.hex, "{" + str(SOME) + "}", "user_", "user_99999999999999999999", "USER_7", "ANN", "Rank.FIRST"),
]


def declare(kind: Any) -> Any:
    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        id = mapped_column(Integer, primary_key=True)
        slug = mapped_column(kind, unique=True)
        name = mapped_column(String(40))

        @hybrid_property
        def computed(self) -> Any:
            return self.name

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    return User, Follow


@pytest.mark.parametrize(("attribute", "kind"), [("computed", "text"), *(("slug", kind) for kind in COLUMNS)])
def test_an_address_names_somebody_or_nobody(engine: Engine, kind: str, attribute: str) -> None:
    column, value, written = COLUMNS[kind]
    User, _kept = declare(column)  # noqa: N806 - a class
    User.metadata.create_all(engine)
    app = Flask(__name__)
    app.config["RETINUE_USER_SLUG"] = attribute
    session = scoped_session(sessionmaker(engine))
    Retinue(app, session=session, user_model=User, current_user=lambda: None)
    with app.test_request_context(), closing(session):
        session.add(User(id=1, slug=value, name=written))
        session.flush()
        state = current()
        for slug in HOSTILE:
            assert state.user_named(slug) is None, slug
        found = state.user_named(written)
        assert found is not None
        assert state.slug_of(found) == written
        session.commit()
        assert session.get(User, 1) is not None


def test_a_date_is_no_address(engine: Engine) -> None:
    """Nobody is found by what cannot be read; that is no error either."""
    User, _kept = declare(Date)  # noqa: N806 - a class
    User.metadata.create_all(engine)
    app = Flask(__name__)
    app.config["RETINUE_USER_SLUG"] = "slug"
    session = scoped_session(sessionmaker(engine))
    Retinue(app, session=session, user_model=User, current_user=lambda: None)
    with app.test_request_context(), closing(session):
        assert [current().user_named(slug) for slug in (*HOSTILE, "2026-01-01")] == [None] * (len(HOSTILE) + 1)
