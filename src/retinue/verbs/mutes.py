"""Mute and unmute."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from retinue import arguments, effects, ties
from retinue.events import Muted, Unmuted
from retinue.models import MuteMixin, now
from retinue.ties import MUTE
from retinue.work import Work


def mute(work: Work, muter: Any, muted: Any, until: datetime | None = None, notifications: bool = True) -> bool:
    """See `Graph.mute()`."""
    work.schema.refuse_missing(MuteMixin)
    at = now()
    until = arguments.end_of(until, at)
    pair = work.write(muter, muted)
    terms: dict[str, Any] = {"until": until, "notifications": bool(notifications)}
    while not (new := ties.insert(work, MUTE, pair, at, terms)):
        row = ties.locked(work, MUTE, pair, "until")
        if row is None:  # gone since: then it is new after all
            ties.refuse_unknown(work, MUTE, pair)
            continue
        new = _ended(row[0], at)
        if new:
            ties.change(work, MUTE, pair, "renew_mute", {"timestamp": at, **terms})
        else:
            ties.change(work, MUTE, pair, "change_mute", terms)
        break
    if new:
        effects.record(work, Muted(*pair, at, until, bool(notifications)))
    return new


def unmute(work: Work, muter: Any, muted: Any) -> bool:
    """See `Graph.unmute()`."""
    work.schema.table(MuteMixin)
    pair, at = work.write(muter, muted), now()
    row = ties.locked(work, MUTE, pair, "until")
    if row is None:
        ties.refuse_unknown(work, MUTE, pair)
        return False
    ties.end(work, MUTE, pair)
    if _ended(row[0], at):
        return False
    effects.record(work, Unmuted(*pair, at))
    return True


def _ended(until: datetime | None, at: datetime) -> bool:
    return until is not None and until <= at
