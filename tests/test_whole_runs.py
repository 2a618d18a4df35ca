"""A run of the tests says what it did not test, in one process or shared by several."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent

A_SERVER_IS_MISSING = """
from tests import fixtures
from tests.servers import ServerMissingError

def missing():
    raise ServerMissingError("install it: so and so")

fixtures.SERVERS["mariadb"] = missing

def test_that_needs_it(server):
    server("mariadb")

def test_that_does_not():
    pass
"""

ONE_IS_SKIPPED = """
import pytest

def test_one():
    pytest.skip("for a reason of its own")

def test_another():
    pass
"""


def run(file: Path, processes: int, *, require_all: bool) -> tuple[int, str]:
    """Run the tests of a *file* with the fixtures that all tests share; return the exit code and what was written."""
    options = ["-p", "tests.fixtures", "-p", "no:cacheprovider", f"--numprocesses={processes}", "--rootdir=."]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--config-file=pyproject.toml", *options, str(file)],
        cwd=REPOSITORY,
        env={**os.environ, "RETINUE_REQUIRE_ALL": "1" if require_all else ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


#: Without other processes, with one that hands over what it could not have, and with several.
PROCESSES = pytest.mark.parametrize(
    "processes", [pytest.param(0, marks=pytest.mark.long), 1, pytest.param(2, marks=pytest.mark.long)]
)


@pytest.mark.long
@PROCESSES
def test_a_missing_server_is_named_at_the_end(tmp_path: Path, processes: int) -> None:
    """What needs it is skipped, with the sentence what to install; where all has to run, the run fails."""
    file = tmp_path / "test_with_a_server.py"
    file.write_text(A_SERVER_IS_MISSING)

    code, said = run(file, processes, require_all=False)
    assert (code, said.count("NOT TESTED on mariadb: install it: so and so")) == (0, 1), said
    assert "1 passed, 1 skipped" in said

    code, said = run(file, processes, require_all=True)
    assert (code, said.count("NOT TESTED on mariadb: install it: so and so")) == (1, 1), said


@PROCESSES
def test_a_run_that_has_to_run_everything_fails_where_one_is_skipped(tmp_path: Path, processes: int) -> None:
    """Whatever the reason was, and whichever process skipped it."""
    file = tmp_path / "test_with_a_skip.py"
    file.write_text(ONE_IS_SKIPPED)

    code, said = run(file, processes, require_all=True)
    assert (code, "RETINUE_REQUIRE_ALL is set, and tests were skipped" in said) == (1, True), said
