"""
The lesson's app, in one file: Flask, Flask-SQLAlchemy, and users who follow users.

In the folder of the repository, in a virtual environment with ``pip install '.[flask]' flask-sqlalchemy flask-login``::

    flask --app examples/lesson/app run         # http://127.0.0.1:5000
    flask --app examples/lesson/app shell       # db, User and Follow are there

In the shell, as in the lesson::

    >>> sutton = User(username="Sutton"); daniel = User(username="Daniel Bates")
    >>> db.session.add(sutton); db.session.add(daniel); db.session.commit()
    >>> sutton.follow(daniel); db.session.commit()
    <Outcome.FOLLOWED: 'followed'>
    >>> sutton.follows.all()
    [<User Daniel Bates>]
    >>> follow = daniel.followers.first(); follow.follower, follow.following
    (<User Sutton>, <User Daniel Bates>)
    >>> sutton.is_following(daniel), sutton.is_a_follower(daniel), daniel.is_a_follower(sutton)
    (True, False, True)
    >>> sutton.unfollow(daniel); db.session.commit()
    True
"""

from __future__ import annotations

import os
import secrets
from typing import Any

from flask import Flask, flash, redirect, render_template_string, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, login_user, logout_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.security import check_password_hash, generate_password_hash

from retinue import FollowerMixin, FollowMixin
from retinue.flask import Retinue, ask

db = SQLAlchemy()


# --- The lesson ----------------------------------------------------------------------------------
# `db.Model` is made at run time, so type checkers cannot know it: hence the ignores.


class User(FollowerMixin, UserMixin, db.Model):  # type: ignore[name-defined,misc]
    """Somebody: ``.follow()``, ``.unfollow()``, ``.is_following()``, ``.is_a_follower()``, ``.following``, ``.followers``."""

    __tablename__ = "users"

    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.String(64), unique=True, nullable=False)
    password_hash = db.Column(db.String(255))

    def __repr__(self) -> str:
        return f"<User {self.username}>"


class Follow(FollowMixin, db.Model):  # type: ignore[name-defined,misc]
    """Who follows whom, since when: ``follower_id``, ``following_id``, ``timestamp``, ``.follower``, ``.following``."""

    __tablename__ = "follows"


# --- The web pages -------------------------------------------------------------------------------

PAGE = """{% extends "retinue/layout.html" %}
{% block title %}People{% endblock %}
{% block content %}
<h1>People</h1>
{% if current_user.is_authenticated %}
<form method="post" action="{{ url_for('log_out') }}">You are {{ current_user.username }}. <button>Log out</button></form>
{% else %}
<form method="post" action="{{ url_for('enter') }}">
  <label>Name <input name="username" required maxlength="64" autocomplete="username"></label>
  <label>Password <input name="password" type="password" required autocomplete="current-password"></label>
  <button>Log in, or sign up</button>
</form>
{% endif %}
<ul>
{% for user in users %}
  <li><a href="{{ url_for('retinue.people', slug=user.username, kind='followers') }}">{{ user.username }}</a>
  {{ follow_button(user) }}</li>
{% endfor %}
</ul>
{% endblock %}"""


def people() -> str:
    """Show the newest hundred people, with a button for each: one select for all of the buttons."""
    users = db.session.scalars(select(User).order_by(User.id.desc()).limit(100)).all()
    ask(users)
    return render_template_string(PAGE, users=users)


def enter() -> ResponseReturnValue:
    """Log in; who has a new name signs up."""
    username, password = request.form.get("username", "").strip(), request.form.get("password", "")
    if not (username.isprintable() and 0 < len(username) <= 64 and password):
        flash("A name and a password, please.", "error")
        return redirect(url_for("people"), 303)
    user = User(username=username, password_hash=generate_password_hash(password))  # pyright: ignore[reportCallIssue]
    db.session.add(user)
    try:
        db.session.commit()
    except IntegrityError:  # the name is there: to look first would let two through at once
        db.session.rollback()
        user = db.session.scalars(select(User).where(User.username == username)).one()
    if user.password_hash is not None and check_password_hash(user.password_hash, password):
        login_user(user)
    else:
        flash("Somebody has this name, with another password.", "error")
    return redirect(url_for("people"), 303)


def log_out() -> ResponseReturnValue:
    """Log out."""
    logout_user()
    return redirect(url_for("people"), 303)


def create_app(database: str | None = None) -> Flask:
    """Return the app on a database: this one, else ``DATABASE_URL``, else a file in the folder ``instance``."""
    app = Flask(__name__)
    # Without a key of one's own everybody is logged out by a new start.
    app.config["SECRET_KEY"] = os.environ.get("SECRET_KEY") or secrets.token_hex()
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config["SQLALCHEMY_DATABASE_URI"] = database or os.environ.get("DATABASE_URL", "sqlite:///lesson.sqlite3")
    app.config["RETINUE_USER_SLUG"] = "username"
    db.init_app(app)
    login = LoginManager(app)
    login.login_view = "people"  # pyright: ignore[reportAttributeAccessIssue] - it says None, and means no more yet
    login.user_loader(lambda key: db.session.get(User, int(key)))
    Retinue(app, user_model=User)
    app.get("/")(people)
    app.post("/enter")(enter)
    app.post("/log-out")(log_out)
    app.shell_context_processor(_names)
    with app.app_context():
        db.create_all()
    return app


def _names() -> dict[str, Any]:
    """Return what ``flask shell`` knows."""
    return {"db": db, "User": User, "Follow": Follow}
