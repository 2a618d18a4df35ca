"""
What a viewer may see, in plain Python: DESIGN's rules once more, without a database.

Nothing here looks at how the library does it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from retinue import ALL
from retinue.values import Everything

Pair = tuple[int, int]

#: Who looks: trusted code, somebody who is not logged in, or a user.
Viewer = Everything | int | None


@dataclass(frozen=True)
class Member:
    """What a user has chosen, and whether they are active."""

    locked: bool = False
    active: bool = True
    hide_followers: bool = False
    hide_following: bool = False


@dataclass(frozen=True)
class Sight:
    """A graph at one moment, for somebody who looks at it."""

    users: Mapping[int, Member]
    #: Who follows whom, since when.
    edges: Mapping[Pair, datetime]
    #: Those whose one side blocks the other, now; either way round.
    apart: Callable[[int, int], bool]

    # --- The lists, as they are ------------------------------------------------------------------

    def followers(self, user: int, _viewer: Viewer) -> dict[int, datetime]:
        return {a: since for (a, b), since in self.edges.items() if b == user}

    def following(self, user: int, _viewer: Viewer) -> dict[int, datetime]:
        return {b: since for (a, b), since in self.edges.items() if a == user}

    def mutuals(self, user: int, viewer: Viewer) -> dict[int, datetime]:
        there = self.following(user, viewer)
        return {other: there[other] for other in there.keys() & self.followers(user, viewer)}

    def followers_you_know(self, user: int, viewer: Viewer) -> dict[int, datetime]:
        theirs = self.followers(user, viewer)
        return {b: since for (a, b), since in self.edges.items() if a == viewer and b in theirs}

    # --- As they are seen ------------------------------------------------------------------------

    def allows(self, name: str, owner: int, viewer: Viewer) -> bool:
        """Return whether *viewer* may see the list *name* of *owner* at all."""
        if viewer is ALL or viewer == owner:
            return True
        member = self.users[owner]
        if not member.active:
            return False
        if member.hide_followers and name in ("followers", "mutuals", "followers_you_know"):
            return False
        if member.hide_following and name in ("following", "mutuals"):
            return False
        if member.locked and (viewer, owner) not in self.edges:
            return False
        return not self.parted(viewer, owner)

    def rows(self, name: str, owner: int, viewer: Viewer) -> list[tuple[datetime, int]]:
        """Return what *viewer* sees of a list that they may see: since when and who, newest first."""
        everybody: dict[int, datetime] = getattr(self, name)(owner, viewer)
        seen = [(since, other) for other, since in everybody.items() if self.shows(other, viewer)]
        return sorted(seen, reverse=True)

    def leaves_out(self, name: str, owner: int, viewer: Viewer) -> bool:
        """Return whether *viewer* is told that rows were left out, as they were."""
        return viewer == owner and len(self.rows(name, owner, viewer)) < len(getattr(self, name)(owner, viewer))

    def shows(self, user: int, viewer: Viewer) -> bool:
        """Return whether *viewer* meets *user* on a list."""
        if viewer is ALL or viewer == user:
            return True
        return self.users[user].active and not self.parted(viewer, user)

    def parted(self, viewer: Viewer, user: int) -> bool:
        return isinstance(viewer, int) and self.apart(viewer, user)


#: The lists that others may see, each by its name in `Graph` and in `Sight`.
LISTS = ("followers", "following", "mutuals", "followers_you_know")
