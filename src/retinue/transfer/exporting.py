"""The export: it writes all edges, batch after batch, in the form that an import reads."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from retinue import arguments
from retinue.errors import shown
from retinue.retry import sessions_of, transact
from retinue.schema import schema_of
from retinue.transfer import selecting as statements
from retinue.work.routing import connection_of

#: Rows of a batch: the default, and the most.
_ROWS: Final = 20_000
_MAX_ROWS: Final = 1_000_000

_HEADER: Final = "follower,following,timestamp\n"

#: Characters that a line cannot hold; and characters that need quotes.
_IMPOSSIBLE: Final = frozenset("\n\0")
_QUOTED: Final = frozenset(',"\r')


class Writable(Protocol):
    """An open file, of bytes or of text."""

    def write(self, data: Any, /) -> object:
        """Write *data*, all of it."""
        raise NotImplementedError


#: What rows are written to.
Target = str | os.PathLike[str] | Writable


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The progress so far."""

    #: Edges written.
    rows: int = 0
    #: How many edges there were when it began; None where nobody asked for progress.
    total: int | None = None
    #: Seconds since the export began.
    seconds: float = 0.0

    @property
    def share_written(self) -> float | None:
        """How much of it is written, from 0 to 1; None if *total* is not known."""
        if self.total is None:
            return None
        return min(self.rows / self.total, 1.0) if self.total else 1.0

    def __str__(self) -> str:
        return f"{self.rows:,} rows in {self.seconds:.1f} s"


def export_follows(
    engine_or_session_factory: Engine | Callable[[], Session],
    user_class: type[Any],
    target: Target,
    *,
    progress: Callable[[ExportReport], object] | None = None,
    batch_rows: int = _ROWS,
) -> ExportReport:
    """
    Write every edge to *target*, in a form that `import_follows()` reads back with the same times.

    Lines of ``follower,following,timestamp`` in UTF-8 (CSV, under a header), ordered by
    follower and followed; times in ISO 8601, in UTC. Changes nothing and delays nobody. Each
    batch is read in a transaction of its own: an edge that comes or goes meanwhile may be
    written or not, all others are, once. Memory does not grow with the graph. Requests, blocks
    and mutes are not exported.

    Cost: one select for each batch, by the primary key; one more, which counts the edges, if
    *progress* is asked for.

    Args:
        engine_or_session_factory: An engine, which is prepared (`prepare_engine`), or what
            makes a new session, such as a ``sessionmaker``.
        user_class: The class with `FollowerMixin`.
        target: The path of a file, gzipped if its name ends in ``.gz``: it is there when all
            is written, and until then as ``<name>.part``. Or an open file, of bytes or of
            text, which stays open.
        progress: Is called after each batch with the `ExportReport` so far.
        batch_rows: Rows of a batch, 1 to 1,000,000.

    Raises:
        MappingError, ModelMissingError: *user_class* is not a user class with a `FollowMixin` class.
        TypeError: The first argument is neither an engine nor a factory of sessions; or
            *target* is none.
        ValueError: *batch_rows* is outside its range; or a key holds a line break or a NUL
            character, which no line can hold.
        OSError: The file cannot be written.
        sqlalchemy.exc.DBAPIError: The database refuses, and trying again did not help.
    """
    batch_rows = arguments.whole_number("batch_rows", batch_rows, _MAX_ROWS)
    schema = schema_of(user_class)
    sessions = sessions_of(engine_or_session_factory)
    began = time.monotonic()

    def number(session: Session) -> int:
        connection = connection_of(session, schema, writes=False)
        return int(connection.execute(statements.number_of_edges(schema)).scalar_one())

    total = None if progress is None else transact(sessions, number)
    place: dict[str, Any] = {}

    def batch(session: Session) -> Sequence[Any]:
        connection = connection_of(session, schema, writes=False)
        statement = statements.edges_after(schema, started=bool(place))
        return connection.execute(statement, {**place, "limit": batch_rows}).all()

    report = ExportReport(total=total)
    with _opened(target) as write:
        write(_HEADER)
        while rows := transact(sessions, batch):
            write(_lines(rows))
            place.update(follower=rows[-1][0], followed=rows[-1][1])
            report = ExportReport(report.rows + len(rows), total, time.monotonic() - began)
            if progress is not None:
                progress(report)
    return report


def _lines(rows: Iterable[Any]) -> str:
    return "".join(f"{_field(follower)},{_field(followed)},{since.isoformat()}\n" for follower, followed, since in rows)


def _field(key: object) -> str:
    text = str(key)
    if isinstance(key, str) and not text.isalnum():
        if not _IMPOSSIBLE.isdisjoint(text):
            message = f"the key {shown(key)} holds a line break or a NUL character, which no line of a file can hold"
            raise ValueError(message)
        if not _QUOTED.isdisjoint(text):
            return '"' + text.replace('"', '""') + '"'
    return text


@contextmanager
def _opened(target: Target) -> Iterator[Callable[[str], object]]:
    """Give a function that writes text to *target*."""
    if isinstance(target, (str, os.PathLike)):
        with _whole_file(Path(target)) as path, path.open("wb") as file:
            if Path(target).name.endswith(".gz"):
                # Without a name and a time in it: the same edges make the same file.
                with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as zipped:
                    yield lambda text: zipped.write(text.encode())
            else:
                yield lambda text: file.write(text.encode())
    elif not hasattr(target, "write"):
        message = f"rows are written to a path or an open file, not {type(target).__name__}"
        raise TypeError(message)
    elif hasattr(target, "encoding"):
        yield target.write
    else:
        yield lambda text: target.write(text.encode())


@contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to, which replaces *path* when all is written; for a device, *path* itself."""
    path = path.resolve()
    if path.exists() and not path.is_file():
        yield path
        return
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
