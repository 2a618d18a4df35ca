"""What a statement says about its transaction is read in every spelling that a database takes."""

from __future__ import annotations

import pytest

from retinue.engines.control import CONTROL
from retinue.engines.mariadb import MariaDB
from retinue.engines.postgresql import PostgreSQL
from retinue.engines.sqlite import SQLite


@pytest.mark.parametrize(
    ("statement", "kind", "name"),
    [
        ("SAVEPOINT sa_savepoint_1", "savepoint", "sa_savepoint_1"),
        ('\n  savepoint "my point" ;', "savepoint", '"my point"'),
        ("/* a\ncomment */ -- and a line\nSavepoint mine;", "savepoint", "mine"),
        ("ROLLBACK TO mine", "back", "mine"),
        ("ROLLBACK TO SAVEPOINT `my``point`", "back", "`my``point`"),
        ("rollback work to mine;", "back", "mine"),
        ("Rollback Transaction To\nSavepoint mine", "back", "mine"),
        ("RELEASE SAVEPOINT mine", "release", "mine"),
        ("release mine", "release", "mine"),
        ("ROLLBACK", "rollback", None),
        ("rollback and chain;", "rollback", None),
        ("ABORT", "rollback", None),
        ("ROLLBACK PREPARED 'x'", "rollback", None),
        ("COMMIT", "commit", None),
        ("commit work;", "commit", None),
        ("END TRANSACTION", "commit", None),
        ("COMMIT PREPARED 'x'", "commit", None),
        ("XA COMMIT 'x'", "commit", None),
        ("PREPARE TRANSACTION 'x'", "prepare", None),
        ("XA END 'x'", "prepare", None),
        ("xa  prepare 'x'", "prepare", None),
        ("SELECT 'SAVEPOINT mine'", None, None),
        ("INSERT INTO savepoints VALUES (1)", None, None),
        ("PREPARE plan AS SELECT 1", None, None),
        ("COMMITMENTS", None, None),
    ],
)
def test_a_statement_about_the_transaction_is_recognised(statement: str, kind: str | None, name: str | None) -> None:
    """What it does, and to which savepoint; nothing else is taken for such a statement."""
    found = CONTROL.match(statement)
    groups = {} if found is None else {key: value for key, value in found.groupdict().items() if value}
    names = [groups.pop(key) for key in ("new", "old", "gone") if key in groups]
    assert (list(groups), names) == ([kind] if kind else [], [name] if name else [])


def test_a_savepoint_is_known_by_its_name() -> None:
    """PostgreSQL takes a quoted name to the letter; elsewhere no case makes a difference."""
    assert [PostgreSQL().savepoint_name(name) for name in ("Mine", '"Mine"', '"my ""point"""')] == [
        "mine",
        "Mine",
        'my "point"',
    ]
    assert [SQLite().savepoint_name(name) for name in ("Mine", '"Mine"', "[Mine]")] == ["mine"] * 3
    assert [MariaDB().savepoint_name(name) for name in ("Mine", "`Mine`")] == ["mine"] * 2
