"""What the doctor finds, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from retinue.faults import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing that is wrong in one place: see docs/doctor.md for all that there are."""

    #: The code word, such as ``"orphan"``.
    what: str
    #: The table; or the database, for what is wrong with the connection.
    where: str
    #: How many rows, or things, have it.
    how_many: int
    #: The primary keys of the first such rows, 10 at most; or the names of the columns or settings.
    examples: tuple[tuple[Any, ...], ...]
    severity: Severity
    #: Whether `repair()` puts it right.
    repairable: bool
    #: What to do, as a sentence.
    fix: str
    #: The statement that does it, where that is one of the schema, and the application's own to run; else None.
    ddl: str | None = None


@dataclass(frozen=True, slots=True)
class Treatment:
    """What `repair()` found, and what is left of it."""

    found: Sequence[Finding]
    #: What a second look found: what needs a decision, and what others have broken meanwhile.
    left: Sequence[Finding]
