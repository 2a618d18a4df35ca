"""Sweeping up what time has ended: of ties, each of which says when; and of what follows from changes."""

from __future__ import annotations

from retinue import ties
from retinue.effects import effects_of
from retinue.models import now
from retinue.ties import TIES
from retinue.values import Expired
from retinue.work import Work
from retinue.work.whole import whole


@whole(alone=True)
def expire(work: Work) -> Expired:
    """See `Graph.expire()`."""
    work.flush_held()
    work.begin()
    at = now()
    times, gone = ties.ends_at(work.schema, at), dict[str, int]()
    for tie in TIES:
        if tie.ended is not None and tie.is_declared(work.schema):
            gone[tie.plural] = work.run(ties.delete_ended, times, tie).rowcount
    for effect in effects_of(work.schema):
        gone |= effect.expire(work, at)
    return Expired(**gone)
