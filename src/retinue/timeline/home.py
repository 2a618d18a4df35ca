"""The home timeline."""

from __future__ import annotations

from typing import Any, Final

from retinue.keys import Keys, keys_of
from retinue.lists import pages
from retinue.lists.columns import Columns, attributes_of
from retinue.lists.pages import Listing
from retinue.models import LAST, now
from retinue.settings import PAGE_DEFAULT
from retinue.timeline import searched
from retinue.timeline.materialized import kept_timeline
from retinue.values import ALL, Everything, Page
from retinue.work import Work
from retinue.work.building import moment


def _post_keys(work: Work) -> Keys:
    return keys_of(work.schema.declared_posts().key.type, work.connection)


#: By whether timelines are kept ready.
_LISTINGS: Final[dict[bool, Listing[Any]]] = {
    kept: Listing(
        "home_timeline",
        build,
        lambda rows: [row[0] for row in rows],
        keys=_post_keys,
        objects=lambda schema: (schema.declared_posts().model, schema.user),
    )
    for kept, build in ((False, searched.home_timeline), (True, kept_timeline))
}


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
    visit = pages.enter(work, user, viewer, None, attributes=attributes)
    parameters = {"user": visit.owner, "seen_at": at, "last": LAST, **moment(schema, at)}
    listing = _LISTINGS[schema.timeline is not None]
    return pages.read(work, listing, visit, parameters, limit, cursor, work.engine, attributes)
