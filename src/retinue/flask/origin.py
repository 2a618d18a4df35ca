"""Refusing forms that another site has sent: by Flask-WTF where the application has it, else by where they come from."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import abort, current_app, request

from retinue.flask import config
from retinue.flask.language import gettext


def check() -> None:
    """
    Refuse the request unless it comes from a page of this site.

    With Flask-WTF's ``CSRFProtect`` on the application, its token decides, as for every
    other form. Else the headers of the browser decide: ``Sec-Fetch-Site``, ``Origin`` or
    ``Referer``. A client that sends none of these is refused, too.

    Raises:
        werkzeug.exceptions.HTTPException: It comes from elsewhere: 400 by Flask-WTF, else 403.
    """
    csrf = current_app.extensions.get("csrf")
    if csrf is not None:
        if current_app.config["WTF_CSRF_ENABLED"]:
            csrf.protect()
    elif not _from_here():
        abort(403, gettext("This form was sent by another site."))


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
