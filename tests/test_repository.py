"""What a clone must bring, so that two commands are enough on any machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
DEMO = tomllib.loads((REPOSITORY / "demo" / "pyproject.toml").read_text())
BOTH = [*PROJECT["project"]["dependencies"], *DEMO["project"]["dependencies"]]
LISTS = sorted((REPOSITORY / "requirements").glob("*.txt"))


def names(requirements: list[str]) -> set[str]:
    """Return the bare names of requirements, but Retinue's own."""
    found = {re.split(r"[\[<>=;~! ]", requirement, maxsplit=1)[0].lower() for requirement in requirements}
    return found - {"retinue"}


@pytest.mark.parametrize("file", LISTS, ids=lambda file: file.stem)
def test_requirements_are_pinned_hashed_and_from_nowhere_in_particular(file: Path) -> None:
    """Each package has one version and its hashes; where it is fetched from is the machine's choice."""
    text = file.read_text()
    entries = re.findall(r"^(?!#)(\S.*(?:\n[ ]+.*)*)", text, re.MULTILINE)

    assert entries
    assert [entry for entry in entries if not re.match(r"[a-z0-9.-]+(\[[a-z,]+\])?==\S+ ", entry)] == []
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.search(r"://|--(extra-)?index-url|--find-links", text) is None


@pytest.mark.parametrize(
    ("file", "needs"),
    [
        ("app", BOTH),
        ("test", [*BOTH, *PROJECT["dependency-groups"]["test"]]),
        ("test-sqlalchemy-2.0", [*BOTH, *PROJECT["dependency-groups"]["test"]]),
        ("lint", PROJECT["dependency-groups"]["lint"]),
    ],
)
def test_the_lists_are_in_step_with_the_project(file: str, needs: list[str]) -> None:
    """What a pyproject.toml asks for is in the list; if not: python3 dev.py lock."""
    pinned = re.findall(r"^([a-z0-9.-]+)", (REPOSITORY / "requirements" / f"{file}.txt").read_text(), re.MULTILINE)

    assert names(needs) <= set(pinned)


def test_the_oldest_line_is_the_one_that_the_project_promises() -> None:
    """`--sqlalchemy 2.0` tests the very version that `dependencies` begins with."""
    (promised,) = (need for need in PROJECT["project"]["dependencies"] if need.startswith("sqlalchemy"))
    oldest = promised.partition(">=")[2].partition(",")[0]

    text = (REPOSITORY / "requirements" / "test-sqlalchemy-2.0.txt").read_text()

    assert re.search(rf"^sqlalchemy(\[asyncio\])?=={re.escape(oldest)} ", text, re.MULTILINE)
