"""The addresses of users, of this page, and of the pages to which a form may lead back."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from flask import abort, current_app, redirect, request, url_for
from werkzeug.routing import BaseConverter
from werkzeug.wrappers import Response

from retinue import Page
from retinue.flask import config
from retinue.flask.state import current
from retinue.settings import PAGE_MOST

#: Browsers read a backslash as a slash, and drop control characters: both make "/\t/host" another host.
_MISREAD = re.compile(r"[\x00-\x20\x7f\\]")

#: The arguments in the address of a list that stay the same from page to page.
_LIST_ARGUMENTS = ("q", "sort", "show", "limit")


class SlugConverter(BaseConverter):
    """Matches the name of a user in an address, after the @."""

    regex = r"[^/]{1,255}"


def user_url(user: Any) -> str:
    """Return the address of the page of *user*: the application's own, or that of their followers. No statement."""
    state = current()
    if state.user_url is not None:
        return state.user_url(user)
    return url_for("retinue.people", slug=state.slug_of(user), kind="followers")


def here() -> str:
    """Return the path and query of this page."""
    return request.full_path.rstrip("?")


def local_path(target: str | None) -> str | None:
    """Return *target* if it is a path on this very site, else None."""
    if not target or not target.startswith("/") or target.startswith("//") or _MISREAD.search(target):
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else target


def back(otherwise: str, anchor: str = "") -> Response:
    """Redirect to the page that the form names, if it is on this site; else to *otherwise*."""
    place = local_path(request.form.get("next"))
    return redirect(f"{place}{anchor}" if place else otherwise, 303)


def wants_json() -> bool:
    """Return whether the request is from the script, which changes a button in place, and not from a browser."""
    return request.accept_mimetypes.best == "application/json"


def rows_asked_for() -> int:
    """Return the ``limit`` of the address; 400 if it is not a possible number of rows."""
    text = request.args.get("limit")
    if text is None:
        return int(current_app.config[config.ROWS])
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= PAGE_MOST):
        abort(400, f"A page has 1 to {PAGE_MOST} rows.")
    return int(text)


def links_of(page: Page[Any]) -> dict[str, str | None]:
    """Return the addresses of the next and the previous page, as the templates take them."""
    return {"older": page.next and same_page(cursor=page.next), "newer": page.prev and same_page(cursor=page.prev)}


def same_page(**place: int | str) -> str:
    """Return the address of this page at another *place* in its list."""
    # By name: whatever else stands in the query must not become an argument of url_for().
    same = {name: request.args[name] for name in _LIST_ARGUMENTS if name in request.args}
    query: dict[str, Any] = {**(request.view_args or {}), **same, **place}
    return url_for(request.endpoint or "", **query)
