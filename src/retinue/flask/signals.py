"""
Signals of blinker for what people did: sent after COMMIT, in the process that made the change.

The sender is always the Flask application itself; the keyword ``event`` holds the frozen event of
`retinue.events`, with the keys of the users and the time::

    from retinue.flask.signals import user_followed

    @user_followed.connect_via(app)
    def welcome(app, event):
        print(event.follower_id, "now follows", event.followed_id)

Each event sends the signal of its class, and then that of its base class: who listens to
`user_followed` hears every new edge, also one that was asked for first (`follow_request_accepted`) or that came back
after a block (`follow_restored`). Listen to one of the two, not to both, unless you tell them apart by the event.

Where several applications share one class of users, the one whose context is current sends. Without a context
of one of them (a script, a thread of its own), each of them does. A receiver that raises is logged (``retinue.events``);
only those connected to the same signal after it are not called.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from blinker import Namespace, Signal
from flask import Flask, appcontext_pushed, current_app, has_app_context

from retinue import events, listen
from retinue.events import Event, Listeners, listeners_of

#: All signals, by name.
signals: Namespace = Namespace()

user_followed: Signal = signals.signal("user-followed", "Somebody follows somebody: an edge is new, however it came.")
user_unfollowed: Signal = signals.signal("user-unfollowed", "Somebody ended their own follow.")
follower_removed: Signal = signals.signal("follower-removed", "Somebody removed a follower of theirs.")
follow_requested: Signal = signals.signal("follow-requested", "Somebody asked to follow somebody.")
follow_request_accepted: Signal = signals.signal(
    "follow-request-accepted", "Somebody said yes to a request; `user_followed` is sent too."
)
follow_request_rejected: Signal = signals.signal("follow-request-rejected", "Somebody said no to a request.")
follow_restored: Signal = signals.signal(
    "follow-restored", "An edge is back that a block had cut; `user_followed` is sent too."
)
user_blocked: Signal = signals.signal("user-blocked", "Somebody blocks somebody.")
user_unblocked: Signal = signals.signal("user-unblocked", "Somebody ended a block of theirs.")
user_muted: Signal = signals.signal("user-muted", "Somebody mutes somebody.")
user_unmuted: Signal = signals.signal("user-unmuted", "Somebody ended a mute of theirs.")

#: The signal of each class of events that is about people.
SIGNALS: Final = MappingProxyType[type[Event], Signal](
    {
        events.Followed: user_followed,
        events.Unfollowed: user_unfollowed,
        events.FollowerRemoved: follower_removed,
        events.Requested: follow_requested,
        events.RequestAccepted: follow_request_accepted,
        events.RequestRejected: follow_request_rejected,
        events.FollowRestored: follow_restored,
        events.Blocked: user_blocked,
        events.Unblocked: user_unblocked,
        events.Muted: user_muted,
        events.Unmuted: user_unmuted,
    }
)

#: The applications of each graph of users. Neither is kept alive by this.
_APPS: weakref.WeakKeyDictionary[Listeners, weakref.WeakSet[Flask]] = weakref.WeakKeyDictionary()

#: The extension name under which an application keeps a handler that waits for its user class.
_WAITING: Final = "retinue.signals"


def init_app(app: Flask, user_class: type[Any] | Callable[[], type[Any]]) -> None:
    """
    Send signals from *app* for the events of the graph of *user_class*, for as long as *app* lives.

    Repeating it changes nothing.

    Args:
        app: The application.
        user_class: The class of users; or a function that returns it, where models may be imported later:
            it is called whenever a context of *app* begins, until it raises no `RuntimeError` any more.
    """
    if isinstance(user_class, type):
        _connect(app, user_class)
        return
    find = user_class

    def try_again(app: Flask) -> None:
        try:
            found = find()
        except RuntimeError:
            return
        appcontext_pushed.disconnect(try_again, app)
        app.extensions.pop(_WAITING, None)
        _connect(app, found)

    # The application keeps it: the signal does not, so that neither outlives the other.
    app.extensions[_WAITING] = try_again
    appcontext_pushed.connect(try_again, app)


def _connect(app: Flask, user_class: type[Any]) -> None:
    apps = _APPS.setdefault(listeners_of(user_class), weakref.WeakSet())
    if app in apps:
        return
    apps.add(app)
    reference = weakref.ref(app)
    for kind, signal in SIGNALS.items():
        stop = listen(user_class, kind, partial(_send, signal, reference, apps))
        weakref.finalize(app, stop).atexit = False


def _send(signal: Signal, reference: weakref.ref[Flask], apps: weakref.WeakSet[Flask], event: Event) -> None:
    """Send *event* from the application of *reference*, unless it is another one's."""
    app = reference()
    if app is None:
        return
    here = current_app._get_current_object() if has_app_context() else None  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's documented way to the sender
    if here is app or here not in apps:
        signal.send(app, event=event)
