"""
Lists of people searched, sorted and filtered: a page of them, at a bounded cost.

A page can be read from several sides: from the list itself, asking of each row whether its user fits; from the users
whose names fit (or the texts that the application keeps in their place), asking of each whether they are on the list;
or, for those who follow each other, from the other list. Which is the short way depends on the numbers: of a million
followers none may have that name, or a tenth. The engines do not see that: left to choose, each reads a million rows
for some pages. So a statement has each side as a branch of its own behind a gate, which counts rows, and no more of
them than it must. One gate is open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    String,
    Text,
    and_,
    bindparam,
    case,
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
from retinue.lists.filters import filters_of
from retinue.lists.keyset import beside, in_order
from retinue.lists.kinds import People, Source
from retinue.models import SearchTexts
from retinue.schema import Schema
from retinue.values import Only, Sort
from retinue.work.building import people


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


_NOTHING: Final = Only(0)
_AS_IT_IS: Final = Look(searched=False, sort=Sort.NEWEST, only=_NOTHING)


# --- The sides -----------------------------------------------------------------------------------

#: What is asked of a user, by the key.
Conditions = Callable[[ColumnElement[Any]], Sequence[ColumnElement[bool]]]

#: A gate, and what reads the rows behind it.
_Side = tuple[ColumnElement[bool] | None, Callable[..., Rows]]


class View:
    """One list as it is looked at, from a place on."""

    def __init__(
        self,
        schema: Schema,
        engine: EngineRules,
        kind: People,
        look: Look | None,
        way: Way | None,
    ) -> None:
        look = look or _AS_IT_IS
        self._schema, self._engine, self._look, self._way = schema, engine, look, way
        self._own = kind
        #: Another list, on which everybody must be who is on a page.
        self._met: People | None = kind.other_end() if Only.MUTUAL in look.only else kind.met
        #: What is searched; None: names.
        self._texts: SearchTexts | None = schema.search if look.searched else None
        self.by_name: bool = look.sort is Sort.NAME
        self.ascending: bool = look.sort is not Sort.NEWEST

    def rows(self, also: Conditions, limit: ColumnElement[int] | None) -> Any:
        """
        Return its rows, up to *limit* if there is one; *also* is asked of each user.

        From each side from which it may be read, each behind its gate.
        """
        found = [side(gate, also).limit(limit) for gate, side in self._gated]
        if len(found) == 1:
            return found[0]
        return union_all(*(select(side.subquery(f"branch_{n}")) for n, side in enumerate(found)))

    @cached_property
    def _gated(self) -> list[_Side]:
        """The sides, each with the gate that is open if no gate before it is; None: there is but one side."""
        gates, sides = zip(*self._sides(), strict=True)
        if len(sides) == 1:
            return [(None, sides[0])]
        numbers: list[ColumnElement[int]] = [literal_column(str(number)) for number in range(len(sides))]
        # Once, as a gate reads rows; and none after an open one.
        which = case(*zip(gates[:-1], numbers, strict=False), else_=numbers[-1])
        chosen = self._engine.decided(which)
        return [(chosen == number, side) for side, number in zip(sides, numbers, strict=True)]

    def _sides(self) -> Iterator[_Side]:
        """Yield the sides with their gates, in the order in which they are asked; the last is read if none is open."""
        short, sorted_, few = BOUNDS
        long, very_long = self._longer(self._own, short), self._longer(self._own, sorted_)
        if self._met is not None:
            shorter = and_(long, ~self._longer(self._met, few if self.by_name else short))
            yield or_(shorter, and_(very_long, ~self._longer(self._met, few))), self._from_other
        if self._look.searched:
            rare = and_(long, ~self._more_named(few))
            yield or_(rare, very_long) if self.by_name else rare, self._from_names
        elif self.by_name:
            yield very_long, self._from_names
        yield None, self._from_list

    def _from_list(self, gate: ColumnElement[bool] | None, also: Conditions) -> Rows:
        """Go through the list, and ask of each row whether its user fits."""
        own = self._own.source(self._schema)
        name = self._name_of(own.user)
        return self._page(
            own.user,
            own.since,
            name,
            *self._begin(self._own, own, gate),
            *own.conditions,
            *self._beside_time(own),
            *self._named(own.user),
            *self._filters(own.user),
            *also(own.user),
            more=own.more,
            through=own.owner.table,
        )

    def _from_other(self, gate: ColumnElement[bool], also: Conditions) -> Rows:
        """Go through the other list, and ask of each row whether its user is on this one, and fits."""
        met: Any = self._met
        other = met.source(self._schema)
        # All of them, as the gate has counted; by the index that it has counted in.
        few = select(other.user.label("user_key")).select_from(self._engine.perhaps_many(other.owner.table))
        few = few.where(*self._begin(met, other, gate)).order_by(other.since).limit(literal_column(str(BOUNDS.few)))
        key = few.subquery("few").c.user_key
        since = self._since(key)
        return self._page(
            key,
            since,
            self._name_of(key),
            since.is_not(None),
            *self._named(key),
            *self._filters(key, met=True),
            *also(key),
        )

    def _from_names(self, gate: ColumnElement[bool], also: Conditions) -> Rows:
        """Go through the users by name, those who fit, and ask of each whether they are on the list."""
        key, name = self._called("named")
        since = self._since(key)
        return self._page(
            key,
            since,
            name,
            *self._name_range(key, name, gate),
            since.is_not(None),
            *self._first_of_theirs(key, name),
            *self._filters(key),
            *also(key),
        )

    def _page(
        self,
        key: ColumnElement[Any],
        since: ColumnElement[Any],
        name: ColumnElement[Any],
        *conditions: ColumnElement[bool],
        more: Sequence[ColumnElement[Any]] = (),
        through: Any = None,
    ) -> Rows:
        columns = [key.label("user_key"), since.label("since"), *more]
        if self.by_name:
            columns.append(name.label("name"))
        at = self._engine.by_name(name) if self.by_name else since
        chosen = select(*columns).where(*conditions)
        if through is not None and not self.by_name:
            chosen = chosen.select_from(self._engine.perhaps_many(through))
        return chosen.order_by(*in_order(key, at, self._way, ascending=self.ascending))

    # --- Gates -----------------------------------------------------------------------------------

    def _longer(self, kind: People, most_rows: int) -> ColumnElement[bool]:
        """Return whether a list has more rows than so many, which are all that is counted."""
        rows = kind.source(self._schema)
        theirs = select(rows.user).select_from(self._engine.perhaps_many(rows.owner.table))
        return _more(theirs.where(rows.owner == self._owner(kind)), rows.since, most_rows)

    def _more_named(self, most_rows: int) -> ColumnElement[bool]:
        """Return whether more users than so many have a name that fits."""
        key, name = self._called("counted")
        fits = self._engine.starts_with(name, _SEARCH)
        named = select(key).select_from(self._engine.perhaps_many(key.table)).where(*fits)
        return _more(named, self._engine.by_name(name), most_rows)

    def _begin(self, kind: People, edges: Source, gate: ColumnElement[bool] | None) -> Sequence[ColumnElement[bool]]:
        owner = self._owner(kind)
        if gate is None:
            return (edges.owner == owner,)
        return edges.owner == self._engine.given(gate, owner), self._engine.opens(gate)

    def _owner(self, kind: People) -> ColumnElement[Any]:
        return kind.owner(self._schema, self._engine)

    # --- Places ----------------------------------------------------------------------------------

    def _beside_time(self, edges: Source) -> Sequence[ColumnElement[bool]]:
        if self.by_name:
            return ()
        return beside(self._engine, edges.user, edges.since, self._way, ascending=self.ascending)

    def _beside_name(
        self, key: ColumnElement[Any], name: ColumnElement[Any], gate: ColumnElement[bool] | None = None
    ) -> Sequence[ColumnElement[bool]]:
        if not self.by_name:
            return ()
        by_name, this = self._engine.by_name, None
        if self._way is not None:
            place = by_name(bindparam("at", type_=String))
            this = place if gate is None else self._engine.given(gate, place)
        return beside(self._engine, key, by_name(name), self._way, ascending=True, this=this)

    def _name_range(
        self, key: ColumnElement[Any], name: ColumnElement[Any], gate: ColumnElement[bool]
    ) -> Sequence[ColumnElement[bool]]:
        # The place before the search: of two lower bounds SQLite begins at the one that it is told first.
        found = [*self._beside_name(key, name, gate), self._engine.opens(gate)]
        if self._look.searched:
            found += self._engine.starts_with(name, _SEARCH, gate)
        elif self._way is None:
            found += self._engine.all_names(self._engine.by_name(name), gate)
        return found

    # --- What is asked of a user -----------------------------------------------------------------

    def _named(self, key: ColumnElement[Any]) -> Sequence[ColumnElement[bool]]:
        """Return whether the user *key* has a name that fits, beside the place."""
        user, name = self._called("called")
        beside = self._beside_name(user, name)
        wanted = [*beside, *self._first_of_theirs(user, name)] if beside else []
        if self._look.searched:
            wanted += self._engine.starts_with(name, _SEARCH)
        rows = select(user).where(user == key, *wanted)
        return (_found(rows if self._texts is None else rows.limit(_ONE)),) if wanted else ()

    def _since(self, key: ColumnElement[Any]) -> Any:
        """Return since when the user *key* is on the list, beside the place; NULL if they are not."""
        own = self._own.source(self._schema)
        mine = own.owner == self._owner(self._own)
        rows = select(own.since).where(mine, own.user == key, *self._beside_time(own))
        return self._engine.by_key(rows).scalar_subquery()

    def _filters(self, key: ColumnElement[Any], *, met: bool = False) -> Iterator[ColumnElement[bool]]:
        """Yield what else is asked of the user *key*; *met*: who is known to be on the other list."""
        if self._met is not None and not met:
            yield _found(self._named_in(self._met, key))
        if Only.NOT_FOLLOWED_BACK in self._look.only:
            yield self._engine.no_row(self._named_in(self._own.other_end(), key), one_by_one=True)
        for registered in filters_of(self._look.only):
            yield registered.condition(self._schema, self._engine, key)

    def _named_in(self, kind: People, key: ColumnElement[Any]) -> Rows:
        rows = kind.source(self._schema)
        return select(rows.user).where(rows.owner == self._owner(kind), rows.user == key)

    def _name_of(self, key: ColumnElement[Any]) -> Any:
        user, name = self._called("sorted")
        rows = select(name).where(user == key)
        if self._texts is not None:
            fits = self._engine.starts_with(name, _SEARCH)
            rows = rows.where(*fits).order_by(self._engine.by_name(name), name).limit(_ONE)
        return rows.scalar_subquery()

    def _called(self, alias: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """Return the keys of users, and what they are called, as columns of other rows for each *alias*."""
        if self._texts is not None:
            rows = self._texts.table.alias(f"text_{alias}")
            return rows.c[self._texts.user.key], rows.c[self._texts.text.key]
        (users,) = people(self._schema, alias).values()
        return users.c[self._schema.key.key], self._name(users)

    def _first_of_theirs(self, key: ColumnElement[Any], text: ColumnElement[Any]) -> Sequence[ColumnElement[bool]]:
        """Return whether no text of the user *key* that fits comes before *text*: so they are on a page once."""
        if self._texts is None:
            return ()
        (user, other), order = self._called("earlier"), self._engine.by_name
        earlier = (order(other) < order(text)) | ((order(other) == order(text)) & (other < text))
        rows = select(user).where(user == key, *self._engine.starts_with(other, _SEARCH), earlier).limit(_ONE)
        return (self._engine.no_row(rows, one_by_one=True),)

    def _name(self, users: FromClause) -> ColumnElement[Any]:
        """Return the name of *users*; who has none is called the empty text, where that can be."""
        name: Any = self._schema.flag("name", users)
        if name is None:
            return literal("")
        return name if self._schema.always_named else func.coalesce(name, "")


_ONE: Final[ColumnElement[int]] = literal_column("1")

#: What names start with.
_SEARCH: Final = bindparam("search", type_=Text)


def _found(rows: Rows) -> ColumnElement[bool]:
    """Return whether *rows*, which by its primary key is one at most, is there; asked as `EngineRules.no_row()`."""
    return rows.scalar_subquery().is_not(None)


def _more(rows: Rows, order: ColumnElement[Any], number: int) -> ColumnElement[bool]:
    # In the index's order: else PostgreSQL may look for a few thousand rows by reading the table from its start.
    counted = rows.order_by(order).limit(literal_column(str(number + 1))).subquery("counted")
    return select(func.count()).select_from(counted).scalar_subquery() > literal_column(str(number))
