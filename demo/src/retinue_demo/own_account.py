"""One's own account: another password, and leaving for good."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from sqlalchemy import update
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from retinue import Graph
from retinue.flask import somebody
from retinue_demo import entrance, forms, passwords, rates
from retinue_demo.following import retinue
from retinue_demo.forms import Form
from retinue_demo.models import User

own_account = Blueprint("own_account", __name__)


@own_account.get("/settings/account")
def overview() -> str:
    """What one can do with one's account. Two statements."""
    somebody()
    return render_template("account.html")


@own_account.get("/settings/password")
def password() -> str:
    """The form for another password. Two statements."""
    somebody()
    return render_template("password.html", form=Form())


@own_account.post("/settings/password")
def change_password() -> Response | tuple[str, int]:
    """Have another password from now on; every other browser is logged out. Twelve statements; 422 as for a log-in."""
    viewer, form = somebody(), Form()
    _read_current(form, viewer)
    new = form.read("new_password", forms.as_typed, forms.check_new_password)
    if form.errors:
        return render_template("password.html", form=form), 422
    key, kept = viewer.id, passwords.hashed(new)
    retinue.transact(lambda session: _change(session, key, kept))
    entrance.begin(key)
    flash("Your password was changed, and you were logged out everywhere else.")
    return redirect(url_for("own_account.overview"), 303)


@own_account.post("/settings/logout-everywhere")
def log_out_everywhere() -> Response:
    """Be nobody again, in whichever browser. Three statements."""
    key = somebody().id
    retinue.transact(lambda session: session.execute(entrance.all_of(key)))
    entrance.end()
    flash("You’re logged out everywhere.")
    return redirect(url_for("timelines.home"), 303)


@own_account.get("/settings/delete")
def leave() -> str:
    """The form for leaving for good. Two statements."""
    somebody()
    return render_template("delete_account.html", form=Form())


@own_account.post("/settings/delete")
def delete() -> Response | tuple[str, int]:
    """Delete one's account, and all that is known of one. The statements of `session.delete()` and one; 422 as above."""
    viewer, form = somebody(), Form()
    _read_current(form, viewer)
    if form.errors:
        return render_template("delete_account.html", form=form), 422
    key = viewer.id
    retinue.transact(lambda session: _delete(session, key))
    entrance.end()
    flash("Your account was deleted, with everything in it.")
    return redirect(url_for("timelines.home"), 303)


def _change(session: Session, key: int, kept: str) -> None:
    session.execute(update(User).where(User.id == key).values(password_hash=kept))
    session.execute(entrance.all_of(key))


def _delete(session: Session, key: int) -> None:
    user = session.get(User, key)
    if user is None:  # another window was faster
        return
    # Else what they did would be kept, under a number that nobody has any more.
    Graph(session, User).erase_history(user)
    session.delete(user)


def _read_current(form: Form, viewer: User) -> None:
    """Take one's present password from the request; a wrong one is an error, and counts as a wrong log-in does."""
    current = form.read("password", forms.as_typed, forms.needed("Enter your current password."))
    if not current:
        return
    tried = rates.attempt(viewer.username)
    if len(current) <= passwords.LONGEST and passwords.is_right(current, viewer.password_hash):
        rates.forget(tried)
    else:
        form.errors["password"] = "That isn’t your password."  # noqa: S105 - a sentence
