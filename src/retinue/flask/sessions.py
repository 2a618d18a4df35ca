"""Where the extension gets its sessions: from Flask-SQLAlchemy, from Flask-SQLAlchemy-Lite, or from the application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from flask import Flask, g
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from retinue import prepare_engine


class Sessions(NamedTuple):
    """Two ways to get a session."""

    #: Returns the session of the current request.
    current: Callable[[], Session]
    #: Makes a new session, for work in a transaction of its own.
    new: Callable[[], Session]


def sessions_of(app: Flask, given: Any) -> Sessions:
    """
    Return the sessions that were *given*, or else those of the extension that *app* has.

    Args:
        app: The application.
        given: A ``scoped_session``, a ``sessionmaker``, any callable that returns the session of
            the current request, an extension with a ``session``, or None to find one.

    Raises:
        RuntimeError: None was given, and the application has none.
        TypeError: It is none of these.
    """
    given = _found(app, given)
    if given is None:
        message = (
            "Retinue finds no session: init Flask-SQLAlchemy or Flask-SQLAlchemy-Lite on this app, "
            "or name one: Retinue(app, session=...)"
        )
        raise RuntimeError(message)
    if isinstance(given, sessionmaker):
        return _of_factory(app, given)
    if isinstance(given, scoped_session):
        return Sessions(given, given.session_factory)
    if isinstance(getattr(given, "__dict__", {}).get("session"), scoped_session):  # Flask-SQLAlchemy
        return Sessions(given.session, given.session.session_factory)
    # Flask-SQLAlchemy-Lite: its session belongs to a context, and there may be none yet.
    if hasattr(given, "sessionmaker"):
        return Sessions(lambda: cast("Session", given.session), lambda: cast("Session", given.sessionmaker()))
    if callable(given) and not isinstance(given, Session):
        current = cast("Callable[[], Session]", given)
        return Sessions(current, lambda: _another(current()))
    message = f"session must be what gives sessions, such as db.session, not {type(given).__name__}"
    raise TypeError(message)


def prepare_engines(app: Flask, given: Any) -> None:
    """Prepare the engines that exist already: those of a database extension that was put on *app* before."""
    with app.app_context():
        engines = getattr(_found(app, given), "engines", None)
        if isinstance(engines, Mapping):
            for engine in engines.values():
                prepare_engine(engine)


def _found(app: Flask, given: Any) -> Any:
    return app.extensions.get("sqlalchemy") if given is None else given


def _of_factory(app: Flask, factory: sessionmaker[Any]) -> Sessions:
    """Return sessions that *factory* makes: one for each application context, closed at its end."""
    name = "_retinue_session"

    def current() -> Session:
        if name not in g:
            setattr(g, name, factory())
        return cast("Session", getattr(g, name))

    @app.teardown_appcontext
    def close(_error: BaseException | None) -> None:
        session = g.pop(name, None)
        if session is not None:
            session.close()

    return Sessions(current, factory)


def _another(session: Session) -> Session:
    """Return a new session on the same databases as *session*."""
    known = vars(session)
    # Of a name of its own until SQLAlchemy 2.1.
    return type(session)(bind=session.bind, binds=known.get("binds", known.get("_Session__binds")))
