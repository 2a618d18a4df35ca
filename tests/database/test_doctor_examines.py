"""The doctor finds what was planted, and nothing where only verbs were at work; what is safe, it puts right."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, Uuid, delete, insert, select, update
from sqlalchemy.orm import Session, sessionmaker

from retinue import Graph, RetinueError, Settings, Unfollowed, fanout, listen, transact
from retinue.doctor import drift, examine, repair
from retinue.doctor.ties import faults_of
from retinue.effects.removal import tables_of
from retinue.models import new_id, now
from retinue.schema import schema_of
from retinue.values import Counts
from tests import models as factory
from tests.database.graph_models import find_deadlocks_at_once
from tests.long import on_engines

ALL = factory.declare(*factory.MIXINS, flags=("locked", "active"), posts=factory.posts_that_end)
PEOPLE = range(1, 13)
#: A user whom there never was.
GONE = 99

pytestmark = pytest.mark.tables(ALL.metadata)

TABLES: Mapping[str, Table] = ALL.metadata.tables


def live(engine: Engine) -> None:
    """Let twelve people do a bit of everything, by the verbs alone."""
    if engine.dialect.name == "postgresql":
        find_deadlocks_at_once(engine)
    sessions = sessionmaker(engine)
    with sessions.begin() as session:
        session.add_all(ALL.user(id=key, locked=key == 7, active=True) for key in PEOPLE)
    with sessions.begin() as session:
        graph = ALL.graph(session)
        for reader in (3, 4):
            graph.mark_active(reader)
        for pair in ((1, 2), (2, 1), (3, 1), (4, 1), (5, 1), (6, 7), (8, 7), (11, 10)):
            graph.follow(*pair)
        graph.accept(7, 8)
        graph.unfollow(11, 10)
        graph.block(12, 9)
        graph.mute(1, 3)
        graph.dismiss(1, 5)
    with sessions.begin() as session:
        session.add_all(ALL.post(author_id=key, made_at=now()) for key in (1, 2, 3))
    fanout.work(sessions, ALL.user)


@contextmanager
def unchecked(engine: Engine) -> Iterator[Connection]:
    """Give a connection on which no foreign key is looked at, as a restored backup or an older SQLite wrote."""
    off, on = {
        "sqlite": ("PRAGMA foreign_keys = OFF", "PRAGMA foreign_keys = ON"),
        "postgresql": ("SET session_replication_role = replica", "SET session_replication_role = origin"),
        "mysql": ("SET foreign_key_checks = 0", "SET foreign_key_checks = 1"),
        "mariadb": ("SET foreign_key_checks = 0", "SET foreign_key_checks = 1"),
    }[engine.dialect.name]
    with engine.connect() as connection:
        connection.exec_driver_sql(off)
        yield connection
        connection.commit()
        connection.exec_driver_sql(on)
        connection.commit()


def row_of(table: Table, **values: Any) -> dict[str, Any]:
    """Return a row of *table* with these *values*, and something everywhere else where there must be something."""
    row = {}
    for column in table.columns:
        if column.name in values:
            row[column.name] = values[column.name]
        elif not column.nullable and column.name not in row:
            kind = getattr(column.type, "impl", column.type).python_type
            row[column.name] = {int: 1, bool: False, str: "follow", datetime: now()}[kind]
    return row


def put(connection: Connection, table: str, **values: Any) -> None:
    connection.execute(insert(TABLES[table]).values(row_of(TABLES[table], **values)))


# --- What is planted -----------------------------------------------------------------------------

Plant = Callable[[Connection], object]


@dataclass(frozen=True)
class Scene:
    """Something that is wrong, what is found of it, and what is left of that."""

    name: str
    plant: Plant
    #: By code word and table: the keys of the rows.
    found: Mapping[tuple[str, str], set[tuple[Any, ...]]]
    left: frozenset[str] = frozenset()
    #: What else is found, as it follows from that.
    beside: frozenset[str] = field(default_factory=frozenset)


UNTOLD = frozenset({"edge_without_history"})


def edge(a: int, b: int) -> Plant:
    return lambda connection: put(connection, "follows", follower_id=a, following_id=b, timestamp=now())


def request(a: int, b: int) -> Plant:
    return lambda connection: put(connection, "follow_requests", follower_id=a, following_id=b)


def told(a: int, b: int, kind: str) -> Plant:
    return lambda connection: put(
        connection, "follow_events", follower_id=a, following_id=b, kind=kind, id=new_id(), timestamp=now()
    )


def counted(user: int, **numbers: int) -> Plant:
    counts = TABLES["follow_counts"]
    return lambda connection: connection.execute(update(counts).where(counts.c.user_id == user).values(numbers))


def without(table: str, *conditions: Callable[[Table], Any]) -> Plant:
    rows = TABLES[table]
    return lambda connection: connection.execute(delete(rows).where(*(one(rows) for one in conditions)))


def entry(reader: int, author: int, post: int) -> Plant:
    return lambda connection: put(
        connection, "timeline_entries", reader_id=reader, author_id=author, post_id=post, timestamp=now()
    )


def myself(table: str) -> Plant:
    """Plant a tie of user 5 to themselves, which a CHECK refuses."""

    def plant(connection: Connection) -> None:
        rows, kind = TABLES[table], connection.dialect.name
        owner, other = rows.primary_key.columns
        name = f"ck_{table}_not_self"
        off, on = {
            "sqlite": ("PRAGMA ignore_check_constraints = ON", "PRAGMA ignore_check_constraints = OFF"),
            "postgresql": (
                f"ALTER TABLE {table} DROP CONSTRAINT {name}",
                f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({owner.name} != {other.name}) NOT VALID",
            ),
        }.get(kind, ("SET check_constraint_checks = 0", "SET check_constraint_checks = 1"))
        connection.exec_driver_sql(off)
        put(connection, table, **{owner.name: 5, other.name: 5})
        connection.exec_driver_sql(on)

    return plant


def orphan(table: str, **values: Any) -> Scene:
    """Return the scene of a row of somebody who is gone."""
    rows = TABLES[table]
    key = tuple(values.get(column.name) for column in rows.primary_key)
    return Scene(f"orphan of {table}", lambda connection: put(connection, table, **values), {("orphan", table): {key}})


EARLY = datetime(2001, 1, 1, tzinfo=UTC)

SCENES = [
    Scene("an edge beside a block", edge(9, 12), {("edge_beside_block", "follows"): {(9, 12)}}, beside=UNTOLD),
    Scene("an edge of who blocks", edge(12, 9), {("edge_beside_block", "follows"): {(12, 9)}}, beside=UNTOLD),
    Scene("a request beside a block", request(9, 12), {("request_beside_block", "follow_requests"): {(9, 12)}}),
    Scene("a request beside an edge", request(3, 1), {("request_beside_edge", "follow_requests"): {(3, 1)}}),
    Scene(
        "a follow of oneself",
        myself("follows"),
        {("self", "follows"): {(5, 5)}, ("wrong_count", "follow_counts"): {(5, 0)}},
        beside=UNTOLD,
    ),
    *(
        Scene(f"oneself in {table}", myself(table), {("self", table): {(5, 5)}})
        for table in ("follow_requests", "blocks", "mutes", "dismissed_suggestions")
    ),
    Scene(
        "an edge of nobody",
        edge(GONE, 10),
        {("orphan", "follows"): {(GONE, 10)}, ("wrong_count", "follow_counts"): {(10, 0)}},
        beside=UNTOLD,
    ),
    Scene("an edge to nobody", edge(12, GONE), {("orphan", "follows"): {(12, GONE)}}, beside=UNTOLD),
    orphan("follow_requests", follower_id=6, following_id=GONE),
    orphan("blocks", blocker_id=GONE, blocked_id=1),
    orphan("mutes", muter_id=1, muted_id=GONE),
    orphan("dismissed_suggestions", user_id=GONE, suggested_id=1),
    orphan("notifications", recipient_id=1, actor_id=GONE, kind="follow"),
    orphan("follow_counts", user_id=GONE, slot=0, followers=0, following=0),
    orphan("users_follow_guards", user_id=GONE),
    orphan("timeline_entries_readers", user_id=GONE),
    orphan("timeline_entries_senders", user_id=GONE),
    Scene(
        "an entry of nobody's timeline",
        entry(GONE, 1, 1),
        {("orphan", "timeline_entries"): {(GONE, 1)}, ("entry_of_unfollowed", "timeline_entries"): {(GONE, 1)}},
    ),
    Scene("a count that is too high", counted(1, followers=9), {("wrong_count", "follow_counts"): {(1, 0)}}),
    Scene("a count below zero", counted(1, followers=-1), {("count_below_zero", "follow_counts"): {(1, 0)}}),
    Scene(
        "an edge that went unseen",
        without("follows", lambda rows: rows.c.follower_id == 5),
        {("wrong_count", "follow_counts"): {(1, 0), (5, 0)}, ("history_without_edge", "follow_events"): {(5,)}},
        left=frozenset({"history_without_edge"}),
    ),
    Scene(
        "an edge that came unseen",
        edge(12, 11),
        {("edge_without_history", "follows"): {(12, 11)}, ("wrong_count", "follow_counts"): {(11, 0)}},
        left=UNTOLD,
    ),
    Scene(
        "an edge that came back unseen, as old as it may be",
        lambda connection: put(connection, "follows", follower_id=11, following_id=10, timestamp=EARLY),
        {
            ("edge_without_history", "follows"): {(11, 10)},
            ("wrong_count", "follow_counts"): {(10, 0), (11, 0)},
        },
        left=UNTOLD,
    ),
    Scene("history of nobody", told(GONE, 1, "unfollowed"), {("history_of_gone", "follow_events"): {(GONE,)}}),
    Scene("history about nobody", told(1, GONE, "followed"), {("history_of_gone", "follow_events"): {(1,)}}),
    Scene("an entry of a stranger", entry(3, 2, 2), {("entry_of_unfollowed", "timeline_entries"): {(3, 2)}}),
    Scene("an entry without a post", entry(3, 1, 77), {("entry_without_post", "timeline_entries"): {(3, 77)}}),
]


def keys_of(findings: Any) -> dict[tuple[str, str], set[tuple[Any, ...]]]:
    """Return the examples of *findings*, without what nobody can know of a key: its time and its number."""
    return {
        (one.what, one.where): {
            tuple(part for part in key if part is not None and not isinstance(part, datetime) and part < 2**32)
            if not any(isinstance(part, str) for part in key)
            else key
            for key in one.examples
        }
        for one in findings
    }


def test_nothing_is_found_where_nothing_is_wrong(engine: Engine) -> None:
    """After a bit of everything; also with many batches, and where repair() was asked for."""
    assert examine(engine, ALL.user) == ()
    live(engine)
    assert examine(engine, ALL.user) == ()
    assert examine(engine, ALL.user, batch=1) == ()
    treated = repair(engine, ALL.user)
    assert (treated.found, treated.left) == ((), ())


#: In every run SQLite has half of them, and each server a quarter.
SHARE = {
    "sqlite": {scene.name for scene in SCENES[::2]},
    "postgresql": {scene.name for scene in SCENES[1::4]},
    "mariadb": {scene.name for scene in SCENES[3::4]},
}


@on_engines("scene", {scene.name: scene for scene in SCENES}, lambda engine, name: name in SHARE[engine])
def test_what_is_planted_is_found_and_put_right(engine: Engine, scene: Scene) -> None:
    """Each kind by itself: it is found with its keys, goes if that is safe, and nothing else is touched."""
    live(engine)
    with unchecked(engine) as connection:
        scene.plant(connection)
    before = examine(engine, ALL.user)
    found = keys_of(before)
    assert {name: keys for name, keys in found.items() if name[0] not in scene.beside} == scene.found
    assert {what for what, _ in found} >= scene.beside
    assert all(one.how_many == len(one.examples) and one.fix.endswith(".") for one in before)
    assert keys_of(examine(engine, ALL.user, batch=1)) == found
    others = rows_but(engine, scene)
    treated = repair(engine, ALL.user)
    assert keys_of(treated.found) == found
    assert {one.what for one in treated.left} == scene.left
    assert {one.what for one in treated.found if not one.repairable} <= {*scene.left, *scene.beside}
    assert drift(engine, ALL.user).wrong == 0
    assert rows_but(engine, scene) == others


def rows_but(engine: Engine, scene: Scene) -> dict[str, set[Any]]:
    """Return the keys of all rows but those that are wrong in *scene*, of tables where nothing is written but that."""
    wrong = {table: keys for (_, table), keys in scene.found.items()}
    found = {}
    with engine.connect() as connection:
        for table in ("follows", "follow_requests", "blocks", "mutes", "dismissed_suggestions", "notifications"):
            keys = {tuple(row) for row in connection.execute(select(*TABLES[table].primary_key))}
            found[table] = keys - wrong.get(table, set())
    return found


def test_every_table_has_its_orphans_looked_for() -> None:
    """A new kind of row gets its scene: the tables are those whose rows go with their users."""
    planted = {table for scene in SCENES for what, table in scene.found if what == "orphan"}
    assert planted == {table.name for table in tables_of(schema_of(ALL.user))}


def test_every_fault_has_its_scene_and_its_line() -> None:
    """Each code word is planted above, and explained to operators."""
    page = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text()
    words = {fault.what for fault in faults_of(schema_of(ALL.user))}
    assert {what for scene in SCENES for what, _ in scene.found} == words
    assert {word for word in words if f"`{word}`" not in page} == set()


# --- What repair keeps ---------------------------------------------------------------------------


def test_a_block_remembers_what_was_beside_it(engine: Engine) -> None:
    """What it has cut before as well: nothing is lost to `unblock(restore=True)`."""
    live(engine)
    with Session(engine) as session:
        ALL.graph(session).follow(10, 11)
        ALL.graph(session).block(10, 11)
        session.commit()
    with unchecked(engine) as connection:
        edge(11, 10)(connection)
    assert repair(engine, ALL.user).left == ()
    with Session(engine) as session:
        assert not ALL.graph(session).is_following(11, 10)
        ALL.graph(session).unblock(10, 11, restore=True)
        session.commit()
        assert ALL.graph(session).is_following(11, 10)
        assert ALL.graph(session).is_following(10, 11)
    assert examine(engine, ALL.user) == ()


@pytest.mark.tables(None)
def test_keys_may_be_uuids(engine: Engine) -> None:
    """What goes in the order of keys goes in the database's own, whatever Python's is."""
    kinds = ("Follow", "FollowCount", "FollowRequest", "Block", "FollowEvent", "Notification")
    models = factory.declare(*kinds, key=Uuid(), flags=("locked", "active"))
    models.metadata.create_all(engine)
    keys = [uuid.UUID(int=number * 2**120 + 2**70 - number) for number in range(1, 31)]
    gone = uuid.UUID(int=5)
    with sessionmaker(engine).begin() as session:
        session.add_all(models.user(id=key, locked=False, active=True) for key in keys)
    with sessionmaker(engine).begin() as session:
        for other in keys[1:]:
            models.graph(session).follow(other, keys[0])
            models.graph(session).follow(keys[0], other)
        models.graph(session).block(keys[1], keys[2])
    assert examine(engine, models.user, batch=4) == ()
    with unchecked(engine) as connection:
        rows = [(keys[2], keys[1]), (gone, keys[0]), (keys[7], gone)]
        values = [{"follower_id": a, "following_id": b, "timestamp": now()} for a, b in rows]
        connection.execute(insert(models.follow.__table__), values)
    found = {one.what: set(one.examples) for one in examine(engine, models.user, batch=4)}
    assert found["edge_beside_block"] == {(keys[2], keys[1])}
    assert found["orphan"] == {(gone, keys[0]), (keys[7], gone)}
    assert repair(engine, models.user, batch=4).left == ()


def test_what_repair_ends_is_written_down(engine: Engine) -> None:
    """A follow of oneself goes as any other does: the history and the listeners know."""
    live(engine)
    with unchecked(engine) as connection:
        myself("follows")(connection)
    heard: list[Unfollowed] = []
    stop = listen(ALL.user, Unfollowed, heard.append)
    repair(engine, ALL.user)
    stop()
    assert [(one.follower_id, one.followed_id) for one in heard] == [(5, 5)]
    row = TABLES["follow_events"].c
    with engine.connect() as connection:
        kinds = connection.execute(select(row.kind).where(row.follower_id == 5, row.following_id == 5))
        assert list(kinds.scalars()) == ["unfollowed"]


def test_an_edge_that_went_unseen_twice_is_found_once(engine: Engine) -> None:
    """The last word about two users counts, and no earlier one."""
    live(engine)
    gone = without("follows", lambda rows: rows.c.follower_id == 5)
    for _ in range(2):
        with engine.begin() as connection:
            gone(connection)
        with Session(engine) as session:
            ALL.graph(session).follow(5, 1)
            session.commit()
    with engine.begin() as connection:
        gone(connection)
    (found,) = [one for one in examine(engine, ALL.user) if one.what == "history_without_edge"]
    assert (found.how_many, found.examples[0][0]) == (1, 5)


def test_what_is_not_wrong_any_more_is_left_alone(engine: Engine) -> None:
    """A block that has ended stands against nothing; nor does a request that was rejected."""
    live(engine)
    earlier = now() - timedelta(days=60)
    with engine.begin() as connection:
        put(connection, "blocks", blocker_id=1, blocked_id=2, timestamp=earlier, until=earlier + timedelta(days=1))
        put(connection, "follow_requests", follower_id=3, following_id=1, timestamp=earlier, rejected_at=earlier)
    assert examine(engine, ALL.user) == ()


def test_there_are_ten_examples_of_many(engine: Engine) -> None:
    """A finding says how many there are, and names a few: the first ones."""
    live(engine)
    with unchecked(engine) as connection:
        connection.execute(
            insert(TABLES["mutes"]),
            [row_of(TABLES["mutes"], muter_id=1 + key % 12, muted_id=1_000 + key) for key in range(150)],
        )
    (found,) = examine(engine, ALL.user, batch=5)
    assert (found.how_many, len(found.examples), found.examples[0]) == (150, 10, (1, 1_000))
    seen: list[tuple[str, str, int]] = []
    assert repair(engine, ALL.user, batch=5, progress=lambda *one: seen.append(one)).left == ()
    assert ("mutes", "orphan", 5) in seen


def test_edges_that_nobody_counted_are_counted_out_to_no_less_than_nothing(engine: Engine) -> None:
    """Many edges beside blocks, with counts that never knew of them."""
    live(engine)
    with Session(engine) as session:
        for other in (2, 3, 4, 5):
            ALL.graph(session).block(10, other)
        session.commit()
    with unchecked(engine) as connection:
        for other in (2, 3, 4, 5):
            edge(other, 10)(connection)
    assert repair(engine, ALL.user).left == ()
    with Session(engine) as session:
        assert ALL.graph(session).counts([10])[10] == Counts()


# --- After a storm -------------------------------------------------------------------------------


def storm(sessions: sessionmaker[Session], seed: int, steps: int) -> None:
    """Do some verbs about a few people, as they come."""
    chance = random.Random(seed)
    pairs = (
        "follow",
        "unfollow",
        "block",
        "unblock",
        "mute",
        "unmute",
        "dismiss",
        "accept",
        "reject",
        "remove_follower",
    )

    def step(session: Session) -> None:
        graph: Graph[Any] = ALL.graph(session)
        verb, (a, b) = chance.choice((*pairs, "follow", "follow")), chance.sample(PEOPLE[:8], 2)
        options = {"restore": chance.random() < 0.5} if verb == "unblock" else {}
        try:
            with session.begin_nested():
                getattr(graph, verb)(a, b, **options)
        except RetinueError:
            pass
        if chance.random() < 0.1:
            session.add(ALL.post(author_id=a, made_at=now()))

    for _ in range(steps):
        transact(sessions, step)


def test_nothing_is_found_after_a_storm(engine: Engine) -> None:
    """Sessions at once, with everything that verbs do, and users who leave: the tables agree."""
    live(engine)
    sessions = sessionmaker(engine)
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(storm, sessions, seed, 40) for seed in range(3)]:
            done.result(120)
    with sessions.begin() as session:
        session.delete(session.get_one(ALL.user, 2))
        session.execute(delete(ALL.user).where(ALL.user.id == 3))
    fanout.work(sessions, ALL.user)
    assert examine(engine, ALL.user) == ()


def test_history_that_has_expired_is_not_missed(engine: Engine) -> None:
    """Neither edges from before it was kept, nor those from before what is kept of it, lack anything."""
    kept = factory.declare(
        "Follow", "FollowEvent", settings=Settings(history_retention=timedelta(days=30)), prefix="k_"
    )
    kept.metadata.create_all(engine)

    def follow_unseen(a: int, b: int, ago: timedelta = timedelta()) -> None:
        with engine.begin() as connection:
            values = {"follower_id": a, "following_id": b, "timestamp": now() - ago}
            connection.execute(insert(kept.follow.__table__).values(values))

    with sessionmaker(engine).begin() as session:
        session.add_all(kept.user(id=key) for key in PEOPLE)
    follow_unseen(1, 2, timedelta(days=40))
    assert examine(engine, kept.user) == ()
    with sessionmaker(engine).begin() as session:
        kept.graph(session).follow(3, 4)
    assert examine(engine, kept.user) == ()
    follow_unseen(5, 6)
    (found,) = examine(engine, kept.user)
    assert (found.what, found.examples, found.repairable) == ("edge_without_history", ((5, 6),), False)
    kept.metadata.drop_all(engine)
