"""
What follows from a change: counters, history, notifications, and word to the listeners.

A change is described by its event alone; everything else is read off it. All of
it is written in the transaction of the change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from retinue.effects import counters, outbox, records
from retinue.effects import single_statement as together
from retinue.events import (
    EdgeEvent,
    Event,
    Followed,
    FollowerRemoved,
    FollowRestored,
    RequestAccepted,
    Requested,
    RequestRejected,
    Unfollowed,
    listeners_of,
)
from retinue.models import LAST, new_id
from retinue.schema import Schema
from retinue.timeline import changes as timeline
from retinue.values import HistoryKind, Key, NotificationKind
from retinue.work import Work, inserting
from retinue.work.building import moment

#: Requests whose notices one statement deletes.
_CHUNK: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Notification:
    """What one of the two users is told of an event."""

    kind: NotificationKind
    #: Whether the follower is told; else the followed is.
    to_follower: bool = False
    #: Whether it is a question or an answer, which is told again whatever ``notify_again_after`` says.
    always: bool = False
    #: Whether it was the recipient's own doing: then it stands on their list, but is not news.
    read: bool = False


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What an event means to everything that is kept beside the edges."""

    #: How many more edges there are.
    edges: int
    history: HistoryKind
    notifications: tuple[_Notification, ...] = ()


_MEANINGS: Final[dict[type[Event], _Meaning]] = {
    Followed: _Meaning(+1, HistoryKind.FOLLOWED, (_Notification(NotificationKind.FOLLOW),)),
    Unfollowed: _Meaning(-1, HistoryKind.UNFOLLOWED),
    FollowerRemoved: _Meaning(-1, HistoryKind.FOLLOWER_REMOVED),
    Requested: _Meaning(0, HistoryKind.REQUESTED, (_Notification(NotificationKind.FOLLOW_REQUEST, always=True),)),
    RequestAccepted: _Meaning(
        +1,
        HistoryKind.REQUEST_ACCEPTED,
        (
            _Notification(NotificationKind.REQUEST_ACCEPTED, to_follower=True, always=True),
            # Takes the place of the request's own notification, which goes with the request.
            _Notification(NotificationKind.FOLLOW, read=True),
        ),
    ),
    FollowRestored: _Meaning(+1, HistoryKind.RESTORED),
    RequestRejected: _Meaning(0, HistoryKind.REQUEST_REJECTED),
}


def record(
    work: Work,
    *happened: Event,
    many: bool = False,
    told: bool = True,
) -> None:
    """
    Write down what follows from what *happened*, and keep the events until COMMIT.

    What is not *told* makes no notification either, and reaches no listener; but for
    what is to be done for home timelines.

    Cost: one update for each user whose counts changed (if *many*: three in all, for users
    who have count rows); one insert where history is kept; one where there are notifications (two for accepted
    requests); one update or delete where home timelines are.
    """
    work.schema.refuse_unusable()  # the ORM writes without a `Graph`
    edges = [(event, _MEANINGS[type(event)]) for event in happened if isinstance(event, EdgeEvent)]
    _count(work, edges, many=many)
    if work.schema.history is not None and edges:
        entries = [_entry(event, meaning) for event, meaning in edges]
        work.connection.execute(
            records.insert_history(work.schema), inserting.complete(work.schema, work.schema.history, entries)
        )
    if told:
        _notify(work, [(event, one) for event, meaning in edges for one in meaning.notifications])
    units = timeline.edges_changed(work, [(event, meaning.edges) for event, meaning in edges])
    say(work, *(happened if told else ()), *timeline.work_of(units))


class Changed(NamedTuple):
    """What became of an edge."""

    #: Whether it was inserted or deleted.
    done: bool
    #: Whether it was there before; False where nobody looked.
    was_there: bool = False


