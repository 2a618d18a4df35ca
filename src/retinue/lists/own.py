"""The lists of a user's own: those to whom they have a tie, or who have one to them. Each is a line of `ties.TIES`."""

from __future__ import annotations

from typing import Any, Final

from retinue.lists.reads import people_of
from retinue.lists.statements import Edges
from retinue.schema import Schema
from retinue.settings import PAGE_DEFAULT
from retinue.ties import TIES, Tie
from retinue.values import ALL, Everything, Page
from retinue.work import Work
from retinue.work.building import user_key


def page(
    work: Work,
    name: str,
    user: Any,
    *,
    viewer: Any | Everything | None = ALL,
    limit: int = PAGE_DEFAULT,
    cursor: str | None = None,
) -> Page[Any]:
    """
    Return a page of the list *name* of *user*, for whom alone it is. See the method of `Graph` with that name.

    Raises:
        ModelMissingError: There can be no such ties.
    """
    people = OWN_LISTS[name]
    people.tie.table(work.schema)
    return people_of(work, people, user, viewer, limit, cursor, item=people.tie.item)


class OwnList:
    """Those at the other end of a user's ties of one kind, as `lists.statements` reads a list."""

    def __init__(self, name: str, tie: Tie, *, received: bool) -> None:
        #: What a cursor knows it by.
        self.__name__: str = name
        self.tie: Tie = tie
        self._received = received

    def __call__(self, schema: Schema) -> Edges:
        """Return the column of its users, that of its times, what else a row shows, and whose ties count."""
        tie = self.tie
        rows: Any = tie.by_target(schema) if self._received else tie.table(schema)
        own, other = (tie.other, tie.owner) if self._received else (tie.owner, tie.other)
        shows = [rows.c[name] for name in tie.shows]
        return (
            rows.c[other],
            rows.c.timestamp,
            shows,
            (rows.c[own] == user_key(schema, "user"), *tie.live(schema, rows)),
        )


#: All of them, by the names of the methods of `Graph`.
OWN_LISTS: Final = {
    name: OwnList(name, tie, received=bool(received)) for tie in TIES for received, name in enumerate(tie.lists) if name
}
