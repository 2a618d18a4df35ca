"""The errors of the graph as HTTP errors, with a sentence: on the extension's pages, and in every view of the application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Flask, Response, current_app, jsonify, make_response
from werkzeug.exceptions import HTTPException, default_exceptions

from retinue import (
    BlockedError,
    InvalidCursor,
    InvalidLimit,
    LimitError,
    NotVisibleError,
    RetinueError,
    SelfFollowError,
    UnknownUserError,
)
from retinue.flask import addresses
from retinue.flask.language import gettext, marked
from retinue.flask.wording import limit_reached

#: The status of each error, and what is said.
_SAID: Final[dict[type[RetinueError], tuple[int, str]]] = {
    InvalidCursor: (
        400,
        marked("This link leads nowhere: it is incomplete, or it was made for another list or another person."),
    ),
    InvalidLimit: (400, marked("A page can have 1 to %(number)s rows.")),
    SelfFollowError: (400, marked("You can’t follow, mute or block yourself.")),
    UnknownUserError: (404, marked("This person is no longer here.")),
    # Why, nobody may learn.
    NotVisibleError: (404, marked("This list is private.")),
    BlockedError: (409, marked("You can’t follow this person.")),
    LimitError: (429, ""),
}


def init_app(app: Flask) -> None:
    """Answer these errors on *app*, where it does not do so itself: for the error, or for one above it but `Exception`."""
    own = app.error_handler_spec[None][None]
    for kind in _SAID:
        if kind not in own:
            app.register_error_handler(kind, _answer)


def _answer(error: Exception) -> Any:
    own = _own_handler(type(error))
    return answer(error) if own is None else current_app.ensure_sync(own)(error)


def _own_handler(kind: type[Exception]) -> Callable[..., Any] | None:
    """Return what the application does about errors above *kind*; not what it does about any error at all."""
    handlers = current_app.error_handler_spec[None][None]
    between = kind.__mro__[: kind.__mro__.index(Exception)]
    found = (handlers.get(cls) for cls in between)
    return next((handler for handler in found if handler not in (None, _answer)), None)


def answer(error: Exception) -> Response:
    """Return the HTTP error for an error of the graph: the application's page for it, if it has one."""
    status, text = next(said for kind, said in _SAID.items() if isinstance(error, kind))
    if isinstance(error, LimitError):
        return refused(status, limit_reached(error, gettext("this person")))
    values = {"number": error.highest} if isinstance(error, InvalidLimit) else {}
    return refused(status, gettext(text, **values))


def refused(status: int, text: str) -> Response:
    """Return an HTTP error with this *text*; as JSON for the script, unless the application has a page for it."""
    error = default_exceptions[status](text)
    shown: Any = current_app.handle_http_exception(error)
    if isinstance(shown, HTTPException) and addresses.wants_json():
        return make_response(jsonify(message=text), status)
    return make_response(shown)
