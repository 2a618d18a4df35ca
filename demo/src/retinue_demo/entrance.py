"""Who is logged in: how that begins and ends, and how they are known again on the next page."""

from __future__ import annotations

from typing import Final

from flask import Flask, session
from flask_login import LoginManager, login_user, logout_user

from retinue_demo import passwords
from retinue_demo.models import User, db

#: Where the session keeps which password somebody has logged in with, as a fingerprint.
_FINGERPRINT: Final = "fingerprint"


def init_app(app: Flask) -> None:
    """Let *app* know its users by their session."""
    login = LoginManager(app)
    login.login_view = "accounts.login"  # pyright: ignore[reportAttributeAccessIssue] - it says None, and means no more yet
    login.user_loader(_known_again)


def begin(user: User) -> None:
    """Let the browser be *user* from now on. Nothing of its session before stays, the token of its forms included."""
    end()
    login_user(user)
    session[_FINGERPRINT] = passwords.fingerprint(user.password_hash)


def end() -> None:
    """Let the browser be nobody."""
    logout_user()
    session.clear()


def _known_again(key: str) -> User | None:
    """
    Return who logged in, if their password is still the same. One select.

    So a new password logs out every other browser; and whoever has signed up
    since gets the number of somebody who was deleted, but not their sessions.
    """
    user = db.session.get(User, int(key))
    if user is None or session.get(_FINGERPRINT) != passwords.fingerprint(user.password_hash):
        return None
    return user
