"""What somebody reads when something is wrong."""

from __future__ import annotations

from flask import Flask, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, NotFound
from werkzeug.wrappers import Response

from retinue import InvalidCursor, SelfFollowError, UnknownUserError
from retinue.demo.visitor import render

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


def init_app(app: Flask) -> None:
    """Let *app* answer every error with a page."""
    app.register_error_handler(HTTPException, _answer)
    app.register_error_handler(CSRFError, _form_expired)
    app.register_error_handler(InvalidCursor, _no_such_place)
    app.register_error_handler(SelfFollowError, _oneself)
    app.register_error_handler(UnknownUserError, _gone)


def _answer(error: HTTPException) -> Response | HTTPException:
    code = error.code or 500
    if error.response is not None or code < 400:
        return error
    own_words = error.description if type(error).description != error.description else None
    return _page(error, _TITLES.get(code, error.name), own_words or _TEXTS.get(code) or error.description or "")


def _form_expired(error: CSRFError) -> Response | HTTPException:
    text = "This form belongs to an earlier visit, or to another person. Go back, load the page again, and retry."
    return _page(error, "This form has expired", text)


def _no_such_place(_: InvalidCursor) -> Response | HTTPException:
    text = "A link into a list works only for the person who was given it, and only for that list."
    return _page(BadRequest(), "This place in the list is gone", text, start=request.path)


def _oneself(_: SelfFollowError) -> Response | HTTPException:
    return _page(BadRequest(), "That is you", "One can follow, mute or block others, but not oneself.")


def _gone(_: UnknownUserError) -> Response | HTTPException:
    return _page(NotFound(), "They have left", "This person is no longer here.")


def _page(error: HTTPException, title: str, text: str, start: str | None = None) -> Response | HTTPException:
    values = {"title": title, "text": text, "start": start}
    # What broke may be the database itself: then the page must not ask it who is looking.
    broken = isinstance(error, InternalServerError)
    answer = error.get_response()
    answer.set_data(render_template("error.html", me=None, **values) if broken else render("error.html", **values))
    answer.mimetype = "text/html"
    return answer
