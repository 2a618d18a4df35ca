"""
Lists of people searched, sorted and filtered: a page of them, at a bounded cost.

A page can be read from several sides: from the list itself, asking of each row whether its user fits; from the
users whose names fit, asking of each whether they are on the list; or, for those who follow each other, from the
other list. Which is the short way depends on the numbers: of a million followers none may have that name, or a
tenth. The engines do not see that: left to choose, each reads a million rows for some pages. So a statement has
each side as a branch of its own behind a gate, which counts rows, and no more of them than it must. One gate is
open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    String,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.cursors import Way
from retinue.engines import EngineRules, Rows
from retinue.lists import statements as lists
from retinue.lists.statements import beside, in_order
from retinue.models import UTCDateTime, in_utc
from retinue.schema import Schema
from retinue.values import Only, Sort
from retinue.viewer import Audience, left_out, shown_to
from retinue.work.building import OPTION, most, once, people, user_key


class Bounds(NamedTuple):
    """Up to how many rows are read from one side, before another may be shorter."""

    #: Rows of a list that is always read from the list itself.
    short: int = 500
    #: Rows of a list that are all read to sort them by name; a longer one is met while walking through the names.
    sorted: int = 5_000
    #: Users who fit a search, or are on the other list, that are all asked about.
    few: int = 1_500


#: Measured: at these, no page of a list of a million takes more than some ten thousand rows.
BOUNDS: Final = Bounds()


@dataclass(frozen=True, slots=True)
class Look:
    """What of a view makes another statement; what is searched for is a parameter."""

    searched: bool
    sort: Sort
    only: Only


class Ends(NamedTuple):
    """Which ends a stretch of a list has; where it has none, it goes to that end of the list."""

    first: bool = False
    last: bool = False


class _Edges(NamedTuple):
    """One user's edges, read from that user's end."""

    owner: ColumnElement[Any]
    other: ColumnElement[Any]
    time: ColumnElement[Any]


def _followers(schema: Schema) -> _Edges:
    edge = schema.edges_by_target.c
    return _Edges(edge.following_id, edge.follower_id, edge.timestamp)


def _following(schema: Schema) -> _Edges:
    edge = schema.follows.alias("edges").c
    return _Edges(edge.follower_id, edge.following_id, edge.timestamp)


#: For each list, its edges and those of the list that it is compared with.
_SIDES: Final[dict[Any, tuple[Callable[[Schema], _Edges], Callable[[Schema], _Edges]]]] = {
    lists.followers: (_followers, _following),
    lists.following: (_following, _followers),
}


# --- Statements ----------------------------------------------------------------------------------


@once
def view_of(
    schema: Schema,
    engine: EngineRules,
    edges: Callable[[Schema], lists.Edges],
    look: Look,
    way: Way | None,
    audience: Audience,
) -> Rows:
    """
    A page of (user, since, name) of a list as it is looked at, from the given place on; the name if it goes by that.

    The page comes first; its users are joined to what is left.
    """
    view = _View(schema, engine, edges, look, way)
    page = _first(view.branches(lambda key: shown_to(audience, schema, engine, key))).subquery("page")
    user: Any = schema.user
    at = engine.by_name(page.c.name) if look.sort is Sort.NAME else page.c.since
    return (
        select(user, *(column for column in page.c if column.key != "user_key"))
        .join(page, page.c.user_key == getattr(user, schema.key_name))
        .order_by(*in_order(page.c.user_key, at, way, ascending=view.ascending))
        .execution_options(**{OPTION: f"{edges.__name__}_viewed"})
    )


@once
def left_out_of_view(
    schema: Schema, engine: EngineRules, edges: Callable[[Schema], lists.Edges], look: Look, ends: Ends
) -> Rows:
    """Whether somebody was left out for the owner of the stretch of a list as it is looked at, both *ends* included."""
    view = _View(schema, engine, edges, look, None, ends)
    return select(exists(_first(view.branches(lambda key: (left_out(schema, engine, key),)))))


def _first(branches: Sequence[Rows]) -> Any:
    if len(branches) == 1:
        return branches[0]
    return union_all(*(select(branch.subquery(f"branch_{n}")) for n, branch in enumerate(branches)))


_WHOLE: Final = Ends()
_NOTHING: Final = Only(0)


# --- The sides -----------------------------------------------------------------------------------

Conditions = Callable[[ColumnElement[Any]], Sequence[ColumnElement[bool]]]


class _View:
    """One list as it is looked at, from a place on or between two ends."""

    def __init__(
        self,
        schema: Schema,
        engine: EngineRules,
        edges: Callable[[Schema], lists.Edges],
        look: Look,
        way: Way | None,
        ends: Ends = _WHOLE,
    ) -> None:
        self._schema, self._rules, self._look, self._way, self._ends = schema, engine, look, way, ends
        self._own, self._other = _SIDES[edges]
        self._user = user_key(schema, "user")
        self._by_name = look.sort is Sort.NAME
        self.ascending = look.sort is not Sort.NEWEST

    def branches(self, also: Conditions) -> list[Rows]:
        """Return the sides from which it may be read, each behind its gate; *also* is asked of each user."""
        found, closed = [], list[ColumnElement[bool]]()
        for gate, side in self._sides():
            opened = and_(*closed, *(() if gate is None else (gate,))) if closed or gate is not None else None
            found.append(side(opened, also))
            if gate is not None:
                closed.append(~gate)
        return found

    def _sides(self) -> Iterator[tuple[ColumnElement[bool] | None, Callable[..., Rows]]]:
        """Yield the sides in the order in which they are asked, the last of which is always open."""
        short, sorted_, few = BOUNDS
        long, very_long = self._longer(self._own, short), self._longer(self._own, sorted_)
        if Only.MUTUAL in self._look.only:
            shorter = and_(long, ~self._longer(self._other, few if self._by_name else short))
            yield or_(shorter, and_(very_long, ~self._longer(self._other, few))), self._from_other
        if self._look.searched:
            rare = and_(long, ~self._more_named(few))
            yield or_(rare, very_long) if self._by_name else rare, self._from_names
        elif self._by_name:
            yield very_long, self._from_names
        yield None, self._from_list

    def _from_list(self, gate: ColumnElement[bool] | None, also: Conditions) -> Rows:
        """Go through the list, and ask of each row whether its user fits."""
        own = self._own(self._schema)
        name = self._name_of(own.other)
        return self._page(
            own.other,
            own.time,
            name,
            *self._begin(own, gate),
            *self._beside_time(own),
            *self._named(own.other),
            *self._filters(own.other),
            *also(own.other),
        )

    def _from_other(self, gate: ColumnElement[bool], also: Conditions) -> Rows:
        """Go through the other list, and ask of each row whether its user is on this one, and fits."""
        other = self._other(self._schema)
        since = self._since(other.other)
        return self._page(
            other.other,
            since,
            self._name_of(other.other),
            *self._begin(other, gate),
            since.is_not(None),
            *self._named(other.other),
            *self._filters(other.other, without=Only.MUTUAL),
            *also(other.other),
        )

    def _from_names(self, gate: ColumnElement[bool], also: Conditions) -> Rows:
        """Go through the users by name, those who fit, and ask of each whether they are on the list."""
        (users,) = people(self._schema, "named").values()
        key, name = users.c[self._schema.key.key], self._name(users)
        since = self._since(key)
        return self._page(
            key,
            since,
            name,
            *self._name_range(key, name, gate),
            since.is_not(None),
            *self._filters(key),
            *also(key),
        )

    def _page(
        self,
        key: ColumnElement[Any],
        since: ColumnElement[Any],
        name: ColumnElement[Any],
        *conditions: ColumnElement[bool],
    ) -> Rows:
        columns = [key.label("user_key"), since.label("since")]
        if self._by_name:
            columns.append(name.label("name"))
        at = self._rules.by_name(name) if self._by_name else since
        chosen = select(*columns).where(*conditions)
        return chosen.order_by(*in_order(key, at, self._way, ascending=self.ascending)).limit(most())

    # --- Gates -----------------------------------------------------------------------------------

    def _longer(self, edges: Callable[[Schema], _Edges], most_rows: int) -> ColumnElement[bool]:
        """Return whether a list has more rows than so many, which are all that is counted."""
        rows = edges(self._schema)
        return _more(select(rows.other).where(rows.owner == self._user), rows.time, most_rows)

    def _more_named(self, most_rows: int) -> ColumnElement[bool]:
        """Return whether more users than so many have a name that fits."""
        (users,) = people(self._schema, "counted").values()
        name = self._name(users)
        fits = self._rules.starts_with(name, _SEARCH)
        return _more(select(users.c[self._schema.key.key]).where(*fits), self._rules.by_name(name), most_rows)

    def _begin(self, edges: _Edges, gate: ColumnElement[bool] | None) -> Sequence[ColumnElement[bool]]:
        if gate is None:
            return (edges.owner == self._user,)
        return edges.owner == self._rules.given(gate, self._user), self._rules.opens(gate)

    # --- Places ----------------------------------------------------------------------------------

    def _beside_time(self, edges: _Edges) -> Sequence[ColumnElement[bool]]:
        if self._by_name:
            return ()
        found = [] if self._way is None else [*beside(edges.other, edges.time, self._way, ascending=self.ascending)]
        first, last = (bindparam(end, type_=UTCDateTime) for end in Ends._fields)
        older, newer = (first, last) if self.ascending else (last, first)
        if self._ends.first if self.ascending else self._ends.last:
            found.append(edges.time >= older)
        if self._ends.last if self.ascending else self._ends.first:
            found.append(edges.time <= newer)
        return found

    def _beside_name(
        self, key: ColumnElement[Any], name: ColumnElement[Any], gate: ColumnElement[bool] | None = None
    ) -> Sequence[ColumnElement[bool]]:
        if not self._by_name:
            return ()
        names, found = self._rules.by_name(name), list[ColumnElement[bool]]()
        if self._way is not None:
            there = self._rules.by_name(bindparam("at", type_=String))
            this = there if gate is None else self._rules.given(gate, there)
            found += beside(key, names, self._way, ascending=True, this=this)
        if self._ends.first:
            found.append(names >= self._rules.by_name(bindparam("first", type_=String)))
        if self._ends.last:
            found.append(names <= self._rules.by_name(bindparam("last", type_=String)))
        return found

    def _name_range(
        self, key: ColumnElement[Any], name: ColumnElement[Any], gate: ColumnElement[bool]
    ) -> Sequence[ColumnElement[bool]]:
        # The place before the search: of two lower bounds SQLite begins at the one that it is told first.
        found = [*self._beside_name(key, name, gate), self._rules.opens(gate)]
        if self._look.searched:
            found += self._rules.starts_with(name, _SEARCH, gate)
        elif self._way is None:
            found += self._rules.all_names(self._rules.by_name(name), gate)
        return found

    # --- What is asked of a user -----------------------------------------------------------------

    def _named(self, key: ColumnElement[Any]) -> Sequence[ColumnElement[bool]]:
        """Return whether the user *key* has a name that fits, beside the place."""
        (users,) = people(self._schema, "called").values()
        there, name = users.c[self._schema.key.key], self._name(users)
        wanted = [*self._beside_name(there, name)]
        if self._look.searched:
            wanted += self._rules.starts_with(name, _SEARCH)
        return (_found(select(there).where(there == key, *wanted)),) if wanted else ()

    def _since(self, key: ColumnElement[Any]) -> Any:
        """Return since when the user *key* is on the list, beside the place; NULL if they are not."""
        own = self._own(self._schema)
        return (
            select(own.time).where(own.owner == self._user, own.other == key, *self._beside_time(own)).scalar_subquery()
        )

    def _filters(self, key: ColumnElement[Any], *, without: Only = _NOTHING) -> Iterator[ColumnElement[bool]]:
        only = self._look.only & ~without
        if Only.MUTUAL in only or Only.NOT_FOLLOWED_BACK in only:
            other = self._other(self._schema)
            back = select(other.other).where(other.owner == self._user, other.other == key)
            yield _found(back) if Only.MUTUAL in only else self._rules.no_row(back)
        if Only.DORMANT in only:
            yield self._dormant(key)

    def _dormant(self, key: ColumnElement[Any]) -> ColumnElement[bool]:
        """Return whether the user *key* was not there since *quiet_since*; who never was, was not."""
        schema, posts = self._schema, self._schema.posts
        (users,) = people(schema, "quiet").values()
        last = schema.flag("last_active", users)
        if last is not None:
            there = users.c[schema.key.key]
            last = in_utc(last)
            quiet = or_(last.is_(None), last < bindparam("quiet_since", type_=last.type))
            return _found(select(there).where(there == key, quiet))
        if posts is None:
            return literal(value=True)
        rows = posts.table.alias("posts")
        time = in_utc(rows.c[posts.time.key])
        posted = select(rows.c[posts.key.key]).where(
            rows.c[posts.author.key] == key,
            time >= bindparam("quiet_since", type_=time.type),
        )
        return self._rules.no_row(posted.limit(literal_column("1")))

    def _name_of(self, key: ColumnElement[Any]) -> Any:
        (users,) = people(self._schema, "sorted").values()
        return select(self._name(users)).where(users.c[self._schema.key.key] == key).scalar_subquery()

    def _name(self, users: FromClause) -> ColumnElement[Any]:
        """Return the name of *users*; who has none is called the empty text, where that can be."""
        name: Any = self._schema.flag("name", users)
        if name is None:
            return literal("")
        return name if self._schema.always_named else func.coalesce(name, "")


#: What names start with.
_SEARCH: Final = bindparam("search", type_=Text)


def _found(rows: Rows) -> ColumnElement[bool]:
    """Return whether *rows*, which by its primary key is one at most, is there; asked as `EngineRules.no_row()`."""
    return rows.scalar_subquery().is_not(None)


def _more(rows: Rows, order: ColumnElement[Any], number: int) -> ColumnElement[bool]:
    # In the index's order: else PostgreSQL may look for a few thousand rows by reading the table from its start.
    counted = rows.order_by(order).limit(literal_column(str(number + 1))).subquery("counted")
    return select(func.count()).select_from(counted).scalar_subquery() > literal_column(str(number))


def quiet_since(schema: Schema, at: datetime) -> datetime | None:
    """Return since when somebody must have been there at the time *at* not to be dormant; None if nothing says that."""
    told = "last_active" in schema.flags or schema.posts is not None
    return at - schema.settings.dormant_after if told else None
