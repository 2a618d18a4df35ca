"""PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy import and_, case, func, literal_column, or_, select, true, union_all
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines.contract import Rows
from retinue.timeline.newest.contract import Authors, Feed, Newest, counted, hits, number


class NewestOnPostgreSQL(Newest):
    """
    PostgreSQL stops as soon as a page is full, and reads nothing where a limit is zero.

    Once the authors are in a hash, it looks at a dozen rows in the time of one search for an
    author. To hash a crowd takes longer than many a page, so the first look does without.
    """

    #: With fewer authors than *few* no look pays; *crowd* is the size of a crowd; authors are counted up to *counted_to*.
    few: ClassVar[int] = 64
    crowd: ClassVar[int] = 512
    counted_to: ClassVar[int] = 4_096
    #: Rows of a crowd's first look; and rows of the long look for each author.
    near: ClassVar[int] = 512
    far: ClassVar[int] = 8

    def found(
        self, feed: Feed, authors: Authors, gate: ColumnElement[bool] | None, *, looks: bool
    ) -> Sequence[FromClause]:
        """Return two looks and the merge; each reads only if those before it have not filled the page."""
        still = true() if gate is None else gate
        if not looks:
            return [self.merge(feed, authors, still).subquery()]
        crowd = and_(still, counted(authors.all(), self.crowd) >= number(self.crowd))
        window = feed.read().where(crowd).limit(number(self.near))
        near = self.materialized(self._look(feed, authors, window, hashed=False), f"{feed.name}_near")
        still = and_(still, hits(near) < feed.limit)
        many, none = func.count(), number(0)
        size = select(case((many >= number(self.few), many * number(self.far)), else_=none))
        size = size.select_from(authors.all().limit(number(self.counted_to)).subquery())
        # Within a limit that is a plain number: PostgreSQL plans by it.
        rows = feed.read().limit(number(self.counted_to * self.far)).subquery("rows")
        window = select(*rows.c).order_by(*feed.order(rows.c.key, rows.c.time))
        window = window.limit(case((still, size.scalar_subquery()), else_=none))
        far = self.materialized(self._look(feed, authors, window, hashed=True), f"{feed.name}_far")
        return [near, far, self.merge(feed, authors, and_(still, hits(far) < feed.limit)).subquery()]

    def _look(self, feed: Feed, authors: Authors, window: Rows, *, hashed: bool) -> Rows:
        """
        Select a page of the rows of *authors* in a *window*.

        By a scalar subquery the author is looked up for each row.
        """
        key, time, author = window.subquery("look").c
        theirs = self.among(author, authors) if hashed else _is_named(author, authors)
        found = select(key, time).where(or_(author == authors.own, theirs))
        return found.order_by(*feed.order(key, time)).limit(feed.limit)

    def among(self, author: ColumnElement[Any], authors: Authors) -> ColumnElement[bool]:
        """
        Return whether *author* is in a hash of them all, and is shown: that is asked of who is in it.

        By IN beside an OR they are hashed; alone it would be a join, with either first.
        """
        return and_(or_(author.in_(authors.all()), author.is_(None)), _is_named(author, authors))

    def merge(self, feed: Feed, authors: Authors, gate: ColumnElement[bool]) -> Rows:
        """
        Select the newest row of each author, and a page of each of the authors with the newest of these.

        A page has rows of these authors only, and none past the last of a full page of newest rows. The
        limit for each is a SELECT, so that PostgreSQL does not know it: if it knows a limit that is more
        than an average author has, it sorts all rows of the author instead.
        """
        others = authors.listed()
        every = others if authors.own is None else union_all(others, select(authors.own))
        listed = every.subquery("authors")
        one = feed.read(lambda author: author == listed.c.author).limit(number(1)).lateral("one")
        firsts = (
            select(one.c.author, one.c.time)
            .select_from(listed.join(one, true()))
            .where(gate)
            .order_by(*feed.order(one.c.key, one.c.time))
            .limit(feed.limit)
            .cte(f"{feed.name}_firsts")
        )
        last, never = (func.min, "'-infinity'") if feed.forward else (func.max, "'infinity'")
        full = func.count() >= feed.limit
        end = select(case((full, last(firsts.c.time)), else_=literal_column(never, firsts.c.time.type)))
        rows = feed.read(lambda author: author == firsts.c.author)
        time = list(rows.selected_columns)[1]
        within = time >= end.scalar_subquery() if feed.forward else time <= end.scalar_subquery()
        page = rows.where(within).limit(select(feed.limit).scalar_subquery()).lateral("page")
        return select(page.c.key, page.c.time).select_from(firsts.join(page, true()))


def _is_named(author: ColumnElement[Any], authors: Authors) -> ColumnElement[bool]:
    return authors.named(author).scalar_subquery().is_not(None)
