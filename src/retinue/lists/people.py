"""A page of any list of people: searched, sorted and filtered, or as it is."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from sqlalchemy.exc import DBAPIError

from retinue import arguments
from retinue.arguments import View
from retinue.errors import InvalidCursor, MappingError
from retinue.lists import pages
from retinue.lists.columns import Columns, attributes_of
from retinue.lists.filters import filters_of
from retinue.lists.kinds import People
from retinue.lists.pages import Listing
from retinue.lists.statements import has_head, page_of
from retinue.lists.views import Look
from retinue.models import now
from retinue.schema import Schema
from retinue.settings import SEARCH_MOST
from retinue.values import Only, Page, Sort
from retinue.viewer import LISTS, Context
from retinue.work import Work
from retinue.work.building import moment

_PLAIN = arguments.view(None, Sort.NEWEST, None)


def page(
    work: Work,
    people: People,
    user: Any,
    viewer: Any,
    limit: int,
    cursor: str | None,
    columns: Columns | None = None,
    view: View = _PLAIN,
) -> Page[Any]:
    """
    Return a page of *people* of *user*, as *viewer* may see it. One select.

    Raises:
        ModelMissingError: The model of its ties is not declared.
        MappingError: The user class does not map what *view* asks for, or *columns* are not its own.
        InvalidUserError, InvalidCursor, NotVisibleError, ValueError: See `Graph.followers()`.
    """
    schema, at = work.schema, now()
    people.tie.table(schema)
    attributes = attributes_of(columns, schema.user)
    parameters: dict[str, Any] = moment(schema, at)
    if view.plain:
        look, visit = None, pages.enter(work, user, viewer, people.tells, attributes=attributes)
    else:
        _refuse_unmapped(schema, view)
        look = Look(bool(view.search), view.sort, view.only)
        words = (view.sort.value, view.only.value, view.search)
        visit = pages.enter(work, user, viewer, _lists_told_of(people, view.only), *words, attributes=attributes)
        text = _searched(work, view.search)
        if view.search and not text:
            visit = visit._replace(empty=True)
        parameters["search"] = text
        for only in filters_of(view.only):
            parameters |= only.parameters(schema, at)
    parameters |= {"user": visit.owner, "viewer": visit.viewer_key}
    listing = _listing(people, by_name=view.sort is Sort.NAME)
    given = (work.engine, people, look, attributes, visit.admission)
    how = {"headed": has_head(schema, work.engine, people, visit.admission), "counted": people.counted}
    try:
        return pages.read(work, listing, visit, parameters, limit, cursor, *given, **how)
    except DBAPIError as error:
        if not work.engine.cannot_hold(error):
            raise
        if not view.search.isascii():
            return pages.read(work, listing, visit._replace(empty=True), parameters, limit, cursor)
        if cursor is not None and view.sort is Sort.NAME:
            raise InvalidCursor(cursor) from None
        raise


@cache
def _listing(people: People, *, by_name: bool) -> Listing[Any]:
    if by_name:
        return Listing(people.name, page_of, lambda rows: [people.item(*row[:2]) for row in rows], at=2, order_type=str)
    item: Any = people.item
    # As `_make()`, which would count once more what the statement has selected.
    return Listing(people.name, page_of, partial(map, partial(tuple.__new__, item)))


def _searched(work: Work, text: str) -> str:
    """Return with what names, or the texts in their place, are compared; empty, if none can begin with *text*."""
    if len(text) > SEARCH_MOST or not arguments.holds(text, work.engine):
        return ""
    texts = work.schema.search
    return text if texts is None else texts.fold(text)


def _refuse_unmapped(schema: Schema, view: View) -> None:
    """Raise `MappingError` if the user class does not map what *view* asks for."""
    by_texts = schema.search is not None and bool(view.search)
    if (view.search or view.sort is Sort.NAME) and not by_texts and "name" not in schema.flags:
        user = schema.user.__name__
        message = f"to search and sort by name, say which attribute of {user} holds it: Settings(name='username')"
        raise MappingError(message)
    for only in filters_of(view.only):
        only.refuse_unmapped(schema)


def _lists_told_of(people: People, only: Only) -> Context | None:
    """Return which lists of its user a list of *people* tells of, filtered; None: it is for the user alone."""
    if any(filters_of(only)):
        return None
    return LISTS if Only.MUTUAL in only or Only.NOT_FOLLOWED_BACK in only else people.tells
