"""Bars that fit the width of a terminal, and the progress of long work."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

#: Columns: the width where the terminal has none, and the greatest width.
_WIDTH: Final = 80
_MAX_WIDTH: Final = 120

#: Parts of a block, from none to a whole one.
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"

#: Seconds between two updates of a progress bar.
_REFRESH: Final = 0.1

#: Shows the share that is done, from 0 to 1 (None: unknown), and a text about it.
Tell = Callable[[float | None, str], None]


def width() -> int:
    """Return the width in columns: that of the terminal or of COLUMNS, up to a width that reads well."""
    return min(shutil.get_terminal_size((_WIDTH, 24)).columns, _MAX_WIDTH)


def bar(share: float, columns: int, *, whole: bool = False) -> str:
    """Return a bar that fills *share* of *columns*; in whole characters, padded, if *whole*."""
    eighths = round(max(0.0, min(share, 1.0)) * columns * 8)
    if whole or not _has_blocks():
        full = round(eighths / 8)
        signs = ("█", "░") if _has_blocks() else ("#", ".")
        return signs[0] * full + (signs[1] * (columns - full) if whole else "")
    # A share above zero is always visible.
    full, rest = divmod(max(eighths, 1) if share > 0 else 0, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def _has_blocks() -> bool:
    """Return whether the output can show more than letters."""
    try:
        _EIGHTHS.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


@contextmanager
def progress(label: str) -> Iterator[Tell]:
    """
    Give a function that draws a progress bar on standard error; it draws nothing if that is no terminal.

    The bar is removed at the end of the block.
    """
    error = sys.stderr
    if not error.isatty():
        yield lambda _share, _text: None
        return
    began, shown = time.monotonic(), 0.0

    def tell(share: float | None, text: str) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown < _REFRESH and share != 1.0:
            return
        shown = now
        error.write(f"\r\x1b[K{_line(label, share, text, now - began)}")
        error.flush()

    try:
        yield tell
    finally:
        error.write("\r\x1b[K")
        error.flush()


def _line(label: str, share: float | None, text: str, seconds: float) -> str:
    """Return the line of a progress bar."""
    if share is None:
        line = f"{label}  {text}  {_clock(seconds)}"
    else:
        left = seconds / share - seconds if share > 0 else None
        end = f" {share:4.0%}  {text}" + (f"  {_clock(left)} left" if left is not None and share < 1 else "")
        room = width() - len(label) - len(end) - 3
        line = f"{label}  {bar(share, min(room, 40), whole=True)}{end}" if room >= 8 else f"{label}{end}"
    return line[: width() - 1]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
