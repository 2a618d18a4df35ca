"""
Several processes that do the same at the same time, each on one connection of its own.

Processes, not threads: threads of one Python program take turns, and would measure that.
"""

from __future__ import annotations

import gc
import multiprocessing
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self, TypeAlias

import numpy as np

from benchmarks.results import Stated

#: Calls of each member to warm up the first time, however long they take: statements are built and prepared then.
_FIRST_CALLS = 200

#: Seconds from the order to the start: by then every process has read it.
_LEAD = 0.05

# Where there is none, as on Windows, each process starts from nothing.
_CONTEXT: Any = multiprocessing.get_context(
    "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
)
# What members need is imported once, by the process that they are copies of.
_CONTEXT.set_forkserver_preload(
    [
        "benchmarks.loads",
        "benchmarks.competitors.retinue",
        "sqlalchemy.dialects.sqlite.pysqlite",
        "sqlalchemy.dialects.postgresql.psycopg",
        "sqlalchemy.dialects.mysql.mariadb",
        "sqlalchemy.dialects.mysql.pymysql",
    ]
)

#: What a member repeats; it is given how often it did so before.
Call: TypeAlias = Callable[[int], object]


class Crew:
    """
    So many processes, each of which repeats what ``make(number, *arguments)`` returned there.

    Give it a function of a module, and what can be pickled. It ends with its ``with`` block.
    """

    def __init__(self, members: int, make: Callable[..., Call], *arguments: Any) -> None:
        #: How often its members did what they repeat; and of the timed ones, seconds, and seconds of a processor for each.
        self.calls = 0
        self.times: list[Any] = []
        self.rates: list[float] = []
        self.processor: list[float] = []
        self._pipes: list[Connection] = []
        self._processes: list[Any] = []
        for number in range(members):
            ours, theirs = _CONTEXT.Pipe()
            process = _CONTEXT.Process(target=_serve, args=(theirs, number, make, arguments), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)
        self._answers()

    def work(self, seconds: float) -> float:
        """Let all work at the same time for so many seconds, after a tenth of that to warm up; return calls a second."""
        self._shift(seconds / 10)
        times, processor = self._shift(seconds)
        self.times.append(times)
        self.processor.append(processor)
        self.rates.append(len(times) / seconds)
        return self.rates[-1]

    def tail(self, seconds: float) -> float:
        """
        Return the 99th percentile of a call to the median, where all do half of what they can, at a steady pace.

        Whoever is asked for more than they can do has a queue, and what is timed then is that.
        """
        times, _ = self._shift(seconds, 2 * len(self._pipes) / statistics.median(self.rates))
        p50, p99 = np.percentile(times, (50, 99))
        return float(p99 / p50)

    def _shift(self, seconds: float, interval: float = 0) -> tuple[Any, float]:
        start = time.perf_counter() + _LEAD
        for number, pipe in enumerate(self._pipes):
            pipe.send((start + interval * number / len(self._pipes), seconds, interval))
        answers = self._answers()
        times = np.concatenate([times for times, _ in answers])
        self.calls += len(times)
        return times, sum(processor for _, processor in answers) / len(times)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as stack:
            for pipe, process in zip(self._pipes, self._processes, strict=True):
                stack.callback(process.join)
                stack.callback(pipe.close)  # which ends it

    def _answers(self) -> list[Any]:
        answers = [pipe.recv() for pipe in self._pipes]
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return answers


def stated(crews: Mapping[str, Crew]) -> tuple[Stated, ...]:
    """Return how long a call of each crew took, and how much of the client's processor."""
    found = []
    for name, crew in crews.items():
        times = np.concatenate(crew.times) * 1e6
        found += [Stated(f"{name}: p{level} of a call, us", float(np.percentile(times, level))) for level in (50, 99)]
        processor = statistics.median(crew.processor) * 1e6
        found.append(Stated(f"{name}: the client's processor for a call, us", processor))
    return tuple(found)


def _serve(pipe: Connection, number: int, make: Callable[..., Call], arguments: tuple[Any, ...]) -> None:
    """Live as a member of a crew."""
    try:
        call = make(number, *arguments)
        gc.collect()
        gc.freeze()
        pipe.send(None)
        done = 0
        while True:
            start, seconds, interval = pipe.recv()
            before = time.process_time()
            times = _repeat(call, done, start, start + seconds, interval, 0 if done else _FIRST_CALLS)
            done += len(times)
            pipe.send((np.array(times), time.process_time() - before))
    except EOFError:
        pass
    except Exception as error:  # noqa: BLE001 - the crew raises it
        error.__traceback__ = None
        pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))


def _repeat(call: Call, done: int, start: float, end: float, interval: float, least: int) -> list[float]:
    """
    Repeat *call* from *start* to *end*, and *least* times; the clock is the same in all processes.

    With an *interval*, in seconds, each begins so long after the one before began, or when that is done.
    """
    times: list[float] = []
    due = start
    while due < end or len(times) < least:
        time.sleep(max(0.0, due - time.perf_counter()))
        before = time.perf_counter()
        call(done + len(times))
        after = time.perf_counter()
        times.append(after - before)
        due = max(after, due + interval)
    return times
