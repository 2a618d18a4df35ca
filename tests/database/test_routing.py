"""The session decides where a statement goes: replicas, databases for some classes, tenants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Delete, Engine, Update, create_engine, insert, select
from sqlalchemy.orm import Session, sessionmaker

from retinue import MappingError, Settings, fanout, prepare_engine
from retinue.doctor import recount
from retinue.insight import follower_growth
from retinue.testing import count_statements
from retinue.transfer import export_follows, import_follows
from tests.models import MIXINS, declare, posts_that_end

MODELS = declare(*MIXINS, settings=Settings(), flags=("locked", "active"), posts=posts_that_end)

pytestmark = pytest.mark.tables(MODELS.metadata)


class Pair:
    """A primary and a replica, and sessions that know both."""

    def __init__(self, primary: Engine, replica: Engine) -> None:
        class Routed(Session):
            """SQLAlchemy's documented recipe: with two parameters and no others, and it knows no INSERT."""

            def get_bind(self, mapper: Any = None, clause: Any = None) -> Engine:  # type: ignore[override]
                del mapper
                return primary if self._flushing or isinstance(clause, (Update, Delete)) else replica

        self.primary, self.replica = primary, replica
        self.sessions = sessionmaker(class_=Routed)

    @contextmanager
    def asked(self, engine: Engine) -> Iterator[list[str]]:
        """Collect the statements that *engine* gets."""
        with count_statements(engine) as statements:
            yield statements


@pytest.fixture
def pair(engine: Engine) -> Iterator[Pair]:
    """Give a primary with ten people in it, and a replica."""
    replica = prepare_engine(create_engine(engine.url))
    with engine.begin() as connection:
        connection.execute(insert(MODELS.user), [{"id": n, "locked": n == 9} for n in range(1, 11)])
    yield Pair(engine, replica)
    replica.dispose()


VERBS: dict[str, Callable[[Any], object]] = {
    "follow": lambda graph: graph.follow(2, 1),
    "follow again": lambda graph: graph.follow(1, 2),
    "unfollow": lambda graph: graph.unfollow(1, 2),
    "unfollow nobody": lambda graph: graph.unfollow(5, 6),
    "remove a follower": lambda graph: graph.remove_follower(2, 1),
    "ask": lambda graph: graph.follow(1, 9),
    "accept": lambda graph: graph.accept(9, 3),
    "reject": lambda graph: graph.reject(9, 3),
    "accept all": lambda graph: graph.accept_all(9),
    "reject all": lambda graph: graph.reject_all(9),
    "block": lambda graph: graph.block(1, 2),
    "unblock": lambda graph: graph.unblock(4, 5, restore=True),
    "mute": lambda graph: graph.mute(1, 2),
    "unmute": lambda graph: graph.unmute(1, 2),
    "dismiss": lambda graph: graph.dismiss(1, 2),
    "undismiss": lambda graph: graph.undismiss(1, 2),
    "mark read": lambda graph: graph.mark_read(9),
    "mark active": lambda graph: graph.mark_active(1),
    "erase history": lambda graph: graph.erase_history(1),
    "expire": lambda graph: graph.expire(),
}

READS: dict[str, Callable[[Any], object]] = {
    "is following": lambda graph: graph.is_following(1, 2),
    "relationships": lambda graph: graph.relationships(1, [2, 3]),
    "counts": lambda graph: graph.counts([1, 2, 7]),
    "followers": lambda graph: graph.followers(2, viewer=1),
    "mutuals": lambda graph: graph.mutuals(1, viewer=1),
    "followers you know": lambda graph: graph.followers_you_know(1, 2),
    "notifications": lambda graph: graph.notifications(9, viewer=9),
    "unread": lambda graph: graph.unread_notifications(9),
    "suggestions": lambda graph: graph.suggestions(1),
    "home timeline": lambda graph: graph.home_timeline(1),
    "history": lambda graph: graph.history(1, 2),
    "growth": lambda graph: follower_growth(graph._session, MODELS.user, 2),
}


def _story(engine: Engine) -> None:
    """Let 1 follow 2, 3 ask 9, and 4 block 5 whom they followed."""
    with Session(engine) as session, session.begin():
        graph = MODELS.graph(session)
        graph.follow(1, 2)
        graph.follow(3, 9)
        graph.follow(4, 5)
        graph.block(4, 5)


@pytest.mark.parametrize("verb", VERBS)
def test_all_that_a_verb_does_goes_to_the_primary(pair: Pair, verb: str) -> None:
    """What it writes, and what it reads to decide that: a replica may be late, and takes no locks."""
    _story(pair.primary)
    with pair.sessions() as session, pair.asked(pair.replica) as astray, pair.asked(pair.primary) as asked:
        VERBS[verb](MODELS.graph(session))
        session.commit()
    assert astray == []
    assert asked


@pytest.mark.parametrize("read", READS)
def test_what_only_reads_goes_to_a_replica(pair: Pair, read: str) -> None:
    """As every select of such a session: that is what replicas are for."""
    _story(pair.primary)
    with pair.sessions() as session, pair.asked(pair.replica) as asked, pair.asked(pair.primary) as astray:
        READS[read](MODELS.graph(session))
    assert astray == []
    assert asked


def test_jobs_write_to_the_primary(pair: Pair, tmp_path: Path) -> None:
    """Imports, exports, the doctor and fan-out, given what makes the sessions."""
    _story(pair.primary)
    with pair.sessions() as session, pair.asked(pair.replica) as astray:
        session.add(MODELS.post(author_id=2, made_at=datetime(2026, 1, 1, tzinfo=UTC)))
        session.commit()
        MODELS.graph(session).mark_active(1)
        session.commit()
        assert import_follows(pair.sessions, MODELS.user, [(5, 6), (6, 7)]).added == 2
        assert fanout.work(pair.sessions, MODELS.user) > 0
        assert recount(pair.sessions, MODELS.user).wrong == 0
    assert astray == []
    with pair.asked(pair.replica) as asked:
        export_follows(pair.sessions, MODELS.user, tmp_path / "follows.csv")
    assert asked


