"""What somebody reads when something is wrong."""

from __future__ import annotations

from flask import Flask, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, UnprocessableEntity
from werkzeug.wrappers import Response

from retinue.flask.wording import count
from retinue_demo.models import db
from retinue_demo.rates import TooOften
from retinue_demo.visitor import no_visitor

_TITLES = {
    400: "That didn’t work",
    404: "Page not found",
    405: "That doesn’t work here",
    413: "That’s too large",
    500: "Something broke",
}
_TEXTS = {
    404: "It may be gone, or it’s not for you to see.",
    405: "This address only works when you press its button.",
    413: "What you sent is larger than anything this site accepts.",
    500: "It’s our fault, not yours. Nothing was changed. Try again in a moment.",
}


#: Numbers of MariaDB's errors about a character that a column, or a comparison with it, has no room for.
_UNKEPT = frozenset({1267, 1300, 1366})


def init_app(app: Flask) -> None:
    """Let *app* answer every error with a page."""
    app.register_error_handler(HTTPException, _answer)
    app.register_error_handler(DBAPIError, _no_room)
    app.register_error_handler(CSRFError, _form_expired)
    app.register_error_handler(TooOften, _too_often)


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
    text = "This site’s database can’t store one of these characters, such as an emoji. Try again without it."
    return _page(UnprocessableEntity(), "That can’t be saved", text)


def _form_expired(error: CSRFError) -> Response | HTTPException:
    # What somebody has written is theirs still, also when they are logged out by now.
    written = request.form.get("body", "") if request.endpoint == "posts.write" else ""
    if written.strip():
        return _page(
            error, "Your post isn’t published", "You’ve been logged out since you began it. It’s all here.", written
        )
    text = "This form is from an earlier visit, or from another account. Go back, reload the page and try again."
    return _page(error, "This form has expired", text)


def _too_often(error: TooOften) -> Response | HTTPException:
    wait = error.seconds
    when = count(wait, "second") if wait < 120 else f"{-(-wait // 60)} minutes"
    text = f"You’ve tried this too often. Wait {when} and try again."
    answer = _page(error, "Too many attempts", text)
    if isinstance(answer, Response):
        answer.headers["Retry-After"] = str(wait)
    return answer


def _page(error: HTTPException, title: str, text: str, written: str = "") -> Response | HTTPException:
    if isinstance(error, InternalServerError):
        no_visitor()
    answer = error.get_response()
    # A place in a list that is gone: the list itself is still there.
    start = request.path if error.code == BadRequest.code and "cursor" in request.args else None
    answer.set_data(render_template("error.html", title=title, text=text, start=start, written=written))
    answer.mimetype = "text/html"
    return answer
