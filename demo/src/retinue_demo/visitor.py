"""Who is looking, as every template gets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, g

from retinue.flask import here, unread, viewer
from retinue_demo.models import User


@dataclass(frozen=True, slots=True)
class Visitor:
    """The one who looks."""

    username: str
    name: str
    #: They take a break: nobody else sees them.
    away: bool


def init_app(app: Flask) -> None:
    """Let every template of *app* know who is looking as ``me``, and its own address as ``here``. One select for ``me``."""
    app.context_processor(_visitor)


def no_visitor() -> None:
    """Let the page that comes be for nobody: what is broken may be the database, which must not be asked then."""
    g.no_visitor = True


def _visitor() -> dict[str, Any]:
    user: User | None = None if g.get("no_visitor") else viewer()
    me = user and Visitor(user.username, user.name, away=not user.active)
    if me:
        unread()  # now, so that the badge in the page asks nothing
    return {"me": me, "here": here()}
