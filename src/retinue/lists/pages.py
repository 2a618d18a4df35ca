"""Pages: a part of one list, found by a keyset in one statement at any depth."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Generic, NamedTuple, TypeVar

from retinue import arguments
from retinue.cursors import Place, Scope, Way
from retinue.engines import Rows
from retinue.errors import InvalidCursor, InvalidUserError, NotVisibleError
from retinue.keys import Keys
from retinue.lists.columns import Attributes, may_repeat
from retinue.models import aware
from retinue.schema import Schema, identity
from retinue.values import ALL, Everything, Key, Page
from retinue.viewer import Admission, Audience, Context, admit, refuse_unseen
from retinue.work import Work

T = TypeVar("T")

#: How many columns a head has.
_HEAD: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Listing(Generic[T]):
    """A kind of list that has pages."""

    #: A cursor of one list leads nowhere in another: this is what tells them apart, with `Visit.name`.
    name: str
    #: Builds the statement of a page: of the schema, what the caller gives, and the way to the page's place.
    build: Callable[..., Rows]
    #: Makes the items of rows, each of which begins with its object, or with the row in the place of that.
    items: Callable[[Sequence[Any]], Iterable[T]]
    #: The columns that a row is ordered by, by their number: its time or name, and the key that decides between equal
    #: ones. No two rows share both. None: it is the key of the object.
    at: int = 1
    key: int | None = None
    #: What the list goes by: times, or names.
    order_type: type = datetime
    #: Returns what the keys in its cursors are.
    keys: Callable[[Work], Keys] = Work.user_keys
    #: Returns the classes of the objects in its rows, and of those that come with them; None: there are only values.
    objects: Callable[[Schema], tuple[type[Any], ...]] | None = lambda schema: (schema.user,)

    def place_of(self, row: Sequence[Any], *, of_objects: bool) -> tuple[datetime | str, Any]:
        """Return the place of a *row*, which begins with its object if it is one *of_objects*; else with its key."""
        at, first = row[self.at], row[self.key or 0]
        key = identity(first)[0] if of_objects and self.key is None else first
        return (at if isinstance(at, str) else aware(at)), key


class Visit(NamedTuple):
    """One look at a list."""

    #: Whose list, who looks, and what else makes it another list.
    name: tuple[Any, ...]
    admission: Admission = Admission(Audience.TRUSTED)
    #: Whether there can be no rows: it is the list of nobody, for one.
    empty: bool = False
    #: The attributes that are enough of each object; None: the objects are wanted.
    attributes: Attributes | None = None

    @property
    def owner(self) -> Key | None:
        """Whose list it is."""
        owner: Key | None = self.name[0]
        return owner

    @property
    def viewer_key(self) -> Key | None:
        """The key of who looks, if that is a user."""
        key: Key | Everything | None = self.name[1]
        return None if key is ALL else key


def enter(
    work: Work,
    user: Any,
    viewer: Any,
    lists: Context | None,
    *more: Hashable,
    attributes: Attributes | None = None,
) -> Visit:
    """
    Let *viewer* look at a list of *user* that tells of those *lists*; None: it is for *user* alone.

    Raises:
        InvalidUserError: One is neither a user nor a possible key.
        NotVisibleError: It is for *user* alone. If *viewer* may not see it otherwise, `read()` says so.
    """
    work.read()
    key: Key | Everything | None = work.viewer(viewer)
    owner = work.key(user)
    return Visit((owner, key, *more), admit(work, owner, key, lists), owner is None, attributes)


def read(
    work: Work,
    listing: Listing[T],
    visit: Visit,
    parameters: Mapping[str, Any],
    limit: int,
    cursor: str | None,
    *options: Any,
    headed: bool = False,
    counted: bool = False,
) -> Page[T]:
    """
    Return the page of a list that *cursor* leads to, of at most *limit* rows. One select; none where it is empty.

    Args:
        work: The call.
        listing: What kind of list.
        visit: Whose, and who looks.
        parameters: Those of the statement.
        limit: Rows.
        cursor: Where the page is; None: it is the first.
        options: What `Listing.build` gets.
        headed: Whether its rows end with a head: whether the list may be seen, its total, whether somebody is left out.
        counted: Whether there is a total.

    Raises:
        InvalidCursor: *cursor* is of another list, or altered.
        NotVisibleError: Who looks may not see it.
        ValueError: *limit* is outside its range.
    """
    limit = arguments.page_limit(limit)
    secret = work.schema.settings.secret or b""
    keys = listing.keys(work)
    secret_key = secret.encode() if isinstance(secret, str) else secret
    scope = Scope((listing.name, *visit.name), secret_key, keys.of_text, listing.order_type, keys.text)
    place = None if cursor is None else _place(work, scope, keys, cursor)
    if visit.empty:
        if visit.owner is not None:
            refuse_unseen(work, visit.owner, visit.viewer_key, visit.admission)
        return Page()
    values = {**parameters, "limit": limit + 1, "shown": limit}
    if place is not None:
        values |= {"at": place.at, "key": place.key}
    options = (*options, None if place is None else place.way)
    classes = () if listing.objects is None or visit.attributes is not None else listing.objects(work.schema)
    place_of = partial(listing.place_of, of_objects=bool(classes))
    if not classes:
        found = work.seen(listing.build, values, *options)
    else:
        result = work.entities(listing.build, values, *options)
        if work.schema.hides or may_repeat(work.schema, *classes):
            # By their places, which no two rows of a list share: that takes a tenth of what it takes SQLAlchemy to
            # compare whole rows.
            result = result.unique(lambda row: row[0] is not None and place_of(row))
        found = result.all()
    total, hidden = None, False
    if headed:
        found, (total, hidden) = _beheaded(visit, found, counted=counted)
    rows = list(found[:limit])
    if place is not None and not place.way.forward:
        rows.reverse()
    on, back = _ends(place, [place_of(row) for row in (rows[:1] + rows[-1:])], more=len(found) > limit)
    return Page(
        tuple(listing.items(rows if visit.attributes is None else visit.attributes.put_first(rows))),
        None if on is None else partial(scope.encode, on),
        None if back is None else partial(scope.encode, back),
        hidden,
        total,
    )


def _beheaded(
    visit: Visit, found: Sequence[Sequence[Any]], *, counted: bool
) -> tuple[Sequence[Sequence[Any]], tuple[int | None, bool]]:
    """Return the rows of a page without its head, and what that tells; there is none, and no row, of nobody's list."""
    if not found:
        return found, (0 if counted else None, False)
    may_see, total, hidden = found[0][-_HEAD:]
    if not may_see:
        raise NotVisibleError(visit.owner)
    return [row[:-_HEAD] for row in found if row[0] is not None], (total, bool(hidden))


def _place(work: Work, scope: Scope, keys: Keys, cursor: object) -> Place:
    place = scope.decode(cursor)
    try:
        keys.check(place.key)
    except InvalidUserError:
        raise InvalidCursor(cursor) from None
    if isinstance(place.at, str) and not arguments.holds(place.at, work.engine):
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
