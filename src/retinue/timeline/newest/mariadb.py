"""MariaDB and MySQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, and_, false, func, select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines.contract import Rows
from retinue.timeline.newest.contract import Authors, Feed, number
from retinue.timeline.newest.looking import Looking


class NewestOnMariaDB(Looking):
    """MariaDB has no LATERAL, and computes a WITH anew wherever it is named, but for a recursive one."""

    def kept(self, rows: Rows, name: str) -> CTE:
        """Return a recursive WITH, which adds nothing to *rows*."""
        page = rows.subquery()
        once = select(*page.c).cte(name, recursive=True)
        return once.union_all(select(*once.c).where(false()))

    def look(self, feed: Feed, authors: Authors, window: int, gate: ColumnElement[bool] | None) -> Rows:
        """
        Return the rows of the window, joined to the authors by their primary key.

        The order of the join and the index are told: MariaDB would read all authors for each row.
        """
        found = feed.read().limit(number(window))
        if gate is not None:
            found = found.where(gate)
        rows = found.subquery()
        edges: FromClause = authors.key.table
        joined = rows.join(edges, and_(authors.key == rows.c.author, *authors.conditions))
        return (
            select(rows.c.key, rows.c.time)
            .prefix_with("STRAIGHT_JOIN")
            .select_from(joined)
            .with_hint(edges, "FORCE INDEX (PRIMARY)")
            .order_by(*feed.order(rows.c.key, rows.c.time))
            .limit(feed.most)
        )

    def merge(self, feed: Feed, authors: Authors, gate: ColumnElement[bool]) -> Rows:
        """
        Return what each author has up to the time that the page can reach at most.

        First the first time of each author; then the authors with a full page of the
        first of these (more where times are equal), and how far down each is to be
        read: to a time that has a full page before it. What is read of an author with
        a hundred thousand rows is so no more than of others.
        """
        listed = authors.listed().where(gate).subquery("authors")
        first = self._times(feed, listed.c.author).limit(number(1)).scalar_subquery()
        firsts = self.kept(select(listed.c.author, first.label("time")), f"{feed.name}_firsts")
        page = select(firsts.c.time).where(firsts.c.time.is_not(None)).order_by(_in_time(feed, firsts.c.time))
        times = page.limit(feed.most).subquery()
        last = select((func.min if feed.forward else func.max)(times.c.time)).scalar_subquery()
        # The one OFFSET here counts within one author, in the index, to a fixed number.
        full = self._times(feed, firsts.c.author).slice(feed.longest, feed.longest + 1).scalar_subquery()
        end = self._times(feed, firsts.c.author, backwards=True).limit(number(1)).scalar_subquery()
        heads = select(firsts.c.author, firsts.c.time, func.coalesce(full, end).label("end"))
        heads = heads.where(firsts.c.time >= last if feed.forward else firsts.c.time <= last)
        # DISTINCT, as it makes them a table: to subqueries the index is of no use.
        return self._between(feed, heads.distinct().subquery("heads"))

    def _times(self, feed: Feed, author: ColumnElement[Any], *, backwards: bool = False) -> Rows:
        """Return the times of the rows of *author*, in their order or against it."""
        of = feed.of(feed.table.alias())
        time = of(feed.time)
        order = (_in_time(feed, time, backwards=True),) if backwards else feed.order(of(feed.key), time)
        return select(time).where(of(feed.author) == author, *feed.keep(of)).order_by(*order)

    def _between(self, feed: Feed, heads: FromClause) -> Rows:
        """
        Return a page of the rows of *heads* between their two times.

        With an equality, or where any other condition can be searched for, MariaDB
        would read all rows of the author, or of everybody. So it chooses the index for each author anew.
        """
        rows = feed.table.alias()
        of = feed.of(rows)
        author, time = of(feed.author), of(feed.time)
        newest, oldest = (heads.c.time, heads.c.end) if feed.forward else (heads.c.end, heads.c.time)
        near = and_(author >= heads.c.author, author <= heads.c.author, time >= oldest, time <= newest)
        return (
            select(of(feed.key).label("key"), time.label("time"))
            .prefix_with("STRAIGHT_JOIN")
            .select_from(heads.join(rows, near))
            .where(*feed.keep(lambda column: func.coalesce(of(column))))
            .order_by(*feed.order(of(feed.key), time))
            .limit(feed.most)
        )


def _in_time(feed: Feed, time: ColumnElement[Any], *, backwards: bool = False) -> ColumnElement[Any]:
    """Return the order of *feed* by *time* alone."""
    return time.desc() if feed.forward is not backwards else time.asc()
