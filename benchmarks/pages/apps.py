"""The apps that are compared: Retinue's with the extension's own pages, and the lesson's with those its readers write."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from flask import Flask, flash, redirect, render_template, request, url_for
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from werkzeug.wrappers import Response

from benchmarks.competitors import lesson
from benchmarks.competitors.retinue import edges
from benchmarks.data import Data
from benchmarks.databases import connect
from benchmarks.filling import filling, tidy
from retinue import FollowCountMixin, FollowerMixin, FollowMixin
from retinue.flask import Retinue
from retinue.transfer import import_follows

#: People on a page.
ROWS = 40


@dataclass(frozen=True)
class App:
    """One of those who are compared."""

    create: Callable[[URL], Flask]
    #: Makes its tables, and takes over the graph.
    fill: Callable[[URL, Data], None]
    #: Where it has what is visited; ``{}`` stands for the number of a user.
    page: str
    follow: str
    unfollow: str


class Base(DeclarativeBase):
    """What the models stand on."""


db = SQLAlchemy(model_class=Base)


class User(FollowerMixin, UserMixin, db.Model):  # type: ignore[name-defined,misc]
    """A user."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)


class Follow(FollowMixin, db.Model):  # type: ignore[name-defined,misc]
    """That one user follows another."""

    __tablename__ = "follows"


class FollowCount(FollowCountMixin, db.Model):  # type: ignore[name-defined,misc]
    """How many follow a user, and how many they follow."""

    __tablename__ = "follow_counts"


def _with_login(url: URL, db: SQLAlchemy, user_class: Any) -> Flask:
    """Return an app on the database at *url*, in which people log in with their number."""
    app = Flask(__name__)
    app.config.update(SECRET_KEY="of a benchmark", SQLALCHEMY_DATABASE_URI=url)
    db.init_app(app)
    login = LoginManager(app)

    @login.user_loader  # type: ignore[untyped-decorator]
    def load_user(key: str) -> Any:
        return db.session.get(user_class, int(key))

    @app.post("/log-in/<int:key>")
    def log_in(key: int) -> str:
        login_user(db.get_or_404(user_class, key))
        return ""

    return app


def create_retinue(url: URL) -> Flask:
    """Return Retinue's app: the lesson's two models made Retinue's, its counts, and the extension."""
    app = _with_login(url, db, User)
    Retinue(app, user_model=User)
    return app


def fill_retinue(url: URL, data: Data) -> None:
    """Make the tables, and take over the graph."""
    with create_retinue(url).app_context():
        db.create_all()
        with filling(url) as filler:
            filler.users("users", data.users)
        import_follows(db.engine, User, edges(data))
        db.engine.dispose()
    tidy(url)


def create_lesson(url: URL) -> Flask:
    """
    Return the lesson's app: its models and methods as they stand, with the views and templates that its readers write.

    The page shows the same people with the same words. It has no search, no filter and no tokens in its forms, so
    it is a little smaller than Retinue's.
    """
    app = _with_login(url, lesson.db, lesson.User)

    def people(kind: str, other: str, key: int) -> str:
        user: Any = lesson.db.get_or_404(lesson.User, key)
        by_time = lesson.Follow.timestamp.desc(), getattr(lesson.Follow, f"{other}_id").desc()
        limit = request.args.get("limit", 20, type=int)
        page = getattr(user, kind).order_by(*by_time).paginate(per_page=limit, error_out=False)
        rows = [(getattr(row, other), row.timestamp) for row in page.items]
        return render_template("lesson/people.html", user=user, kind=kind, page=page, people=rows)

    @app.get("/people/<int:key>/followers")
    def followers(key: int) -> str:
        return people("followers", "follower", key)

    @app.get("/people/<int:key>/following")
    def following(key: int) -> str:
        return people("following", "following", key)

    def change(verb: str, words: str, key: int) -> Response:
        user: Any = lesson.db.get_or_404(lesson.User, key)
        getattr(current_user, verb)(user)
        lesson.db.session.commit()
        flash(f"You {words} {user.username}.")
        return redirect(request.form.get("next") or url_for("followers", key=key))

    @app.post("/people/<int:key>/follow")
    @login_required  # type: ignore[untyped-decorator]
    def follow(key: int) -> Response:
        return change("follow", "follow", key)

    @app.post("/people/<int:key>/unfollow")
    @login_required  # type: ignore[untyped-decorator]
    def unfollow(key: int) -> Response:
        return change("unfollow", "no longer follow", key)

    return app


def fill_lesson(url: URL, data: Data) -> None:
    """Make the tables, and take over the graph."""
    with closing(lesson.Lesson(url)) as competitor:
        competitor.create()
        competitor.load(data)


def fill_lesson_and_index(url: URL, data: Data) -> None:
    """Do the same, and add the index that the lesson forgot: its key begins with who follows, so followers are searched."""
    fill_lesson(url, data)
    with closing(connect(url)) as connection:
        connection.execute("CREATE INDEX ix_follows_following ON follows (following_id, timestamp)")
    tidy(url)


_LESSON = (f"/people/{{}}/followers?limit={ROWS}", "/people/{}/follow", "/people/{}/unfollow")
RETINUE, LESSON, INDEXED = (
    App(
        create_retinue,
        fill_retinue,
        f"/people/@{{}}/followers?limit={ROWS}",
        "/people/@{}/follow",
        "/people/@{}/unfollow",
    ),
    App(create_lesson, fill_lesson, *_LESSON),
    App(create_lesson, fill_lesson_and_index, *_LESSON),
)
