"""One line in the log for each request, with its time and its SQL statements."""

from __future__ import annotations

import logging
import time
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, g, has_request_context, request
from sqlalchemy import Engine, event

_log = logging.getLogger("retinue_demo")


def init_app(app: Flask, engine: Engine) -> None:
    """Log the requests of *app*, and count what each asks of *engine*."""
    event.listen(engine, "before_cursor_execute", _count)
    app.before_request(_begin)
    app.after_request(_end)
    app.add_template_global(statements, "statements")


def statements() -> int:
    """Return how many SQL statements the current request has executed so far."""
    return int(g.get("statements", 0))


def _begin() -> None:
    g.started = time.perf_counter()


def _count(*_: Any) -> None:
    if has_request_context():
        g.statements = statements() + 1


def _end(response: Response) -> Response:
    _log.info(
        "%s %s %d, %d statements, %.1f ms, %s bytes",
        request.method,
        # Quoted: a path must not be able to forge a second line.
        quote(request.path),
        response.status_code,
        statements(),
        (time.perf_counter() - g.get("started", time.perf_counter())) * 1000,
        response.content_length,
    )
    return response
