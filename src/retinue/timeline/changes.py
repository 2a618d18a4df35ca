"""
Home timelines that are kept ready, and what every change means for them.

A page of a home timeline is always what a search through the posts would find. What is
kept ready is a part of that answer, and the database knows which part, as each change
is noted in its own transaction:

- A *reader* is somebody for whom entries are kept. All posts later than the reader's
  ``complete_after`` are among them; NULL says that this is not so (any more), as when
  they follow somebody new. A page looks up what is older.
- A *sender* is somebody whose posts are not all among the entries: one was just made,
  or there are too many followers to write to. A page looks up the posts of senders.

So work that waits, fails or is done twice changes no page, only what it costs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.sql.selectable import CTE

from retinue.cursors import micros_of, time_of
from retinue.effects.changes import Changed, Kind, Possible, Selected, as_sent
from retinue.effects.effect import Change, InStatement, Parts
from retinue.engines import EngineRules
from retinue.errors import shown
from retinue.events import Event, TimelineWork
from retinue.faults import Fault, Severity, delete_if_wrong
from retinue.keys import Keys
from retinue.models import TimelineEntryMixin, new_id
from retinue.schema import Schema
from retinue.timeline import entries as statements
from retinue.values import Key
from retinue.work import Work

#: Whole numbers from here on, up or down, no database holds.
_NUMBERS = 2**63

#: A follower and the time of the edge: how far a post has been sent.
Place = tuple[datetime, Key]


class Task(StrEnum):
    """What a unit of work does."""

    #: The posts of a user go to their followers.
    SEND = "send"
    #: What a user would find is put among their entries.
    FILL = "fill"


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece of work: small, in a transaction of its own, and harmless if it is done twice."""

    task: Task
    user: Key
    #: What there was to do when the unit was made.
    version: int
    #: The followers up to here have been written to; None: none yet.
    after: Place | None = None

    def text(self, keys: Keys) -> str:
        """Return the unit as text (JSON), for a queue."""
        after = None if self.after is None else [micros_of(self.after[0]), _plain(self.after[1], keys)]
        return json.dumps({"task": self.task, "user": _plain(self.user, keys), "version": self.version, "after": after})

    @classmethod
    def of(cls, text: object, keys: Keys) -> Unit:
        """
        Return the unit that *text* is.

        Raises:
            ValueError: It is none, or one about keys of another type.
        """
        try:
            fields = json.loads(text)  # type: ignore[arg-type]
            after = fields["after"]
            place = None if after is None else (time_of(int(after[0])), _key(after[1], keys))
            return cls(Task(fields["task"]), _key(fields["user"], keys), _version(fields["version"]), place)
        except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError):
            raise ValueError(f"that is no unit of work: {shown(text)}") from None


def mark_stale(work: Work, users: Iterable[Key]) -> list[Unit]:
    """Note that *users* follow somebody new; return what is to be done. One update, of them in ascending order."""
    chosen, version = sorted(users), new_id()
    if not chosen:
        return []
    changes = [{"user": user, "version_": version} for user in chosen]
    one = len(changes) == 1
    marked = work.run(statements.mark_stale, changes[0]) if one else work.run_each(statements.mark_stale, changes)
    if not marked.rowcount:
        return []  # a timeline is kept for none of them
    return [Unit(Task.FILL, user, version) for user in chosen]


