"""Pages of docs/, done to the letter: their code runs, and what their sessions show is what comes out."""

from __future__ import annotations

import doctest
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"

_SNIPPET: Final = re.compile(
    r"^(?:<!-- not run: (?P<why_not>[^\n]+) -->\n)?(?P<fence>```+)(?P<language>python|pycon)\n(?P<code>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


class Snippet(NamedTuple):
    """A block of Python on a page."""

    #: ``python``, or ``pycon`` for a session at Python's prompt.
    language: str
    code: str
    #: Why it is not run; empty: it is. The page says so in a comment above it, ``<!-- not run: why -->``.
    why_not: str


def snippets(text: str) -> list[Snippet]:
    """Return the blocks of Python in the *text* of a page, in order."""
    return [Snippet(one["language"], one["code"], one["why_not"] or "") for one in _SNIPPET.finditer(text)]


def on_page(page: str, section: str | None = None) -> list[Snippet]:
    """Return those on a *page* of docs/, or in one *section* (``##``) of it."""
    text = (DOCS / page).read_text()
    if section is not None:
        (text,) = (part for part in re.split(r"^## ", text, flags=re.MULTILINE) if part.startswith(f"{section}\n"))
    return snippets(text)


def do(page: str, names: dict[str, Any], section: str | None = None, before: Mapping[int, str] | None = None) -> None:
    """
    Run the blocks in *names*; `AssertionError` with both if a session shows something else than the page.

    *before* is Python to be run before the block of that number, from 0, of those that are run.
    """
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for number, snippet in enumerate(one for one in on_page(page, section) if not one.why_not):
        exec(compile((before or {}).get(number, ""), f"before {number}", "exec", dont_inherit=True), names)
        if snippet.language == "python":
            exec(compile(snippet.code, page, "exec", dont_inherit=True), names)
        else:
            session = doctest.DocTestParser().get_doctest(snippet.code, names, page, page, 0)
            session.globs = names  # not a copy of them: what comes later on the page goes on with what is made here
            runner.run(session, out=said.append, clear_globs=False)
    assert runner.failures == 0, "".join(said)
