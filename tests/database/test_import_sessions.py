"""An import beside others who write, and through every kind of session: it leaves its edges, and no more."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Integer, String, insert, select, text
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, scoped_session, sessionmaker

from retinue import FollowCountMixin, FollowerMixin, FollowMixin, transact
from retinue.models import now
from retinue.transfer import ImportReport, Skipped, SkipReason, import_follows
from tests.database.graph_models import HUNG, MANY, ONE, Pair, audit, befriend, edges, populate
from tests.models import declare

PEOPLE = 40
PAIRS: list[Pair] = [(a, b) for a in range(1, PEOPLE + 1) for b in range(1, PEOPLE + 1) if a != b]

pytestmark = pytest.mark.tables(ONE.metadata)


def together(*works: Callable[[], Any]) -> list[Any]:
    """Run all of *works* at once, and return their results."""
    ready = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        ready.wait(HUNG)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [done.result(HUNG) for done in [pool.submit(run, work) for work in works]]


def test_two_imports_of_one_graph_add_each_edge_once(engine: Engine) -> None:
    """Whoever comes second finds a duplicate, in whatever order either reads."""
    populate(engine, ONE, PEOPLE)
    orders = (PAIRS, PAIRS[::-1], PAIRS[500:] + PAIRS[:500])
    reports = together(
        *(lambda order=order: import_follows(sessionmaker(engine), ONE.user, order, batch_rows=100) for order in orders)
    )
    assert sum(report.added for report in reports) == len(PAIRS)
    assert {report.rows for report in reports} == {len(PAIRS)}
    assert audit(engine, ONE, counted=range(1, PEOPLE + 1)) == set(PAIRS)


def test_users_deleted_meanwhile_leave_nothing(engine: Engine) -> None:
    """Their rows are skipped, or go with them; nobody's count keeps them, and no error comes out."""
    populate(engine, ONE, PEOPLE)
    doomed = range(1, PEOPLE, 3)
    sessions = sessionmaker(engine)

    def delete_users() -> None:
        for key in doomed:

            def work(session: Session, key: int = key) -> None:
                session.delete(session.get_one(ONE.user, key))

            transact(sessions, work)

    _, report = together(delete_users, lambda: import_follows(sessions, ONE.user, PAIRS, batch_rows=60))
    left = {(a, b) for a, b in PAIRS if a not in doomed and b not in doomed}
    assert audit(engine, ONE) == left
    assert set(report.skipped) <= {SkipReason.UNKNOWN_USER}
    assert report.added >= len(left)


def test_what_other_slots_hold_is_not_counted_twice(engine: Engine) -> None:
    """A slot 0 that says nothing, beside one that says much, gets the import's share alone."""
    populate(engine, MANY, PEOPLE)
    befriend(engine, MANY, [(1, 2), (3, 2), (4, 2), (2, 1)])
    rows = [(1, 0, 0, 0), (1, 5, 1, 1), (2, 0, -1, 0), (2, 7, 4, 1), (3, 0, 0, 1), (4, 0, 0, 0), (4, 3, 0, 1)]
    names = ("user_id", "slot", "followers", "following")
    with engine.begin() as connection:
        connection.execute(insert(MANY.count.__table__), [dict(zip(names, row, strict=True)) for row in rows])
    import_follows(engine, MANY.user, [(5, 1), (6, 1), (4, 1), (2, 3), (7, 2)])
    audit(engine, MANY, counted=range(1, 8))


