"""The extension itself: one object, any number of applications."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy.orm import Session

from retinue import Graph
from retinue.flask import cli, config, language, refusals, signals, templating, wording
from retinue.flask.addresses import PartConverter, SlugConverter
from retinue.flask.permissions import May
from retinue.flask.state import NAME, State, current
from retinue.flask.views import blueprint

T = TypeVar("T")


class Retinue:
    """
    Puts the follow system on a Flask application.

    ``Retinue(app, ...)``, or ``Retinue(...)`` and ``init_app(app)`` later; both take
    the same arguments. Nothing of an application is kept on this object.

    Args:
        app: The application.
        session: Where sessions come from: ``db.session``, a ``sessionmaker``, or a callable
            that returns the session of the current request. None: Flask-SQLAlchemy 3 or
            Flask-SQLAlchemy-Lite, if it is on the application.
        user_model: The class with `FollowerMixin`, or a callable that returns it. None: the
            only one there is, looked for with the first request.
        current_user: Returns the user who is looking, or None. None: Flask-Login's.
        user_url: Returns the address of a user's page. None: a page of the extension's.
        may: Returns whether somebody may do what they are about to do, an `Attempt`: True, False, or a sentence why
            not. It is asked before every verb of the pages, and for every button, so it should ask no database. None:
            everybody may do everything.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        session: Any = None,
        user_model: type[Any] | Callable[[], type[Any]] | None = None,
        current_user: Callable[[], Any] | None = None,
        user_url: Callable[[Any], str] | None = None,
        may: May | None = None,
    ) -> None:
        self._given = {
            "session": session,
            "user_model": user_model,
            "current_user": current_user,
            "user_url": user_url,
            "may": may,
        }
        if app is not None:
            self.init_app(app)

    def init_app(
        self,
        app: Flask,
        *,
        session: Any = None,
        user_model: type[Any] | Callable[[], type[Any]] | None = None,
        current_user: Callable[[], Any] | None = None,
        user_url: Callable[[Any], str] | None = None,
        may: May | None = None,
    ) -> None:
        """
        Put the follow system on *app*; an argument given here wins over one given to the object.

        Raises:
            RuntimeError: It is on *app* already.
            TypeError: *session* gives no sessions.
            ValueError: A ``RETINUE_*`` key of the config makes no sense.
        """
        if NAME in app.extensions:
            message = "Retinue is on this Flask app already: one is enough"
            raise RuntimeError(message)
        here = {
            "session": session,
            "user_model": user_model,
            "current_user": current_user,
            "user_url": user_url,
            "may": may,
        }
        given = {name: self._given[name] if value is None else value for name, value in here.items()}
        config.init_app(app)
        state = app.extensions[NAME] = State(app, **given)
        model = given["user_model"]
        signals.init_app(app, model if isinstance(model, type) else lambda: state.user_class)
        language.init_app(app)
        wording.init_app(app)
        templating.init_app(app)
        refusals.init_app(app)
        cli.init_app(app)
        if app.config[config.PAGES]:
            app.url_map.converters.update(retinue_slug=SlugConverter, retinue_part=PartConverter)
            prefix, subdomain, host = (app.config[key] for key in (config.URL_PREFIX, config.SUBDOMAIN, config.HOST))
            place = {"url_prefix": prefix or None, "subdomain": subdomain, "host": host}
            app.register_blueprint(blueprint, **place, has_person=state.user_url is None)

    @property
    def session(self) -> Session:
        """The session of the current request."""
        return current().session()

    @property
    def graph(self) -> Graph[Any]:
        """The graph, on the session of the current request."""
        return current().graph()

    def transact(self, work: Callable[[Session], T]) -> T:
        """
        Do ``work(session)`` in a transaction of its own, as often as it takes, and commit; as `retinue.transact()`.

        What the session of the current request holds is committed first.
        """
        return current().transact(work)
