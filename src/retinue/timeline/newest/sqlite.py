"""SQLite."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import case, exists, func, select
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines.contract import Rows
from retinue.timeline.newest.contract import Authors, Feed, number
from retinue.timeline.newest.looking import Looking


class NewestOnSQLite(Looking):
    """SQLite reads rows in the order of the statement, and stops as soon as a page is full."""

    few: ClassVar[int] = 64
    near: ClassVar[int] = 128

    def look(self, feed: Feed, authors: Authors, window: int, gate: ColumnElement[bool] | None) -> Rows:
        """
        Select the rows down to the time of the last row of the window.

        A gate beside the time would be tested for each row. As a part of the time itself, which
        is NULL where the gate is false, it ends the search before it begins.
        """
        rows = feed.times().limit(number(window)).subquery()
        last = select((func.min if feed.forward else func.max)(rows.c.time)).scalar_subquery()
        if gate is not None:
            last = select(case((gate, last))).scalar_subquery()
        table = feed.table.alias()
        of = feed.of(table)
        time = of(feed.time)
        found = (
            select(of(feed.key).label("key"), time.label("time"))
            .where(time >= last if feed.forward else time <= last, exists(authors.named(of(feed.author))))
            .where(*feed.keep(of))
        )
        return found.order_by(*feed.order(of(feed.key), time)).limit(feed.limit)

    def merge(self, feed: Feed, authors: Authors, gate: ColumnElement[bool]) -> Rows:
        """
        Select by one search in the index of (author, time, key) for each author.

        SQLite leaves an author at the first row that is too old for the page so far: so ``IN``
        with ``ORDER BY .. LIMIT`` is the merge. The gate is the limit of the authors; as a
        condition it would be tested for each of them.
        """
        listed = authors.listed().limit(case((gate, number(-1)), else_=number(0)))
        of = feed.of(feed.table.alias())
        found = select(of(feed.key).label("key"), of(feed.time).label("time"))
        found = found.where(of(feed.author).in_(listed), *feed.keep(of))
        return found.order_by(*feed.order(of(feed.key), of(feed.time))).limit(feed.limit)
