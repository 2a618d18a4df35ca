"""SQLite: steps of its virtual machine, and EXPLAIN QUERY PLAN."""

from __future__ import annotations

from typing import Any

from tests.performance.watched import Watch, Watched, Work, counted, explaining, session_of, tables_in


class SQLiteWatch(Watch):
    """Counts the steps of the machine that runs SQLite's statements: what it reads, and what it computes."""

    def once(self, work: Work) -> Watched:
        seen = Watched(statements=counted(self.engine, work))
        self._explain(work, seen)
        seen.work = self._steps(work)
        return seen

    def _explain(self, work: Work, seen: Watched) -> None:
        with session_of(self.engine) as (session, connection):
            driver: Any = connection.connection.driver_connection

            def explain(statement: str, parameters: Any) -> None:
                plan = [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
                seen.plans.append("\n".join(plan))
                known = tables_in(statement)
                for line in plan:
                    verb, _, rest = line.partition(" ")
                    if verb == "SCAN" and rest.split()[0] in known:
                        seen.scans.append(f"{known[rest.split()[0]]}: {line}")

            with explaining(connection, explain):
                work(session)
                session.flush()

    def _steps(self, work: Work) -> int:
        steps = 0

        def step() -> int:
            nonlocal steps
            steps += 1
            return 0

        with session_of(self.engine) as (session, connection):
            driver: Any = connection.connection.driver_connection
            driver.set_progress_handler(step, 1)
            try:
                work(session)
                session.flush()
            finally:
                driver.set_progress_handler(None, 1)
        return steps
