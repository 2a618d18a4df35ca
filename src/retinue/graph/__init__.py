"""The graph: every verb and every read of who follows whom, on the caller's session."""

from __future__ import annotations

from retinue.graph.discovery import Discovery
from retinue.graph.expiry import Expiry
from retinue.graph.lists import Lists
from retinue.graph.part import U
from retinue.graph.readers import Readers
from retinue.graph.records import Records
from retinue.graph.requests import Requests
from retinue.graph.safety import Safety
from retinue.graph.timeline import Timeline
from retinue.graph.visibility import Visibility

__all__ = ["Graph"]


class Graph(
    Requests[U], Safety[U], Lists[U], Records[U], Timeline[U], Readers[U], Discovery[U], Expiry[U], Visibility[U]
):
    """
    Who follows whom, on the caller's session.

    Adds to the caller's transaction; never commits, never rolls back. Wherever a
    method takes a user, it takes an instance (also an expired one) or its primary
    key. Work that the session holds back is flushed first, as before any query.

    Args:
        session: A session, or a ``scoped_session``. From async code:
            ``await session.run_sync(lambda s: Graph(s, User).follow(a, b))``.
        user_class: The class with `FollowerMixin`.

    Raises:
        MappingError: *user_class* is not a user class; or a column of your own on one of the models in which the
            library writes by itself needs a value and has no default.
        ModelMissingError: It has no `FollowMixin` class.
        TypeError: *session* is not a session.
    """

    __slots__ = ()
