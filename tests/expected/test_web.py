"""H: pages in somebody's app of another shape. I: what was asked in a request, and what has happened since."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from flask_login import LoginManager, UserMixin, login_user
from flask_sqlalchemy import SQLAlchemy
from jinja2 import StrictUndefined
from sqlalchemy import URL, Boolean, Column, Integer, String, select
from sqlalchemy.orm import load_only
from werkzeug.test import TestResponse

from retinue import FollowerMixin, FollowMixin, FollowRequestMixin, NotificationMixin, Settings
from retinue.flask import Retinue, ask, relationship, unread
from retinue.testing import count_statements

BUTTONS = "{% for reader in readers %}{{ follow_button(reader) }}{% endfor %}"

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def expected(reason: str) -> pytest.MarkDecorator:
    """Mark a test whose assertion fails today."""
    return pytest.mark.xfail(strict=True, raises=AssertionError, reason=reason)


class Library:
    """A Flask app with Flask-SQLAlchemy and Flask-Login, and readers who follow each other."""

    def __init__(self, url: URL) -> None:
        self.app = app = Flask("library")
        app.config.update(SECRET_KEY="for tests alone", SQLALCHEMY_DATABASE_URI=url, PROPAGATE_EXCEPTIONS=False)
        self.db = db = SQLAlchemy()
        model: Any = db.Model

        class Reader(FollowerMixin, UserMixin, model):  # type: ignore[misc]
            __retinue__ = Settings(name="name")
            id = Column(Integer, primary_key=True)
            name = Column(String(60), nullable=False)
            shelf = Column(String(60), nullable=False, default="")
            locked = Column(Boolean, nullable=False, default=False)

        self.reader: Any = Reader
        self.models = [
            type(name, (mixin, model), {"__tablename__": name.lower(), "__module__": __name__})
            for name, mixin in {"Edge": FollowMixin, "Ask": FollowRequestMixin, "Notice": NotificationMixin}.items()
        ]

    def open(self, *names: str) -> None:
        """Begin to serve; *names* are readers from 1 on."""
        app, db, reader = self.app, self.db, self.reader
        db.init_app(app)
        logins = LoginManager(app)
        logins.login_view = "enter"
        logins.user_loader(lambda key: db.session.get(reader, int(key)))
        self.retinue = Retinue(app, user_model=reader)

        @app.get("/enter")
        def enter() -> str:
            return "Who are you?"

        @app.post("/enter/<int:number>")
        def entered(number: int) -> str:
            login_user(db.session.get(reader, number))
            return render_template_string("{{ relationship(reader).following }}", reader=db.session.get(reader, 2))

        @app.get("/readers")
        def readers() -> str:
            found = db.session.scalars(select(reader).order_by(reader.id)).all()
            return render_template_string(BUTTONS, readers=found)

        with app.app_context():
            db.create_all()
            db.session.add_all([reader(id=number, name=name) for number, name in enumerate(names, 1)])
            db.session.commit()

    def do(self, verb: str, *keys: int) -> None:
        """Do a verb of the graph."""
        with self.app.app_context():
            getattr(self.retinue.graph, verb)(*keys)
            self.db.session.commit()

    def visitor(self, number: int | None = None) -> FlaskClient:
        """Return a visitor, who is the reader of *number*."""
        client = self.app.test_client()
        if number is not None:
            client.post(f"/enter/{number}").close()
        return client


@pytest.fixture
def library(database: URL) -> Iterator[Library]:
    """Give the app, which is not open yet."""
    library = Library(database)
    yield library
    with library.app.app_context():
        library.db.session.remove()
        library.db.engine.dispose()


def below(prefix: str, client: FlaskClient, path: str, **more: Any) -> TestResponse:
    """Ask for a page where the app is mounted below *prefix*."""
    return client.open(path, environ_overrides={"SCRIPT_NAME": prefix}, **more)


PREFIX = "H: an app below a prefix is led out of it"


@expected(PREFIX)
def test_a_button_leads_back_below_the_prefix(library: Library) -> None:
    """Without the script, to the page that it was on: rayluo/identity#39."""
    library.open("ada", "ben")
    visitor = library.visitor(1)
    page = below("/club", visitor, "/readers").text
    (back,) = set(re.findall(r'name="next" value="([^"]*)"', page))
    answer = below(
        "/club",
        visitor,
        "/people/@2/follow",
        method="POST",
        data={"next": back},
        headers={"Origin": "http://localhost"},
    )
    assert answer.headers["Location"] == "/club/readers"


