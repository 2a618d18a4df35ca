"""
What the documentation shows can be typed as it stands: what it installs is installed, what it shows is run.

A page is a line in `PAGES`. Its first `pip install` makes the environment, with the wheel of this clone in the place of
the folder; its pieces of Python are one file after the other, `app.py` where no other file is named above them; what
it types into Python's own prompt gives the answers that are printed there.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import dev
from tests.environments import Installed

#: Runs in the environment: the page's session, among the names of its app, and then what its reader would look at.
TRIAL = """\
import doctest, sys, app
before, session, after = sys.argv[1:]
names = vars(app)
exec(before, names)
example = doctest.DocTestParser().get_doctest(session, names, "the page", None, 0)
result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, clear_globs=False)
exec(after, names)
sys.exit(result.failed != 0)
"""


class Page(NamedTuple):
    """A page that can be typed."""

    name: str

    #: What its reader has done before the session: code, among the names of the app.
    before: str = ""

    #: What they would see afterwards: code that fails if it is not so.
    after: str = ""

    #: What `after` needs, and the page does not.
    beside: tuple[str, ...] = ()


PAGES = [
    Page(
        "README.md",
        before="app.app_context().push(); db.create_all()",
        after="""\
page = app.test_client().get("/people/@2/followers")
assert page.status_code == 200 and "Daniel Bates" in page.text, page.text
""",
    ),
]


class Text:
    """What a page says."""

    def __init__(self, name: str) -> None:
        self.text = (dev.ROOT / name).read_text()

    def install(self) -> tuple[str, list[str]]:
        """Return the extras of Retinue that it installs, and the packages beside it."""
        (line, *_) = re.findall(r"\bpip install ([^`\n]+)", self.text)
        retinue, *packages = shlex.split(line)
        (extras,) = re.findall(r"^(?:\.|retinue)(?:\[([a-z,]+)\])?$", retinue)
        return extras, packages

    def blocks(self, language: str) -> list[tuple[str, str]]:
        """Return the pieces of a language, in order, each with the file that is named above it, if one is."""
        found = rf"(?:\*\*`([^`]+)`\*\*\n\n)?^```{language}\n(.*?)^```"
        return [(file, code) for file, code in re.findall(found, self.text, re.MULTILINE | re.DOTALL)]

    def write(self, folder: Path) -> None:
        """Write the files that it shows."""
        for file, code in self.blocks("python"):
            with (folder / (file or "app.py")).open("a") as program:
                program.write(f"{code}\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_does_what_it_says(page: Page, tmp_path: Path, empty_environment: Callable[..., Installed]) -> None:
    """Word for word, where nothing is installed but what it says."""
    text = Text(page.name)
    extras, packages = text.install()
    text.write(tmp_path)
    session = "".join(code for _, code in text.blocks("pycon"))

    environment = empty_environment(extras, *packages, *page.beside)

    environment.run("-c", TRIAL, page.before, session, page.after, at=tmp_path)