def test_what_the_orm_writes_is_counted_on_its_connection(pair: Pair) -> None:
    """Rows that a session adds and deletes are counted where they are."""
    with pair.sessions() as session, pair.asked(pair.replica) as astray:
        row = MODELS.follow(follower_id=1, following_id=2)
        session.add(row)
        session.flush()
        session.delete(row)
        session.flush()
        session.commit()
    assert astray == []
    with Session(pair.primary) as session:
        assert MODELS.graph(session).counts([2])[2].followers == 0


# --- Databases of their own ----------------------------------------------------------------------


@contextmanager
def _engines(folder: Path, *names: str) -> Iterator[list[Engine]]:
    with ExitStack() as stack:
        engines = [prepare_engine(create_engine(f"sqlite:///{folder / name}")) for name in names]
        for engine in engines:
            stack.callback(engine.dispose)
            MODELS.metadata.create_all(engine)
            with engine.begin() as connection:
                connection.execute(insert(MODELS.user), [{"id": n} for n in (1, 2, 3)])
        yield engines


def _add_a_row(session: Session) -> None:
    session.add(MODELS.follow(follower_id=1, following_id=2))
    session.flush()


#: What touches the graph of a session, each in its way.
TOUCHES: dict[str, Callable[[Session], object]] = {
    "follow": lambda session: MODELS.graph(session).follow(1, 2),
    "follow as somebody new": lambda session: MODELS.graph(session).follow(MODELS.user(id=7), 2),
    "accept all": lambda session: MODELS.graph(session).accept_all(1),
    "expire": lambda session: MODELS.graph(session).expire(),
    "is following": lambda session: MODELS.graph(session).is_following(1, 2),
    "followers": lambda session: MODELS.graph(session).followers(1),
    "a row": _add_a_row,
    "import": lambda session: import_follows(lambda: session, MODELS.user, [(1, 2)]),
    "export": lambda session: export_follows(lambda: session, MODELS.user, "/dev/null"),
}


@pytest.mark.tables(None)
@pytest.mark.parametrize("touch", TOUCHES)
@pytest.mark.parametrize("apart", [MODELS.user, MODELS.count], ids=["users", "counts"])
def test_a_graph_in_two_databases_is_refused(tmp_path: Path, apart: Any, touch: str) -> None:
    """No verb can be one transaction of two databases: a sentence says so, and nothing has changed."""
    with _engines(tmp_path, "one", "other") as (one, other):
        session = Session(binds={apart: other}, bind=one)
        with session, pytest.raises(MappingError, match=f"Follow is in another database than {apart.__name__}"):
            TOUCHES[touch](session)
        session.rollback()
        for engine in (one, other):
            with Session(engine) as look:
                assert look.scalars(select(MODELS.follow)).all() == []
                assert len(look.scalars(select(MODELS.user)).all()) == 3


@pytest.mark.tables(None)
def test_other_classes_may_be_elsewhere(tmp_path: Path) -> None:
    """Only the models of the graph have to be together; those that no bind is named for are where follows are."""
    with _engines(tmp_path, "one", "other") as (one, other):
        with Session(binds={MODELS.user: one, MODELS.follow: one, MODELS.post: other}) as session:
            assert MODELS.graph(session).follow(1, 2)
            assert MODELS.graph(session).is_following(1, 2)
            session.commit()
        with Session(one) as session:
            assert MODELS.graph(session).counts([2])[2].followers == 1
        with Session(other) as session:
            assert MODELS.graph(session).counts([2])[2].followers == 0


@pytest.mark.tables(None)
def test_each_tenant_has_a_graph(tmp_path: Path) -> None:
    """A session that knows whose it is goes there with everything."""
    with _engines(tmp_path, "red", "blue") as (red, blue):

        class OfTenant(Session):
            """Has the tenant in its `info`."""

            def get_bind(self, *_arguments: Any, **_named: Any) -> Engine:
                return {"red": red, "blue": blue}[self.info["tenant"]]

        for tenant, pair in (("red", (1, 2)), ("blue", (2, 3)), ("red", (3, 2))):
            with OfTenant(info={"tenant": tenant}) as session, session.begin():
                assert MODELS.graph(session).follow(*pair)
        found = {}
        for tenant in ("red", "blue"):
            with OfTenant(info={"tenant": tenant}) as session:
                found[tenant] = {
                    user: {person.user.id for person in MODELS.graph(session).followers(user).items} for user in (2, 3)
                }
        assert found == {"red": {2: {1, 3}, 3: set()}, "blue": {2: set(), 3: {2}}}


@pytest.mark.tables(None)
def test_replicas_that_take_turns_are_one_database(tmp_path: Path) -> None:
    """A graph is in several databases only if what writes is; a session that only reads may refuse to write."""
    with _engines(tmp_path, "one", "two") as engines:
        turns = iter(range(1_000))

        class Reading(Session):
            """Reads from either."""

            def get_bind(self, mapper: Any = None, *, clause: Any = None, **_named: Any) -> Engine:
                del mapper
                return engines[0 if isinstance(clause, Update) else next(turns) % 2]

        with Reading() as session:
            assert not MODELS.graph(session).is_following(1, 2)
            assert MODELS.graph(session).followers(1).items == ()
