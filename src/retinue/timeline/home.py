"""The home timeline."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from retinue.keys import Keys, keys_of
from retinue.lists import pages
from retinue.lists.columns import Attributes, Columns, attributes_of
from retinue.lists.pages import Listing
from retinue.models import LAST, aware, now
from retinue.schema import identity
from retinue.settings import PAGE_DEFAULT
from retinue.timeline import searched
from retinue.timeline.materialized import kept_timeline
from retinue.values import ALL, Everything, Page
from retinue.work import Work
from retinue.work.building import moment


def _post_keys(work: Work) -> Keys:
    return keys_of(work.schema.declared_posts().key.type, work.connection)


@lru_cache(maxsize=256)
def _listing(attributes: Attributes | None, *, kept: bool) -> Listing[Any]:
    """Return what the list is made of, where timelines are *kept* ready or not."""
    name, build = "home_timeline", kept_timeline if kept else searched.home_timeline
    if attributes is None:
        return Listing(
            name,
            build,
            item=lambda row: row[0],
            place=lambda row: (aware(row[1]), identity(row[0])[0]),
            keys=_post_keys,
            objects=lambda schema: (schema.declared_posts().model, schema.user),
        )
    row_of = attributes.row_maker()
    return Listing(
        name,
        build,
        item=lambda row: row_of(row[2:]),
        place=lambda row: (aware(row[1]), row[0]),
        keys=_post_keys,
    )


def home_timeline(
    work: Work,
    user: Any,
    *,
    viewer: Any | Everything | None = ALL,
    limit: int = PAGE_DEFAULT,
    cursor: str | None = None,
    columns: Columns | None = None,
) -> Page[Any]:
    """See `Graph.home_timeline()`."""
    schema, at = work.schema, now()
    attributes = attributes_of(columns, schema.declared_posts().model, schema.user)
    visit = pages.enter(work, user, viewer, None)
    parameters = {"user": visit.owner, "seen_at": at, "last": LAST, **moment(schema, at)}
    listing = _listing(attributes, kept=schema.timeline is not None)
    return pages.read(work, listing, visit, parameters, limit, cursor, work.engine, attributes)[0]
