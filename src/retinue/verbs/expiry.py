"""Sweeping up what time has ended: ties, each of which says when, and what a mixin has a sweep of its own for."""

from __future__ import annotations

from importlib import import_module

from retinue import ties
from retinue.models import now
from retinue.ties import TIES
from retinue.values import Expired
from retinue.work import Work


def expire(work: Work) -> Expired:
    """See `Graph.expire()`."""
    work.session.flush()
    work.connect()
    schema, at = work.schema, now()
    times, gone = ties.ends_at(schema, at), dict[str, int]()
    for tie in TIES:
        if tie.ended is not None and tie.is_declared(schema):
            gone[tie.plural] = work.run(ties.delete_ended, times, tie).rowcount
    for mixin in schema.models:
        if mixin.__retinue_sweep__ is not None:
            module, _, name = mixin.__retinue_sweep__.partition(":")
            gone |= getattr(import_module(module), name)(work, at)
    return Expired(**gone)
