"""Home timelines that are kept ready no longer, as their readers were away too long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from retinue.timeline import entries
from retinue.work import Work


def timelines(work: Work, at: datetime) -> Mapping[str, int]:
    """Delete the entries of readers who were away for ``Settings(timeline_kept=...)``. One update and two deletes."""
    times = {"active_before": at - work.schema.settings.timeline_kept}
    # Who comes back meanwhile waits for this update, and then finds that nothing is kept.
    work.run(entries.reset_lapsed, times)
    work.run(entries.delete_lapsed_entries, times)
    return {"timelines": work.run(entries.delete_lapsed, times).rowcount}
