"""MariaDB and MySQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines.contract import Rows
from retinue.timeline.newest.contract import Authors, Feed, number
from retinue.timeline.newest.looking import Looking


class NewestOnMariaDB(Looking):
    """MariaDB has no LATERAL."""

    def look(self, feed: Feed, authors: Authors, window: int, gate: ColumnElement[bool] | None) -> Rows:
        """
        Select the rows of the window, joined to the authors by their primary key.

        Hints fix the order of the join and the index: else MariaDB reads all authors for each row.
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
            .limit(feed.limit)
        )

    def merge(self, feed: Feed, authors: Authors, gate: ColumnElement[bool]) -> Rows:
        """
        Select the rows of each author up to the last time that the page can have.

        First the newest time of each author; then the authors with a page of the newest of
        these (more where times are equal), and for each of them the time up to which to read:
        the time with a full page before it. So an author with a hundred thousand rows costs
        no more than others.
        """
        listed = authors.listed().where(gate).subquery("authors")
        first = self._times(feed, listed.c.author).limit(number(1)).scalar_subquery()
        firsts = self.materialized(select(listed.c.author, first.label("time")), f"{feed.name}_firsts")
        page = select(firsts.c.time).where(firsts.c.time.is_not(None)).order_by(_in_time(feed, firsts.c.time))
        times = page.limit(feed.limit).subquery()
        last = select((func.min if feed.forward else func.max)(times.c.time)).scalar_subquery()
        # The one OFFSET here counts within one author, in the index, to a fixed number.
        full = self._times(feed, firsts.c.author).slice(feed.longest, feed.longest + 1).scalar_subquery()
        end = self._times(feed, firsts.c.author, backwards=True).limit(number(1)).scalar_subquery()
        heads = select(firsts.c.author, firsts.c.time, func.coalesce(full, end).label("end"))
        heads = heads.where(firsts.c.time >= last if feed.forward else firsts.c.time <= last)
        # DISTINCT, as it makes them a table: to subqueries the index is of no use.
        return self._between(feed, heads.distinct().subquery("heads"))

    def _times(self, feed: Feed, author: ColumnElement[Any], *, backwards: bool = False) -> Rows:
        """Select the times of the rows of *author*, in their order or backwards."""
        of = feed.of(feed.table.alias())
        time = of(feed.time)
        order = (_in_time(feed, time, backwards=True),) if backwards else feed.order(of(feed.key), time)
        return select(time).where(of(feed.author) == author, *feed.keep(of)).order_by(*order)

    def _between(self, feed: Feed, heads: FromClause) -> Rows:
        """
        Select a page of the rows of *heads* between their two times.

        With an equality, or with another condition that an index serves, MariaDB would read all
        rows of the author, or of everybody. Written like this, it chooses the index for each author.
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
            .limit(feed.limit)
        )


def _in_time(feed: Feed, time: ColumnElement[Any], *, backwards: bool = False) -> ColumnElement[Any]:
    """Return the order of *feed* by *time* alone."""
    return time.desc() if feed.forward is not backwards else time.asc()
