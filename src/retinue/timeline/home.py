"""The home timeline."""

from __future__ import annotations

from typing import Any

from retinue.keys import key_checker
from retinue.lists import pages
from retinue.lists.pages import Listing
from retinue.lists.reads import keys_of
from retinue.models import LAST, aware, now, values_of
from retinue.settings import PAGE_DEFAULT
from retinue.timeline import searched
from retinue.timeline.materialized import kept_timeline
from retinue.values import ALL, Everything, Page
from retinue.viewer import admit
from retinue.work import Work
from retinue.work.building import moment


def home_timeline(
    work: Work,
    user: Any,
    *,
    viewer: Any | Everything | None = ALL,
    limit: int = PAGE_DEFAULT,
    cursor: str | None = None,
) -> Page[Any]:
    """See `Graph.home_timeline()`."""
    schema = work.schema
    posts = schema.declared_posts()
    work.read()
    owner, watching = keys_of(work, user, viewer)
    admit(work, owner, watching, None)
    at = now()
    build = searched.home_timeline if schema.timeline is None else kept_timeline
    listing = Listing(
        name=("home_timeline", owner, watching),
        statement=lambda way: build(schema, work.engine, way),
        parameters={"user": owner, "seen_at": at, "last": LAST, **moment(schema, at)},
        item=lambda row: row[0],
        place=lambda row: (aware(row[2]), row[1]),
        check=key_checker(posts.key.type, work.engine),
        key_type=values_of(posts.key),
    )
    if owner is None:
        return pages.nothing(work, listing, limit, cursor)
    return pages.read(work, listing, limit, cursor)[0]
