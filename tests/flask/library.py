"""A Flask application of somebody's own with everything declared: readers who follow each other, by Flask-Login."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, render_template_string
from flask.testing import FlaskClient
from flask_login import LoginManager, UserMixin, login_user, logout_user
from sqlalchemy import String, select
from sqlalchemy.orm import mapped_column, scoped_session, sessionmaker

from retinue import prepare_engine
from retinue.flask import Retinue
from retinue.settings import Settings
from tests.databases import roomy_engine
from tests.models import PRIVATE, Models, declare

#: What a browser says of a form that is of this site.
HERE = {"Origin": "http://localhost"}

#: A page of the application's own, with a button for each of its people.
BUTTONS = "{% for reader in readers %}{{ follow_button(reader) }}{% endfor %}"

#: The models of all libraries: what each is about is its application.
MODELS: Models = declare(
    *PRIVATE,
    settings=Settings(name="name", active="active"),
    flags=("locked", "active"),
    columns={
        "name": mapped_column(String(255), nullable=False, unique=True),
        "shelf": mapped_column(String(60), nullable=False, default=""),
        # Flask-Login's
        "get_id": lambda self: str(self.id),
        **{name: vars(UserMixin)[name] for name in ("is_authenticated", "is_active", "is_anonymous")},
    },
)
READER: Any = MODELS.user


class Library:
    """The application, which begins to serve with `open()`."""

    def __init__(self, url: Any, *, flask: dict[str, Any] | None = None, **config: Any) -> None:
        self.app = app = Flask("library", **(flask or {}))
        app.config.update(SECRET_KEY="for tests alone", PROPAGATE_EXCEPTIONS=False, **config)
        self.engine = prepare_engine(roomy_engine(url))
        self.session = scoped_session(sessionmaker(self.engine))
        app.teardown_appcontext(lambda _error: self.session.remove())
        self.retinue = Retinue(session=self.session, user_model=READER)

    def open(self, *names: str, **given: Any) -> None:
        """Begin to serve; *names* are readers from 1 on, and *given* are arguments of `Retinue`."""
        app, session = self.app, self.session
        logins = LoginManager(app)
        logins.login_view = "enter"
        logins.user_loader(lambda key: session.get(READER, int(key)))
        self.retinue.init_app(app, **given)
        host = {"host": "club.example"} if app.url_map.host_matching else {}

        @app.get("/enter", **host)
        def enter() -> str:
            return "Who are you?"

        @app.post("/enter/<int:number>", **host)
        def entered(number: int) -> str:
            login_user(session.get(READER, number))
            return self.says_of(2)

        @app.post("/leave", **host)
        def leave() -> str:
            logout_user()
            return self.says_of(2)

        @app.get("/readers", **host)
        def readers() -> str:
            return render_template_string(BUTTONS, readers=session.scalars(select(READER).order_by(READER.id)).all())

        with app.app_context():
            session.add_all([READER(id=number, name=name) for number, name in enumerate(names, 1)])
            session.commit()

    def says_of(self, number: int) -> str:
        """Return what a template of this request says of a reader: whether the viewer follows them."""
        return render_template_string(
            "{{ relationship(reader).following }}", reader=self.session.get_one(READER, number)
        )

    def do(self, verb: str, *keys: Any, **more: Any) -> None:
        """Do a verb of the graph."""
        with self.app.app_context():
            getattr(self.retinue.graph, verb)(*keys, **more)
            self.session.commit()

    def change(self, number: int, **values: Any) -> None:
        """Change what a reader says of themselves."""
        with self.app.app_context():
            for name, value in values.items():
                setattr(self.session.get_one(READER, number), name, value)
            self.session.commit()

    def visitor(self, number: int | None = None, **options: Any) -> FlaskClient:
        """Return a visitor, who is the reader of *number*."""
        client = self.app.test_client()
        if number is not None:
            client.post(f"/enter/{number}", **options).close()
        return client


@contextmanager
def library(url: Any, **config: Any) -> Iterator[Library]:
    """Give a library, and let go of its database in the end."""
    one = Library(url, **config)
    try:
        yield one
    finally:
        one.session.remove()
        one.engine.dispose()
