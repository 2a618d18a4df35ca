"""The lists of people that others may see: searched, sorted, filtered, or as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from retinue import arguments
from retinue.arguments import View
from retinue.errors import MappingError
from retinue.lists import pages, views
from retinue.lists import statements as lists
from retinue.lists.pages import Listing
from retinue.lists.reads import keys_of, people_of
from retinue.lists.views import Ends, Look
from retinue.models import now
from retinue.schema import identity
from retinue.settings import PAGE_DEFAULT, SEARCH_MOST
from retinue.values import ALL, Everything, Only, Page, Person, Sort
from retinue.viewer import LISTS, Audience, Context, admit, has_reasons
from retinue.work import Work
from retinue.work.building import moment


def followers(
    work: Work,
    user: Any,
    *,
    viewer: Any | Everything | None = ALL,
    search: str | None = None,
    sort: Sort = Sort.NEWEST,
    only: Only | None = None,
    limit: int = PAGE_DEFAULT,
    cursor: str | None = None,
) -> Page[Person[Any]]:
    """See `Graph.followers()`."""
    view = arguments.view(search, sort, only)
    return _viewed(work, lists.followers, user, viewer, limit, cursor, view, Context.FOLLOWERS)


def following(
    work: Work,
    user: Any,
    *,
    viewer: Any | Everything | None = ALL,
    search: str | None = None,
    sort: Sort = Sort.NEWEST,
    only: Only | None = None,
    limit: int = PAGE_DEFAULT,
    cursor: str | None = None,
) -> Page[Person[Any]]:
    """See `Graph.following()`."""
    view = arguments.view(search, sort, only)
    return _viewed(work, lists.following, user, viewer, limit, cursor, view, Context.FOLLOWING)


def mutuals(
    work: Work,
    user: Any,
    *,
    viewer: Any | Everything | None = ALL,
    limit: int = PAGE_DEFAULT,
    cursor: str | None = None,
) -> Page[Person[Any]]:
    """See `Graph.mutuals()`."""
    return following(work, user, viewer=viewer, only=Only.MUTUAL, limit=limit, cursor=cursor)


def followers_you_know(
    work: Work, viewer: Any, user: Any, *, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Page[Person[Any]]:
    """See `Graph.followers_you_know()`."""
    return people_of(work, lists.known_followers, user, viewer, limit, cursor, kind=Context.FOLLOWERS, with_total=True)


def _viewed(
    work: Work,
    people: Callable[..., lists.Edges],
    user: Any,
    viewer: Any,
    limit: int,
    cursor: str | None,
    view: View,
    kind: Context,
) -> Page[Any]:
    """Return a page of *people* of *user*, looked at by *view*."""
    if view.plain:
        return people_of(work, people, user, viewer, limit, cursor, kind=kind)
    _refuse_unmapped(work, view)
    schema, at = work.schema, now()
    work.read()
    owner, watching = keys_of(work, user, viewer)
    audience = admit(work, owner, watching, _told(kind, view.only))
    look = Look(bool(view.search), view.sort, view.only)
    parameters = {
        "user": owner,
        "viewer": None if watching is ALL else watching,
        "search": view.search,
        "quiet_since": views.quiet_since(schema, at),
        **moment(schema, at),
    }
    listing = Listing(
        name=(people.__name__, owner, watching, view.sort.value, view.only.value, view.search),
        statement=lambda way: views.view_of(schema, work.engine, people, look, way, audience),
        parameters=parameters,
        item=lambda row: Person(row[0], row[1]),
        place=lambda row: (row[2] if view.sort is Sort.NAME else row[1], identity(row[0])[0]),
        check=work.checker(),
        key_type=schema.key.type.python_type,
        order_type=str if view.sort is Sort.NAME else datetime,
        holds=lambda name: arguments.holds(name, work.engine),
    )
    if owner is None or len(view.search) > SEARCH_MOST or not arguments.holds(view.search, work.engine):
        return pages.nothing(work, listing, limit, cursor)
    page, stretch = pages.read(work, listing, limit, cursor)
    if audience is Audience.OWNER and has_reasons(schema, work.engine, Context.OWN_LIST):
        ends = {name: end for name, end in zip(Ends._fields, stretch, strict=True) if end is not None}
        asked = views.left_out_of_view(schema, work.engine, people, look, Ends(*(end is not None for end in stretch)))
        hidden = work.connection.execute(asked, {**parameters, **ends, "limit": 1}).scalar_one()
        page = replace(page, hidden=bool(hidden))
    return page


def _refuse_unmapped(work: Work, view: View) -> None:
    """Raise `MappingError` if the user class does not map what *view* asks for."""
    user = work.schema.user.__name__
    if (view.search or view.sort is Sort.NAME) and "name" not in work.schema.flags:
        message = f"to search and sort by name, say which attribute of {user} holds it: Settings(name='username')"
        raise MappingError(message)
    if Only.DORMANT in view.only and "last_active" not in work.schema.flags and work.schema.posts is None:
        message = f"who is dormant, nothing says: Settings(last_active='last_seen_at') on {user}, or declare_posts(...)"
        raise MappingError(message)


def _told(kind: Context, only: Only) -> Context | None:
    """Return what a list of that *kind* tells of its user, filtered; None: what is for the user alone."""
    if Only.DORMANT in only:
        return None
    compares = Only.MUTUAL in only or Only.NOT_FOLLOWED_BACK in only
    return LISTS if compares else kind
