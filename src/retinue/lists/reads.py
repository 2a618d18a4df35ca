"""A page of people, for whom it is; and how many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from retinue.effects import counts as stored
from retinue.lists import pages
from retinue.lists import statements as lists
from retinue.lists.pages import Listing
from retinue.models import FIRST, LAST, now
from retinue.schema import identity
from retinue.values import ALL, Counts, Everything, Key, Page, Person
from retinue.viewer import Audience, Context, admit, has_reasons
from retinue.work import Work
from retinue.work.building import moment


def counts(work: Work, users: Iterable[Any]) -> dict[Key, Counts]:
    """See `Graph.counts()`."""
    work.read()
    keys = work.keys(users)
    return stored.read(work, keys)


def people_of(
    work: Work,
    people: Callable[..., lists.Edges],
    user: Any,
    viewer: Any,
    limit: int,
    cursor: str | None,
    *,
    kind: Context | None = None,
    item: Callable[..., Any] = Person,
    with_total: bool = False,
) -> Page[Any]:
    """Return a page of *people* of *user*; a list without a *kind* is for the user alone."""
    work.read()
    owner, watching = keys_of(work, user, viewer)
    audience = admit(work, owner, watching, kind)
    schema = work.schema
    parameters = {"user": owner, "viewer": None if watching is ALL else watching, **moment(schema, now())}
    listing = Listing(
        name=(people.__name__, owner, watching),
        statement=lambda way: lists.page_of(schema, work.engine, people, way, audience),
        parameters=parameters,
        item=lambda row: item(*row),
        place=lambda row: (row[1], identity(row[0])[0]),
        check=work.checker(),
        key_type=schema.key.type.python_type,
    )
    if owner is None:
        return pages.nothing(work, listing, limit, cursor)
    page, stretch = pages.read(work, listing, limit, cursor)
    if with_total:
        total = work.connection.execute(lists.total_of(schema, work.engine, people, audience), parameters).scalar_one()
        page = replace(page, total=total)
    if audience is Audience.OWNER and has_reasons(schema, work.engine, Context.OWN_LIST):
        ends = {"oldest": stretch.last or FIRST, "newest": stretch.first or LAST}
        hidden = work.connection.execute(
            lists.left_out_of(schema, work.engine, people), {**parameters, **ends}
        ).scalar_one()
        page = replace(page, hidden=bool(hidden))
    return page


def keys_of(work: Work, user: Any, viewer: Any) -> tuple[Key | None, Key | Everything | None]:
    """Return the keys of *user* and *viewer*, who may be `ALL` or nobody."""
    watching = viewer if viewer is None or viewer is ALL else work.key(viewer)
    return work.key(user), watching
