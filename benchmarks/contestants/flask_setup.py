"""What the contestants on Flask-SQLAlchemy share: an application, and its users as a request has them."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL
from sqlalchemy.orm import make_transient_to_detached

from benchmarks.contestant import Contestant
from benchmarks.contestants.peers_loading import log_writes_ahead

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound="FlaskContestant")


def in_application(method: Callable[Concatenate[C, P], T]) -> Callable[Concatenate[C, P], T]:
    """Run *method* in its contestant's application context, which several of them have in one thread."""

    @wraps(method)
    def call(self: C, /, *arguments: P.args, **named: P.kwargs) -> T:
        return self.context.run(method, self, *arguments, **named)

    return call


class FlaskContestant(Contestant):
    """
    An application on Flask-SQLAlchemy, in one long application context.

    Every application's request has its users already when it comes to follow: from the login
    and from the address. So that nobody pays for reading them, they come without a statement,
    and a commit does not expire them. What the session holds else lives as in any application.
    """

    runs_on = frozenset({"sqlite", "postgresql"})
    #: The extension, whose models are declared once, and the class of its users.
    db: SQLAlchemy
    user_class: Any

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        log_writes_ahead(url)
        self.app = Flask(__name__)
        self.app.config["SQLALCHEMY_DATABASE_URI"] = url
        self.db.init_app(self.app)
        self.users: dict[int, Any] = {}
        self.context = contextvars.copy_context()
        self.application = self.app.app_context()
        self.context.run(self.application.push)
        self.context.run(self.prepare)

    def prepare(self) -> None:
        """Make the tables."""
        self.db.create_all()

    def close(self) -> None:
        """Give back every connection."""
        self.context.run(self._close)

    def _close(self) -> None:
        self.db.session.remove()
        self.db.engine.dispose()
        self.application.pop()

    def user(self, key: int) -> Any:
        """Return a user as a request has them: loaded."""
        user = self.users.get(key)
        if user is None:
            user = self.user_class(id=key, username=f"user{key}")
            make_transient_to_detached(user)
            self.db.session.add(user)
            self.users[key] = user
        return user
