"""Pages of docs/, done to the letter: their code runs, and what their sessions show is what comes out."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs"

_BLOCK = re.compile(r"^```(python|pycon)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str, section: str | None = None) -> list[tuple[str, str]]:
    """Return the language and the text of each block of Python on a *page*, or in one *section* of it, in order."""
    text = (DOCS / page).read_text()
    if section is not None:
        (text,) = (part for part in re.split(r"^## ", text, flags=re.MULTILINE) if part.startswith(f"{section}\n"))
    return _BLOCK.findall(text)


def do(page: str, names: dict[str, Any], section: str | None = None) -> None:
    """Run the blocks in *names*; `AssertionError` with both if a session shows something else than the page."""
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for language, block in blocks(page, section):
        if language == "python":
            exec(compile(block, page, "exec", dont_inherit=True), names)
        else:
            session = doctest.DocTestParser().get_doctest(block, names, page, page, 0)
            session.globs = names  # not a copy of them: what comes later on the page goes on with what is made here
            runner.run(session, out=said.append, clear_globs=False)
    assert runner.failures == 0, "".join(said)
