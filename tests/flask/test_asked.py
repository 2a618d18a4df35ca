"""What was asked in a request is asked once, until something changes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import render_template_string, session
from flask_login import current_user
from sqlalchemy import URL, Engine, select, text
from sqlalchemy.orm import defer, load_only

from retinue.flask import ask, card_of, cards_of, relationship, unread, viewer
from retinue.flask.changes import watch
from retinue.testing import count_statements
from tests.flask.library import BUTTONS, MODELS, READER, Library, library

pytestmark = [
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
    pytest.mark.tables(MODELS.metadata),
]

Open = Callable[..., Library]


def everybody(shelf: Library) -> Any:
    """Return all readers, loaded."""
    return shelf.session.scalars(select(READER).order_by(READER.id)).all()


#: Ways in which Ada begins to follow Ben, reader 2, in the middle of a request.
WAYS: dict[str, Callable[[Library], Any]] = {
    "the graph": lambda shelf: shelf.retinue.graph.follow(1, 2),
    "the user's method": lambda shelf: viewer().follow(  # type: ignore[union-attr]
        shelf.session.get(READER, 2)
    ),
    "transact": lambda shelf: shelf.retinue.transact(lambda session: session.get_one(READER, 1).graph.follow(1, 2)),
    "the ORM": lambda shelf: shelf.session.add(MODELS.follow(follower_id=1, following_id=2)),
    "a statement": lambda shelf: shelf.session.execute(
        MODELS.follow.__table__.insert().values(follower_id=1, following_id=2, timestamp=text("'2026-01-01 00:00:00'"))
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_verb_changes_what_the_page_says(open_library: Open, way: str) -> None:
    """A view that asks, follows and renders, in one request: TryGhost/Ghost#24571. Also before it commits."""
    shelf = open_library("ada", "ben")

    @shelf.app.post("/welcome")
    def welcome() -> str:
        before = [relationship(everybody(shelf)[1]).following, card_of(everybody(shelf)[1]).counts.followers]  # type: ignore[union-attr]
        WAYS[way](shelf)
        shelf.session.flush()
        after = [relationship(everybody(shelf)[1]).following, card_of(everybody(shelf)[1]).counts.followers]  # type: ignore[union-attr]
        return f"{before} {after}"

    visitor = shelf.visitor(1)
    assert visitor.post("/welcome").text == "[False, 0] [True, 1]"


@pytest.mark.parametrize("savepoint", [False, True])
def test_what_is_taken_back_is_forgotten(open_library: Open, savepoint: bool) -> None:
    """After a rollback the page says what is so."""
    shelf = open_library("ada", "ben")

    @shelf.app.post("/regret")
    def regret() -> str:
        _, ben = everybody(shelf)
        nested = shelf.session.begin_nested() if savepoint else shelf.session
        shelf.retinue.graph.follow(1, 2)
        before = relationship(ben).following
        nested.rollback()
        return f"{before} {relationship(ben).following}"

    assert shelf.visitor(1).post("/regret").text == "True False"


def test_logging_in_and_out_changes_what_the_page_says(open_library: Open) -> None:
    """What was asked for a stranger is not true of who has just come in, and the other way round."""
    shelf = open_library("ada", "ben")
    shelf.do("follow", 1, 2)
    shelf.app.before_request(lambda: ask(everybody(shelf)))
    visitor = shelf.visitor()
    assert visitor.post("/enter/1").text == "True"
    assert visitor.post("/leave").text == "False"
    assert visitor.post("/enter/2").text == "False"


def test_reading_the_notices_changes_the_bell(open_library: Open) -> None:
    """The number is asked before, and again after, `mark_read()`."""
    shelf = open_library("ada", "ben")
    shelf.do("follow", 2, 1)

    @shelf.app.post("/read")
    def read() -> str:
        before = unread()
        shelf.retinue.graph.mark_read(1)
        return f"{before} {unread()}"

    assert shelf.visitor(1).post("/read").text == "1 0"


#: What a page may have read of its readers, beside their names.
LEAN: dict[str, Any] = {
    "names alone": load_only(READER.name),
    "keys alone": load_only(READER.id),
    "all but one": defer(READER.locked),
    "what refuses to be loaded": defer(READER.locked, raiseload=True),
    "all": load_only(READER.name, READER.locked, READER.shelf),
}


