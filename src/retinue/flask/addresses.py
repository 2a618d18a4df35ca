"""The addresses of users, of this page, and of the pages to which a form may lead back."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import quote, urlsplit

from flask import abort, current_app, redirect, request, url_for
from werkzeug.routing import BaseConverter, ValidationError
from werkzeug.wrappers import Response

from retinue import Page
from retinue.flask import config
from retinue.flask.language import gettext
from retinue.flask.state import current
from retinue.settings import PAGE_MOST

#: Browsers read a backslash as a slash, and drop control characters: both make "/\t/host" another host.
_MISREAD = re.compile(r"[\x00-\x20\x7f\\]")

#: The arguments in the address of a list that stay the same from page to page.
_LIST_ARGUMENTS = ("q", "sort", "show", "limit")

#: What a path, and a query, may hold as it is; a query is quoted already.
_PATH: Final = "!$&'()*+,/:;=@"
_QUERY: Final = f"{_PATH}?%"

#: A part of a path that a browser takes for a step. One that arrived was written with %2F: another would have been taken.
_STEP: Final = re.compile(r"/(?=\.\.?(?:/|$))")


class SlugConverter(BaseConverter):
    """Matches the name of a user in an address, after the @: any text, also with slashes in it."""

    regex = r"[\s\S]{1,255}"
    part_isolating = False

    def to_url(self, value: Any) -> str:
        """Return *value* as one part of a path, in which no slash stands as it is."""
        return quoted(value)


class PartConverter(SlugConverter):
    """Matches the name of a user that is the last part of an address: one with a slash in it has another address."""

    regex = r"[^/]{1,255}"
    part_isolating = True
    # A page of the application's own at the same place goes first.
    weight = 200

    def to_url(self, value: Any) -> str:
        """Return *value* as one part of a path, if it is one."""
        if "/" in str(value):
            raise ValidationError
        return super().to_url(value)


def user_url(user: Any) -> str:
    """Return the address of the page of *user*: the application's own, or that of the extension. No statement."""
    state = current()
    return url_for("retinue.person", slug=state.slug_of(user)) if state.user_url is None else state.user_url(user)


def anchor_of(slug: str) -> str:
    """Return the end of an address that leads to the row of that user on a page, or to the button of theirs."""
    return f"#user-{quoted(slug)}"


def here() -> str:
    """Return the path and query of this page, as a browser has to ask for them: below the prefix of the application."""
    path = _STEP.sub("%2F", quote(request.root_path.rstrip("/") + request.path, safe=_PATH))
    query = quote(request.query_string, safe=_QUERY)
    return f"{path}?{query}" if query else path


def came_from() -> str | None:
    """Return the path and query of the page of this site that led here; None if the browser does not say so."""
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:
        return None
    return local_path(f"{parts.path}?{parts.query}") if parts.netloc == request.host else None


def home() -> str:
    """Return the path of the application's own root."""
    return quote(f"{request.root_path.rstrip('/')}/", safe=_PATH)


def quoted(text: object) -> str:
    """Return *text* as one part of a path, or as a fragment."""
    return quote(str(text), safe=_PATH.replace("/", ""))


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


def leads_nowhere() -> bool:
    """Return whether a redirect would be lost: the request is from a script, and not for a page."""
    if wants_json() or request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return True
    return request.headers.get("Sec-Fetch-Dest") == "empty" and "text/html" not in request.headers.get("Accept", "")


def rows_asked_for() -> int:
    """Return the ``limit`` of the address; 400 if it is not a possible number of rows."""
    text = request.args.get("limit")
    if text is None:
        return int(current_app.config[config.ROWS])
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= PAGE_MOST):
        abort(400, gettext("A page can have 1 to %(number)s rows.", number=PAGE_MOST))
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
