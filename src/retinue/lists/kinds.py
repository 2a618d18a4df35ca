"""What each list of people is made of: ties of one kind, seen from one end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines import EngineRules
from retinue.schema import Schema
from retinue.ties import FOLLOW, TIES, Tie
from retinue.values import Person
from retinue.viewer import Context
from retinue.work.building import whichever_user


class Source(NamedTuple):
    """Rows of which a list is made."""

    #: The columns of the user whose list it is, of those who are on it, and of the time since when.
    owner: ColumnElement[Any]
    user: ColumnElement[Any]
    since: ColumnElement[Any]
    #: What else is told of each.
    more: Sequence[ColumnElement[Any]]
    #: Which of the rows count, beside those of the owner.
    conditions: Sequence[ColumnElement[bool]]


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """A kind of list of people."""

    name: str
    tie: Tie
    #: Whether it is seen from the other end: the list is that of the user whom the ties are about.
    received: bool = False
    #: Which lists of its owner it tells of, where others may see it; None: it is for the owner alone.
    tells: Context | None = None
    #: The columns that are told beside user and time.
    columns: tuple[str, ...] = ()
    #: What makes an item of a row.
    item: Callable[..., Any] = Person
    #: Whether a page says how many there are.
    counted: bool = False
    #: The parameter that says whose the ties are.
    whose: str = "user"
    #: Another list, on which those of this one must be as well.
    met: People | None = None

    def owner(self, schema: Schema, engine: EngineRules) -> ColumnElement[Any]:
        """Return the key of the user whose ties they are."""
        return whichever_user(schema, engine, self.whose)

    def source(self, schema: Schema) -> Source:
        """Return its rows, anew: a statement may have them several times."""
        owner, other = (self.tie.other, self.tie.owner) if self.received else (self.tie.owner, self.tie.other)
        rows: FromClause = self.tie.table(schema).alias(self.name)
        if self.received:
            rows = self.tie.by_target(schema, self.name)
        more = [rows.c[name] for name in self.columns]
        return Source(rows.c[owner], rows.c[other], rows.c.timestamp, more, self.tie.live(schema, rows))

    def other_end(self) -> People:
        """Return the list of the same ties from their other end."""
        return replace(self, received=not self.received)


FOLLOWERS: Final = People("followers", FOLLOW, received=True, tells=Context.FOLLOWERS)
FOLLOWING: Final = People("following", FOLLOW, tells=Context.FOLLOWING)
#: Those whom *viewer* follows, since when; and who follow *user*.
KNOWN_FOLLOWERS: Final = People(
    "known_followers", FOLLOW, tells=Context.FOLLOWERS, counted=True, whose="viewer", met=FOLLOWERS
)

#: The lists of a user's own, by the names of the methods of `Graph`: each tie says which it has.
OWN: Final = {
    name: People(name, tie, received=bool(received), columns=tie.shows, item=tie.item)
    for tie in TIES
    for received, name in enumerate(tie.lists)
    if name
}
