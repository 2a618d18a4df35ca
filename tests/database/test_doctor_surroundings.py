"""What is wrong around the rows: the doctor names it with its statement, and never touches it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import URL, Engine, MetaData, String, create_engine, inspect
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.schema import CreateIndex, CreateTable

from retinue import MappingError, prepare_engine
from retinue.doctor import Finding, Severity, examine, repair
from tests import models as factory
from tests.models import Models

ALL = factory.declare(*factory.MIXINS, flags=("locked",), posts=factory.posts_that_end)

#: The keys of users as text that each engine compares letter by letter.
EXACT = {"sqlite": None, "postgresql": None, "mysql": "utf8mb4_bin", "mariadb": "utf8mb4_bin"}


def by_text(engine: Engine, collation: str | None = None) -> Models:
    """Declare a graph whose users have text for keys."""
    key = String(40, collation=collation or EXACT[engine.dialect.name])
    return factory.declare("Follow", "FollowCount", "Block", key=key)


def made(engine: Engine, models: Models) -> Models:
    models.metadata.create_all(engine)
    return models


def whats(findings: Sequence[Finding]) -> list[tuple[str, str, tuple[Any, ...]]]:
    return [(one.what, one.where, one.examples) for one in findings]


def test_a_schema_as_it_is_declared_lacks_nothing(engine: Engine) -> None:
    """With every model; with keys that are text; and before anybody is there."""
    assert examine(engine, made(engine, ALL).user) == ()
    ALL.metadata.drop_all(engine)
    assert examine(engine, made(engine, by_text(engine)).user) == ()


def test_a_table_that_is_missing_is_named(engine: Engine) -> None:
    """With the statement that makes it; and nothing else is looked at, as conditions are about other tables."""
    made(engine, ALL)
    ALL.mute.__table__.drop(engine)
    treated = repair(engine, ALL.user)
    assert treated.found == treated.left
    (found,) = treated.found
    assert (found.what, found.where, found.severity, found.repairable) == (
        "missing_table",
        "mutes",
        Severity.ERROR,
        False,
    )
    run(engine, found)
    for index in ALL.mute.__table__.indexes:
        index.create(engine)
    assert examine(engine, ALL.user) == ()


def run(engine: Engine, finding: Finding) -> None:
    assert finding.ddl is not None
    with engine.begin() as connection:
        connection.exec_driver_sql(finding.ddl)


def test_indexes_that_are_missing_are_named(engine: Engine) -> None:
    """Its statement makes it, and then nothing is found; one that begins alike does as well."""
    made(engine, ALL)
    index = next(one for one in ALL.notification.__table__.indexes if str(one.name).endswith("_list"))
    index.drop(engine)
    if engine.dialect.name in ("mysql", "mariadb"):
        # The foreign key has made itself one.
        assert [one["name"] for one in inspect(engine).get_indexes("notifications")]
    (found,) = examine(engine, ALL.user)
    assert whats([found]) == [("missing_index", "notifications", (("recipient_id", "timestamp", "id"),))]
    assert (found.severity, found.repairable) == (Severity.WARNING, False)
    run(engine, found)
    assert examine(engine, ALL.user) == ()
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE INDEX mine ON notifications (recipient_id, timestamp, id, actor_id)")
    index.drop(engine)
    assert examine(engine, ALL.user) == ()


def test_foreign_keys_that_are_missing_are_named(engine: Engine) -> None:
    """Also where it is there, but does not delete; SQLite cannot add one, and is told how it is done."""
    bare = factory.declare("Follow", "FollowCount", "Block", flags=("locked",))
    key = next(iter(bare.block.__table__.c.blocked_id.foreign_keys)).constraint
    plain = MetaData()
    for table in bare.metadata.sorted_tables:
        table.to_metadata(plain)
    other = plain.tables["blocks"]
    dropped = next(one for one in other.foreign_key_constraints if one.name == key.name)
    other.constraints.remove(dropped)
    plain.create_all(engine)
    (found,) = examine(engine, bare.user)
    assert whats([found]) == [("missing_foreign_key", "blocks", (("blocked_id",),))]
    if engine.dialect.name == "sqlite":
        assert found.ddl is None
        assert "batch_alter_table" in found.fix
        return
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"ALTER TABLE blocks ADD CONSTRAINT {key.name} FOREIGN KEY (blocked_id) REFERENCES users (id)"
        )
    assert whats(examine(engine, bare.user)) == whats([found])
    with engine.begin() as connection:
        kind = "FOREIGN KEY" if engine.dialect.name in ("mysql", "mariadb") else "CONSTRAINT"
        connection.exec_driver_sql(f"ALTER TABLE blocks DROP {kind} {key.name}")
    run(engine, found)
    assert examine(engine, bare.user) == ()


# --- Collations ----------------------------------------------------------------------------------

IGNORING = {
    "sqlite": "VARCHAR(40) COLLATE NOCASE",
    "postgresql": "CITEXT",
    "mysql": "VARCHAR(40) COLLATE utf8mb4_general_ci",
    "mariadb": "VARCHAR(40) COLLATE utf8mb4_general_ci",
}


def text_tables(engine: Engine, models: Models, how: str) -> None:
    """Make the tables with keys whose type is followed by *how*, or is *how*, whatever is declared."""
    with engine.begin() as connection:
        for table in models.metadata.sorted_tables:
            for statement in ddl_of(table, engine):
                written = re.sub(r"VARCHAR\(40\)( COLLATE \S+)?", how, statement)
                connection.exec_driver_sql(written)


def ddl_of(table: Any, engine: Engine) -> list[str]:
    parts: list[Any] = [CreateTable(table), *(CreateIndex(one) for one in table.indexes)]
    return [str(part.compile(dialect=engine.dialect)) for part in parts]


KEYS = [
    ("users", "id"),
    ("blocks", "blocker_id"),
    ("blocks", "blocked_id"),
    ("follows", "follower_id"),
    ("follows", "following_id"),
    ("follow_counts", "user_id"),
    ("users_follow_guards", "user_id"),
]


def test_keys_that_ignore_case_are_named(engine: Engine) -> None:
    """That of the users, and every one that refers to it: as the database has them, whatever is declared."""
    models, kind = by_text(engine), engine.dialect.name
    if kind == "postgresql":
        # The extension, where it is installed; else a type that is only called so.
        with engine.begin() as connection:
            there = "SELECT 1 FROM pg_available_extensions WHERE name = 'citext'"
            made = "EXTENSION citext" if connection.exec_driver_sql(there).first() else "DOMAIN citext AS varchar(40)"
            connection.exec_driver_sql(f"CREATE {made}")
    text_tables(engine, models, IGNORING[kind])
    found = examine(engine, models.user)
    assert {(one.what, one.severity, one.repairable) for one in found} == {
        ("collation_ignores_case", Severity.ERROR, False)
    }
    assert sorted((one.where, one.examples[0][0]) for one in found) == sorted(KEYS)


def test_keys_that_are_padded_unsaid_are_named(engine: Engine) -> None:
    """Where spaces at the end of a key are lost, and what is declared does not say so: else no verb takes such a key."""
    kind = engine.dialect.name
    padded = {"sqlite": "VARCHAR(40) COLLATE RTRIM", "postgresql": "CHAR(40)"}.get(
        kind, "VARCHAR(40) COLLATE utf8mb4_bin"
    )
    models = by_text(engine, "utf8mb4_nopad_bin" if kind in ("mysql", "mariadb") else None)
    text_tables(engine, models, padded)
    found = examine(engine, models.user)
    assert {(one.what, one.severity) for one in found} == {("collation_pads", Severity.WARNING)}
    assert sorted((one.where, one.examples[0][0]) for one in found) == sorted(KEYS)


# --- The connection ------------------------------------------------------------------------------


def test_an_engine_that_was_not_prepared_is_told(database: URL) -> None:
    """As it is given: it is prepared only then, for what follows."""
    engine = create_engine(database)
    ALL.metadata.create_all(engine)
    sessions, needed = sessionmaker(engine), engine.dialect.name == "sqlite"
    for given in (sessions, engine):
        found = examine(given, ALL.user)
        assert ("engine_not_prepared" in {one.what for one in found}) is needed
        assert {one.severity for one in found} <= {Severity.ERROR}
    assert examine(engine, ALL.user) == ()
    assert examine(sessions, ALL.user) == ()
    engine.dispose()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_pragmas_of_sqlite_are_told(database: URL) -> None:
    """Each that is not as the promises need it, by its name."""
    engine = create_engine(database, connect_args={"timeout": 0})
    ALL.metadata.create_all(engine)
    found = examine(sessionmaker(engine), ALL.user)
    assert [one.examples[0][0] for one in found if one.what == "setting"] == [
        "foreign_keys",
        "journal_mode",
        "busy_timeout",
    ]
    prepare_engine(engine)
    assert examine(sessionmaker(engine), ALL.user) == ()
    engine.dispose()


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_snapshots_of_mariadb_are_told(database: URL) -> None:
    """The setting that lets a verb fail beside another one; from 11.6 on it is on by itself."""
    engine = prepare_engine(create_engine(database))
    ALL.metadata.create_all(engine)
    with Session(engine) as session:
        if not session.connection().exec_driver_sql("SHOW VARIABLES LIKE 'innodb_snapshot_isolation'").first():
            pytest.skip("this MariaDB has no such setting")
        session.connection().exec_driver_sql("SET SESSION innodb_snapshot_isolation = ON")
        bound = session.connection()

        def new() -> Session:
            return Session(bound, join_transaction_mode="create_savepoint")

        found = examine(new, ALL.user)
    assert [(one.what, one.examples) for one in found] == [("setting", (("innodb_snapshot_isolation",),))]
    engine.dispose()


def test_autocommit_is_told_and_nothing_is_repaired(engine: Engine) -> None:
    """What belongs together would not be committed together."""
    made(engine, ALL)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO users (id, locked) VALUES (1, false), (2, false)")
        connection.exec_driver_sql(
            "INSERT INTO follow_counts (user_id, slot, followers, following) VALUES (1, 0, 7, 0)"
        )
    loose = sessionmaker(engine.execution_options(isolation_level="AUTOCOMMIT"))
    treated = repair(loose, ALL.user)
    assert {one.what for one in treated.found} == {"autocommit", "wrong_count"}
    assert treated.left == treated.found
    assert repair(engine, ALL.user).left == ()


def test_what_is_no_graph_is_refused(engine: Engine) -> None:
    """Before any statement."""
    with pytest.raises(MappingError):
        examine(engine, object)
    with pytest.raises(ValueError, match="batch"):
        examine(engine, ALL.user, batch=0)
    with pytest.raises(TypeError):
        examine("sqlite://", ALL.user)  # type: ignore[arg-type]
