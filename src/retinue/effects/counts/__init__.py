"""
The counts: how many follow a user, and how many the user follows; kept with the edges, in the same transaction.

A count row is changed only by the transaction that changed an edge, after the edge,
and users in ascending order of key: whoever holds a row never waits for an edge.
Where a user has no row, the first change counts the edges. That is exact although
others change edges meanwhile: whoever *has* committed a change has made the row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy.sql.selectable import CTE

from retinue.effects.changes import Kind, Possible, Selected
from retinue.effects.counts import adding, leaving, recounting, rows
from retinue.effects.effect import Change, InStatement, Parts
from retinue.engines import EngineRules
from retinue.events import EdgeEvent, Event
from retinue.faults import Fault
from retinue.models import FollowCountMixin
from retinue.schema import Schema
from retinue.ties import FOLLOW
from retinue.values import Counts, Key
from retinue.work import Work


class CountRows(InStatement):
    """The count rows of both users of an edge."""

    def write(self, work: Work, changes: Sequence[Change], *, bulk: bool) -> Sequence[Event]:
        """Add to the rows of all users: one statement each, up to four more for one without a row; *bulk*: three in all."""
        alone = len(changes) == 1 and not bulk
        if alone and work.engine.one_writer and work.schema.settings.counter_slots == 1:
            ((event, kind),) = changes
            if kind.edges:
                adding.add_to_both(work, (event.follower_id, event.followed_id), kind.edges)
            return ()
        more = _ascending(changes)
        if more:
            (adding.add_to_many if bulk else adding.add)(work, more)
        return ()

    def write_selected(self, work: Work, kind: Kind, selected: Selected) -> None:
        """Add to the rows of all users in slot 0: two statements, one more if some were never counted."""
        if kind.edges:
            adding.add_selected(work, kind.edges, selected)

    def parts(self, schema: Schema, engine: EngineRules, possible: Sequence[Possible], after: Sequence[CTE]) -> Parts:
        """
        Return the updates of both rows, of the user with the lower key and of the one with the higher.

        The second waits for the first also where that is not there: it is to be made before the next is locked.
        """
        del engine, after
        edges = [one for one in possible if one.kind.edges]
        if not edges:
            return Parts(())
        lower, higher = FOLLOW.ends if edges[0].ascending else FOLLOW.ends[::-1]
        first = rows.add_if(schema, "first", lower, edges)
        second = rows.add_if(schema, "second", higher, edges, after=first)
        return Parts((first, second), (rows.number(first), rows.number(second)))

    def parameters(self, schema: Schema, changes: Sequence[Change]) -> Mapping[str, Any]:
        """Return the slot of the new follower, where counts are spread."""
        del changes
        return {"followers_slot": adding.slot(schema, (1, 0))}

    def complete(self, work: Work, changes: Sequence[Change], answers: Any) -> Sequence[Event]:
        """Make the first row that was not there, and add to the other."""
        if not (answers.first_count and answers.second_count):
            more = _ascending(changes)
            if more:
                adding.start(work, more[answers.first_count :])
        return ()

    def needs_python(self, schema: Schema) -> bool:
        """Return whether Python makes values that an update sets; rows are made by statements of their own in any case."""
        makers = [column.onupdate for column in schema.table(self.mixin).columns]
        return any(maker is not None and not maker.is_clause_element for maker in makers)

    def faults(self, schema: Schema) -> Sequence[Fault]:
        """Return that a stored count is below zero, or is another than that of the edges."""
        return recounting.faults(schema)

    def leave(self, work: Work, users: Sequence[Key]) -> None:
        """Let the others have so many fewer. Five statements."""
        leaving.count_out(work, users)


COUNTS: Final = CountRows(FollowCountMixin)

#: The counts of somebody who is not there.
_NOBODY: Final = Counts()


def read(work: Work, users: Sequence[Key]) -> dict[Key, Counts]:
    """Return the counts of *users*, as `Graph.counts()` says."""
    build = rows.counts if FollowCountMixin in work.schema.models else rows.counts_of_edges
    found = dict.fromkeys(users, _NOBODY)
    if not users:
        return found
    for user, followers, following in work.rows(build, {"users": users}, work.engine):
        other_slots = found[user]
        if other_slots is _NOBODY:
            found[user] = Counts(followers, following)
        else:
            found[user] = Counts(other_slots.followers + followers, other_slots.following + following)
    return found


def _ascending(changes: Sequence[Change]) -> list[adding.More]:
    """Return what is added to whom, in the order in which the rows are to be locked."""
    if len(changes) == 1:
        ((event, kind),) = changes
        return _of_edge(event, kind.edges) if kind.edges else []
    of: defaultdict[Key, list[int]] = defaultdict(lambda: [0, 0])
    for event, kind in changes:
        of[event.follower_id][1] += kind.edges
        of[event.followed_id][0] += kind.edges
    return [(user, (to, out)) for user, (to, out) in sorted(of.items()) if to or out]


def _of_edge(event: EdgeEvent, edges: int) -> list[adding.More]:
    follower: Any = event.follower_id  # of one type with the other
    ends: list[adding.More] = [(follower, (0, edges)), (event.followed_id, (edges, 0))]
    return ends if follower < event.followed_id else ends[::-1]
