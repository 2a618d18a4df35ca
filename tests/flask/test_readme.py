"""README.md does what it says: its app starts, and its session gives the answers that are printed there."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

import pytest

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_first_minute_works_to_the_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newcomer who types what README.md shows sees what README.md shows."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "app"}
    app_file, counts, pages = blocks("python")
    for block in (app_file.replace("sqlite:///", f"sqlite:///{tmp_path}/"), counts, pages):
        exec(block, names)
    (session,) = blocks("pycon")
    said: list[str] = []

    with names["app"].app_context():
        names["db"].create_all()
        example = doctest.DocTestParser().get_doctest(session, names, "README.md", "README.md", 0)
        result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=said.append)
        names["db"].session.remove()
        names["db"].engine.dispose()

    followers = names["app"].test_client().get("/people/@2/followers")
    assert (followers.status_code, "Daniel Bates" in followers.text) == (200, True)
    assert result.attempted > 5
    assert result.failed == 0, "".join(said)
