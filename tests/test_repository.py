"""What a clone must bring, so that two commands are enough on any machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import dev

REPOSITORY = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
DEMO = tomllib.loads((REPOSITORY / "demo" / "pyproject.toml").read_text())
BOTH = [*PROJECT["project"]["dependencies"], *DEMO["project"]["dependencies"]]
LISTS = sorted((REPOSITORY / "requirements").glob("*.txt"))


TEXTS = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), *(REPOSITORY / "src").rglob("*.py")]
TEXTS += [*(REPOSITORY / "demo").rglob("*.md"), *(REPOSITORY / "demo" / "src").rglob("*.py")]


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
        ("docs", [*BOTH, *PROJECT["dependency-groups"]["docs"]]),
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


def test_retinue_is_installed_from_a_clone_as_long_as_no_index_has_it() -> None:
    """Whoever types what a page, an example or an error says gets this Retinue, and no stranger of that name."""
    found = [
        (file.name, what)
        for file in TEXTS
        if file.name != "CONTRIBUTING.md"  # what is written once there is a release
        for what in re.findall(r"\bpip install ([^`\n]*)", file.read_text())
    ]

    assert len(found) > 5
    assert [one for one in found if re.search(r"(^|[\s'\"])retinue\b", one[1])] == []


def test_the_versions_of_python_that_the_project_names_are_those_that_are_tested() -> None:
    """The oldest one with everything, and each newer one in `dev.py test --long`."""
    named = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["project"]["classifiers"]))

    assert named == [PROJECT["project"]["requires-python"].removeprefix(">="), *dev.NEWER_PYTHONS]
