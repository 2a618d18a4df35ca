"""
The lesson's app: its models and methods as they stand, and the views and templates that its readers write around them.

The page shows the same people with the same words. It has no search, no filter and no tokens in its forms, so
it is a little smaller than Retinue's.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, flash, redirect, render_template, request, url_for
from flask_login import LoginManager, current_user, login_required, login_user
from sqlalchemy import URL, create_engine, text
from werkzeug.wrappers import Response

from benchmarks.contestants.lesson import Follow, Lesson, User, db
from benchmarks.data import Data


def create_app(url: URL) -> Flask:
    """Return the app on the database at *url*."""
    app = Flask(__name__)
    app.config.update(SECRET_KEY="of a benchmark", SQLALCHEMY_DATABASE_URI=url)
    db.init_app(app)
    login = LoginManager(app)

    @login.user_loader  # type: ignore[untyped-decorator]
    def load_user(key: str) -> User | None:
        return db.session.get(User, int(key))

    @app.post("/log-in/<int:key>")
    def log_in(key: int) -> str:
        login_user(db.get_or_404(User, key))
        return ""

    @app.get("/people/<int:key>/followers")
    def followers(key: int) -> str:
        user: Any = db.get_or_404(User, key)
        newest = user.followers.order_by(Follow.timestamp.desc(), Follow.follower_id.desc())
        page = newest.paginate(per_page=request.args.get("limit", 20, type=int), error_out=False)
        people = [(row.follower, row.timestamp) for row in page.items]
        return render_template("lesson/people.html", user=user, kind="followers", page=page, people=people)

    @app.get("/people/<int:key>/following")
    def following(key: int) -> str:
        user: Any = db.get_or_404(User, key)
        newest = user.following.order_by(Follow.timestamp.desc(), Follow.following_id.desc())
        page = newest.paginate(per_page=request.args.get("limit", 20, type=int), error_out=False)
        people = [(row.following, row.timestamp) for row in page.items]
        return render_template("lesson/people.html", user=user, kind="following", page=page, people=people)

    @app.post("/people/<int:key>/follow")
    @login_required  # type: ignore[untyped-decorator]
    def follow(key: int) -> Response:
        user: Any = db.get_or_404(User, key)
        me: Any = current_user
        me.follow(user)
        db.session.commit()
        flash(f"You follow {user.username}.")
        return redirect(request.form.get("next") or url_for("followers", key=key))

    @app.post("/people/<int:key>/unfollow")
    @login_required  # type: ignore[untyped-decorator]
    def unfollow(key: int) -> Response:
        user: Any = db.get_or_404(User, key)
        me: Any = current_user
        me.unfollow(user)
        db.session.commit()
        flash(f"You no longer follow {user.username}.")
        return redirect(request.form.get("next") or url_for("followers", key=key))

    return app


def fill(url: URL, data: Data) -> None:
    """Make the tables, and take over the graph."""
    lesson = Lesson(url)
    lesson.load(data)
    lesson.close()


def fill_and_index(url: URL, data: Data) -> None:
    """Do the same, and add the index that the lesson forgot: its key begins with who follows, so followers are searched for."""
    fill(url, data)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE INDEX ix_follows_following ON follows (following_id, timestamp)"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()