@pytest.mark.tables(None)
def test_strange_keys_travel_unharmed(engine: Engine) -> None:
    """Quotes, commas, braces, backslashes and the word NULL are letters of a key, on every way to the database."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        id = mapped_column(
            String(60, collation="utf8mb4_bin" if engine.dialect.name == "mariadb" else None), primary_key=True
        )

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    class FollowCount(FollowCountMixin, Base):
        __tablename__ = "follow_counts"

    keys = ["a", "A", "NULL", "", " x", "{}", "a,b", '"', "'", "\\", '\\"', "%s", ":x", "?", "\n", "--", "$1"]
    # An accent in its letter and one behind it, which look the same; and what takes four bytes in UTF-8.
    keys += ["\u00e9", "e\u0301", "\U0001f600"]
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(User(id=key) for key in keys)
        session.commit()
    pairs = {(a, b) for a in keys for b in keys if a != b}
    report = import_follows(engine, User, [*pairs, ("a ", "A"), ("a", "b")])
    # MariaDB would take the first for "a".
    blank = SkipReason.INVALID_KEY if engine.dialect.name == "mariadb" else SkipReason.UNKNOWN_USER
    assert (report.added, report.skipped) == (len(pairs), Counter([blank, SkipReason.UNKNOWN_USER]))
    again = import_follows(engine, User, pairs)
    assert again.skipped == {SkipReason.DUPLICATE: len(pairs)}
    with Session(engine) as session:
        rows = session.execute(select(Follow.follower_id, Follow.following_id))
        assert {(a, b) for a, b in rows} == pairs
        counted = session.execute(select(FollowCount.user_id, FollowCount.followers, FollowCount.following)).all()
    assert {tuple(row) for row in counted} == {(key, len(keys) - 1, len(keys) - 1) for key in keys}


#: Text that each engine compares without its case.
WITHOUT_CASE: dict[str, String] = {
    "sqlite": String(20, collation="NOCASE"),
    "postgresql": CITEXT(),
    "mariadb": String(20, collation="utf8mb4_unicode_520_ci"),
}


@pytest.mark.tables(None)
def test_a_key_is_taken_to_the_letter(engine: Engine) -> None:
    """Where the database finds anne for ANNE, an import does not: it neither follows for her, nor trips over both."""
    made = declare("Follow", "FollowCount", key=WITHOUT_CASE[engine.dialect.name])
    models = declare("Follow", "FollowCount", key=String(20))  # who do not know how the tables were made
    User, Follow, FollowCount = models.user, models.follow, models.count  # noqa: N806 - classes
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("CREATE EXTENSION citext"))
        made.metadata.create_all(connection)
        connection.execute(insert(User), [{"id": key} for key in ("anne", "ben")])
        assert connection.scalar(text("SELECT id FROM users WHERE id = 'ANNE'")) == "anne"
    skipped: list[Skipped] = []
    rows = [("ANNE", "ben"), ("anne", "ben"), ("ben", "Anne"), ("anne", "ANNE")]
    report = import_follows(engine, User, rows, on_skip=skipped.append)
    assert report.added == 1
    assert [(one.number, one.reason) for one in skipped] == [(n, SkipReason.UNKNOWN_USER) for n in (1, 3, 4)]
    with Session(engine) as session:
        followed = session.execute(select(Follow.follower_id, Follow.following_id))
        assert {tuple(row) for row in followed} == {("anne", "ben")}
        counted = session.execute(select(FollowCount.user_id, FollowCount.followers, FollowCount.following))
        assert {tuple(row) for row in counted} == {("anne", 0, 1), ("ben", 1, 0)}


class Bare(DeclarativeBase):
    """The base of models without counts, with a column of the application's own."""


class BareUser(FollowerMixin, Bare):
    """A user."""

    __tablename__ = "users"
    id = mapped_column(Integer, primary_key=True)


class BareFollow(FollowMixin, Bare):
    """An edge with a note."""

    __tablename__ = "follows"
    note = mapped_column(String(20), default="imported")


@pytest.mark.tables(None)
def test_the_applications_own_columns_and_no_counts(engine: Engine) -> None:
    """A default of the application's is used; a constraint of its own that refuses rows is an error, not a duplicate."""
    Bare.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(BareUser(id=key) for key in range(1, 6))
        session.commit()
    since = datetime(2020, 1, 1, tzinfo=UTC)
    before = now()
    assert import_follows(engine, BareUser, [(1, 2, since), (2, 1)]).added == 2
    with Session(engine) as session:
        old, new = session.get_one(BareFollow, (1, 2)), session.get_one(BareFollow, (2, 1))
        assert (old.timestamp, old.note, new.note) == (since, "imported", "imported")
        assert before <= new.timestamp <= now()
    with engine.begin() as connection:
        connection.execute(text("CREATE UNIQUE INDEX one_fan ON follows (following_id)"))
    with pytest.raises(IntegrityError):
        import_follows(engine, BareUser, [(3, 1), (4, 2)])
    with Session(engine) as session:
        assert len(session.scalars(select(BareFollow)).all()) == 2


