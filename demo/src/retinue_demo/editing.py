"""Editing one's own profile."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from retinue.flask import somebody
from retinue_demo import forms, people
from retinue_demo.following import retinue
from retinue_demo.forms import Form
from retinue_demo.models import User
from retinue_demo.vocabulary import CIRCLES

editing = Blueprint("editing", __name__)


@editing.get("/settings/profile")
def profile() -> str:
    """What one says of oneself, to be changed. Two statements."""
    viewer = somebody()
    return _page(Form({"name": viewer.name, "bio": viewer.bio, "circle": viewer.circle}))


@editing.post("/settings/profile")
def save() -> Response | tuple[str, int]:
    """Say something else of oneself. Five statements; 422 for what cannot be."""
    viewer, form = somebody().id, Form()
    changed = {
        "name": form.read("name", forms.tidy, forms.check_name),
        "bio": form.read("bio", forms.tidy, forms.check_bio),
        "circle": form.read("circle", forms.as_typed, _check_circle),
    }
    if form.errors:
        return _page(form), 422
    retinue.transact(lambda session: _change(session, viewer, changed))
    flash("Your profile was saved.")
    return redirect(url_for("editing.profile"), 303)


def _change(session: Session, key: int, changed: dict[str, str]) -> None:
    user = session.get(User, key)
    if user is None:  # deleted in another window
        return
    for name, value in changed.items():
        setattr(user, name, value)
    people.let_find(session, user)


def _page(form: Form) -> str:
    return render_template("edit_profile.html", form=form, circles=list(CIRCLES), bio_most=forms.BIO_MOST)


def _check_circle(circle: str) -> str:
    return "" if circle in {"", *CIRCLES} else "Choose one of the interests in the menu."
