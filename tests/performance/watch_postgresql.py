"""PostgreSQL: the plans of all that ran, foreign keys' checks included, with the rows and pages that were read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from retinue.testing import count_statements
from tests.performance.watched import Watch, Watched, Work, is_whole, session_of

#: The server's own module hands over every plan as it was run, also of statements within statements.
_SETTINGS = {
    "log_min_duration": "0",
    "log_analyze": "on",
    "log_timing": "off",
    "log_buffers": "on",
    "log_nested_statements": "on",
    "log_format": "json",
    "log_level": "notice",
    "log_parameter_max_length": "0",
}
#: From the 6th run on the driver has a statement prepared; after 5 more the server may plan for any parameters.
_RUNS = 12


class PostgreSQLWatch(Watch):
    """Counts the rows that plans really read: those that they found and those that they threw away."""

    def of(self, work: Work, *, again: bool = True) -> list[Watched]:
        """Return what the first run did, and what the last of many did."""
        first = self.once(work)
        for _ in range(_RUNS - 2 if again else 0):
            with session_of(self.engine) as (session, _):
                work(session)
                session.flush()
        return [first, self.once(work)] if again else [first]

    def once(self, work: Work) -> Watched:
        seen = Watched()
        with session_of(self.engine) as (session, connection):
            with count_statements(connection) as seen.statements:
                plans = _explained(session, work)
            for plan in plans:
                _read(plan, seen)
        return seen


def planned(session: Session, work: Work) -> list[dict[str, Any]]:
    """Return the nodes of all plans by which *work* was done in *session*, in their order."""
    return [node for explained in _explained(session, work) for node in _nodes(explained["Plan"])]


def _explained(session: Session, work: Work) -> list[dict[str, Any]]:
    plans: list[dict[str, Any]] = []

    def take(notice: Any) -> None:
        _, found, text = notice.message_primary.partition("plan:\n")
        if found:
            plans.append(json.loads(text))

    driver: Any = session.connection().connection.driver_connection
    driver.execute("LOAD 'auto_explain'", prepare=False)
    for name, value in _SETTINGS.items():
        driver.execute(f"SET LOCAL auto_explain.{name} = '{value}'", prepare=False)
    driver.add_notice_handler(take)
    try:
        work(session)
        session.flush()
        driver.execute("SELECT", prepare=False)  # the plan of a statement comes with the next one
    finally:
        driver.remove_notice_handler(take)
    return plans


def _read(explained: dict[str, Any], seen: Watched) -> None:
    rows = looks = 0
    for node in _nodes(explained["Plan"]):
        table = node.get("Relation Name")
        if table is None or "Scan" not in node["Node Type"]:
            continue
        read = _rows(node)
        rows += read
        looks += node["Actual Loops"]
        if node["Node Type"] == "Seq Scan" and is_whole(table, read):
            seen.scans.append(f"{table}: Seq Scan of {read} rows")
    pages = explained["Plan"].get("Shared Hit Blocks", 0) + explained["Plan"].get("Shared Read Blocks", 0)
    if pages > _pages_of(rows + looks) and "pg_catalog" not in explained["Query Text"]:
        # As where an index is read as a whole to find a row in it. A foreign key's statement meets
        # the rows that were just deleted before it.
        seen.scans.append(f"{pages} pages for {rows} rows in {looks} looks: {explained['Query Text']}")
    seen.work += rows
    seen.plans.append("\n".join([explained["Query Text"], *_lines(explained["Plan"])]))


def _rows(node: dict[str, Any]) -> int:
    removed: float = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    found: float = node["Actual Rows"]
    return round((found + removed) * int(node["Actual Loops"]))


def _pages_of(looks: int) -> int:
    """Return how many pages are enough to look so often into an index, each time from its root, or for a row beside it."""
    return 100 + 5 * looks


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _lines(plan: dict[str, Any], depth: int = 1) -> Iterator[str]:
    """Yield a plan, short enough to be read."""
    words = (plan["Node Type"], plan.get("Relation Name"), plan.get("Index Name"))
    rows = f"{_rows(plan)} rows in {plan['Actual Loops']} loops"
    yield "  " * depth + " ".join([word for word in words if word]) + f": {rows}"
    for below in plan.get("Plans", ()):
        yield from _lines(below, depth + 1)
