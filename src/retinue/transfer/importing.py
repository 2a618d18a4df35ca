"""The import: it reads rows, writes batches, and reports which rows were added."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from retinue.errors import shown
from retinue.models import FollowMixin
from retinue.retry import sessions_of
from retinue.schema import schema_of
from retinue.transfer.batches import Loaded, Loader, Packed
from retinue.transfer.rows import Reader, RowError, Skipped, SkipReason
from retinue.transfer.sources import Records, Source
from retinue.work import Pair

#: Rows of the first batch.
_ROWS_FIRST: Final = 10_000

#: Why an edge between existing users is left out, in words.
_DETAILS: Final = {
    SkipReason.DUPLICATE: "the edge is there already",
    SkipReason.BLOCKED: "one of the two blocks the other",
    SkipReason.LIMIT: "the follower follows as many as they may",
}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result for the rows so far: all of them are committed, and counted."""

    #: Rows read; blank lines and a header are none.
    rows: int = 0
    #: Edges that are new.
    added: int = 0
    #: How many rows were not added, by reason; reasons that did not occur are left out.
    skipped: Mapping[SkipReason, int] = field(default_factory=lambda: MappingProxyType({}))
    #: Seconds since the import began.
    seconds: float = 0.0
    #: How much of the file is read, from 0 to 1; None where its size is not known.
    share_read: float | None = None

    def __str__(self) -> str:
        reasons = "".join(f", {number:,} x {reason.value}" for reason, number in self.skipped.items())
        return f"{self.rows:,} rows: {self.added:,} added{reasons} in {self.seconds:.1f} s"


def import_follows(
    engine_or_session_factory: Engine | Callable[[], Session],
    user_class: type[Any],
    source: Source,
    *,
    progress: Callable[[ImportReport], object] | None = None,
    on_skip: Callable[[Skipped], object] | None = None,
    header: bool | None = None,
    batch_rows: int = 100_000,
) -> ImportReport:
    """
    Load the follows of *source*: an existing graph, all at once.

    A row that cannot be added is skipped with its reason; the import goes on. The import
    runs in transactions of its own, one for each batch of rows; after each of them the
    counts are right, whatever else happens meanwhile. If it is cut off, start it
    again from the beginning: existing edges are skipped, and nothing is done twice.
    Memory does not grow with the source. Nobody is notified: there are no events.

    Where they are declared, a block wins over a row; an edge takes the place of its
    request; nobody gets beyond ``Settings(max_following)``, as it was when the batch
    began (the first rows stay); and the history says ``imported``.

    Columns of your own get their defaults. Where Python makes them for each row, rows are inserted by SQLAlchemy
    instead of by one statement, which takes several times as long.

    Cost: at most four statements for each batch, and three more where counts are kept;
    one more for the guards, two for blocks, one for requests and one for each that goes,
    two for the limit, one for history; besides those, a few that fill temporary tables on SQLite, or set the isolation level.

    Args:
        engine_or_session_factory: An engine, which is prepared (`prepare_engine`), or what
            makes a new session, such as a ``sessionmaker``.
        user_class: The class with `FollowerMixin`.
        source: The path of a file or an open file, or an iterable. A file holds lines of
            ``follower,following`` or ``follower,following,timestamp`` in UTF-8 (CSV, of
            one line for each row), plain or gzipped. An iterable gives tuples of two or
            three. Keys are of the users' type, or text that says one; a timestamp is an
            aware datetime, text in ISO 8601 with its zone, or unix seconds. Without one
            the edge is as old as its batch.
        progress: Is called after each batch with the `ImportReport` so far.
        on_skip: Is called with each row that was `Skipped`, in order, after the batch in
            which it was read is committed. What it raises ends the import.
        header: Whether the file's first line names its columns; None: if it looks so.
        batch_rows: The most rows of a batch. It takes fewer where they would hold their
            locks for more than about three seconds, or one on MariaDB; but no fewer than 50,000 on SQLite, where that
            would shorten nothing. Each takes about half a kilobyte of memory.

    Returns:
        The report of the whole import.

    Raises:
        MappingError, ModelMissingError: *user_class* is not a user class with a `FollowMixin` class, or a column
            of that class needs a value and has no default.
        TypeError: The first argument is neither an engine nor a factory of sessions; or
            *source* is none.
        ValueError: *batch_rows* is below 1; the header names other columns; or the
            factory gives a session that is in use.
        OSError: The file cannot be read, or is damaged.
        sqlalchemy.exc.DBAPIError: The database refuses, and trying again did not help.
        sqlalchemy.exc.IntegrityError: A constraint of the application's own refuses a row. Its batch is undone, those
            before it are not.
    """
    if not _is_positive(batch_rows):
        message = f"batch_rows must be a whole number from 1, not {shown(batch_rows)}"
        raise ValueError(message)
    schema = schema_of(user_class)
    schema.refuse_unusable()
    schema.refuse_missing(FollowMixin)
    loader = Loader(schema, sessions_of(engine_or_session_factory))
    reader = Reader(loader.keys)
    with Records(source, header=header) as records:
        importer = _Import(records, reader, loader, on_skip)
        importer.run(batch_rows, progress)
        return importer.report()


