"""What the viewer does to another user: one POST for each verb, which leads back to the page with the button."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from flask import abort, flash, jsonify, make_response, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from retinue import BlockedError, Graph, LimitError, MuteMixin, Outcome
from retinue.flask import addresses
from retinue.flask.asked import key_of
from retinue.flask.cards import Card, card_without_counts, cards_of
from retinue.flask.language import gettext, marked
from retinue.flask.periods import PERIODS
from retinue.flask.pieces import people, unread_piece
from retinue.flask.state import current
from retinue.flask.viewers import somebody
from retinue.flask.views.asking import ask_application
from retinue.flask.views.people import user_or_404
from retinue.flask.views.routing import form
from retinue.flask.wording import limit_reached
from retinue.values import Key

#: Changes the graph, in this session, for the viewer and another user.
Verb: TypeAlias = "Callable[[Session, Key, Key], Result]"

#: The request was taken back, answered in another window, or deleted by a block.
_NOT_PENDING: Final = marked("There is no request from %(name)s to answer any more.")


class Undo(NamedTuple):
    """The verb that takes another one back, and the fields of its form."""

    verb: str
    fields: Mapping[str, str] = MappingProxyType({})


class Result(NamedTuple):
    """The result of a verb: the message, in English, with ``%(name)s`` for the user; and how it is taken back, if it can be."""

    message: str
    undo: Undo | None = None


@form("/@<retinue_slug:slug>/follow")
def follow(slug: str) -> Response:
    """Follow somebody, or ask to. Does nothing if the viewer follows them already."""

    def change(session: Session, viewer: Key, user: Key) -> Result:
        graph = current().graph(session)
        outcome = graph.follow(viewer, user)
        # A form that was sent twice gets the message of the first time.
        if outcome is Outcome.REQUESTED or not (outcome or graph.is_following(viewer, user)):
            return Result(marked("You asked to follow %(name)s."))
        return Result(marked("You follow %(name)s."))

    return _do(slug, change)


@form("/@<retinue_slug:slug>/unfollow")
def unfollow(slug: str) -> Response:
    """Unfollow somebody, or withdraw a request. Does nothing if there is neither."""

    def change(session: Session, viewer: Key, user: Key) -> Result:
        graph = current().graph(session)
        asked = graph.relationships(viewer, [user])[user].requested
        undo = Undo("follow") if graph.unfollow(viewer, user) else None
        if asked:
            return Result(marked("You withdrew your request to follow %(name)s."), undo)
        return Result(marked("You no longer follow %(name)s."), undo)

    return _do(slug, change)


@form("/@<retinue_slug:slug>/remove")
def remove(slug: str) -> Response:
    """Remove a follower. Does nothing if they do not follow the viewer."""
    return _do(slug, _simple_verb(Graph.remove_follower, marked("%(name)s no longer follows you.")))


@form("/@<retinue_slug:slug>/dismiss")
def dismiss(slug: str) -> Response:
    """Dismiss a suggestion: the user is not suggested again, and does not learn of it."""
    undo = Undo("undismiss")
    return _do(slug, _simple_verb(Graph.dismiss, marked("%(name)s won’t be suggested to you again."), undo=undo))


@form("/@<retinue_slug:slug>/undismiss")
def undismiss(slug: str) -> Response:
    """Take a dismissal back. Does nothing if there is none."""
    return _do(slug, _simple_verb(Graph.undismiss, marked("%(name)s may be suggested to you again.")))


@form("/@<retinue_slug:slug>/accept")
def accept(slug: str) -> Response:
    """Accept a request to follow the viewer."""
    return _do(slug, _simple_verb(Graph.accept, marked("%(name)s now follows you."), otherwise=_NOT_PENDING))


@form("/@<retinue_slug:slug>/reject")
def reject(slug: str) -> Response:
    """Reject a request to follow the viewer."""
    return _do(
        slug, _simple_verb(Graph.reject, marked("You rejected the request from %(name)s."), otherwise=_NOT_PENDING)
    )


@form("/@<retinue_slug:slug>/block")
def block(slug: str) -> Response:
    """Block somebody, for good or for a time."""
    undo, until = Undo("unblock", {"restore": "1"}), _end_asked_for()
    return _do(slug, _simple_verb(Graph.block, marked("You blocked %(name)s."), undo=undo, until=until))


@form("/@<retinue_slug:slug>/unblock")
def unblock(slug: str) -> Response:
    """End a block; bring back the follows that it ended, if the form asks for that."""
    return _do(slug, _simple_verb(Graph.unblock, marked("You unblocked %(name)s."), restore="restore" in request.form))


@form("/@<retinue_slug:slug>/mute")
def mute(slug: str) -> Response:
    """Mute somebody, for good or for a time."""
    return _do(slug, _simple_verb(Graph.mute, marked("You muted %(name)s."), until=_end_asked_for()))


@form("/@<retinue_slug:slug>/unmute")
def unmute(slug: str) -> Response:
    """End a mute."""

    def change(session: Session, viewer: Key, user: Key) -> Result:
        current().schema.table(MuteMixin)
        mute: Any = current().schema.models[MuteMixin]
        of_both = select(mute.until, mute.notifications).where(mute.muter_id == viewer, mute.muted_id == user)
        before, undo = session.execute(of_both).one_or_none(), None
        # A mute that leaves notifications is no mute of the form's.
        if current().graph(session).unmute(viewer, user) and before and before.notifications:
            undo = Undo("mute", {"until": before.until.isoformat()} if before.until else {})
        return Result(marked("You unmuted %(name)s."), undo)

    return _do(slug, change)


def _simple_verb(
    method: Callable[..., object], message: str, otherwise: str = "", undo: Undo | None = None, **arguments: Any
) -> Verb:
    """Return a verb that calls *method* and answers *message*; or *otherwise*, if given, where nothing changed."""

    def change(session: Session, viewer: Key, user: Key) -> Result:
        changed = method(current().graph(session), viewer, user, **arguments)
        return Result(message, undo) if changed else Result(otherwise or message)

    return change


def _end_asked_for() -> datetime | None:
    """Return the end of the period that the form names, or the time ``until``; None: never. 400 if that is neither."""
    until, period = request.form.get("until"), request.form.get("period", "for good")
    if until is not None:
        return _time(until) or abort(400, gettext("There is no such period."))
    if period not in PERIODS:
        abort(400, gettext("There is no such period."))
    length = PERIODS[period]
    return None if length is None else datetime.now(UTC) + length


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if time.tzinfo is None else time


def _do(slug: str, verb: Verb) -> Response:
    """
    Do *verb* to the user with this *slug*, show its message, and lead back to the page with the button.

    404 for a user of whom the viewer may not know; 403 for what the application does not allow. A request for JSON gets
    what its page shows of the two afterwards, and how the verb is taken back.
    """
    viewer, name = somebody(), (request.endpoint or "").removeprefix("retinue.")
    user = user_or_404(slug, viewer)
    ask_application(name, viewer, user)
    person, keys = card_without_counts(user), (key_of(viewer), key_of(user))
    try:
        result = current().transact(lambda session: verb(session, *keys))
    except BlockedError:
        # Neither may learn which of the two blocks, so the message does not say it.
        return _refuse(person, gettext("You can’t follow %(name)s.", name=person.label), 409)
    except LimitError as error:
        return _refuse(person, limit_reached(error, person.label), 429)
    message = gettext(result.message, name=person.label)
    if addresses.wants_json():
        return jsonify(message=message, **_after(name, result.undo, user, viewer))
    flash(message)
    return _back(person)


def _after(verb: str, undo: Undo | None, user: Any, viewer: Any) -> dict[str, Any]:
    """Return what is so after *verb*, for the script. Three selects, or two."""
    here = addresses.local_path(request.form.get("next")) or addresses.home()
    cards = cards_of([user, viewer])
    said: dict[str, Any] = {"people": people(cards, here, verb), **unread_piece()}
    # To follow somebody private again is to ask them anew.
    asks = undo is not None and undo.verb == "follow" and cards[0].locked
    if undo is not None and not asks and cards[0].may(undo.verb):
        said["undo"] = {"address": url_for(f"retinue.{undo.verb}", slug=cards[0].slug), "fields": dict(undo.fields)}
    # How the two stand does not tell who was dismissed.
    return {**said, "gone": cards[0].slug} if verb == "dismiss" else said


def _refuse(person: Card, text: str, status: int) -> Response:
    """Show *text* as an error; to the script, with this HTTP *status*."""
    if addresses.wants_json():
        return make_response(jsonify(message=text), status)
    flash(text, "error")
    return _back(person)


def _back(person: Card) -> Response:
    place = request.form.get("near") or f"user-{person.slug}"
    return addresses.back(person.url, f"#{addresses.quoted(place)}" if "anchored" in request.form else "")
