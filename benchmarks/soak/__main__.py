"""
An application's life at a steady pace: whether memory, latency and counts stay as they are.

    python -m benchmarks.soak                                               ten minutes on SQLite
    python -m benchmarks.soak postgresql --minutes 60 --rate 50 --json soak.json --csv docs/benchmarks/soak.csv

One process with four threads, as a server of web pages has them, does all verbs and reads in a mix, each in a session of its
own, so many a second. Each minute it says how much memory the process takes (and the server's processes, for themselves), how
long calls took, and how many counts differ from the edges. What counts is the last quarter of the time beside the second; in
the first, caches fill.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.orm import sessionmaker

from benchmarks.competitors.retinue import edges
from benchmarks.data import generate
from benchmarks.databases import Place, place, server_version
from benchmarks.report import in_words
from benchmarks.results import Row, Stated, run_here, save
from benchmarks.soak.life import MODELS, READS, WRITES, Person, Service
from retinue import transact
from retinue.doctor import drift, examine

THREADS = 4
#: What the last quarter may be of the second: memory, the median, and the 99th percentile.
MEMORY_GOAL, MEDIAN_GOAL, TAIL_GOAL = 1.05, 1.2, 1.5


class Minute(NamedTuple):
    """What was seen in one minute, and at its end."""

    minute: int
    calls: int
    read_p50_us: float
    read_p99_us: float
    write_p50_us: float
    write_p99_us: float
    memory_mb: float
    server_memory_mb: float
    wrong_counts: int


class Soak:
    """Calls at a steady pace, by threads."""

    def __init__(self, service: Service, users: int, rate: float) -> None:
        self._sessions, self._users, self._rate = sessionmaker(service.engine), users, rate
        #: Microseconds of each call since they were taken last.
        self.reads: list[float] = []
        self.writes: list[float] = []
        self.failed: BaseException | None = None
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._live, args=(number,), daemon=True) for number in range(THREADS)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """End all threads, and raise what one of them failed with."""
        self._ends.set()
        for thread in self._threads:
            thread.join()
        if self.failed:
            raise self.failed

    def taken(self) -> tuple[list[float], list[float]]:
        """Return what reads and writes took since this was asked last."""
        found = self.reads, self.writes
        self.reads, self.writes = [], []
        return found

    def _live(self, number: int) -> None:
        person, mix, start = Person(self._users, number), READS | WRITES, time.perf_counter()
        turn = number
        while not self._ends.is_set():
            # By the clock: whoever is late does not slow the others, and catches up.
            self._ends.wait(max(0.0, start + turn / self._rate - time.perf_counter()))
            (what,) = person.dice.choices(list(mix), list(mix.values()))
            before = time.perf_counter()
            try:
                self._do(person, what)
            except BaseException as error:  # noqa: BLE001 - raised where the soak ends
                self.failed = error
                self._ends.set()
                return
            (self.writes if what in WRITES else self.reads).append((time.perf_counter() - before) * 1e6)
            turn += THREADS

    def _do(self, person: Person, what: str) -> None:
        if what in WRITES:
            transact(self._sessions, lambda session: person.do(what, session))
            return
        with self._sessions() as session:
            person.do(what, session)


def measure(here: Place, minutes: int, rate: float, seconds: float = 60) -> Iterator[Minute]:
    """Live for so many *minutes* of so many *seconds*, and yield each."""
    data, service = here.data, Service(here.fresh())
    service.create()
    service.load_users(data.users, edges(data))
    soak = Soak(service, data.users, rate)
    soak.start()
    try:
        start = time.perf_counter()
        for minute in range(1, minutes + 1):
            time.sleep(max(0.0, start + minute * seconds - time.perf_counter()))
            reads, writes = soak.taken()
            wrong = drift(service.engine, MODELS.user).wrong
            yield Minute(
                minute,
                len(reads) + len(writes),
                _percentile(reads, 50),
                _percentile(reads, 99),
                _percentile(writes, 50),
                _percentile(writes, 99),
                round(_megabytes(Path("/proc/self"), "VmRSS"), 1),
                round(sum(_megabytes(process, "RssAnon") for process in _processes(here)), 1),
                wrong,
            )
            if soak.failed:
                break
    finally:
        soak.end()
    if findings := examine(service.engine, MODELS.user):
        raise AssertionError(f"{findings}")
    service.close()


def row(here: Place, rate: float, minutes: Sequence[Minute]) -> Row:
    """Return what was seen as a row of the report."""
    quarter = max(1, len(minutes) // 4)
    before, after = minutes[quarter : 2 * quarter] or minutes, minutes[-quarter:]

    def grown(name: str) -> float:
        one, other = (statistics.median([getattr(minute, name) for minute in some]) for some in (before, after))
        return other / one if one else 1.0

    stated = [Stated("memory, the last quarter to the second", grown("memory_mb"), MEMORY_GOAL)]
    if here.server:
        stated.append(Stated("memory of the server's processes, the same", grown("server_memory_mb"), MEMORY_GOAL))
    for what in ("read", "write"):
        stated.append(Stated(f"median of a {what}, the same", grown(f"{what}_p50_us"), MEDIAN_GOAL))
        stated.append(Stated(f"p99 of a {what}, the same", grown(f"{what}_p99_us"), TAIL_GOAL))
    stated.append(Stated("counts that differed from the edges", max(minute.wrong_counts for minute in minutes), 0))
    note = f"{len(minutes)} minutes of {rate:g} calls a second, one in twelve a write; every model, {THREADS} threads."
    return Row("a soak of all verbs and reads", here.kind, len(here.data.times), (), note=note, stated=tuple(stated))


def _percentile(times: Sequence[float], level: int) -> float:
    return round(sorted(times)[min(len(times) - 1, len(times) * level // 100)]) if times else 0.0


def _megabytes(process: Path, field: str) -> float:
    """Return a field of a process's status, on Linux; elsewhere 0."""
    try:
        status = (process / "status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(field)), 0.0)


def _processes(here: Place) -> Iterator[Path]:
    """Yield the processes of the server: those that work in its folder."""
    for process in Path("/proc").glob("[0-9]*") if here.server else ():
        with suppress(OSError):  # it is gone, or somebody else's
            if here.server and (process / "cwd").readlink().is_relative_to(here.server.directory):
                yield process


def main() -> None:
    """Live, print each minute, and save what was seen."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", nargs="?", choices=["sqlite", "postgresql", "mariadb"], default="sqlite")
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--rate", type=float, default=50, help="calls a second")
    parser.add_argument("--edges", type=int, default=100_000)
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to save the row of the report")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="where to save the minutes")
    wanted = parser.parse_args()
    with place(wanted.database, generate(wanted.edges)) as here:
        minutes = list[Minute]()
        print(*Minute._fields, sep=",", flush=True)
        for minute in measure(here, wanted.minutes, wanted.rate):
            minutes.append(minute)
            print(*minute, sep=",", flush=True)
            if wanted.csv:
                with wanted.csv.open("w", newline="") as file:
                    csv.writer(file, lineterminator="\n").writerows([Minute._fields, *minutes])
        found = row(here, wanted.rate, minutes)
        print(in_words(found))
        if wanted.json:
            servers = {} if here.server is None else {here.kind: server_version(here)}
            save(run_here([found], servers), wanted.json)


if __name__ == "__main__":
    main()
