"""What the extension asks the database for one viewer, once in a request: until something changes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.orm import load_only, object_session
from sqlalchemy.orm.attributes import instance_state

from retinue import Counts, FollowRequestMixin, NotificationMixin, Relationship
from retinue.flask.changes import kept
from retinue.flask.state import State, current
from retinue.flask.viewers import logged_in_as, viewer
from retinue.relationships import between
from retinue.schema import identity
from retinue.settings import BATCH_MOST
from retinue.values import Key
from retinue.work import Work

_NAME: Final = "people"

#: Of those who wait for an answer so many are read; of more, it is said that there are more.
WAITING_MOST: Final = 10


class Asked:
    """What one request knows of people, as its viewer sees them."""

    def __init__(self, state: State, logged_in: Any) -> None:
        self.state = state
        self.logged_in = logged_in
        self.viewer: Any | None = viewer()
        #: What tells them from others in a page of theirs; empty for somebody not logged in.
        self.viewer_mark: str = "" if self.viewer is None else str(key_of(self.viewer))
        self.relationships: dict[Key, Relationship] = {}
        self.counts: dict[Key, Counts] = {}
        self._unread: int | None = None
        self._waiting: Sequence[Any] | None = None

    def relate(self, users: Iterable[Any], loading: Collection[str] = ()) -> None:
        """
        Ask how the viewer stands to those of *users* of whom it is not known. One select, or none.

        The attributes *loading* come with it, if there is one.
        """
        unknown = [key for user in users if (key := key_of(user)) not in self.relationships]
        if unknown:
            work = Work(self.state.session(), self.state.schema)
            found = between(work, self.viewer, unknown, loading)
            self.relationships.update({key: replace(how, blocked_by=False) for key, how in found.items()})

    def meet(self, users: Iterable[Any]) -> None:
        """As `relate()`, and load what a card shows of whoever of *users* was loaded without it. One select, or none."""
        people = list(users)
        lacking = self._lacking(people)
        self.relate(people, self.state.shown if lacking else ())
        lacking = self._lacking(lacking)
        if lacking:  # a stranger stands to nobody, so nothing was asked
            user, state = self.state.user_class, self.state
            shown = load_only(*(getattr(user, name) for name in state.shown))
            # What is loaded already stays as it is, also where it was changed.
            state.session().scalars(select(user).where(state.schema.key.in_(map(key_of, lacking))).options(shown)).all()

    def page(self, user: Any) -> Sequence[Any]:
        """Return *user*, and all other users whom the session has loaded, at most 1,000 in all."""
        loaded = list(self.state.session().identity_map.values())
        others = (one for one in loaded if isinstance(one, self.state.user_class) and one is not user)
        return [user, *islice(others, BATCH_MOST - 1)]

    def knows(self, user: Any, *, shown: bool) -> bool:
        """Return whether the viewer's relationship with *user* is known; and, if *shown*, whatever a card shows."""
        return key_of(user) in self.relationships and not (shown and self._lacking([user]))

    def _lacking(self, users: Iterable[Any]) -> list[Any]:
        """Return those of *users* of whom something that a card shows is not loaded, and can be."""
        session, shown = self.state.session(), self.state.shown
        objects = (user for user in users if not isinstance(user, Row))
        lacking = (user for user in objects if not instance_state(user).unloaded.isdisjoint(shown))
        return [user for user in lacking if object_session(user) is session]

    def count(self, users: Iterable[Any]) -> None:
        """Ask for the counts of those of *users* of whom they are not known. One select, or none."""
        unknown = [key for user in users if (key := key_of(user)) not in self.counts]
        if unknown:
            self.counts.update(self.state.graph().counts(unknown))

    def unread(self) -> int:
        """Ask how many notifications the viewer has not read. One select, or none."""
        if self._unread is None:
            has_notifications = self.viewer is not None and NotificationMixin in self.state.schema.models
            self._unread = self.state.graph().unread_notifications(self.viewer) if has_notifications else 0
        return self._unread

    def waiting(self) -> Sequence[Any]:
        """Ask who waits for the viewer's answer, the newest ten. One select, or none."""
        if self._waiting is None:
            has_requests = self.viewer is not None and FollowRequestMixin in self.state.schema.models
            self._waiting = self._newest_requests() if has_requests else ()
        return self._waiting

    def _newest_requests(self) -> Sequence[Any]:
        graph, columns = self.state.graph(), self.state.columns
        return graph.requests(self.viewer, viewer=self.viewer, limit=WAITING_MOST, columns=columns).items


def asked() -> Asked:
    """Return what this request has asked for whoever is looking now, since it last changed something."""
    known, logged_in = kept(), logged_in_as()
    found: Asked | None = known.get(_NAME)
    if found is None or found.logged_in != logged_in:
        found = known[_NAME] = Asked(current(), logged_in)
    return found


def key_of(user: Any) -> Key:
    """Return the key of *user*, who is in the database: an object, or a row with it. No statement."""
    key: Key = getattr(user, current().schema.key_name) if isinstance(user, Row) else identity(user)[0]
    return key
