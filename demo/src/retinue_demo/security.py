"""What keeps a page to itself: its headers."""

from __future__ import annotations

from flask import Flask, Response, request, session

_HEADERS = {
    # No script in a page, no frame, no other host; scripts, styles and pictures from here.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def init_app(app: Flask) -> None:
    """Give every answer of *app* the headers."""
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    response.headers.extend(_HEADERS)
    if request.endpoint not in ("static", "retinue.static"):
        # What somebody sees is theirs alone, and changes with the next click.
        # What is somebody's own is kept nowhere: who comes after them on this computer finds nothing by going back.
        response.headers["Cache-Control"] = "no-store" if "_user_id" in session else "private, no-cache"
    return response
