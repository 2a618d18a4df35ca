"""Scan everybody's newest rows: a short look, a long look if it promises enough, and then a search for each author."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import ColumnElement, and_, case, false, select, true
from sqlalchemy.sql.selectable import FromClause

from retinue.engines.contract import Rows
from retinue.timeline.newest.contract import Authors, Feed, Newest, counted, hits

#: Authors are counted up to this number, to estimate what a look costs.
_COUNTED = 4_096


class Looking(Newest):
    """Databases that look at a fixed number of rows."""

    #: Rows that a short look takes, and a long one.
    near: ClassVar[int] = 256
    far: ClassVar[int] = 2_048
    #: The long look pays from this product on: authors times the rows that the short look found. At that
    #: density it finds a page of rows in less time than a search for each author takes.
    dense: ClassVar[int] = 4_000
    #: With fewer authors than this, not even the short look pays.
    few: ClassVar[int] = 0

    @abstractmethod
    def look(self, feed: Feed, authors: Authors, window: int, gate: ColumnElement[bool] | None) -> Rows:
        """Select a page of the rows of *authors* among the first *window* rows of *feed*; none where *gate* is false."""

    def found(
        self, feed: Feed, authors: Authors, gate: ColumnElement[bool] | None, *, looks: bool
    ) -> Sequence[FromClause]:
        """Return the looks, the merge, and the reader's own rows."""
        parts: list[FromClause] = []
        if looks:
            near, far, gate = self._looks(feed, authors, gate)
            parts += [near, far]
        merged = self.merge(feed, authors, true() if gate is None else gate)
        parts.append(self.materialized(merged, f"{feed.name}_merged"))
        if authors.own is not None:
            mine = feed.read(lambda author: author == authors.own).limit(feed.limit).subquery()
            parts.append(self.materialized(select(mine.c.key, mine.c.time), f"{feed.name}_mine"))
        return parts

    def _looks(
        self, feed: Feed, authors: Authors, gate: ColumnElement[bool] | None
    ) -> tuple[FromClause, FromClause, ColumnElement[bool]]:
        """Return the short look, the long look, and whether a search for each author is still needed."""
        pays = counted(authors.all(), self.few) >= self.few if self.few else None
        opens = [condition for condition in (gate, pays) if condition is not None]
        opening = and_(*opens) if opens else None
        near = self.materialized(self.look(feed, authors, self.near, opening), f"{feed.name}_near")
        # If there are no more rows than it looked at, it has found all.
        more = counted(feed.times(), self.near) >= self.near
        settled: list[tuple[ColumnElement[bool], ColumnElement[bool]]] = [] if gate is None else [(~gate, false())]
        settled.append((hits(near) >= feed.limit, false()))
        if pays is not None:
            settled.append((~pays, true()))
        # At the density of the short look, the long one must fill the page, in less time than the searches.
        fills = hits(near) * self.far >= feed.limit * self.near
        sooner = hits(near) * counted(authors.all(), _COUNTED) >= self.dense
        pages = and_(hits(near) < feed.limit, fills)
        # Decided once, and read by the long look and by the search for each author.
        decision = select(case(*settled, else_=more).label("open"), case((pages, sooner), else_=false()).label("dense"))
        state = self.materialized(decision, f"{feed.name}_state")
        still, promising = (select(column).scalar_subquery() for column in (state.c.open, state.c.dense))
        far = self.materialized(self.look(feed, authors, self.far, and_(still, promising)), f"{feed.name}_far")
        return near, far, and_(still, hits(far) < feed.limit)
