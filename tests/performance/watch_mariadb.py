"""MariaDB: the rows that its storage engine was asked for, and EXPLAIN."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.performance.watched import Watch, Watched, Work, counted, explaining, is_whole, session_of, tables_in


class MariaDBWatch(Watch):
    """Counts what the server asks its tables for, those that it makes for itself included."""

    def once(self, work: Work) -> Watched:
        seen = Watched(statements=counted(self.engine, work))
        self._explain(work, seen)
        with session_of(self.engine) as (session, connection):
            cursor: Any = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
            before = _rows_read(cursor)
            work(session)
            session.flush()
            seen.work = _rows_read(cursor) - before
        return seen

    def _explain(self, work: Work, seen: Watched) -> None:
        with session_of(self.engine) as (session, connection):
            cursor: Any = connection.connection.driver_connection.cursor()  # type: ignore[union-attr]

            def explain(statement: str, parameters: Any) -> None:
                if statement.startswith("INSERT") and "SELECT" not in statement:
                    return  # its plan names the table that it inserts into, of which nothing is read
                # What only asks is run for its plan, so that one sees what it really reads.
                how = "ANALYZE" if statement.startswith(("SELECT", "WITH")) else "EXPLAIN"
                cursor.execute(f"{how} FORMAT=JSON {statement}", parameters)
                ((text,),) = cursor.fetchall()
                known, lines = tables_in(statement), [statement]
                for table in _tables(json.loads(text)):
                    name, access = known.get(table["table_name"]), table.get("access_type")
                    rows = (table.get("r_rows") or 0) if how == "ANALYZE" else table.get("rows", 0)
                    key = table.get("key", "")
                    lines.append(
                        f"  {table['table_name']}: {access} {key}, {rows} rows in {table.get('r_loops', '?')} loops"
                    )
                    if name and access in ("ALL", "index") and is_whole(name, rows):
                        seen.scans.append(f"{name}: {access} {key}")
                seen.plans.append("\n".join(lines))

            with explaining(connection, explain):
                work(session)
                session.flush()


def _rows_read(cursor: Any) -> int:
    # With what the storage engine looks at and refuses by itself, which is not among the rows that it gives.
    cursor.execute(
        "SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name = 'Handler_icp_attempts'"
    )
    return sum(int(value) for _, value in cursor.fetchall())


def _tables(plan: Any) -> Iterator[dict[str, Any]]:
    """Yield each table of a plan, however deep."""
    if isinstance(plan, list):
        for part in plan:
            yield from _tables(part)
    elif isinstance(plan, dict):
        if "table_name" in plan:
            yield plan
        for part in plan.values():
            yield from _tables(part)
