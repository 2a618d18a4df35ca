"""Pages: a keyset from one list, in one statement at any depth."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from retinue import rules
from retinue.caller import Caller
from retinue.cursors import Place, Scope, Way
from retinue.errors import InvalidCursor, InvalidUserError
from retinue.statements import Rows
from retinue.values import Page

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A list that has pages."""

    #: What makes it this list and no other: a cursor of one is none of another's.
    name: tuple[Hashable, ...]
    #: Returns the statement that starts at a place reached that way.
    statement: Callable[[Way | None], Rows]
    parameters: Mapping[str, Any]
    #: Makes an item of a row.
    item: Callable[[Any], T]
    #: Returns what a row is ordered by: its time, and the key that decides between equal times.
    place: Callable[[Any], tuple[datetime, Any]]
    #: Returns a key of that kind, or raises `InvalidUserError`.
    check: Callable[[object], Any]
    key_type: type = int


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of a list that a page covers: between two times, both included; None: to the end."""

    oldest: datetime | None
    newest: datetime | None


def read(caller: Caller, listing: Listing[T], limit: int, cursor: str | None) -> tuple[Page[T], Stretch]:
    """Return the page of *listing* that *cursor* leads to, of at most *limit* rows. One select."""
    limit = rules.page_limit(limit)
    scope = _scope(caller, listing)
    place = None if cursor is None else _place(listing, scope, cursor)
    parameters: dict[str, Any] = {**listing.parameters, "limit": limit + 1}
    if place is not None:
        parameters |= {"time": place.time, "key": place.key}
    statement = listing.statement(place.way if place else None)
    # Unique, as an application's user may bring a collection along, joined.
    found = caller.session.execute(statement, parameters).unique().all()
    rows = list(found[:limit])
    if place is not None and not place.way.forward:
        rows.reverse()
    ends = [listing.place(row) for row in (rows[:1] + rows[-1:])]
    older, newer = _ends(place, ends, more=len(found) > limit)
    page = Page(
        tuple([listing.item(row) for row in rows]),
        None if older is None else scope.encode(older),
        None if newer is None else scope.encode(newer),
    )
    return page, Stretch(None if older is None else older.time, None if newer is None else newer.time)


def nothing(caller: Caller, listing: Listing[T], limit: int, cursor: str | None) -> Page[T]:
    """Return the page of a list that cannot have rows; a wrong *limit* or *cursor* is wrong all the same."""
    rules.page_limit(limit)
    if cursor is not None:
        _place(listing, _scope(caller, listing), cursor)
    return Page()


def _scope(caller: Caller, listing: Listing[Any]) -> Scope:
    secret = caller.schema.settings.secret or b""
    return Scope(listing.name, secret.encode() if isinstance(secret, str) else secret, listing.key_type)


def _place(listing: Listing[Any], scope: Scope, cursor: object) -> Place:
    place = scope.decode(cursor)
    try:
        listing.check(place.key)
    except InvalidUserError:
        raise InvalidCursor(cursor) from None
    return place


def _ends(
    place: Place | None, ends: Sequence[tuple[datetime, Any]], *, more: bool
) -> tuple[Place | None, Place | None]:
    """Return the places of older and of newer rows than those between *ends*, to which *place* led."""
    if not ends:
        return _ends_of_nothing(place)
    first, last = ends
    forward = place is None or place.way.forward
    # Where we come from there is always something; where we go, if the list had one row more.
    to_older = more if forward else True
    to_newer = place is not None if forward else more
    return (
        Place(Way.OLDER, *last) if to_older else None,
        Place(Way.NEWER, *first) if to_newer else None,
    )


def _ends_of_nothing(place: Place | None) -> tuple[Place | None, Place | None]:
    """The list ends here. The way back starts at the row that led here, that row included."""
    if place is None:
        return None, None
    if place.way.forward:
        return None, Place(Way.NEWER_OR_SAME, place.time, place.key)
    return Place(Way.OLDER_OR_SAME, place.time, place.key), None
