"""Small applications of somebody else's: each has its users in another way, and puts Retinue on top."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Flask, render_template_string, session
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy_lite import SQLAlchemy as Lite
from sqlalchemy import String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

from retinue import FollowerMixin, FollowMixin, prepare_engine
from retinue.flask import Retinue

#: A page of the application's own, with a button for each of its people.
PAGE = "{% for user in users %}{{ follow_button(user) }}{{ relationship(user).following }}{% endfor %}"


class Plain(NamedTuple):
    """An application, and the names of what a test works with."""

    app: Flask
    user: type[Any]
    #: Returns the session of the current request.
    session: Callable[[], Any]


def declare(base: Any, *, uuids: bool = False) -> type[Any]:
    """Declare the lesson's two models on *base*, and nothing else."""

    class User(FollowerMixin, base):  # type: ignore[misc]
        __tablename__ = "users"
        if uuids:
            id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
        else:
            id: Mapped[int] = mapped_column(primary_key=True)  # type: ignore[no-redef]
        username: Mapped[str] = mapped_column(String(64), unique=True)

    class Follow(FollowMixin, base):  # type: ignore[misc]
        __tablename__ = "follows"

    User.edges = Follow  # a class that nobody holds is forgotten
    return User


def plain_app(name: str, url: str, **config: Any) -> Plain:
    """Return the application *name*: each finds its session, and who is looking, in another way."""
    app = Flask("plain")
    app.config.update(SECRET_KEY="k", **config)
    plain = _MAKERS[name](app, url)

    @app.get("/")
    def index() -> str:
        people = plain.session().scalars(select(plain.user).order_by(plain.user.username)).all()
        return render_template_string(PAGE, users=people)

    @app.post("/be/<username>")
    def be(username: str) -> str:
        session["username"] = username
        return ""

    return plain


def _loader(user: type[Any], session_now: Callable[[], Any]) -> Callable[[], Any]:
    def load() -> Any:
        return session_now().scalars(select(user).where(user.username == session.get("username"))).one_or_none()

    return load


def _flask_sqlalchemy(app: Flask, url: str) -> Plain:
    db = SQLAlchemy()
    user = declare(db.Model)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db.init_app(app)
    retinue = Retinue(user_model=user, current_user=_loader(user, lambda: db.session))
    retinue.init_app(app)
    with app.app_context():
        db.create_all()
    return Plain(app, user, lambda: db.session)


def _lite(app: Flask, url: str) -> Plain:
    class Base(DeclarativeBase):
        pass

    db, user = Lite(), declare(Base, uuids=True)
    app.config["SQLALCHEMY_ENGINES"] = {"default": url}
    db.init_app(app)
    Retinue(app, user_model=lambda: user, current_user=_loader(user, lambda: db.session))
    with app.app_context():
        Base.metadata.create_all(db.engine)
    return Plain(app, user, lambda: db.session)


def _own_sessions(app: Flask, url: str, make: Callable[[Any], Any]) -> Plain:
    class Base(DeclarativeBase):
        pass

    user, engine = declare(Base), prepare_engine(create_engine(url))
    Base.metadata.create_all(engine)
    given = make(engine)
    retinue = Retinue(session=given, user_model=user)
    retinue.init_app(app, current_user=_loader(user, lambda: retinue.session))
    return Plain(app, user, lambda: retinue.session)


def _scoped(app: Flask, url: str) -> Plain:
    def make(engine: Any) -> Any:
        sessions = scoped_session(sessionmaker(engine))
        app.teardown_appcontext(lambda _: sessions.remove())
        return sessions

    return _own_sessions(app, url, make)


def _factory(app: Flask, url: str) -> Plain:
    return _own_sessions(app, url, sessionmaker)


def _callable(app: Flask, url: str) -> Plain:
    def make(engine: Any) -> Any:
        sessions = scoped_session(sessionmaker(engine))
        app.teardown_appcontext(lambda _: sessions.remove())
        return lambda: sessions()  # noqa: PLW0108 - a callable, and no scoped_session

    return _own_sessions(app, url, make)


_MAKERS: dict[str, Callable[[Flask, str], Plain]] = {
    "flask-sqlalchemy": _flask_sqlalchemy,
    "flask-sqlalchemy-lite": _lite,
    "scoped_session": _scoped,
    "sessionmaker": _factory,
    "callable": _callable,
}

KINDS = tuple(_MAKERS)
