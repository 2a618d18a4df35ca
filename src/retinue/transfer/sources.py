"""Read rows from a path, an open file, or any iterable; plain or gzipped."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final, Protocol, Self

from retinue.transfer.rows import RowError, SkipReason, fields_of_item, fields_of_line, is_header

#: Bytes that are read at once; the most bytes of a line; characters of a bad line that are shown.
_BLOCK: Final = 262_144
_MAX_LINE: Final = 65_536
_SHOWN: Final = 200

_GZIP: Final = b"\x1f\x8b"
_GZIP_ONLY: Final = 31  # to zlib: with the header and the checksum of gzip
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Readable(Protocol):
    """An open file, of bytes or of text."""

    def read(self, size: int, /) -> bytes | str:
        """Return the next *size* bytes or characters, or fewer; nothing at the end."""
        raise NotImplementedError


#: (follower, following) or (follower, following, timestamp): keys, or text that stands for keys.
Rows = Iterable[Sequence[Any]]

#: What rows are read from.
Source = str | os.PathLike[str] | Readable | Rows

#: The number of a row, the row as it is shown, and its fields or why it has none.
Record = tuple[int, object, Sequence[Any] | RowError]


class Records:
    """
    The rows of a source, in constant memory.

    Raises:
        OSError: The file cannot be opened.
        TypeError: *source* is no source of rows.
    """

    def __init__(self, source: Source, *, header: bool | None) -> None:
        self._stack = ExitStack()
        self._header = header
        self._size = self._read = 0
        #: Whether another thread may read on: not where the source is the caller's own object.
        self.can_be_read_ahead: bool = False
        self._source: Any = source
        if isinstance(source, (str, os.PathLike)):
            file = self._source = Path(source).open("rb")  # noqa: SIM115 - closed by __exit__
            self._stack.enter_context(file)
            self._size = os.fstat(file.fileno()).st_size
            self.can_be_read_ahead = True
        elif isinstance(source, (bytes, bytearray)) or not (hasattr(source, "read") or isinstance(source, Iterable)):
            message = f"rows come from a path, a file or an iterable, not {type(source).__name__}"
            raise TypeError(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[Record]:
        if hasattr(self._source, "read"):
            return self._of_lines(_unpacked(self._blocks(self._source)))
        return self._of_items()

    @property
    def share_read(self) -> float | None:
        """How much of a file is read, from 0 to 1; None if its size is not known."""
        return min(self._read / self._size, 1.0) if self._size else None

    def _blocks(self, file: IO[Any]) -> Iterator[bytes]:
        while block := file.read(_BLOCK):
            data = block.encode("utf-8", "surrogatepass") if isinstance(block, str) else bytes(block)
            self._read += len(data)
            yield data

    def _of_items(self) -> Iterator[Record]:
        for number, item in enumerate(self._source, 1):
            try:
                yield number, item, fields_of_item(item)
            except RowError as error:
                yield number, item, error

    def _of_lines(self, blocks: Iterator[bytes]) -> Iterator[Record]:
        number, first = 0, True
        for lines, plain in _lines(blocks):
            for line in lines:
                number += 1
                if not line or line.isspace():
                    continue
                fields = line.split(",") if plain else _fields(line)
                if first:
                    first = False
                    if self._is_header(fields):
                        continue
                yield number, line if len(line) <= _SHOWN else line[:_SHOWN], fields

    def _is_header(self, fields: Sequence[Any] | RowError) -> bool:
        if self._header is not None:
            return self._header
        return not isinstance(fields, RowError) and is_header(fields)


def _fields(line: str) -> Sequence[Any] | RowError:
    if len(line) > _MAX_LINE:
        return RowError(SkipReason.MALFORMED, f"the line has more than {_MAX_LINE:,} characters")
    try:
        return fields_of_line(line) if '"' in line or "\0" in line else line.split(",")
    except RowError as error:
        return error


def _lines(blocks: Iterator[bytes]) -> Iterator[tuple[list[str], bool]]:
    """
    Yield lists of lines, and whether they can simply be split at their commas.

    Of a line that is too long only the beginning is kept, long enough to be refused.
    """
    rest = b""
    for block in blocks:
        whole, newline, end = block.rpartition(b"\n")
        if newline:
            yield _decoded(rest + whole)
            rest = end
        else:
            rest += end
        if len(rest) > _MAX_LINE:
            rest = rest[: _MAX_LINE + 1]
    if rest:
        yield _decoded(rest)


def _decoded(block: bytes) -> tuple[list[str], bool]:
    special = b'"' in block or b"\0" in block
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n").removesuffix(b"\r")
    # Bytes that are not UTF-8 become surrogates, which no key of a user can hold.
    lines = block.decode("utf-8", "surrogateescape").split("\n")
    return lines, not special and max(map(len, lines)) <= _MAX_LINE


def _unpacked(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield *blocks* without a byte order mark, and unzipped if they are gzip's."""
    blocks = _recognizable(blocks)
    first = next(blocks)
    if first.startswith(_GZIP):
        blocks = _recognizable(_unzipped(chain([first], blocks)))
        first = next(blocks)
    yield first.removeprefix(_BYTE_ORDER_MARK)
    yield from blocks


def _recognizable(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield *blocks*, the first of them long enough to recognize gzip and a byte order mark."""
    start = b""
    for block in blocks:
        start += block
        if len(start) >= len(_BYTE_ORDER_MARK):
            break
    yield start
    yield from blocks


def _unzipped(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the content of gzipped *blocks*, in small pieces; raise `OSError` if they are damaged."""
    unzip = zlib.decompressobj(wbits=_GZIP_ONLY)
    for block in blocks:
        data = block
        while data:
            if unzip.eof:  # several files may follow one another in one, and zeros may fill it up
                data = data.lstrip(b"\0")
                if not data:
                    break
                unzip = zlib.decompressobj(wbits=_GZIP_ONLY)
            try:
                yield unzip.decompress(data, _BLOCK)
            except zlib.error as error:
                message = f"the gzip file is damaged: {error}"
                raise OSError(message) from error
            data = unzip.unused_data if unzip.eof else unzip.unconsumed_tail
    if not unzip.eof:
        message = "the gzip file ends too early"
        raise OSError(message)
