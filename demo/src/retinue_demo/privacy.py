"""The settings: what others see of one."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from retinue import Graph
from retinue.flask import back, somebody
from retinue.flask.wording import count
from retinue_demo.following import retinue
from retinue_demo.models import User

privacy = Blueprint("privacy", __name__)


@privacy.get("/settings")
def settings() -> str:
    """What others see of one, to be changed. Two statements."""
    viewer = somebody()
    switches = {
        "locked": viewer.locked,
        "hide_followers": viewer.hide_followers,
        "hide_following": viewer.hide_following,
        "away": not viewer.active,
    }
    return render_template("settings.html", switches=switches)


@privacy.post("/settings")
def save() -> Response:
    """Let others see of one what the form says; going public says yes to all who wait."""
    viewer, chosen = somebody().id, frozenset(request.form)
    accepted = retinue.transact(lambda session: _save(session, viewer, chosen))
    flash(f"Saved. {count(accepted, 'request')} accepted." if accepted else "Saved.")
    return back(url_for("privacy.settings"))


def _save(session: Session, viewer: int, chosen: frozenset[str]) -> int:
    """Write what was *chosen*; return how many requests that accepted."""
    user = session.get_one(User, viewer)
    user.hide_followers = "hide_followers" in chosen
    user.hide_following = "hide_following" in chosen
    user.active = "away" not in chosen
    if "locked" in chosen:
        user.locked = True
        return 0
    # Also if they seem to be public already: another window may have changed that.
    return Graph(session, User).unlock(user)
