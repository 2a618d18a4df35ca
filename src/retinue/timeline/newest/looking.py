"""A short look at everybody's newest rows, a long one if it promises enough, and then the authors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import ColumnElement, and_, case, false, select, true
from sqlalchemy.sql.selectable import FromClause

from retinue.engines.contract import Rows
from retinue.timeline.newest.contract import Authors, Feed, Newest, counted, hits

#: The most that authors are counted to, when a look is weighed.
_COUNTED = 4_096


class Looking(Newest):
    """Databases that know no better than to look at a fixed number of rows."""

    #: Rows that a short look takes, and a long one.
    near: ClassVar[int] = 256
    far: ClassVar[int] = 2_048
    #: So many authors, times those of their rows that the short look finds, make the long one pay: as many rows
    #: as a page needs, at that density, are read sooner than each of the authors is asked.
    dense: ClassVar[int] = 4_000
    #: With fewer authors than this, not even the short look pays.
    few: ClassVar[int] = 0

    @abstractmethod
    def look(self, feed: Feed, authors: Authors, window: int, gate: ColumnElement[bool] | None) -> Rows:
        """Return a page of the rows of *authors* among the first *window* of *feed*; none where *gate* is closed."""

    def found(
        self, feed: Feed, authors: Authors, gate: ColumnElement[bool] | None, *, looks: bool
    ) -> Sequence[FromClause]:
        """Return the looks, the merge, and the rows of one's own."""
        parts: list[FromClause] = []
        if looks:
            near, far, gate = self._looks(feed, authors, gate)
            parts += [near, far]
        merged = self.merge(feed, authors, true() if gate is None else gate)
        parts.append(self.kept(merged, f"{feed.name}_merged"))
        if authors.own is not None:
            mine = feed.read(lambda author: author == authors.own).limit(feed.most).subquery()
            parts.append(self.kept(select(mine.c.key, mine.c.time), f"{feed.name}_mine"))
        return parts

    def _looks(
        self, feed: Feed, authors: Authors, gate: ColumnElement[bool] | None
    ) -> tuple[FromClause, FromClause, ColumnElement[bool]]:
        """Return the short look, the long one, and whether the authors are to be asked for one by one."""
        pays = counted(authors.all(), self.few) >= self.few if self.few else None
        opens = [condition for condition in (gate, pays) if condition is not None]
        near = self.kept(self.look(feed, authors, self.near, and_(*opens) if opens else None), f"{feed.name}_near")
        # Where there are no more posts than it looked at, it has found all.
        more = counted(feed.times(), self.near) >= self.near
        settled: list[tuple[ColumnElement[bool], ColumnElement[bool]]] = [] if gate is None else [(~gate, false())]
        settled.append((hits(near) >= feed.most, false()))
        if pays is not None:
            settled.append((~pays, true()))
        # At the density that the short look found, the long one shall fill the page, sooner than the authors would.
        fills = hits(near) * self.far >= feed.most * self.near
        sooner = hits(near) * counted(authors.all(), _COUNTED) >= self.dense
        pages = and_(hits(near) < feed.most, fills)
        # What is found out once is not asked again: neither by the long look nor by each author.
        known = select(case(*settled, else_=more).label("open"), case((pages, sooner), else_=false()).label("dense"))
        state = self.kept(known, f"{feed.name}_state")
        still, promising = (select(column).scalar_subquery() for column in (state.c.open, state.c.dense))
        far = self.kept(self.look(feed, authors, self.far, and_(still, promising)), f"{feed.name}_far")
        return near, far, and_(still, hits(far) < feed.most)
