"""
Several processes that do the same at the same time, each on one connection of its own.

Processes, not threads: threads of one Python program take turns, and would measure that.
"""

from __future__ import annotations

import gc
import multiprocessing
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

#: Calls of each member in its first shift at least, however long they take: statements are built and prepared then.
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
        "benchmarks.loads.storm",
        "benchmarks.loads.mix",
        "sqlalchemy.dialects.sqlite.pysqlite",
        "sqlalchemy.dialects.postgresql.psycopg",
        "sqlalchemy.dialects.mysql.mariadb",
        "sqlalchemy.dialects.mysql.pymysql",
    ]
)

#: What a member repeats; it is told how often it did so before.
Call = Callable[[int], object]


@dataclass(frozen=True)
class Shift:
    """What a crew did in one go."""

    #: Calls a second, of all together.
    throughput: float
    #: Seconds that each call took, where each was timed.
    times: NDArray[np.float64]
    #: Seconds of a processor that a call cost, in the mean, without what the server needed.
    processor: float | None = None


class Crew:
    """
    So many processes, each of which repeats what ``make(number, *arguments)`` returned there.

    Give it a function of a module, and what can be pickled. It ends with its ``with`` block.
    """

    def __init__(self, members: int, make: Callable[..., Call], *arguments: Any) -> None:
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

    def work(self, seconds: float) -> Shift:
        """Let all work for so many seconds, together."""
        start = time.perf_counter() + _LEAD
        for pipe in self._pipes:
            pipe.send((start, seconds))
        answers = self._answers()
        times = np.concatenate([times for times, _ in answers])
        return Shift(len(times) / seconds, times, sum(processor for _, processor in answers) / len(times))

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


def _serve(pipe: Connection, number: int, make: Callable[..., Call], arguments: tuple[Any, ...]) -> None:
    """Live as a member of a crew."""
    try:
        call = make(number, *arguments)
        gc.collect()
        gc.freeze()
        pipe.send(None)
        done = 0
        while True:
            start, seconds = pipe.recv()
            before = time.process_time()
            times = _repeat(call, done, start, start + seconds, 0 if done else _FIRST_CALLS)
            done += len(times)
            pipe.send((np.array(times), time.process_time() - before))
    except EOFError:
        pass
    except Exception as error:  # noqa: BLE001 - the crew raises it
        error.__traceback__ = None
        pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))


def _repeat(call: Call, done: int, start: float, end: float, least: int) -> list[float]:
    """Repeat *call* from *start* to *end*, and *least* times; the clock is the same in all processes."""
    time.sleep(max(0.0, start - time.perf_counter()))
    times: list[float] = []
    before = time.perf_counter()
    while before < end or len(times) < least:
        call(done + len(times))
        after = time.perf_counter()
        times.append(after - before)
        before = after
    return times
