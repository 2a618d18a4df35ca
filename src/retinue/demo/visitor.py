"""Who is looking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask_login import current_user

from retinue import Graph
from retinue.demo.models import User, db
from retinue.demo.security import local_path


@dataclass(frozen=True, slots=True)
class Visitor:
    """The one who looks, as every template gets them."""

    username: str
    name: str
    #: Notifications that they have not read.
    unread: int
    #: They take a break: nobody else sees them.
    away: bool


def visitor() -> User | None:
    """Return who is looking, or None. At most one select in a request."""
    # The user behind Flask-Login's proxy.
    user = current_user._get_current_object()  # noqa: SLF001
    return user if isinstance(user, User) else None


def somebody() -> User:
    """Return who is looking; send those who have not chosen to do so, and to come back then."""
    back = request.form.get("next") if request.method == "POST" else request.full_path.rstrip("?")
    return visitor() or abort(redirect(url_for("choosing.choose", next=local_path(back)), 303))


def render(template: str, **values: Any) -> str:
    """Render a page, which knows who is looking as ``me``, and its own address as ``here``. One select for ``me``."""
    user = visitor()
    me = user and _known(user)
    return render_template(template, me=me, here=request.full_path.rstrip("?"), **values)


def _known(user: User) -> Visitor:
    unread = Graph(db.session, User).unread_notifications(user)
    return Visitor(user.username, user.name, unread, away=not user.active)
