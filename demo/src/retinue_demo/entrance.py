"""Who is logged in: how that begins and ends, and how they are known again on the next page."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from flask import Flask, session
from flask_login import LoginManager, login_user, logout_user
from sqlalchemy import Delete, delete, insert, select
from sqlalchemy.orm import Session

from retinue_demo.following import retinue
from retinue_demo.models import Login, User, db

#: How long a log-in lasts that nobody ends.
LASTS: Final = timedelta(days=30)

#: Where the browser's session keeps the secret of its log-in.
_SECRET: Final = "login"  # noqa: S105 - the name of one


def init_app(app: Flask) -> None:
    """Let *app* know its users by their session."""
    login = LoginManager(app)
    login.login_view = "accounts.login"  # pyright: ignore[reportAttributeAccessIssue] - it says None, and means no more yet
    login.user_loader(_known_again)


def begin(key: int) -> User:
    """
    Let the browser be the user with that *key* from now on; return the user. Three statements, four from a log-in before.

    Nothing of its session before stays, the token of its forms included.
    """
    end()
    secret = secrets.token_urlsafe(32)
    row = {"digest": _digest(secret), "user_id": key, "at": datetime.now(UTC)}

    def keep(session: Session) -> None:
        session.execute(delete(Login).where(Login.user_id == key, Login.at < _since()))
        session.execute(insert(Login).values(row))

    retinue.transact(keep)
    user = db.session.get_one(User, key)
    login_user(user)
    session[_SECRET] = secret
    return user


def end() -> None:
    """Let the browser be nobody, and every copy of its cookie as well. One statement, or none."""
    if secret := session.get(_SECRET):
        ending = delete(Login).where(Login.digest == _digest(secret))
        retinue.transact(lambda session: session.execute(ending))
    logout_user()
    session.clear()


def all_of(key: int) -> Delete:
    """Return what ends every log-in of the user with that *key*, in whichever browser."""
    return delete(Login).where(Login.user_id == key)


def _known_again(key: str) -> User | None:
    """
    Return who logged in, if that log-in was not ended since. One select.

    So whoever has signed up since gets the number of somebody who was deleted, but not their sessions.
    """
    mine = (Login.digest == _digest(str(session.get(_SECRET, ""))), Login.at >= _since())
    found = select(User).join(Login, Login.user_id == User.id).where(User.id == int(key), *mine)
    return db.session.scalars(found).one_or_none()


def _since() -> datetime:
    return datetime.now(UTC) - LASTS


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