@expected(PREFIX)
def test_logging_in_leads_back_below_the_prefix(library: Library) -> None:
    """To the page that asked who one is."""
    library.open("ada")
    place = below("/club", library.visitor(), "/people/notifications").headers["Location"]
    assert place.replace("%2F", "/") == "/club/enter?next=/club/people/notifications"


@expected(PREFIX)
def test_links_stay_below_the_prefix(library: Library) -> None:
    """All of a page that found nobody."""
    library.open("ada", "ben")
    page = below("/club", library.visitor(1), "/people/@2/followers?q=zz").text
    places = re.findall(r'(?:href|action|formaction|src)="(/[^"]*)"', page)
    assert [place for place in places if not place.startswith("/club/")] == []


@expected("H: templates use names that may be undefined")
def test_pages_are_shown_where_undefined_names_are_errors(library: Library) -> None:
    """As with `StrictUndefined`: pallets-eco/flask-admin#2522."""
    library.app.jinja_env.undefined = StrictUndefined
    library.open("ada", "ben", "eve")
    with library.app.app_context():
        library.db.session.get_one(library.reader, 3).locked = True
        library.db.session.commit()
    library.do("follow", 2, 1)
    library.do("follow", 1, 3)
    visitor = library.visitor(1)
    pages = ["/people/requests/sent", "/people/@1/followers"]
    assert [visitor.get(page).status_code for page in pages] == [200, 200]


@expected("H: the button cannot be rendered by an asynchronous environment")
def test_a_button_is_shown_where_templates_are_asynchronous(library: Library) -> None:
    """As with ``enable_async``: SmileyChris/django-includecontents#14."""
    library.app.jinja_options = {"enable_async": True}
    library.open("ada", "ben")
    assert library.visitor(1).get("/readers").status_code == 200


REMEMBERED = "I: what was asked in a request is not forgotten when something changes it"


@expected(REMEMBERED)
def test_a_verb_changes_what_the_page_says(library: Library) -> None:
    """A view that asks, follows and renders, in one request: TryGhost/Ghost#24571."""

    @library.app.post("/welcome")
    def welcome() -> str:
        ben = library.db.session.get_one(library.reader, 2)
        if not relationship(ben).following:
            library.retinue.graph.follow(1, ben)
            library.db.session.commit()
        return render_template_string("{{ relationship(reader).following }}", reader=ben)

    library.open("ada", "ben")
    assert library.visitor(1).post("/welcome").text == "True"


@expected(REMEMBERED)
def test_logging_in_changes_what_the_page_says(library: Library) -> None:
    """What was asked for a stranger is not true of who has just come in."""

    @library.app.before_request
    def ask_early() -> None:
        ask(library.db.session.scalars(select(library.reader)).all())

    library.open("ada", "ben")
    library.do("follow", 1, 2)
    assert library.visitor().post("/enter/1").text == "True"


@expected(REMEMBERED)
def test_reading_the_notices_changes_the_bell(library: Library) -> None:
    """The number is asked before, and again after, `mark_read()`."""

    @library.app.before_request
    def ask_early() -> None:
        unread()

    @library.app.post("/read")
    def read() -> str:
        library.retinue.graph.mark_read(1)
        library.db.session.commit()
        return str(unread())

    library.open("ada", "ben")
    library.do("follow", 2, 1)
    assert library.visitor(1).post("/read").text == "0"


@expected("I: a page of buttons loads each user whose columns were left out")
def test_buttons_of_half_loaded_users_cost_one_select(library: Library) -> None:
    """A list that loads names alone: smithyhq/sqladmin#815."""

    @library.app.get("/lean")
    def lean() -> str:
        names = select(library.reader).options(load_only(library.reader.name))
        found = library.db.session.scalars(names).all()
        with count_statements(library.db.engine) as statements:
            render_template_string(BUTTONS, readers=found)
        return str(len(statements))

    library.open(*(f"reader{number}" for number in range(12)))
    assert int(library.visitor(1).get("/lean").text) <= 2