class Timelines(InStatement):
    """What every change, and every post, means for the home timelines that are kept."""

    def tables(self, schema: Schema) -> Sequence[Table]:
        """Return the three tables."""
        return schema.timeline or ()

    def faults(self, schema: Schema) -> Sequence[Fault]:
        """Return that an entry is of somebody whom its reader does not follow, or of a post that is gone."""
        entries = schema.table(TimelineEntryMixin)
        fix = "Let the doctor repair it: such entries are never shown, and it deletes them."
        return (
            Fault("entry_of_unfollowed", entries, statements.of_unfollowed, Severity.NOTE, fix, delete_if_wrong),
            Fault("entry_without_post", entries, statements.without_post, Severity.NOTE, fix, delete_if_wrong),
        )

    def write(self, work: Work, changes: Sequence[Change], *, bulk: bool) -> Sequence[Event]:
        """Note which edges came and went. One update if any came, one delete if any went."""
        del bulk
        gone = [{"follower": one.follower_id, "followed": one.followed_id} for one, kind in changes if kind.edges < 0]
        if len(gone) == 1:
            work.run(statements.purge, gone[0])
        elif gone:
            work.run_each(statements.purge, gone)
        return work_of(work, mark_stale(work, {one.follower_id for one, kind in changes if kind.edges > 0}))

    def parts(self, schema: Schema, engine: EngineRules, possible: Sequence[Possible], after: Sequence[CTE]) -> Parts:
        """Return the update of the reader who follows somebody new, behind all others; or the delete of what has gone."""
        del engine
        came, gone = ([one for one in possible if one.kind.edges * sign > 0] for sign in (1, -1))
        stale = [statements.mark_stale_if(schema, one, after) for one in came]
        ends = ("follower", "followed"), ("followed", "follower")
        purged = [statements.purge_if(schema, edge, *pair) for edge, pair in zip(gone, ends, strict=False)]
        return Parts([*stale, *purged], [select(one.c.version).scalar_subquery().label("stale") for one in stale])

    def complete(self, work: Work, changes: Sequence[Change], answers: Any) -> Sequence[Event]:
        """Return what is to be done for the reader, if a timeline is kept for them."""
        came = [event.follower_id for event, kind in changes if kind.edges > 0]
        if not came or answers.stale is None:
            return ()
        return work_of(work, [Unit(Task.FILL, came[0], answers.stale)])

    def write_selected(self, work: Work, kind: Kind, selected: Selected) -> None:
        """Note who follows somebody new. One select, and one update if it finds anybody."""
        if kind.edges > 0:
            mark_stale(work, selected.run(work, "stale_readers", _readers(work.schema, selected.changed)).scalars())

    def post(self, work: Work, posts: Sequence[tuple[Key, Key]]) -> Sequence[Event]:
        """Note that *posts* are to be sent. One insert."""
        if not posts:
            return ()
        version = new_id()
        # Ascending: two transactions that post for the same users wait for one another in one order.
        rows = [{"author": author, "post": post, "version_": version} for author, post in sorted(posts)]
        work.run_each(statements.note_post, rows, work.engine)
        return work_of(
            work, (Unit(Task.SEND, author, version) for author in dict.fromkeys(author for author, _ in posts))
        )

    def expire(self, work: Work, at: datetime) -> Mapping[str, int]:
        """Keep nothing for readers who were away for ``Settings(timeline_kept=...)``. One update and two deletes."""
        times = {"active_before": at - work.schema.settings.timeline_kept}
        # Who comes back meanwhile waits for this update, and then finds that nothing is kept.
        work.run(statements.reset_lapsed, times)
        work.run(statements.delete_lapsed_entries, times)
        return {"timelines": work.run(statements.delete_lapsed, times).rowcount}


TIMELINES: Final = Timelines(TimelineEntryMixin)


def _readers(schema: Schema, changed: Changed) -> Any:
    """Return those for whom a home timeline is kept and who are a follower, locked in ascending order."""
    readers: Any = schema.timeline and schema.timeline.readers
    chosen = select(readers.c.user_id).where(readers.c.user_id.in_(select(changed.follower)))
    return as_sent(chosen.order_by(readers.c.user_id)).with_for_update(of=readers)


def work_of(work: Work, units: Iterable[Unit]) -> list[TimelineWork]:
    """Return what listeners are told of *units*."""
    keys = work.user_keys()
    return [TimelineWork(unit.text(keys)) for unit in units]


def _plain(key: Key, keys: Keys) -> int | str:
    return key if isinstance(key, int) else keys.text(key)


def _key(value: Any, keys: Keys) -> Key:
    key: Key = keys.check(keys.of_text(value) if isinstance(value, str) else value)
    if isinstance(key, int) is not isinstance(value, int):
        raise TypeError
    return key


def _version(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -_NUMBERS <= value < _NUMBERS:
        raise TypeError
    return value
