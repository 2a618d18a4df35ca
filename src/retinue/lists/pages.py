"""Pages: a keyset from one list, in one statement at any depth."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from retinue import arguments
from retinue.cursors import Place, Scope, Way
from retinue.engines import Rows
from retinue.errors import InvalidCursor, InvalidUserError
from retinue.values import Page
from retinue.work import Work

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
    #: Returns what a row is ordered by: its time or name, and the key that decides between equal ones. No two share it.
    place: Callable[[Any], tuple[datetime | str, Any]]
    #: Returns a key of that kind, or raises `InvalidUserError`.
    check: Callable[[object], Any]
    key_type: type = int
    #: What the list goes by: times, or names.
    order_type: type = datetime
    #: Returns whether the database can hold that text; asked of the names in cursors.
    holds: Callable[[str], bool] = bool


class Stretch(NamedTuple):
    """The part of a list that a page covers, by what the list goes by, both included; None: to that end of it."""

    first: datetime | str | None
    last: datetime | str | None


def read(work: Work, listing: Listing[T], limit: int, cursor: str | None) -> tuple[Page[T], Stretch]:
    """Return the page of *listing* that *cursor* leads to, of at most *limit* rows. One select."""
    limit = arguments.page_limit(limit)
    scope = _scope(work, listing)
    place = None if cursor is None else _place(listing, scope, cursor)
    parameters: dict[str, Any] = {**listing.parameters, "limit": limit + 1}
    if place is not None:
        parameters |= {"at": place.at, "key": place.key}
    statement = listing.statement(place.way if place else None)
    # Unique, as an application's user may bring a collection along, joined. By their places, which no two rows of
    # a list share: that takes a tenth of what it takes SQLAlchemy to compare whole rows.
    found = work.session.execute(statement, parameters).unique(listing.place).all()
    rows = list(found[:limit])
    if place is not None and not place.way.forward:
        rows.reverse()
    ends = [listing.place(row) for row in (rows[:1] + rows[-1:])]
    on, back = _ends(place, ends, more=len(found) > limit)
    page = Page(
        tuple([listing.item(row) for row in rows]),
        None if on is None else scope.encode(on),
        None if back is None else scope.encode(back),
    )
    return page, Stretch(first=None if back is None else back.at, last=None if on is None else on.at)


def nothing(work: Work, listing: Listing[T], limit: int, cursor: str | None) -> Page[T]:
    """Return the page of a list that cannot have rows; a wrong *limit* or *cursor* is wrong all the same."""
    arguments.page_limit(limit)
    if cursor is not None:
        _place(listing, _scope(work, listing), cursor)
    return Page()


def _scope(work: Work, listing: Listing[Any]) -> Scope:
    secret = work.schema.settings.secret or b""
    key = secret.encode() if isinstance(secret, str) else secret
    return Scope(listing.name, key, listing.key_type, listing.order_type)


def _place(listing: Listing[Any], scope: Scope, cursor: object) -> Place:
    place = scope.decode(cursor)
    try:
        listing.check(place.key)
    except InvalidUserError:
        raise InvalidCursor(cursor) from None
    if isinstance(place.at, str) and not listing.holds(place.at):
        raise InvalidCursor(cursor)
    return place


def _ends(
    place: Place | None, ends: Sequence[tuple[datetime | str, Any]], *, more: bool
) -> tuple[Place | None, Place | None]:
    """Return the places from which the list goes on, and back, beyond the rows between *ends*, to which *place* led."""
    if not ends:
        return _ends_of_nothing(place)
    first, last = ends
    forward = place is None or place.way.forward
    # Where we come from there is always something; where we go, if the list had one row more.
    to_next = more if forward else True
    to_prev = place is not None if forward else more
    return (
        Place(Way.ON, *last) if to_next else None,
        Place(Way.BACK, *first) if to_prev else None,
    )


def _ends_of_nothing(place: Place | None) -> tuple[Place | None, Place | None]:
    """The list ends here. The way back starts at the row that led here, that row included."""
    if place is None:
        return None, None
    if place.way.forward:
        return None, Place(Way.BACK_OR_SAME, place.at, place.key)
    return Place(Way.ON_OR_SAME, place.at, place.key), None