@pytest.mark.parametrize("visitor", [1, None])
@pytest.mark.parametrize("lean", LEAN)
def test_buttons_of_half_loaded_users_cost_one_select(open_library: Open, lean: str, visitor: int | None) -> None:
    """Whatever the list left out: smithyhq/sqladmin#815."""
    shelf = open_library(*(f"reader{number}" for number in range(12)))
    shelf.change(3, locked=True)

    @shelf.app.get("/lean")
    def lean_page() -> str:
        found = shelf.session.scalars(select(READER).order_by(READER.id).options(LEAN[lean])).all()
        bool(current_user)
        with count_statements(shelf.engine) as statements:
            page = render_template_string(BUTTONS, readers=found)
            cards = cards_of(found)
        assert [card.locked for card in cards] == [number == 3 for number in range(1, 13)]
        assert "Ask to follow" in page
        return str(len(statements))

    # A stranger stands to nobody: of them only what is missing is asked. The counts of cards are one more.
    nothing = visitor is None and lean == "all"
    assert shelf.visitor(visitor).get("/lean").text == str(1 if nothing else 2)


def test_expired_users_cost_one_select(open_library: Open) -> None:
    """A view that commits before it renders; what was changed and not flushed stays as it is."""
    shelf = open_library(*(f"reader{number}" for number in range(12)))

    @shelf.app.get("/late")
    def late() -> str:
        found = everybody(shelf)
        bool(current_user)
        shelf.session.commit()
        with count_statements(shelf.engine) as statements:
            render_template_string(BUTTONS, readers=found)
        return str(len(statements))

    assert shelf.visitor(1).get("/late").text == "1"


def test_a_label_or_an_address_of_the_applications_own_costs_no_more(database: URL) -> None:
    """What a function of its own reads of a user is loaded with the rest."""
    with library(database) as shelf:
        shelf.open(*(f"reader{number}" for number in range(12)), user_url=lambda reader: f"/r/{reader.shelf}")

        @shelf.app.get("/lean")
        def lean() -> str:
            found = shelf.session.scalars(select(READER).options(load_only(READER.name))).all()
            with count_statements(shelf.engine) as statements:
                cards_of(found)
            return str(len(statements))

        assert shelf.visitor(1).get("/lean").text == "2"


@pytest.mark.parametrize(
    ("statement", "forgets"),
    [
        ("SELECT 1", False),
        ("  -- of the page\n select 1", False),
        ("/* traced */ SELECT 1", False),
        ("WITH x AS (SELECT 1) SELECT * FROM x", True),
        ("UPDATE users SET shelf = 'a' WHERE id = 1", True),
        ("/* SELECT */ DELETE FROM follows", True),
    ],
)
def test_what_reads_forgets_nothing(open_library: Open, statement: str, forgets: bool) -> None:
    """A text that begins with WITH may write; a statement of SQLAlchemy's is known to read."""
    shelf = open_library("ada", "ben")

    @shelf.app.get("/ask")
    def ask_twice() -> str:
        _, ben = everybody(shelf)
        bool(current_user)
        relationship(ben)
        shelf.session.execute(text(statement))
        shelf.session.execute(select(select(READER.id).cte()))
        with count_statements(shelf.engine) as statements:
            relationship(ben)
        return str(len(statements) == 1)

    assert shelf.visitor(1).get("/ask").text == str(forgets)


def test_an_engine_is_watched_once(engine: Engine) -> None:
    """Twice is harmless, and a change outside of requests is nobody's."""
    watch(engine)
    watch(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET shelf = 'a'")


def test_a_log_in_of_the_applications_own(database: URL) -> None:
    """It is told by the session; a function that asks the database who is looking does so once, for a whole page."""
    with library(database) as shelf:

        def load() -> Any:
            name = session.get("name")
            return shelf.session.scalars(select(READER).where(READER.name == name)).one_or_none()

        shelf.open("ada", "ben", "eve", current_user=load)
        shelf.do("follow", 1, 2)

        @shelf.app.get("/own")
        def own() -> str:
            found = everybody(shelf)
            with count_statements(shelf.engine) as statements:
                render_template_string(BUTTONS, readers=found)
            before = relationship(found[1]).following
            session["name"] = "ada"
            inside = relationship(found[1]).following
            session.clear()
            return f"{len(statements)} {before} {inside} {relationship(found[1]).following}"

        assert shelf.visitor().get("/own").text == "1 False True False"
