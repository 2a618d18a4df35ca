"""What the viewer does to another user: one POST for each verb, which leads back to the page with the button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

from flask import abort, flash, jsonify, make_response, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from retinue import BlockedError, Graph, LimitError, Outcome
from retinue.flask import addresses
from retinue.flask.asked import key_of
from retinue.flask.cards import Card, card_without_counts
from retinue.flask.language import gettext, marked, number_of
from retinue.flask.state import current
from retinue.flask.templating import button
from retinue.flask.viewers import somebody
from retinue.flask.views.asking import ask_application
from retinue.flask.views.people import user_or_404
from retinue.flask.views.routing import form
from retinue.flask.wording import limit_reached
from retinue.values import Key

#: Changes the graph for the viewer and another user; returns the message to show, in English, with ``%(name)s`` for the user.
Verb: TypeAlias = Callable[[Graph[Any], Key, Key], str]

#: For how long somebody may be muted or blocked: the value in the form, and its length; None: for good.
PERIODS: Final[dict[str, timedelta | None]] = {
    marked("for good"): None,
    marked("for a day"): timedelta(days=1),
    marked("for a week"): timedelta(days=7),
    marked("for a month"): timedelta(days=30),
}

#: The request was taken back, answered in another window, or deleted by a block.
_NOT_PENDING: Final = marked("%(name)s is not waiting for an answer.")


class Result(NamedTuple):
    """The result of a verb: the message, the user's card afterwards, and how many follow them (for the script)."""

    message: str
    person: Card
    follower_count: int = 0


@form("/@<retinue_slug:slug>/follow")
def follow(slug: str) -> Response:
    """Follow somebody, or ask to. Does nothing if the viewer follows them already."""

    def change(graph: Graph[Any], viewer: Key, user: Key) -> str:
        outcome = graph.follow(viewer, user)
        # A form that was sent twice gets the message of the first time.
        if outcome is Outcome.REQUESTED or not (outcome or graph.is_following(viewer, user)):
            return marked("You have asked to follow %(name)s.")
        return marked("You follow %(name)s.")

    return _do(slug, change)


@form("/@<retinue_slug:slug>/unfollow")
def unfollow(slug: str) -> Response:
    """Unfollow somebody, or withdraw a request. Does nothing if there is neither."""

    def change(graph: Graph[Any], viewer: Key, user: Key) -> str:
        asked = graph.relationships(viewer, [user])[user].requested
        graph.unfollow(viewer, user)
        return marked("You no longer ask to follow %(name)s.") if asked else marked("You no longer follow %(name)s.")

    return _do(slug, change)


@form("/@<retinue_slug:slug>/remove")
def remove(slug: str) -> Response:
    """Remove a follower. Does nothing if they do not follow the viewer."""
    return _do(slug, _simple_verb(Graph.remove_follower, marked("%(name)s no longer follows you.")))


@form("/@<retinue_slug:slug>/dismiss")
def dismiss(slug: str) -> Response:
    """Dismiss a suggestion: the user is not suggested again, and does not learn of it."""
    return _do(slug, _simple_verb(Graph.dismiss, marked("%(name)s is not suggested to you any more.")))


@form("/@<retinue_slug:slug>/accept")
def accept(slug: str) -> Response:
    """Accept a request to follow the viewer."""
    return _do(slug, _simple_verb(Graph.accept, marked("%(name)s follows you now."), otherwise=_NOT_PENDING))


@form("/@<retinue_slug:slug>/reject")
def reject(slug: str) -> Response:
    """Reject a request to follow the viewer."""
    return _do(slug, _simple_verb(Graph.reject, marked("You said no to %(name)s."), otherwise=_NOT_PENDING))


@form("/@<retinue_slug:slug>/block")
def block(slug: str) -> Response:
    """Block somebody, for good or for a time."""
    return _do(slug, _simple_verb(Graph.block, marked("You block %(name)s."), until=_end_asked_for()))


@form("/@<retinue_slug:slug>/unblock")
def unblock(slug: str) -> Response:
    """End a block; bring back the follows that it ended, if the form asks for that."""
    return _do(
        slug, _simple_verb(Graph.unblock, marked("You no longer block %(name)s."), restore="restore" in request.form)
    )


@form("/@<retinue_slug:slug>/mute")
def mute(slug: str) -> Response:
    """Mute somebody, for good or for a time."""
    return _do(slug, _simple_verb(Graph.mute, marked("You hear no more of %(name)s."), until=_end_asked_for()))


@form("/@<retinue_slug:slug>/unmute")
def unmute(slug: str) -> Response:
    """End a mute."""
    return _do(slug, _simple_verb(Graph.unmute, marked("You hear of %(name)s again.")))


def _simple_verb(method: Callable[..., object], message: str, otherwise: str = "", **arguments: Any) -> Verb:
    """Return a verb that calls *method* and answers *message*; or *otherwise*, if given, where nothing changed."""

    def change(graph: Graph[Any], viewer: Key, user: Key) -> str:
        changed = method(graph, viewer, user, **arguments)
        return message if changed or not otherwise else otherwise

    return change


def _end_asked_for() -> datetime | None:
    """Return the end of the period that the form names; None: never. 400 if there is no such period."""
    period = request.form.get("period", "for good")
    if period not in PERIODS:
        abort(400, gettext("That is not a period which the menu offers."))
    length = PERIODS[period]
    return None if length is None else datetime.now(UTC) + length


def _do(slug: str, verb: Verb) -> Response:
    """
    Do *verb* to the user with this *slug*, show its message, and lead back to the page with the button.

    404 for a user of whom the viewer may not know; 403 for what the application does not allow. A request for JSON gets the button as it
    is afterwards, and the number of followers.
    """
    viewer = somebody()
    user = user_or_404(slug, viewer)
    ask_application((request.endpoint or "").removeprefix("retinue."), viewer, user)
    person = card_without_counts(user)
    try:
        result = _change(verb, key_of(viewer), key_of(user), person)
    except BlockedError:
        # Neither may learn which of the two blocks, so the message does not say it.
        return _refuse(person, gettext("You cannot follow %(name)s.", name=person.label), 409)
    except LimitError as error:
        return _refuse(person, limit_reached(error, person.label), 429)
    if addresses.wants_json():
        return jsonify(message=result.message, button=button(result.person), followers=number_of(result.follower_count))
    flash(result.message)
    return _back(person)


def _change(verb: Verb, viewer: Key, user: Key, person: Card) -> Result:
    """Do *verb* in a transaction of its own; return its result."""

    def work(session: Session) -> Result:
        graph = current().graph(session)
        message = gettext(verb(graph, viewer, user), name=person.label)
        if not addresses.wants_json():
            return Result(message, person)
        relationship = replace(graph.relationships(viewer, [user])[user], blocked_by=False)
        found = graph.counts([user])[user]
        return Result(message, replace(person, relationship=relationship), found.followers)

    return current().transact(work)


def _refuse(person: Card, text: str, status: int) -> Response:
    """Show *text* as an error; to the script, with this HTTP *status*."""
    if addresses.wants_json():
        return make_response(jsonify(message=text), status)
    flash(text, "error")
    return _back(person)


def _back(person: Card) -> Response:
    return addresses.back(person.url, f"#user-{addresses.quoted(person.slug)}" if "anchored" in request.form else "")
