"""
The ``RETINUE_*`` keys of an application's config: what each means, its unit, and its default.

They are about the web alone. What the graph may do is `retinue.Settings`, on the user class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Flask

from retinue.settings import PAGE_MOST

#: Where the blueprint's pages are; ``""``: at the root.
URL_PREFIX: Final = "RETINUE_URL_PREFIX"
#: The subdomain, or the host, that the pages are on, where the application matches these; as in a route.
SUBDOMAIN: Final = "RETINUE_SUBDOMAIN"
HOST: Final = "RETINUE_HOST"
#: Whether the blueprint is registered at all. Without it the template globals have no buttons.
PAGES: Final = "RETINUE_PAGES"
#: The attribute of a user that names them in an address: a column with unique text. None: the primary key.
USER_SLUG: Final = "RETINUE_USER_SLUG"
#: The attribute of a user that people read. None: ``Settings(name=...)``, else ``name``, ``username``, or the slug.
USER_LABEL: Final = "RETINUE_USER_LABEL"
#: The attributes of a user that the application's own functions and templates read of people on lists. None: whatever
#: they like, of objects.
USER_COLUMNS: Final = "RETINUE_USER_COLUMNS"
#: Rows of a page, 1 to 100.
ROWS: Final = "RETINUE_ROWS"
#: People on the page of suggestions, 1 to 100.
SUGGESTIONS: Final = "RETINUE_SUGGESTIONS"
#: The endpoint to which somebody who is not logged in is led, with ``next``. None: Flask-Login's ``login_view``.
LOGIN_ENDPOINT: Final = "RETINUE_LOGIN_ENDPOINT"
#: Whether everything of the extension needs a log-in. False: lists are there for whoever may see them.
LOGIN_REQUIRED: Final = "RETINUE_LOGIN_REQUIRED"
#: Origins beside its own (``https://host``) from which a form may come, where Flask-WTF is not used.
TRUSTED_ORIGINS: Final = "RETINUE_TRUSTED_ORIGINS"

DEFAULTS: Final[dict[str, Any]] = {
    URL_PREFIX: "/people",
    SUBDOMAIN: None,
    HOST: None,
    PAGES: True,
    USER_SLUG: None,
    USER_LABEL: None,
    USER_COLUMNS: None,
    ROWS: 20,
    SUGGESTIONS: 20,
    LOGIN_ENDPOINT: None,
    LOGIN_REQUIRED: False,
    TRUSTED_ORIGINS: (),
}


def _is_prefix(value: Any) -> bool:
    return isinstance(value, str) and (not value or value.startswith("/"))


def _is_page_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= PAGE_MOST


def _is_text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _are_texts(values: Any) -> bool:
    return isinstance(values, (list, tuple)) and all(isinstance(value, str) for value in values)


_PAGE_SIZE: Final = (_is_page_size, f"a whole number from 1 to {PAGE_MOST}")
_TRUTH: Final = (lambda value: isinstance(value, bool), "True or False")
_NAME: Final = (_is_text_or_none, "text or None")

#: The check of a key's value, and what the value must be.
_CHECKS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    URL_PREFIX: (_is_prefix, "empty or a text that begins with a slash"),
    SUBDOMAIN: _NAME,
    HOST: _NAME,
    ROWS: _PAGE_SIZE,
    SUGGESTIONS: _PAGE_SIZE,
    USER_SLUG: _NAME,
    USER_LABEL: _NAME,
    USER_COLUMNS: (lambda value: value is None or _are_texts(value), "a list of names of attributes, or None"),
    LOGIN_ENDPOINT: _NAME,
    PAGES: _TRUTH,
    LOGIN_REQUIRED: _TRUTH,
    TRUSTED_ORIGINS: (_are_texts, "a list of texts such as 'https://example.org'"),
}


def init_app(app: Flask) -> None:
    """
    Give *app* the defaults of the keys that its config does not have.

    Raises:
        ValueError: A value makes no sense, or a ``RETINUE_*`` key does not exist.
    """
    for key, value in DEFAULTS.items():
        app.config.setdefault(key, value)
    unknown = sorted(key for key in app.config if key.startswith("RETINUE_") and key not in DEFAULTS)
    if unknown:
        message = f"there is no {unknown[0]}; the keys are {', '.join(DEFAULTS)}"
        raise ValueError(message)
    for key, (is_valid, wanted) in _CHECKS.items():
        if not is_valid(app.config[key]):
            message = f"{key} must be {wanted}, not {app.config[key]!r}"
            raise ValueError(message)
    if app.url_map.host_matching and app.config[PAGES] and app.config[HOST] is None:
        message = f"this app matches hosts: say in {HOST} which host the pages are on, as in a route"
        raise ValueError(message)
