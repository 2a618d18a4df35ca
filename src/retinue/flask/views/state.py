"""What has changed since a page was loaded: for the script of a page that is looked at again, or still."""

from __future__ import annotations

from typing import Any, Final

from flask import abort, current_app, jsonify, make_response, request
from werkzeug.wrappers import Response

from retinue import NotificationMixin
from retinue.flask import addresses
from retinue.flask.asked import asked
from retinue.flask.cards import cards_of
from retinue.flask.language import gettext
from retinue.flask.pieces import people, unread_piece
from retinue.flask.state import current
from retinue.flask.viewers import log_in, somebody
from retinue.flask.views.routing import page

#: People whom one request asks about.
PEOPLE_MOST: Final = 50


@page("/state")
def state() -> Response:
    """
    Return, as JSON, what the pages show of each ``user`` whom the viewer may know, and the viewer's unread notices.

    Four selects at most, for 50 users at most, each left out whom the viewer may not know. ``as`` is the mark of who
    looked at the page when it was made, and ``next`` its path: 401 if nobody is logged in now, 409 if somebody else is.
    """
    slugs = dict.fromkeys(request.args.getlist("user"))
    if len(slugs) > PEOPLE_MOST:
        abort(400, gettext("That is more than one may do."))
    here = addresses.local_path(request.args.get("next")) or addresses.home()
    known, before = asked(), request.args.get("as")
    if before and not known.viewer_mark:
        log_in(here)
    if before and before != known.viewer_mark:
        text, link = gettext("Somebody else is logged in now."), gettext("Load it again")
        abort(make_response(jsonify(message=text, location=here, link=link), 409))
    found = cards_of(current().users_named(slugs, known.viewer))
    return _private(jsonify(people=people(found, here), **unread_piece(), **_token()))


@page("/notifications/unread")
def unread_number() -> Response:
    """
    Return, as JSON, what a badge says; 304 if that is what the tag of the request stands for. One select, either way.

    401 if nobody is logged in.
    """
    somebody()
    current().schema.table(NotificationMixin)
    answer = _private(jsonify(**unread_piece()))
    answer.add_etag()
    return answer.make_conditional(request)


def _token() -> dict[str, str]:
    """Return a token for the forms of the page, where Flask-WTF wants one: the old one may be of a session that has ended."""
    make: Any = current_app.jinja_env.globals.get("csrf_token")
    return {} if make is None or asked().viewer is None else {"token": make()}


def _private(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.vary.add("Cookie")
    return answer
