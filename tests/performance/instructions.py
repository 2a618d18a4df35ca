"""
Count the instructions of hot calls, with Valgrind; a machine's speed and load do not matter to that.

    .venv/bin/python -m tests.performance.instructions            print them beside the committed ones
    .venv/bin/python -m tests.performance.instructions --write    commit them, after a change on purpose

The same by ``.venv-2.0/bin/python``, for the oldest SQLAlchemy that is supported.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import sqlalchemy
from sqlalchemy.util import has_compiled_ext

from tests.performance import hot_calls

FILE = Path(__file__).with_suffix(".json")
#: The call that does nothing of ours: how much work Python and SQLAlchemy make of a statement at all.
FLOOR = "floor"


@dataclass(frozen=True)
class Instructions:
    """How many instructions each call takes, and with which programs."""

    made_with: dict[str, str]
    of_call: dict[str, int]

    def times_floor(self, call: str) -> float:
        """Return how many times the floor a call takes, which depends on versions far less."""
        return self.of_call[call] / self.of_call[FLOOR]


def programs() -> dict[str, str]:
    """Return what the numbers depend on: another build of the same Python has others."""
    compiled = bool(has_compiled_ext())  # type: ignore[no-untyped-call]
    return {
        "python": sys.version,
        "machine": platform.machine(),
        "sqlalchemy": f"{sqlalchemy.__version__}, {'compiled' if compiled else 'pure Python'}",
        "sqlite": sqlite3.sqlite_version,
    }


def count() -> Instructions:
    """Run the calls under Valgrind. It takes some twenty seconds."""
    names = list(hot_calls.NAMES)
    with tempfile.TemporaryDirectory() as folder:
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        # Compiled beforehand, here or by `dev.py`, or most of the time would go into compiling.
        env = {"PYTHONPYCACHEPREFIX": folder, **env, "PYTHONHASHSEED": "0"}
        program = [sys.executable, "-m", hot_calls.__name__]
        _run(program, env)
        counter = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--dump-before={hot_calls.MARK}"]
        _run([*counter, f"--callgrind-out-file={folder}/dump", *program, "--counted"], env)
        # The first ends where the first call begins, and the one without a number is what came after the last.
        dumps = [Path(folder, f"dump.{number}") for number in range(2, len(names) + 2)]
        totals = [_total(dump) // hot_calls.CALLS for dump in dumps]
    return Instructions(programs(), dict(zip(names, totals, strict=True)))


def series() -> str:
    """Return the series of SQLAlchemy: each has figures of its own, as what it keeps compiled differs."""
    return ".".join(sqlalchemy.__version__.split(".")[:2])


def committed() -> Instructions:
    """Return what the file says of this series of SQLAlchemy."""
    return Instructions(**json.loads(FILE.read_text())[series()])


def _run(command: list[str], env: dict[str, str]) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(command, check=False, cwd=root, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _total(dump: Path) -> int:
    (line,) = [line for line in dump.read_text().splitlines() if line.startswith("totals: ")]
    return int(line.removeprefix("totals: "))


def main() -> None:
    """Count, and print or write it."""
    now, every = count(), json.loads(FILE.read_text())
    old = committed() if series() in every else now
    for call, number in now.of_call.items():
        before = old.of_call.get(call, number)
        print(f"{call:24} {number:10,}  {number / before - 1:+7.1%}  {now.times_floor(call):6.2f} times the floor")
    if "--write" in sys.argv:
        FILE.write_text(json.dumps(every | {series(): asdict(now)}, indent=2) + "\n")


if __name__ == "__main__":
    main()
