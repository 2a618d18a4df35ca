"""What somebody reads when something is wrong."""

from __future__ import annotations

from flask import Flask, render_template, request
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, UnprocessableEntity
from werkzeug.wrappers import Response

from retinue.flask.wording import count
from retinue_demo import rates
from retinue_demo.models import db
from retinue_demo.visitor import no_visitor

_TITLES = {
    400: "That did not work",
    404: "There is nothing here",
    405: "Not like this",
    413: "That is too much",
    500: "Something broke",
}
_TEXTS = {
    404: "The page you asked for does not exist.",
    405: "This address is for a form's button; it does nothing when it is opened.",
    413: "The form that was sent is larger than any form here.",
    500: "It has been noted in the log. Nothing was changed.",
}


#: Numbers of MariaDB's errors about a character that a column, or a comparison with it, has no room for.
_UNKEPT = frozenset({1267, 1300, 1366})


def init_app(app: Flask) -> None:
    """Let *app* answer every error with a page."""
    app.register_error_handler(HTTPException, _answer)
    app.register_error_handler(DBAPIError, _no_room)
    app.register_error_handler(CSRFError, _form_expired)
    app.register_error_handler(RateLimitExceeded, _too_often)


def _answer(error: HTTPException) -> Response | HTTPException:
    code = error.code or 500
    if error.response is not None or code < 400:
        return error
    own_words = error.description if type(error).description != error.description else None
    return _page(error, _TITLES.get(code, error.name), own_words or _TEXTS.get(code) or error.description or "")


def _no_room(error: DBAPIError) -> Response | HTTPException:
    """Say so where the database keeps no such character: in utf8mb3, still the default of many, no emoji."""
    if not (error.orig and error.orig.args[:1] and error.orig.args[0] in _UNKEPT):
        raise error
    db.session.rollback()
    text = "The database of this community has no room for one of these characters, such as an emoji. Try without it."
    return _page(UnprocessableEntity(), "That cannot be kept here", text)


def _form_expired(error: CSRFError) -> Response | HTTPException:
    text = "This form belongs to an earlier visit, or to another person. Go back, load the page again, and retry."
    return _page(error, "This form has expired", text)


def _too_often(error: RateLimitExceeded) -> Response | HTTPException:
    wait = rates.seconds_to_wait()
    when = count(wait, "second") if wait < 120 else f"{-(-wait // 60)} minutes"
    text = f"There is a limit to how often this can be tried. Wait {when} and try again."
    answer = _page(error, "Too many tries", text)
    if isinstance(answer, Response):
        answer.headers["Retry-After"] = str(wait)
    return answer


def _page(error: HTTPException, title: str, text: str) -> Response | HTTPException:
    if isinstance(error, InternalServerError):
        no_visitor()
    answer = error.get_response()
    # A place in a list that is gone: the list itself is still there.
    start = request.path if error.code == BadRequest.code and "cursor" in request.args else None
    answer.set_data(render_template("error.html", title=title, text=text, start=start))
    answer.mimetype = "text/html"
    return answer
