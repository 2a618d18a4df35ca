"""
Loading a graph that exists already, from a file or from any iterable; and writing one to a file.

Runs its own batches in transactions of its own, at about the speed of the database's
own bulk path.
"""

from __future__ import annotations

from retinue.transfer.exporting import ExportReport, export_follows
from retinue.transfer.importing import ImportReport, import_follows
from retinue.transfer.rows import Skipped, SkipReason

__all__ = ["ExportReport", "ImportReport", "SkipReason", "Skipped", "export_follows", "import_follows"]
