"""Numbers as people read them."""

from __future__ import annotations

from benchmarks.results import Row

DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "wire": "PostgreSQL 0.25 ms away", "mariadb": "MariaDB"}


def duration(microseconds: float) -> str:
    """Return a time with a fitting unit, in three figures."""
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= size:
            return f"{three_figures(microseconds / size)} {unit}"
    return f"{three_figures(microseconds)} µs"


def amount(value: float, row: Row) -> str:
    """Return a figure of *row* with its unit."""
    if row.throughput:
        return f"{three_figures(value)}/s"
    return duration(value) if row.unit == "us" else f"{three_figures(value)} {row.unit}"


def three_figures(value: float) -> str:
    """Return 0.0123, 1.23, 12.3, 123, 1,230."""
    if value == 0:
        return "0"
    digits = 2
    while abs(value) < 10 ** (2 - digits) * 0.9995 and digits < 5:
        digits += 1
    while digits > 0 and abs(value) >= 10 ** (3 - digits) * 0.9995:
        digits -= 1
    return f"{value:,.{digits}f}"


def times(value: float | None) -> str:
    """Return a multiple: 0.85, 1.46, 38, 1,200; a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:.2f}" if value < 9.995 else f"{value:,.0f}"


def edges(number: int) -> str:
    """Return 100,000 edges or 2 million edges."""
    millions = number / 1e6
    return f"{millions:g} million edges" if millions >= 1 and number % 100_000 == 0 else f"{number:,} edges"


def database(name: str) -> str:
    """Return the name as its makers write it."""
    return DATABASES.get(name, name)
