"""
What is compared: each competitor is one way to build a follow system, behind one interface.

Each has tables of its own in a database of its own, holds the same graph, and answers the
same questions with the same plain values; so every answer can be compared before a call is timed.
An operation that a competitor does not override is one that it cannot do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias

from sqlalchemy import URL

from benchmarks.data import Data

#: A user as a list shows them: key and name.
Shown: TypeAlias = tuple[int, str]

PAGE = 20


class Competitor:
    """One way to build a follow system, on one database."""

    #: As it stands in the tables.
    name: ClassVar[str]
    #: The kinds of database on which it runs; empty: it brings a server of its own kind.
    runs_on: ClassVar[frozenset[str]] = frozenset({"sqlite", "postgresql", "mariadb"})
    #: The name of the competitor in whose database it reads; it has none of its own then, and writes nothing.
    shares: ClassVar[str] = ""
    #: Whether Retinue is to be faster than it.
    is_peer: ClassVar[bool] = False

    def __init__(self, url: URL) -> None:
        """Connect to the database at *url*."""
        self.url = url

    def create(self) -> None:
        """Make the tables."""

    def load(self, data: Data) -> None:
        """Take over the graph, by the fastest way there is; not timed. Counters, where it has any, are right after it."""
        raise NotImplementedError

    def load_posts(self, authors: Sequence[int], times: Sequence[int], first: int = 1) -> None:
        """Make posts with the keys *first* and so on by *authors* at ascending *times* (microseconds since 1970)."""
        raise NotImplementedError

    def close(self) -> None:
        """Give back every connection."""

    def offers(self, operation: str) -> bool:
        """Return whether it can do *operation*."""
        return getattr(type(self), operation) is not getattr(Competitor, operation)

    def operation(self, name: str) -> Callable[..., Any]:
        """Return the operation of that *name*, to be called whenever it is this competitor's turn."""
        found: Callable[..., Any] = getattr(self, name)
        return found

    # --- Reads: each as one request of a web application does it ---

    def is_following(self, follower: int, followed: int) -> bool:
        """Whether *follower* follows *followed*."""
        raise NotImplementedError

    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        """("following", user) for whom *viewer* follows among *users*, and ("followed_by", user) for who follows them."""
        raise NotImplementedError

    def first_page(self, user: int) -> list[Shown]:
        """The `PAGE` newest followers of *user*, newest first; of the same moment, the higher key first."""
        raise NotImplementedError

    def place_at(self, user: int, depth: int) -> Any:  # noqa: ARG002
        """What `page_from()` needs to begin behind the *depth* newest followers: the offset. Not timed."""
        return depth

    def page_from(self, user: int, place: Any) -> list[Shown]:
        """As `first_page()`, from *place* on."""
        raise NotImplementedError

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        """(followers, following) of each of *users*."""
        raise NotImplementedError

    def mutuals(self, user: int) -> list[Shown]:
        """The first page of those who follow *user* and are followed back, by when *user* followed them, newest first."""
        raise NotImplementedError

    def followers_you_know(self, viewer: int, user: int) -> tuple[int, list[Shown]]:
        """How many of those whom *viewer* follows follow *user*; and the first page, by when *viewer* followed them."""
        raise NotImplementedError

    def suggestions(self, user: int) -> list[int]:
        """
        Whom *user* may want to follow, at most `PAGE`, the strongest case first, by the formula of `Graph.suggestions()`.

        Their names, and three whom *user* follows and who follow them, are fetched as well.
        """
        raise NotImplementedError

    def home_timeline(self, user: int) -> list[int]:
        """The keys of the `PAGE` newest posts by *user* and whom *user* follows, newest first."""
        raise NotImplementedError

    # --- Writes: each in a transaction of its own, committed ---

    def follow(self, follower: int, followed: int) -> bool:
        """Make *follower* follow *followed*; return whether they did not before. Counters are right after it."""
        raise NotImplementedError

    def unfollow(self, follower: int, followed: int) -> bool:
        """End it; return whether it was so. Counters are right after it."""
        raise NotImplementedError

    def post(self, author: int, key: int) -> None:
        """Make a post with that *key*."""
        raise NotImplementedError

    def delete_user(self, user: int) -> None:
        """Delete *user* and all their edges; the counters of all others are right after it."""
        raise NotImplementedError


class Peer(Competitor):
    """What applications use instead: it has nothing for many users, so they are asked for one by one, as a template does."""

    runs_on = frozenset({"sqlite", "postgresql"})
    is_peer = True

    def is_followed_by(self, user: int, follower: int) -> bool:
        """Whether *follower* follows *user*, seen from the user's side."""
        return self.is_following(follower, user)

    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        """Both ways, for each user."""
        following = {("following", user) for user in users if self.is_following(viewer, user)}
        return following | {("followed_by", user) for user in users if self.is_followed_by(viewer, user)}

    def first_page(self, user: int) -> list[Shown]:
        """As any page."""
        return self.page_from(user, 0)

    def mutuals(self, user: int) -> list[Shown]:
        """Whom the user follows, as far as they are followers."""
        return self.followers_you_know(user, user)[1]
