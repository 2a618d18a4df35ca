"""PostgreSQL."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import CTE, Integer, exists, func, literal, select, true
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines.contract import Rows
from retinue.engines.newest.contract import Authors, Feed, Newest, number


class NewestOnPostgreSQL(Newest):
    """PostgreSQL evaluates a closed gate once, and stops as soon as a page is full."""

    few: ClassVar[int] = 64
    far: ClassVar[int] = 8_192
    dense: ClassVar[int] = 1_500
    #: Rows that the long look takes for each author at most: to ask the author takes PostgreSQL longer than that.
    each: ClassVar[int] = 4

    def look(self, feed: Feed, authors: Authors, window: int, gate: ColumnElement[bool] | None) -> Rows:
        """
        Return the rows of the window whose author is one of them.

        A short look asks for each row: as a value, as PostgreSQL would read all
        authors first for an EXISTS. For a long look that is what it shall do.
        """
        rows = feed.read().limit(number(window)).subquery()
        if window > self.near:
            counted = authors.all().limit(number(window // self.each)).subquery()
            pays = select(func.count() * self.each).select_from(counted).scalar_subquery()
            # Within the limit that is a number, which is the one that PostgreSQL plans by.
            rows = select(*rows.c).order_by(*feed.order(rows.c.key, rows.c.time)).limit(pays).subquery()
        named = authors.named(rows.c.author)
        theirs = exists(named) if window > self.near else named.scalar_subquery().is_not(None)
        found = select(rows.c.key, rows.c.time).where(theirs)
        if gate is not None:
            found = found.where(gate)
        return found.order_by(*feed.order(rows.c.key, rows.c.time)).limit(feed.most)

    def merge(self, feed: Feed, authors: Authors, gate: ColumnElement[bool]) -> Rows:
        """
        Return the first row of each author, and for the authors of the first of these what follows, row by row.

        A page has no rows but of the authors whose first rows are the first. What
        follows could come by one LIMIT per author; but if the authors are believed to
        have fewer rows than that, PostgreSQL sorts all they have: 60 milliseconds for a
        page that takes two. Of one row at a time it believes no such thing.
        """
        listed = authors.listed().where(gate).subquery("authors")
        one = feed.read(lambda author: author == listed.c.author).limit(number(1)).lateral("one")
        firsts = (
            select(one.c.key, one.c.time, one.c.author)
            .select_from(listed.join(one, true()))
            .order_by(*feed.order(one.c.key, one.c.time))
            .limit(feed.most)
            .cte(f"{feed.name}_firsts")
        )
        # No row past the last of a full page of firsts can be on the page.
        edge = (func.min if feed.forward else func.max)(firsts.c.time)
        last = select(edge).having(func.count() >= feed.most).scalar_subquery()
        chain = select(
            firsts.c.key, firsts.c.time, firsts.c.author, literal(1, Integer, literal_execute=True).label("nth")
        ).cte(f"{feed.name}_chain", recursive=True)
        follows = self._follows(feed, chain).lateral("follows")
        bound = func.coalesce(last, follows.c.time)
        within = follows.c.time >= bound if feed.forward else follows.c.time <= bound
        chain = chain.union_all(
            select(follows.c.key, follows.c.time, follows.c.author, chain.c.nth + 1)
            .select_from(chain.join(follows, true()))
            .where(chain.c.nth < feed.most, within)
        )
        return select(chain.c.key, chain.c.time).order_by(*feed.order(chain.c.key, chain.c.time)).limit(feed.most)

    def _follows(self, feed: Feed, row: CTE) -> Rows:
        """Return the one row of the same author that comes after *row*."""
        of = feed.of(feed.table.alias())
        key, time, author = of(feed.key), of(feed.time), of(feed.author)
        return (
            select(key.label("key"), time.label("time"), author.label("author"))
            .where(author == row.c.author, *feed.after(key, time, row.c.key, row.c.time), *feed.keep(of))
            .order_by(*feed.order(key, time))
            .limit(number(1))
        )
