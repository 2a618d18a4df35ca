"""Refusing forms that another site has sent: by Flask-WTF where the application has it, else by where they come from."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, jsonify, make_response, request
from werkzeug.exceptions import BadRequest

from retinue.flask import addresses, config, viewers
from retinue.flask.language import gettext


def take_over(blueprint: Blueprint) -> None:
    """Leave the forms of *blueprint* to `check()`: Flask-WTF alone would not ask first who has been logged out."""
    csrf = current_app.extensions.get("csrf")
    if csrf is not None:
        csrf.exempt(blueprint)


def check() -> None:
    """
    Refuse the request unless it comes from a page of this site.

    With Flask-WTF's ``CSRFProtect`` on the application, its token decides, as for every
    other form. Else the headers of the browser decide: ``Sec-Fetch-Site``, ``Origin`` or
    ``Referer``. A client that sends none of these is refused, too. A token ends with the
    session: whoever has been logged out is led to the log-in page.

    Raises:
        werkzeug.exceptions.HTTPException: It comes from elsewhere: 400 by Flask-WTF, else 403.
            Its token is of a session that has ended: a redirect to the log-in page, or 401.
    """
    csrf = current_app.extensions.get("csrf")
    if csrf is not None:
        if current_app.config["WTF_CSRF_ENABLED"]:
            _check_token(csrf)
    elif not _from_here():
        abort(403, gettext("This form was sent by another site."))


def _check_token(csrf: Any) -> None:
    try:
        csrf.protect()
    except BadRequest:
        viewers.somebody()
        if not addresses.wants_json():
            raise
        here = addresses.local_path(request.form.get("next"))
        text, link = gettext("This page has been open for too long."), gettext("Load it again")
        abort(make_response(jsonify(message=text, location=here, link=link), 400))


def _from_here() -> bool:
    origin = request.headers.get("Origin") or request.headers.get("Referer", "")
    if origin in current_app.config[config.TRUSTED_ORIGINS]:
        return True
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    # Without the scheme: a proxy in front may speak https where the application hears http.
    return _host(origin) == request.host


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).netloc or None
    except ValueError:
        return None
