"""
Import an existing graph from a file or an iterable; export a graph to a file.

Both work in batches, in transactions of their own, at about the speed of the database's
own bulk path.
"""

from __future__ import annotations

from retinue.transfer.exporting import ExportReport, export_follows
from retinue.transfer.importing import ImportReport, import_follows
from retinue.transfer.rows import Skipped, SkipReason

__all__ = ["ExportReport", "ImportReport", "SkipReason", "Skipped", "export_follows", "import_follows"]
