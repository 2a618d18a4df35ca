"""Who is looking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import render_template, request
from flask_login import current_user

from retinue.demo.models import User


@dataclass(frozen=True, slots=True)
class Visitor:
    """The one who looks, as every template gets them."""

    username: str
    name: str


def visitor() -> User | None:
    """Return who is looking, or None. At most one select in a request."""
    # The user behind Flask-Login's proxy.
    user = current_user._get_current_object()  # noqa: SLF001
    return user if isinstance(user, User) else None


def render(template: str, **values: Any) -> str:
    """Render a page, which knows who is looking as ``me``, and its own address as ``here``."""
    user = visitor()
    me = user and Visitor(user.username, user.name)
    return render_template(template, me=me, here=request.full_path.rstrip("?"), **values)
