"""What keeps a page to itself: its headers, and where a form may send somebody."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Flask, Response, request

_HEADERS = {
    # No script, no frame, no other host; styles and pictures from here.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

#: Browsers read a backslash as a slash, and drop control characters: both make "/\t/host" another host.
_MISREAD = re.compile(r"[\x00-\x20\x7f\\]")


def init_app(app: Flask) -> None:
    """Give every answer of *app* the headers."""
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    response.headers.extend(_HEADERS)
    if request.endpoint != "static":
        # What somebody sees is theirs alone, and changes with the next click.
        response.headers["Cache-Control"] = "private, no-cache"
    return response


def local_path(target: str | None) -> str | None:
    """Return *target* if it is a path on this very site, else None."""
    if not target or not target.startswith("/") or target.startswith("//") or _MISREAD.search(target):
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else target
