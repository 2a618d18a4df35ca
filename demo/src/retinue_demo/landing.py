"""The first page, for those who are not logged in."""

from __future__ import annotations

from flask import render_template

from retinue import Graph
from retinue_demo import people
from retinue_demo.models import User, db

#: Faces on the page.
FACES = 14


def landing() -> str:
    """What this is, with some of those who are here, and the ways in. One statement."""
    session = db.session()
    first = people.directory(session, people.Look(), FACES, whom=Graph(session, User).visible_to(None))
    return render_template("landing.html", faces=[(user.username, user.name) for user in first.users])
