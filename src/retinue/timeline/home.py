"""The home timeline."""

from __future__ import annotations

from typing import Any, Final

from retinue.keys import Keys, keys_of
from retinue.lists import pages
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


#: By whether timelines are kept ready.
_LISTINGS: Final[dict[bool, Listing[Any]]] = {
    kept: Listing(
        "home_timeline",
        build,
        item=lambda row: row[0],
        place=lambda row: (aware(row[1]), identity(row[0])[0]),
        keys=_post_keys,
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
) -> Page[Any]:
    """See `Graph.home_timeline()`."""
    schema, at = work.schema, now()
    schema.declared_posts()
    visit = pages.enter(work, user, viewer, None)
    parameters = {"user": visit.owner, "seen_at": at, "last": LAST, **moment(schema, at)}
    listing = _LISTINGS[schema.timeline is not None]
    return pages.read(work, listing, visit, parameters, limit, cursor, work.engine)[0]
