"""
Loading a graph that exists already: many follows at once, from a file or from any iterable.

Runs its own batches in transactions of its own, at about the speed of the database's
own bulk path.
"""

from __future__ import annotations

from retinue.transfer.importing import ImportReport, import_follows
from retinue.transfer.rows import Skipped, SkipReason

__all__ = ["ImportReport", "SkipReason", "Skipped", "import_follows"]
