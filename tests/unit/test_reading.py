"""Which texts only read, wherever they are sent: none of which anybody could tell whether it was in a transaction."""

from __future__ import annotations

import pytest

from retinue.engines.reading import only_reads

READ = [
    "SELECT 1",
    "select users.id from users where users.id = %(id)s::INTEGER",
    "WITH few AS (SELECT id FROM users LIMIT 3) SELECT count(*) FROM few",
    "SELECT coalesce(a.n, (SELECT sum(b.n) FROM b)) FROM a WHERE a.id IN (1, 2) AND NOT (a.x OR EXISTS (SELECT 1 FROM c))",
    "SELECT id FROM users WHERE id = ANY (%(users)s::INTEGER[])",
    "SELECT CAST(NULL AS TIMESTAMP(6)), row_number() OVER (PARTITION BY id) FROM users",
    'SELECT "update".x, updated_at FROM updates AS "u" JOIN LATERAL (SELECT 1) AS one ON (true)'.replace(
        '"update"', "u"
    ),
    "\n SELECT a.id FROM a UNION ALL (SELECT b.id FROM b)",
]

MORE = [
    "INSERT INTO users VALUES (1)",
    "SELECT 1; SELECT 2",
    "SELECT id FROM users FOR UPDATE",
    "SELECT id FROM users FOR NO KEY UPDATE SKIP LOCKED",
    "SELECT id FROM users FOR KEY SHARE",
    "SELECT id INTO few FROM users",
    "WITH gone AS (DELETE FROM users RETURNING id) SELECT id FROM gone",
    "SELECT set_config('app.user', '1', true)",
    "SELECT nextval('numbers')",
    "SELECT pg_advisory_xact_lock(1)",
    "SELECT mine.count(1)",
    'SELECT "count"(1)',
    "SELECT 'x'\"f\" (1)",
    "SELECT f/* of mine */(1)",
    "SELECT f -- of mine\n (1)",
    "SELECT now()",
    "SELECT 1 AS one, f(1)",
    "SELECT 1 WHERE CAST(f(1) AS INTEGER) = 1",
    "SELECT has(1)",
    "SELECT CURRENT_TIMESTAMP",
    "SELECT * FROM mine(1)",
    "SELECT * FROM public.mine (1)",
    "SELECT naïve(1)",
    "SELECT lower\N{SNOWMAN}(1)",
    'SELECT "x lower"(1)',
    'SELECT "lower "(1)',
    f"SELECT 1 FROM users WHERE id IN ({', '.join(['1'] * 10_000)})",
    "SET LOCAL app.user = 1",
    "SHOW app.user",
    "SAVEPOINT one",
    "BEGIN",
    "LOCK TABLE users",
    "DECLARE one CURSOR FOR SELECT 1",
    "EXPLAIN ANALYZE SELECT 1",
    "/* of mine */ SELECT 1",
    "",
]


@pytest.mark.parametrize("statement", READ)
def test_these_only_read(statement: str) -> None:
    """Whatever is SQL's own, and the functions that each PostgreSQL has."""
    assert only_reads(statement)


@pytest.mark.parametrize("statement", MORE)
def test_these_may_do_more(statement: str) -> None:
    """They write, lock, tell the transaction's time, or call what nobody knows."""
    assert not only_reads(statement)
