"""What the benchmark found, before it is put into a table or a chart."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """What one contestant needed for one operation."""

    contestant: str
    #: Microseconds of a call: the median, and the 99th percentile.
    p50: float
    p99: float
    #: The median of it to the floor over the interleaved blocks, and the quarters around it; None for the floor itself.
    ratio: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Row:
    """One operation on one database, with one graph."""

    #: As the goals call it.
    operation: str
    #: sqlite, postgresql or mariadb.
    database: str
    #: How many edges the graph had.
    edges: int
    figures: tuple[Figure, ...]
    #: The highest (for a throughput, the lowest) ratio of Retinue to the floor that we want; None: only stated.
    goal: float | None = None
    #: True where the figures are operations a second, and more is better.
    throughput: bool = False
    #: What the figures are counted in, where they are neither times nor a throughput: "bytes".
    unit: str = "us"
    #: What a reader has to know: what was compared, what could not be.
    note: str = ""
    #: Whatever else is to be stated, by name, with its unit in the name. A name that ends in "(goal 1.5)" has a goal:
    #: at most so much; at least so much, where the name begins with "ahead".
    stated: dict[str, float] = field(default_factory=dict)
