"""
The ``RETINUE_*`` keys of an application's config: what each means, its unit, and what it is unless it is said.

They are about the web alone. What the graph may do is `retinue.Settings`, on the user class.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Flask

from retinue.settings import PAGE_MOST

#: Where the blueprint's pages are; ``""``: at the root.
URL_PREFIX: Final = "RETINUE_URL_PREFIX"
#: Whether the blueprint is registered at all. Without it the template globals have no buttons.
PAGES: Final = "RETINUE_PAGES"
#: The attribute of a user that names them in an address: a column with unique text. None: the primary key.
USER_SLUG: Final = "RETINUE_USER_SLUG"
#: The attribute of a user that people read. None: ``Settings(name=...)``, else ``name``, ``username``, or the slug.
USER_LABEL: Final = "RETINUE_USER_LABEL"
#: Rows of a page, 1 to 100.
ROWS: Final = "RETINUE_ROWS"
#: People on the page of suggestions, 1 to 100.
SUGGESTIONS: Final = "RETINUE_SUGGESTIONS"
#: The endpoint to which somebody who is not logged in is led, with ``next``. None: Flask-Login's ``login_view``.
LOGIN_ENDPOINT: Final = "RETINUE_LOGIN_ENDPOINT"
#: Origins beside its own (``https://host``) from which a form may come, where Flask-WTF is not used.
TRUSTED_ORIGINS: Final = "RETINUE_TRUSTED_ORIGINS"

DEFAULTS: Final[dict[str, Any]] = {
    URL_PREFIX: "/people",
    PAGES: True,
    USER_SLUG: None,
    USER_LABEL: None,
    ROWS: 20,
    SUGGESTIONS: 20,
    LOGIN_ENDPOINT: None,
    TRUSTED_ORIGINS: (),
}


def init_app(app: Flask) -> None:
    """
    Give *app* what its config does not say.

    Raises:
        ValueError: A value makes no sense, or a ``RETINUE_*`` key does not exist.
    """
    for key, value in DEFAULTS.items():
        app.config.setdefault(key, value)
    unknown = sorted(key for key in app.config if key.startswith("RETINUE_") and key not in DEFAULTS)
    if unknown:
        message = f"there is no {unknown[0]}; the keys are {', '.join(DEFAULTS)}"
        raise ValueError(message)
    prefix = app.config[URL_PREFIX]
    if not isinstance(prefix, str) or (prefix and not prefix.startswith("/")):
        message = f"{URL_PREFIX} must be empty or begin with a slash, not {prefix!r}"
        raise ValueError(message)
    for key in (ROWS, SUGGESTIONS):
        rows = app.config[key]
        if not isinstance(rows, int) or isinstance(rows, bool) or not 1 <= rows <= PAGE_MOST:
            message = f"{key} must be a whole number from 1 to {PAGE_MOST}, not {rows!r}"
            raise ValueError(message)
    for key in (USER_SLUG, USER_LABEL, LOGIN_ENDPOINT):
        if not isinstance(app.config[key], (str, type(None))):
            message = f"{key} must be text or None, not {app.config[key]!r}"
            raise ValueError(message)  # noqa: TRY004 - as any other value that makes no sense
    origins = app.config[TRUSTED_ORIGINS]
    if isinstance(origins, str) or not all(isinstance(one, str) for one in origins):
        message = f"{TRUSTED_ORIGINS} must be a list of texts such as 'https://example.org', not {origins!r}"
        raise ValueError(message)
