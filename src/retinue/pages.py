"""Pages of people: a keyset from one list, with the users on it, in one statement at any depth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from retinue import rules, statements
from retinue.caller import Caller
from retinue.cursors import Place, Scope, Way
from retinue.engines import EngineRules
from retinue.errors import InvalidCursor, InvalidUserError
from retinue.schema import Schema, identity
from retinue.values import ALL, Everything, Key, Page, Person

#: A list: it returns the statement that starts at a place reached that way.
PeopleList = Callable[[Schema, Way | None], statements.Rows]


def people(
    caller: Caller, rows: PeopleList, *, user: Any, viewer: Any, limit: int, cursor: str | None
) -> Page[Person[Any]]:
    """Return the page of *rows* of *user* that *cursor* leads to; raises as `Graph.followers()` says."""
    limit = rules.page_limit(limit)
    _, engine = caller.read()
    owner = caller.key(user, engine)
    watching = viewer if viewer is None or viewer is ALL else caller.key(viewer, engine)
    scope = _scope(caller.schema, rows, owner, watching)
    place = None if cursor is None else _place(caller, scope, cursor, engine)
    if owner is None:
        return Page()
    parameters: dict[str, Any] = {"user": owner, "limit": limit + 1}
    if place is not None:
        parameters |= {"time": place.time, "key": place.key}
    statement = rows(caller.schema, place.way if place else None)
    # Unique, as an application's user may bring a collection along, joined.
    found = caller.session.execute(statement, parameters).unique().all()
    items = [Person(user, since) for user, since in found[:limit]]
    if place is not None and not place.way.forward:
        items.reverse()
    older, newer = _ends(scope, place, items, more=len(found) > limit)
    return Page(tuple(items), older, newer)


def _scope(schema: Schema, rows: PeopleList, owner: Key | None, viewer: Key | Everything | None) -> Scope:
    secret = schema.settings.secret or b""
    secret = secret.encode() if isinstance(secret, str) else secret
    return Scope((rows.__name__, owner, viewer), secret, schema.key.type.python_type)


def _place(caller: Caller, scope: Scope, cursor: object, engine: EngineRules) -> Place:
    place = scope.decode(cursor)
    try:
        caller.checker(engine)(place.key)
    except InvalidUserError:
        raise InvalidCursor(cursor) from None
    return place


def _ends(
    scope: Scope, place: Place | None, items: Sequence[Person[Any]], *, more: bool
) -> tuple[str | None, str | None]:
    """Return the cursors to older and to newer rows than *items*, to which *place* led."""
    if not items:
        return _ends_of_nothing(scope, place)
    forward = place is None or place.way.forward
    # Where we come from there is always something; where we go, if the list had one row more.
    to_older = more if forward else True
    to_newer = place is not None if forward else more
    return (
        scope.encode(_beside(items[-1], Way.OLDER)) if to_older else None,
        scope.encode(_beside(items[0], Way.NEWER)) if to_newer else None,
    )


def _beside(person: Person[Any], way: Way) -> Place:
    (key,) = identity(person.user)
    return Place(way, person.since, key)


def _ends_of_nothing(scope: Scope, place: Place | None) -> tuple[str | None, str | None]:
    """The list ends here. The way back starts at the row that led here, that row included."""
    if place is None:
        return None, None
    if place.way.forward:
        return None, scope.encode(Place(Way.NEWER_OR_SAME, place.time, place.key))
    return scope.encode(Place(Way.OLDER_OR_SAME, place.time, place.key)), None
