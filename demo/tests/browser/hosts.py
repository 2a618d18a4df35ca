"""Applications of somebody else's, by how their pages look: what a Retinue button has to stand on."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import Flask, render_template, request
from flask_sqlalchemy import SQLAlchemy
from jinja2 import DictLoader
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.pool import StaticPool

from retinue import BlockMixin, FollowCountMixin, FollowerMixin, FollowMixin, FollowRequestMixin, NotificationMixin
from retinue.flask import Retinue


class Look(NamedTuple):
    """How the pages of an application look."""

    #: The theme that the application asks for; None: it has never heard of themes.
    theme: str | None
    style: str
    #: Whether it is dark where the visitor's system is.
    follows_system: bool = False


_BOOTSTRAP = """
*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; font: 400 1rem/1.5 system-ui, sans-serif; color: #212529; background: #fff; }
h1, h2, p, ul { margin-top: 0; margin-bottom: 1rem; }
h1 { font-size: 2.5rem; font-weight: 500; line-height: 1.2; }
ul { padding-left: 2rem; }
a { color: #0a58ca; text-decoration: underline; }
a:hover { color: #073f94; }
button { border-radius: 0; }
input, button, select { margin: 0; font-family: inherit; font-size: inherit; line-height: inherit; }
button:not(:disabled) { cursor: pointer; }
button:focus:not(:focus-visible) { outline: 0; }
label { display: inline-block; }
"""

_PICO = """
*, *::before, *::after { box-sizing: border-box; }
:root { color-scheme: light; --ink: #373c44; --ground: #fff; --accent: #01649b; font-size: 106%; }
@media (prefers-color-scheme: dark) { :root { color-scheme: dark; --ink: #c2c7d0; --ground: #13171f; --accent: #4fb5ef; } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 400 1rem/1.5 system-ui, sans-serif; }
h1, h2, p, ul, form { margin-top: 0; margin-bottom: 1rem; color: var(--ink); }
ul li { margin-bottom: .25rem; list-style: square; }
a:link, a:visited { color: var(--accent); text-decoration: underline; }
a:hover { color: var(--ink); }
nav { display: flex; justify-content: space-between; overflow: visible; }
header { margin-bottom: 2rem; padding: 1rem; }
section { margin-bottom: 2rem; }
form { width: 100%; }
button { width: 100%; margin-bottom: 1rem; padding: .75rem 1rem; border: 1px solid var(--accent); border-radius: 4px; background: var(--accent); box-shadow: 0 0 0 #000; color: var(--ground); font: inherit; letter-spacing: .1em; text-transform: uppercase; }
button:hover, button:focus { background: var(--ink); color: var(--ground); box-shadow: 0 0 0 3px red; }
input:not([type=checkbox], [type=radio]), select { width: 100%; height: 3.25rem; margin-bottom: 1rem; padding: .75rem 1rem; border: 1px solid #687080; background: var(--ground); color: var(--ink); }
"""

_TAILWIND = """
*, ::before, ::after { margin: 0; padding: 0; border: 0 solid; box-sizing: border-box; }
html { font: 1rem/1.5 ui-sans-serif, system-ui, sans-serif; }
h1, h2 { font-size: inherit; font-weight: inherit; }
a { color: inherit; text-decoration: inherit; }
ul { list-style: none; }
svg { display: block; vertical-align: middle; }
button, input, select { border-radius: 0; background-color: transparent; color: inherit; font: inherit; letter-spacing: inherit; opacity: 1; }
"""

LOOKS = {
    "bare": Look(None, ""),
    "text-colour": Look(None, "body { color: #222; }"),
    "dark": Look("dark", "body { background: #101418; color: #e6e6e6; } a { color: #9cf; }"),
    "dark-unaware": Look(None, "body { background: #101418; color: #e6e6e6; } a { color: #9cf; }"),
    "resets": Look("light", "* { margin: 0; padding: 0; } button { all: unset; } a:visited, a:hover { color: #063; }"),
    "bootstrap-like": Look(None, _BOOTSTRAP),
    "pico-like": Look("auto", _PICO, follows_system=True),
    "tailwind-like": Look(None, _TAILWIND),
}

_PAGES = {
    "frame.html": """<!doctype html>
<html lang="en"{% if host.theme %} data-retinue-theme="{{ host.theme }}"{% endif %}>
<head><meta charset="utf-8"><title>A page of theirs</title><meta name="viewport" content="width=device-width">
<style>{{ host.style | safe }}</style>
{% block head %}{% endblock %}</head>
<body><main>{% block content %}{% endblock %}</main></body></html>""",
    "retinue/layout.html": """{% extends "frame.html" %}
{% block head %}{% include "retinue/_head.html" %}{% endblock %}""",
    # To the letter what the README shows: nothing of the head.
    "people.html": """{% extends "frame.html" %}
{% block content %}<h1>People</h1>
{% for user in users %}<p>{{ user.username }} {{ follow_button(user) }}</p>{% endfor %}{% endblock %}""",
    "own.html": """{% extends "frame.html" %}
{% block head %}{% if "styled" in request.args %}{% include "retinue/_head.html" %}{% endif %}{% endblock %}
{% block content %}<header><h1>Theirs</h1><nav><ul><li><a href="/">Home</a></li></ul></nav></header>
<section><h2>A form</h2><form><label>Name <input name="name" value="x"></label><label><input type="checkbox"> Yes</label>
<select><option>One</option></select><textarea>Text</textarea><button>Send</button><button type="button">No</button></form>
<table><tr><th>A</th><td>B</td></tr></table><p>Text, <b>bold</b>, <code>code</code>.</p><svg width="9" height="9"></svg>
<dialog open>Hello</dialog><details><summary>More</summary>Text</details><progress></progress></section>{% endblock %}""",
    "nested.html": """{% extends "frame.html" %}
{% block head %}{% include "retinue/_head.html" %}{% endblock %}
{% block content %}{{ follow_button(users[2]) }}
{% for one in themes %}<div data-retinue-theme="{{ one }}">{% endfor %}
<div id="inner">{{ follow_button(users[2]) }}</div>
{% for one in themes %}</div>{% endfor %}{% endblock %}""",
}


def host() -> Flask:
    """Return an application whose pages have the look that the header ``Look`` names, before Ann, who knows everybody."""
    app = Flask(__name__)
    app.jinja_loader = DictLoader(_PAGES)
    app.config.update(
        SECRET_KEY="k",
        SQLALCHEMY_DATABASE_URI="sqlite://",
        # One database in memory for the threads of the server.
        SQLALCHEMY_ENGINE_OPTIONS={"poolclass": StaticPool, "connect_args": {"check_same_thread": False}},
        RETINUE_USER_SLUG="username",
    )
    db = SQLAlchemy(app)
    user = _declare(db)
    Retinue(app, user_model=user, current_user=lambda: db.session.get(user, 1))
    with app.app_context():
        db.create_all()
        _fill(db, user)

    @app.context_processor
    def look_of_host() -> dict[str, Any]:
        return {"host": LOOKS[request.headers.get("Look", "bare")], "themes": request.args.getlist("theme")}

    @app.get("/<any(people, own, nested):name>.html")
    def show(name: str) -> str:
        people = db.session.scalars(db.select(user).order_by(user.id)).all()
        return render_template(f"{name}.html", users=people)

    return app


def _declare(db: Any) -> Any:
    class User(FollowerMixin, db.Model):  # type: ignore[misc]
        id: Mapped[int] = mapped_column(primary_key=True)
        username: Mapped[str] = mapped_column(String(64), unique=True)
        locked: Mapped[bool] = mapped_column(default=False)

    mixins = (FollowMixin, FollowCountMixin, FollowRequestMixin, BlockMixin, NotificationMixin)
    User.tables = [type(mixin.__name__.removesuffix("Mixin"), (mixin, db.Model), {}) for mixin in mixins]
    return User


def _fill(db: Any, user: Any) -> None:
    """Let Ann stand in every way to somebody."""
    ann, *others = [
        user(username=name) for name in ("ann", "followed", "stranger", "private", "asked", "blocked", "fan", "asking")
    ]
    followed, _, private, asked, blocked, fan, asking = others
    private.locked = asked.locked = ann.locked = True
    db.session.add_all([ann, *others])
    db.session.commit()
    fan.follow(ann)
    asking.follow(ann)
    db.session.commit()
    ann.graph.accept(ann, fan)
    for one in (followed, asked):
        ann.follow(one)
    for one in (private, asked, fan):
        one.follow(followed)
    ann.graph.block(ann, blocked)
    db.session.commit()
