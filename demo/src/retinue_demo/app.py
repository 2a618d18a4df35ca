"""The Flask application, put together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flask import Flask, url_for
from flask_wtf import CSRFProtect
from sqlalchemy import URL

from retinue_demo import (
    compression,
    entrance,
    errors,
    linking,
    migrating,
    portraits,
    rates,
    request_log,
    security,
    visitor,
    wording,
)
from retinue_demo.accounts import accounts
from retinue_demo.editing import editing
from retinue_demo.export import export
from retinue_demo.following import retinue
from retinue_demo.growth import growth
from retinue_demo.models import db
from retinue_demo.neighbourhood import neighbourhood
from retinue_demo.own_account import own_account
from retinue_demo.pages import pages
from retinue_demo.posts import posts
from retinue_demo.privacy import privacy
from retinue_demo.timelines import timelines

#: Bytes of what somebody sends. The longest is a post of four bytes a letter, each written as three characters.
LARGEST_BODY: Final = 16 * 1024

_STATIC = Path(__file__).parent / "static"


def create_app(database: URL | str, *, secret_key: str, config: Mapping[str, Any] | None = None) -> Flask:
    """
    Return the demo on *database*, which is migrated to this version of the demo; a new one is given its tables.

    Args:
        database: Where the community lives; `seed()` fills it.
        secret_key: Signs the cookies that say who somebody is.
        config: What Flask's config says otherwise, such as `rates.DEFAULTS`.

    Raises:
        OtherVersionError: *database* holds the tables of another version of the demo.
        TimeoutError: Another process did not finish migrating it.
    """
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secret_key,
        SQLALCHEMY_DATABASE_URI=database,
        # What is sent to the database, passwords' hashes too, is nothing for a log.
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True},
        # Cookies go by host, not by port: two demos, or a demo and something else, share "localhost".
        SESSION_COOKIE_NAME="retinue_demo",
        SESSION_COOKIE_SAMESITE="Lax",
        # A form here is a post or a name, a place to return to and a token.
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY,
        MAX_FORM_PARTS=50,
        # A page may stay open overnight and its buttons still work.
        WTF_CSRF_TIME_LIMIT=None,
        # Seconds. What is static is asked for by its content's digest.
        SEND_FILE_MAX_AGE_DEFAULT=365 * 86_400,
        RETINUE_URL_PREFIX="",
        RETINUE_USER_SLUG="username",
        RETINUE_USER_COLUMNS=["bio"],
    )
    app.config.update(config or {})
    app.jinja_options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    db.init_app(app)
    with app.app_context():
        migrating.upgrade(db.engine.url)
        request_log.init_app(app, db.engine)
    CSRFProtect(app)
    entrance.init_app(app)
    retinue.init_app(app)
    visitor.init_app(app)
    compression.init_app(app)
    security.init_app(app)
    errors.init_app(app)
    wording.init_app(app)
    linking.init_app(app)
    portraits.init_app(app)
    app.add_template_global(_asset, "asset")
    for blueprint in (pages, accounts, privacy, editing, own_account, export, growth, posts, timelines, neighbourhood):
        app.register_blueprint(blueprint)
    rates.init_app(app)
    return app


_digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in _STATIC.iterdir()}


def _asset(name: str) -> str:
    """Return the address of a static file, another one whenever its content changes."""
    return url_for("static", filename=name, v=_digests[name])
