"""Sweeping up what time has ended."""

from __future__ import annotations

from datetime import timedelta

from retinue.models import now
from retinue.timeline import entries
from retinue.values import Expired
from retinue.verbs import expiry_statements as statements
from retinue.work import Work
from retinue.work.building import moment


def expire(work: Work) -> Expired:
    """See `Graph.expire()`."""
    work.session.flush()
    work.connect()
    schema, settings, at = work.schema, work.schema.settings, now()
    times = {
        **moment(schema, at),
        "rejected_before": at - (settings.request_cooldown or timedelta()),
        "restored_after": at - settings.restore_window,
    }
    sweeps = {}
    if schema.requests is not None:
        sweeps["requests"] = statements.delete_ended_requests(schema)
        if schema.notifications is not None and settings.request_expiry is not None:
            work.connection.execute(statements.delete_ended_request_notifications(schema), times)
    if schema.blocks is not None:
        sweeps["blocks"] = statements.delete_ended_blocks(schema)
    if schema.mutes is not None:
        sweeps["mutes"] = statements.delete_ended_mutes(schema)
    if schema.history is not None and settings.history_retention is not None:
        sweeps["history"] = statements.delete_old_history(schema)
        times["kept_after"] = at - settings.history_retention
    if schema.timeline is not None:
        times["active_before"] = at - settings.timeline_kept
        # Who comes back meanwhile waits for this update, and then finds that nothing is kept.
        work.connection.execute(entries.reset_lapsed(schema), times)
        work.connection.execute(entries.delete_lapsed_entries(schema), times)
        sweeps["timelines"] = entries.delete_lapsed(schema)
    return Expired(**{kind: work.connection.execute(sweep, times).rowcount for kind, sweep in sweeps.items()})
