"""Signing up, logging in, logging out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from retinue import Graph, Outcome
from retinue.flask import local_path
from retinue_demo import entrance, forms, passwords, people, rates
from retinue_demo.following import retinue
from retinue_demo.forms import Form
from retinue_demo.models import User, db

#: People who are invented, offered on the log-in page.
OFFERED = 3

#: Somebody's page, or their row in a list.
_PLACE_OF_ONE: Final = re.compile(rf"(?:/@|.*#user-)({people.USERNAME.pattern})")

#: Who knows that the username is right knows half.
WRONG = "Wrong username or password."

accounts = Blueprint("accounts", __name__)


@accounts.get("/signup")
def signup() -> str:
    """Where somebody new comes in. No statement; one where they were on somebody's page."""
    return _signup_page(Form(), request.args.get("next"))


@accounts.post("/signup")
def sign_up() -> Response | tuple[str, int]:
    """Add somebody, log them in, and let them follow whom they came for, if they say so; 422 for what cannot be."""
    form = Form()
    username = form.read("username", forms.tidy_username, forms.check_username)
    name = form.read("name", forms.tidy, forms.check_name)
    password = form.read("password", forms.as_typed, forms.check_new_password)
    if not form.errors:
        rates.attempt()
        user = _add(username, name, passwords.hashed(password))
        if user is not None:
            user = entrance.begin(user.id)
            met = _met(request.form.get("next")) if "follow" in request.form else None
            flash(f"Welcome, {name}! {_follow(user, met) if met else 'Start by following a few people.'}")
            return _onward()
        form.errors["username"] = "That username is taken. Try another."
    return _signup_page(form, request.form.get("next")), 422


@accounts.get("/login")
def login() -> str:
    """Where somebody comes in again, with the ``username`` of the address filled in. One statement."""
    form = Form(values={"username": forms.tidy_username(request.args.get("username", ""))[: forms.NAME_MOST]})
    return _login_page(form, request.args.get("next"))


@accounts.post("/login")
def log_in() -> Response | tuple[str, int]:
    """Be somebody from now on. Eight statements; 422, and the same sentence, for a wrong password and an unknown user."""
    form = Form()
    username = form.read("username", forms.tidy_username, forms.needed("Enter your username."))
    password = form.read("password", forms.as_typed, forms.needed("Enter your password."))
    if not form.errors:
        tried = rates.attempt(username)
        user = _who(username, password)
        if user is not None:
            rates.forget(tried)
            user = entrance.begin(user.id)
            flash(f"Welcome back, {user.name}.")
            return _onward()
        form.errors["password"] = WRONG
    return _login_page(form, request.form.get("next")), 422


@accounts.post("/logout")
def log_out() -> Response:
    """Be nobody again, in this browser. Two statements."""
    entrance.end()
    flash("You’re logged out.")
    return redirect(url_for("timelines.home"), 303)


def _signup_page(form: Form, back_to: str | None) -> str:
    return render_template("signup.html", form=form, back_to=local_path(back_to), met=_met(back_to))


def _met(back_to: str | None) -> User | None:
    """Return the person on whose page or row somebody was before, if strangers may see that. One select."""
    place = _PLACE_OF_ONE.fullmatch(local_path(back_to) or "")
    session = db.session()
    return people.by_username(session, place[1], whom=Graph(session, User).visible_to(None)) if place else None


def _follow(user: User, other: User) -> str:
    """Let somebody new follow whom they came for; return what they are told."""
    key, whom, name = user.id, other.id, other.name
    outcome = retinue.transact(lambda session: Graph(session, User).follow(key, whom))
    return f"You’ve asked to follow {name}." if outcome is Outcome.REQUESTED else f"You’re following {name}."


def _login_page(form: Form, back_to: str | None) -> str:
    return render_template(
        "login.html",
        form=form,
        back_to=local_path(back_to),
        offered=people.invented(db.session(), OFFERED),
        public_password=passwords.PASSWORD,
    )


def _onward() -> Response:
    """Lead to where somebody was on their way to, if that is here."""
    return redirect(local_path(request.form.get("next")) or url_for("timelines.home"), 303)


def _add(username: str, name: str, kept: str) -> User | None:
    """Return somebody new, or None if the username is taken. The insert decides: two may want it at once."""

    def add(session: Session) -> int:
        said = {"username": username, "name": name, "bio": "", "circle": "", "password_hash": kept}
        user = User(**said | {"joined_at": datetime.now(UTC)})
        session.add(user)
        people.let_find(session, user)
        return user.id

    try:
        key = retinue.transact(add)
    except IntegrityError:
        return None
    return db.session.get_one(User, key)


def _who(username: str, password: str) -> User | None:
    """Return the user of that name if that is their password; None after as long for a name that nobody has."""
    if len(password) > passwords.LONGEST:
        return None
    user = people.by_username(db.session(), username) if people.USERNAME.fullmatch(username) else None
    if not passwords.is_right(password, user and user.password_hash) or user is None:
        return None
    if user.password_hash is not None and passwords.is_outdated(user.password_hash):
        _renew(user.id, user.password_hash, passwords.hashed(password))
    return user


def _renew(key: int, before: str, kept: str) -> None:
    """Keep a password that was right as passwords are kept today. One update, and a select for who reads it then."""
    renewal = update(User).where(User.id == key, User.password_hash == before).values(password_hash=kept)
    retinue.transact(lambda session: session.execute(renewal))