def _is_positive(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1


class _Import:
    """The state of one import."""

    def __init__(
        self, records: Records, reader: Reader, loader: Loader, on_skip: Callable[[Skipped], object] | None
    ) -> None:
        self._records = records
        self._reader = reader
        self._loader = loader
        self._on_skip = on_skip
        self._began = time.monotonic()
        self._rows = self._added = 0
        self._size = _ROWS_FIRST
        self._skipped: Counter[SkipReason] = Counter()

    def report(self) -> ImportReport:
        """Return the report of the rows so far."""
        skipped = {reason: self._skipped[reason] for reason in SkipReason if self._skipped[reason]}
        seconds = time.monotonic() - self._began
        share = self._records.share_read
        return ImportReport(self._rows, self._added, MappingProxyType(skipped), seconds, share)

    def run(self, max_rows: int, progress: Callable[[ImportReport], object] | None) -> None:
        """Load batch after batch, each of at most *max_rows* rows; call *progress* after each."""
        self._size = min(max_rows, _ROWS_FIRST)
        ahead = self._records.can_be_read_ahead and not self._loader.in_process
        with closing(self._batches_ahead() if ahead else self._batches()) as batches:
            for batch in batches:
                started = time.monotonic()
                loaded = self._loader.load(batch.packed) if batch.packed else Loaded()
                seconds = time.monotonic() - started
                self._close(batch, loaded)
                if progress is not None:
                    progress(self.report())
                if batch.edges:
                    wanted = int(len(batch.edges) * self._loader.seconds / max(seconds, 0.001))
                    self._size = min(max(wanted, self._size // 2, self._loader.rows_least), self._size * 2, max_rows)

    def _batches(self) -> Generator[_Batch, None, None]:
        rows = iter(self._records)
        while batch := self._read(rows):
            yield batch

    def _batches_ahead(self) -> Generator[_Batch, None, None]:
        """Read and pack the next batch while the last one is written: the database leaves the processor time for it."""
        rows = iter(self._records)
        with ThreadPoolExecutor(1, "retinue-import") as reader:
            ahead = reader.submit(self._read, rows)
            while batch := ahead.result():
                ahead = reader.submit(self._read, rows)
                yield batch

    def _read(self, rows: Iterator[Any]) -> _Batch | None:
        batch = _Batch(detailed=self._on_skip is not None)
        edges, edge_of = batch.edges, self._reader.edge
        for number, row, fields in rows:
            batch.rows += 1
            try:
                if isinstance(fields, RowError):
                    raise fields
                follower, followed, since = edge_of(fields)
            except RowError as error:
                batch.skip(number, row, error.reason, str(error))
            else:
                pair = (follower, followed)
                if pair in edges:
                    batch.skip(number, row, SkipReason.DUPLICATE, "an earlier row says the same")
                else:
                    edges[pair] = since
                    if batch.detailed:
                        batch.origins[pair] = (number, row)
            if batch.rows >= self._size:
                break
        if edges:
            batch.packed = self._loader.packed(edges)
        return batch if batch.rows else None

    def _close(self, batch: _Batch, loaded: Loaded) -> None:
        """Count the rows of *batch*, and report each that was skipped if the caller wants that."""
        self._rows += batch.rows
        self._added += loaded.added
        self._skipped.update(batch.skipped)
        left_out = {
            SkipReason.DUPLICATE: loaded.present,
            SkipReason.BLOCKED: loaded.refused.blocked,
            SkipReason.LIMIT: loaded.refused.beyond,
        }
        self._skipped.update({reason: len(pairs) for reason, pairs in left_out.items()})
        self._skipped[SkipReason.UNKNOWN_USER] += len(batch.edges) - loaded.added - sum(map(len, left_out.values()))
        if self._on_skip is None:
            return
        for pair, (number, row) in batch.origins.items():
            unknown = [key for key in pair if key in loaded.unknown]
            if unknown:
                detail = f"no user has the key {' or '.join(map(shown, unknown))}"
                batch.reports.append(Skipped(number, row, SkipReason.UNKNOWN_USER, detail))
                continue
            for reason, pairs in left_out.items():
                if pair in pairs:
                    batch.reports.append(Skipped(number, row, reason, _DETAILS[reason]))
        for skipped in sorted(batch.reports, key=lambda one: one.number):
            self._on_skip(skipped)


class _Batch:
    """Rows read and not yet written."""

    def __init__(self, *, detailed: bool) -> None:
        self.rows = 0
        self.edges: dict[Pair, datetime | None] = {}
        #: The edges as they are written, once all are read.
        self.packed: Packed | None = None
        self.skipped: Counter[SkipReason] = Counter()
        #: Whether each skipped row is reported: then those rows, and the row of each edge, are kept.
        self.detailed = detailed
        self.reports: list[Skipped] = []
        self.origins: dict[Pair, tuple[int, object]] = {}

    def skip(self, number: int, row: object, reason: SkipReason, detail: str) -> None:
        """Leave a row out."""
        self.skipped[reason] += 1
        if self.detailed:
            self.reports.append(Skipped(number, row, reason, detail))
