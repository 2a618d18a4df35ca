"""Sweeping up what time has ended."""

from __future__ import annotations

from datetime import timedelta

from retinue.graph.part import Part, U
from retinue.models import now
from retinue.statements import entries, moment
from retinue.statements import expiry as statements
from retinue.values import Expired


class Expiry(Part[U]):
    """Sweeping up what time has ended."""

    __slots__ = ()

    def expire(self) -> Expired:
        """
        Delete what has ended, of everybody: expired requests, timed blocks and mutes, history past its retention.

        Home timelines are no longer kept ready for those who were not active within
        ``Settings(timeline_kept=...)``. None of it counts for anything any more, so this
        only saves room: run it now and then, in a transaction of its own. A block stays
        as long as it can be restored. What was told of an expired request goes with it. One delete
        for each kind that is declared, one more where requests expire and there are notifications, and for
        timelines one delete and one update more.

        Returns:
            How many rows went, of each kind.
        """
        self._caller.session.flush()
        connection, _ = self._caller.connect()
        schema, settings, at = self._schema, self._schema.settings, now()
        times = {
            **moment(schema, at),
            "rejected_before": at - (settings.request_cooldown or timedelta()),
            "restored_after": at - settings.restore_window,
        }
        sweeps = {}
        if schema.requests is not None:
            sweeps["requests"] = statements.delete_ended_requests(schema)
            if schema.notifications is not None and settings.request_expiry is not None:
                connection.execute(statements.delete_ended_request_notifications(schema), times)
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
            connection.execute(entries.reset_lapsed(schema), times)
            connection.execute(entries.delete_lapsed_entries(schema), times)
            sweeps["timelines"] = entries.delete_lapsed(schema)
        return Expired(**{kind: connection.execute(sweep, times).rowcount for kind, sweep in sweeps.items()})