def test_it_runs_in_the_sessions_that_a_factory_makes(engine: Engine) -> None:
    """A session that is joined to an outer transaction takes the whole import back with that."""
    populate(engine, ONE, PEOPLE)
    with engine.connect() as connection, connection.begin() as outer:
        factory = sessionmaker(connection, join_transaction_mode="create_savepoint")
        assert import_follows(factory, ONE.user, PAIRS[:50], batch_rows=20).added == 50
        outer.rollback()
    assert edges(engine, ONE) == set()
    assert import_follows(lambda: Session(engine), ONE.user, PAIRS[:50]).added == 50
    assert audit(engine, ONE) == set(PAIRS[:50])


def test_a_session_in_use_is_not_touched(engine: Engine) -> None:
    """A scoped session with work of its own is refused; its work is still there."""
    populate(engine, ONE, PEOPLE)
    scoped = scoped_session(sessionmaker(engine))
    scoped.add(ONE.user(id=1_000))
    scoped.flush()
    with pytest.raises(ValueError, match="in use"):
        import_follows(scoped, ONE.user, PAIRS[:5])
    assert scoped.get(ONE.user, 1_000) is not None
    scoped.remove()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_no_factory_is_refused(engine: Engine) -> None:
    """A session, an async engine, a text: TypeError, before anything is read."""
    populate(engine, ONE, PEOPLE)
    with Session(engine) as session:
        for wrong in (session, create_async_engine("sqlite+aiosqlite://"), "sqlite://", None):
            with pytest.raises(TypeError, match="is wanted"):
                import_follows(wrong, ONE.user, PAIRS)  # type: ignore[arg-type]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_no_number_of_rows_is_refused(engine: Engine) -> None:
    """ValueError, before anything is read."""
    populate(engine, ONE, PEOPLE)
    for rows in (0, -1, True, "many", 1.5):
        with pytest.raises(ValueError, match="batch_rows"):
            import_follows(engine, ONE.user, PAIRS, batch_rows=rows)  # type: ignore[arg-type]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_sqlite_connections_are_given_back_as_they_were(engine: Engine) -> None:
    """No temporary table, and the page cache that the application chose."""
    populate(engine, ONE, PEOPLE)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA cache_size = -1234")
        connection.rollback()
        import_follows(sessionmaker(connection), ONE.user, PAIRS)
        assert connection.exec_driver_sql("PRAGMA cache_size").scalar() == -1234
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_temp_master").scalar() == 0
    assert audit(engine, ONE) == set(PAIRS)


@pytest.mark.tables(None)
@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
@pytest.mark.parametrize("collation", ["utf8mb4_bin", "utf8mb4_unicode_520_ci", "latin1_bin"])
def test_the_keys_collation_may_differ_from_the_connections(engine: Engine, collation: str) -> None:
    """What is sent is compared as the column compares, whatever the database's own way: no "illegal mix of collations"."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        id = mapped_column(String(20), primary_key=True)

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    with engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE COLLATE {collation}"))
        Base.metadata.create_all(connection)
        connection.execute(text("ALTER DATABASE COLLATE utf8mb4_general_ci"))
        connection.execute(text("INSERT INTO users VALUES (:id)"), [{"id": name} for name in ("anna", "ben", "cleo")])
    rows = [("anna", "ben"), ("ben", "anna"), ("anna", "nobody"), ("ANNA", "cleo")]
    report = import_follows(engine, User, rows)
    assert (report.added, report.skipped[SkipReason.UNKNOWN_USER]) == (2, 2)


def test_progress_and_skips_are_told_after_the_commit(engine: Engine, tmp_path: Path) -> None:
    """Whoever is called finds in the database what the report says; an error of theirs ends the import there."""
    populate(engine, ONE, PEOPLE)
    file = tmp_path / "graph.csv"
    file.write_text("".join(f"{a},{b}\n7,7\n" for a, b in PAIRS))
    reports: list[ImportReport] = []
    skipped: list[Skipped] = []

    def progress(report: ImportReport) -> None:
        reports.append(report)
        assert len(edges(engine, ONE)) == report.added
        assert len(skipped) == report.rows - report.added
        if len(reports) == 3:
            raise KeyboardInterrupt

    threads = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        import_follows(engine, ONE.user, file, progress=progress, on_skip=skipped.append, batch_rows=200)
    assert threading.active_count() == threads
    assert [report.rows for report in reports] == [200, 400, 600]
    assert [one.number for one in skipped] == list(range(2, 601, 2))
    assert reports[-1].share_read == 1.0
    assert str(reports[-1]).startswith("600 rows: 300 added, 300 x self-follow in ")
    assert len(audit(engine, ONE)) == 300
