"""Everything that one person does about another: a POST each, and back to where the button was."""

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
from retinue.flask.cards import Card, key_of, plain_card
from retinue.flask.state import current
from retinue.flask.templating import button
from retinue.flask.viewers import somebody
from retinue.flask.views.people import user_or_404
from retinue.flask.views.routing import form
from retinue.flask.wording import count, limit_reached
from retinue.values import Key

#: Changes the graph for the viewer, about another user; returns what to say, with ``{}`` for their name.
Verb: TypeAlias = Callable[[Graph[Any], Key, Key], str]

#: For how long somebody may be muted or blocked: what stands in a form, and how long that is; None: for good.
PERIODS: Final[dict[str, timedelta | None]] = {
    "for good": None,
    "for a day": timedelta(days=1),
    "for a week": timedelta(days=7),
    "for a month": timedelta(days=30),
}

#: Taken back, answered in another window, or given up for a block.
_OVER: Final = "{} is not waiting for an answer."


class Done(NamedTuple):
    """What came of a verb: what to say, the user's card as it is then, and how many follow them (for the script)."""

    said: str
    person: Card
    total: int = 0


@form("/@<retinue_slug:slug>/follow")
def follow(slug: str) -> Response:
    """Follow somebody, or ask to; no harm if one does already."""

    def change(graph: Graph[Any], viewer: Key, user: Key) -> str:
        outcome = graph.follow(viewer, user)
        # A form that was sent twice: say again what the first one had done.
        if outcome is Outcome.REQUESTED or not (outcome or graph.is_following(viewer, user)):
            return "You have asked to follow {}."
        return "You follow {}."

    return _do(slug, change)


@form("/@<retinue_slug:slug>/unfollow")
def unfollow(slug: str) -> Response:
    """Follow somebody no longer, or ask to no longer; no harm if one does not."""

    def change(graph: Graph[Any], viewer: Key, user: Key) -> str:
        asked = graph.relationships(viewer, [user])[user].requested
        graph.unfollow(viewer, user)
        return "You no longer ask to follow {}." if asked else "You no longer follow {}."

    return _do(slug, change)


@form("/@<retinue_slug:slug>/remove")
def remove(slug: str) -> Response:
    """Be followed by somebody no longer; no harm if one is not."""
    return _do(slug, _saying(Graph.remove_follower, "{} no longer follows you."))


@form("/@<retinue_slug:slug>/dismiss")
def dismiss(slug: str) -> Response:
    """Have somebody suggested no more; they are not told."""
    return _do(slug, _saying(Graph.dismiss, "{} is not suggested to you any more."))


@form("/@<retinue_slug:slug>/accept")
def accept(slug: str) -> Response:
    """Let somebody follow who has asked to."""
    return _do(slug, _saying(Graph.accept, "{} follows you now.", otherwise=_OVER))


@form("/@<retinue_slug:slug>/reject")
def reject(slug: str) -> Response:
    """Answer no to somebody who has asked to follow."""
    return _do(slug, _saying(Graph.reject, "You said no to {}.", otherwise=_OVER))


@form("/@<retinue_slug:slug>/block")
def block(slug: str) -> Response:
    """Keep somebody away, for good or for a time."""
    return _do(slug, _saying(Graph.block, "You block {}.", until=_end_asked_for()))


@form("/@<retinue_slug:slug>/unblock")
def unblock(slug: str) -> Response:
    """Keep somebody away no longer, and bring back what was, if asked."""
    return _do(slug, _saying(Graph.unblock, "You no longer block {}.", restore="restore" in request.form))


@form("/@<retinue_slug:slug>/mute")
def mute(slug: str) -> Response:
    """Hear no more of somebody, for good or for a time."""
    return _do(slug, _saying(Graph.mute, "You hear no more of {}.", until=_end_asked_for()))


@form("/@<retinue_slug:slug>/unmute")
def unmute(slug: str) -> Response:
    """Hear of somebody again."""
    return _do(slug, _saying(Graph.unmute, "You hear of {} again."))


def _saying(verb: Callable[..., object], said: str, otherwise: str = "", **arguments: Any) -> Verb:
    """Return what does *verb* and says *said*; or *otherwise*, if there is that to say, where it changed nothing."""

    def change(graph: Graph[Any], viewer: Key, user: Key) -> str:
        done = verb(graph, viewer, user, **arguments)
        return said if done or not otherwise else otherwise

    return change


def _end_asked_for() -> datetime | None:
    """Return when the period that the form names ends; None: never. 400 if it names none of ours."""
    period = request.form.get("period", "for good")
    if period not in PERIODS:
        abort(400, "That is not a period which the menu offers.")
    length = PERIODS[period]
    return None if length is None else datetime.now(UTC) + length


def _do(slug: str, verb: Verb) -> Response:
    """
    Do *verb* to the user of that *slug*, say what was done, and lead back to where the button was.

    Whom the viewer may not know of is not there for a verb either: 404. Who asks for
    JSON gets the button as it is then, and the number of followers.
    """
    viewer = somebody()
    user = user_or_404(slug, viewer)
    person = plain_card(user)
    try:
        done = _change(verb, key_of(viewer), key_of(user), person)
    except BlockedError:
        # Which of the two blocks is nobody's to know, so this is all there is to say.
        return _refuse(person, f"You cannot follow {person.label}.", 409)
    except LimitError as error:
        return _refuse(person, limit_reached(error, person.label), 429)
    if addresses.wants_json():
        return jsonify(message=done.said, button=button(done.person), followers=count(done.total))
    flash(done.said)
    return _back(person)


def _change(verb: Verb, viewer: Key, user: Key, person: Card) -> Done:
    """Do *verb* in a transaction of its own; return what came of it."""

    def work(session: Session) -> Done:
        graph = current().graph(session)
        said = verb(graph, viewer, user).format(person.label)
        if not addresses.wants_json():
            return Done(said, person)
        how = replace(graph.relationships(viewer, [user])[user], blocked_by=False)
        found = graph.counts([user])[user]
        return Done(said, replace(person, relationship=how), found.followers)

    return current().transact(work)


def _refuse(person: Card, text: str, status: int) -> Response:
    """Say *text* instead of doing a verb; with that *status* of HTTP to the script."""
    if addresses.wants_json():
        return make_response(jsonify(message=text), status)
    flash(text, "error")
    return _back(person)


def _back(person: Card) -> Response:
    return addresses.back(person.url, f"#user-{person.slug}" if "anchored" in request.form else "")
