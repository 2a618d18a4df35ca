"""The user who is looking; and the log-in page for whoever is not logged in."""

from __future__ import annotations

from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

from flask import abort, current_app, jsonify, make_response, redirect, request, session, url_for

from retinue.flask import addresses, config
from retinue.flask.language import gettext
from retinue.flask.state import current
from retinue.schema import identity


def viewer() -> Any | None:
    """Return the user who is looking, or None. What it costs is up to the application's way of logging in."""
    state = current()
    found = state.load_viewer() if state.load_viewer is not None else _by_flask_login()
    # Flask-Login gives a proxy, and an object of its own for somebody who is not logged in.
    found = getattr(found, "_get_current_object", lambda: found)()
    return found if isinstance(found, state.user_class) else None


def logged_in_as() -> Any:
    """
    Return what is another thing when somebody else is looking. No statement, once it is known who is.

    Flask-Login keeps who is logged in; a function of the application's may ask the database each time, and goes by the
    session, or by what stays the same for a request.
    """
    if current().load_viewer is not None:
        return dict(session)
    found = viewer()
    return None if found is None else identity(found)


def somebody() -> Any:
    """
    Return the user who is looking; redirect whoever is not logged in to the log-in page.

    Raises:
        werkzeug.exceptions.HTTPException: Nobody is logged in: a redirect to the log-in page, or 401.
    """
    return viewer() or log_in(_page())


def _page() -> str | None:
    """Return the place to lead back to: where a form or a script asks from, as far as it says so, else this page."""
    if request.method == "POST":
        page, slug = request.form.get("next"), (request.view_args or {}).get("slug")
        return f"{page}{addresses.anchor_of(slug)}" if page and slug else page
    return (addresses.wants_json() and request.args.get("next")) or addresses.here()


def log_in(back: str | None) -> NoReturn:
    """Redirect to the log-in page, which leads *back* to a path of this site; 401 where there is no such page."""
    address, text = login_url(back), gettext("Please log in first.")
    if addresses.leads_nowhere():
        # A button of the script's is there for who is logged in alone.
        said = gettext("You are logged out.") if addresses.wants_json() else text
        abort(make_response(jsonify(message=said, location=address, link=gettext("Log in again")), 401))
    if address is None:
        abort(401, text)
    abort(redirect(address, 303))


def login_url(back: str | None) -> str | None:
    """Return the address of the log-in page that leads *back*, or None where there is none."""
    endpoint = current_app.config[config.LOGIN_ENDPOINT] or getattr(
        getattr(current_app, "login_manager", None), "login_view", None
    )
    if endpoint is None:
        return None
    # Flask-Login's may be an address itself.
    address = endpoint if endpoint.startswith(("/", "http://", "https://")) else url_for(endpoint)
    place = addresses.local_path(back)
    if not place:
        return str(address)
    # From another host, a path would lead to that one.
    elsewhere = urlsplit(address).netloc not in ("", request.host)
    back = f"{request.host_url.rstrip('/')}{place}" if elsewhere else place
    return f"{address}{'&' if '?' in address else '?'}{urlencode({'next': back}, safe='/:@')}"


def _by_flask_login() -> Any:
    if not hasattr(current_app, "login_manager"):
        message = "Retinue cannot tell who is looking: use Flask-Login, or say Retinue(app, current_user=...)"
        raise RuntimeError(message)
    from flask_login import current_user  # noqa: PLC0415 - only where the application has it

    return current_user
