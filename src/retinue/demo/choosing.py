"""Choosing who to be: the demo's stand-in for logging in."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask_login import login_user, logout_user
from sqlalchemy import true
from werkzeug.wrappers import Response

from retinue.demo import people
from retinue.demo.models import db
from retinue.demo.pages import directory_page
from retinue.flask import local_path

choosing = Blueprint("choosing", __name__)


@choosing.get("/choose")
def choose() -> str:
    """Everybody whom one may be, whatever they keep from each other: this is the door. Five statements."""
    return render_template("choose.html", back_to=local_path(request.args.get("next")), **directory_page(true()))


@choosing.post("/choose")
def become() -> Response:
    """Be somebody from now on."""
    username = request.form.get("username", "")
    user = people.by_username(db.session(), username) if people.USERNAME.fullmatch(username) else None
    if user is None:
        abort(404, "Nobody here has this name.")
    # Nothing of whom one was before stays behind, the token of their forms included.
    session.clear()
    login_user(user)
    flash(f"You are {user.name} now.")
    return redirect(local_path(request.form.get("next")) or url_for("pages.home"), 303)


@choosing.post("/leave")
def leave() -> Response:
    """Be nobody again."""
    logout_user()
    session.clear()
    return redirect(url_for("choosing.choose"), 303)