def change_edge(
    work: Work,
    change: together.Change,
    event: EdgeEvent,
) -> Changed:
    """
    Let *change* insert or delete the edge of *event*, and write down what follows from it, as `record()` does.

    Only where `together.is_possible()`. Cost: one statement; one more where home timelines
    are, and up to four for each user who was never counted.
    """
    meaning = _MEANINGS[type(event)]
    deltas = counters.Deltas()
    deltas.edge(event.follower_id, event.followed_id, meaning.edges)
    told = work.schema.notifications is not None and bool(meaning.notifications)
    parameters = {
        "follower": event.follower_id,
        "followed": event.followed_id,
        "history_id": new_id(),
        "history_kind": meaning.history.value,
        **counters.parameters_of(work.schema, deltas),
        **(
            _notice(work.schema, event, meaning.notifications[0])
            if told
            else {"at": event.at, **moment(work.schema, event.at)}
        ),
    }
    found: Any = work.run(together.change_edge, parameters, work.engine, change, told).one()
    edges, lower, higher, was_there = found
    if not edges:
        return Changed(done=False, was_there=bool(was_there))
    if not (lower and higher):
        counters.apply_rest(work, deltas, lower)
    _notify(work, [(event, one) for one in meaning.notifications[1:]])
    units = timeline.edges_changed(work, [(event, meaning.edges)])
    say(work, event, *timeline.work_of(units))
    return Changed(done=True)


def say(work: Work, *happened: Event) -> None:
    """Keep events for the listeners until COMMIT. No statement."""
    if listeners := listeners_of(work.schema.user):
        outbox.put(work.session, work.connection, listeners, happened)


def _count(work: Work, edges: Sequence[tuple[EdgeEvent, _Meaning]], *, many: bool) -> None:
    if work.schema.counts is None:
        return
    deltas = counters.Deltas()
    for event, meaning in edges:
        if meaning.edges:
            deltas.edge(event.follower_id, event.followed_id, meaning.edges)
    apply = counters.apply_to_many if many else counters.apply
    apply(work, deltas)


def _entry(event: EdgeEvent, meaning: _Meaning) -> dict[str, Any]:
    return {
        "follower_id": event.follower_id,
        "id": new_id(),
        "following_id": event.followed_id,
        "kind": meaning.history.value,
        "timestamp": event.at,
    }


def close_requests(work: Work, pairs: Iterable[tuple[Key, Key]]) -> None:
    """
    Delete the notifications of the requests of *pairs*, which nobody has to answer any more.

    After `record()`: on MariaDB this locks the places beside them, where others who hold count rows of the same
    users want to insert. Only where there was a request: there a delete that finds nothing holds up others' inserts.
    Cost: one delete for each user who was asked, where there are notifications.
    """
    if work.schema.notifications is None:
        return
    asking: defaultdict[Key, list[Key]] = defaultdict(list)
    for follower, followed in pairs:
        asking[followed].append(follower)
    for followed, followers in sorted(asking.items()):
        for start in range(0, len(followers), _CHUNK):
            parameters = {"recipient": followed, "actors": followers[start : start + _CHUNK]}
            work.connection.execute(records.delete_request_notifications(work.schema, work.engine), parameters)


def _notify(work: Work, told: Sequence[tuple[EdgeEvent, _Notification]]) -> None:
    if work.schema.notifications is None:
        return
    for read, build in ((False, records.notify), (True, records.notify_read)):
        notices = [_notice(work.schema, event, one) for event, one in told if one.read is read]
        if notices:
            work.insert_each(work.schema.notifications, build, notices)


def _notice(schema: Schema, event: EdgeEvent, told: _Notification) -> dict[str, Any]:
    follower, followed = event.follower_id, event.followed_id
    recipient, actor = (follower, followed) if told.to_follower else (followed, follower)
    return {
        "recipient": recipient,
        "actor": actor,
        "notice": told.kind.value,
        "notice_id": new_id(),
        "at": event.at,
        "again_after": LAST if told.always else event.at - schema.settings.notify_again_after,
        **moment(schema, event.at),
    }
