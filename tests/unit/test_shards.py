"""
What makes the graph fit for several servers: tables that name their owner, and statements that hold to it.

Nothing here runs a statement: they are built for each engine, and looked at.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Dialect,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    any_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    text,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from retinue import (
    BlockMixin,
    FollowCountMixin,
    FollowerMixin,
    FollowMixin,
    FollowRequestMixin,
    NotificationMixin,
    Settings,
)
from retinue.cursors import Way
from retinue.doctor import ties as doctor_of_ties
from retinue.effects.changes import KINDS
from retinue.engines.contract import EngineRules
from retinue.engines.mariadb import MariaDB
from retinue.engines.postgresql import PostgreSQL
from retinue.engines.sqlite import SQLite
from retinue.lists.columns import attributes_of
from retinue.lists.kinds import FOLLOWERS, FOLLOWING, KNOWN_FOLLOWERS, OWN
from retinue.lists.views import Look
from retinue.schema import Schema, schema_of
from retinue.testing import EXEMPT
from retinue.testing.auditor import faults_of
from retinue.ties import TIES, delete_edge
from retinue.values import Only, Sort
from retinue.verbs import follows
from retinue.verbs.before import before_block, before_follow, before_unfollow
from retinue.viewer import LISTS as LISTS_TOLD
from retinue.viewer import Admission, Audience
from retinue.work.building import OPTION
from tests import models
from tests.builders import BUILDERS
from tests.database.models_plain import Follow, FollowCount, UncountedUser, User
from tests.long import few_or_many

SQLITE: Dialect = sqlite.dialect()
POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
MARIADB: Dialect = mysql.dialect(is_mariadb=True)

ENGINES: dict[str, tuple[EngineRules, Dialect]] = {
    "sqlite": (SQLite(), SQLITE),
    "postgresql": (PostgreSQL(), POSTGRESQL),
    "mariadb": (MariaDB(), MARIADB),
}

LISTS = [FOLLOWERS, FOLLOWING, KNOWN_FOLLOWERS, *OWN.values()]

CHANGES = [follows.insert_edge, follows.insert_agreed_edge, delete_edge]

#: What is built for each kind of tie, and named after it.
NAMED_BY_TIE: dict[str, set[str]] = {
    "insert_tie": {f"insert_{tie.name}" for tie in TIES},
    "select_tie": {f"select_{tie.name}" for tie in TIES},
    "update_tie": {"change"},
    "delete_tie": {f"delete_{when}{tie.name}" for tie in TIES for when in ("", "pending_")},
    "delete_ended": {f"delete_ended_{tie.plural}" for tie in TIES if tie.ended is not None},
}

#: What is built only for engines that change several tables in one statement.
TOGETHER = ("change_with_effects", "ask_and_take_guards", "insert_at_once", "delete_at_once", "block_at_once")

LOOKS = [
    Look(searched=True, sort=Sort.NAME, only=Only.MUTUAL),
    Look(searched=True, sort=Sort.OLDEST, only=Only.NOT_FOLLOWED_BACK),
]

EVERYTHING = models.declare(
    *models.MIXINS,
    settings=Settings(active="active", max_follows_per_day=1, request_expiry=timedelta(1)),
    flags=tuple(models.FLAGS),
    posts=models.posts_that_end,
)
WHOLE = schema_of(EVERYTHING.user)


def forms_of(schema: Schema, name: str, rules: EngineRules) -> Iterator[Callable[[], Any]]:
    """Yield what builds a statement of the library, in each of its forms."""
    tables = [schema.table(mixin) for mixin in (FollowMixin, BlockMixin, NotificationMixin) if mixin in schema.models]
    choices: dict[str, list[Any]] = {
        "engine": [rules],
        "way": [None, *Way],
        "attributes": [None, attributes_of((EVERYTHING.user.id,), EVERYTHING.user)],
        "audience": list(Audience),
        "lists": [LISTS_TOLD],
        "people": [people for people in LISTS if people.tie.is_declared(schema)],
        "look": [None, *LOOKS],
        "admission": [Admission(audience, lists) for audience in Audience for lists in (None, LISTS_TOLD)],
        "table": tables,
        "key": [schema.key],
        "tie": [tie for tie in TIES if tie.is_declared(schema) and (name != "delete_ended" or tie.ended is not None)],
        "name": ["change"],
        "columns": [("timestamp",)],
        "cleared": [()],
        "which": [*dict.fromkeys((None, *(which for tie in TIES for which in (tie.counts, tie.ended))))],
        "ties": [TIES],
        "locking": [True, False],
        "unread": [True, False],
        "first": [True, False],
        "started": [True, False],
        "slots": [1, 10],
        "event": list(KINDS),
        "ascending": [True, False],
        "edges": [1, -1],
        "kind": list(KINDS.values()),
        "build": CHANGES,
        "notice": [notice for kind in KINDS.values() for notice in kind.notices],
        "followers": [True, False],
        "less": [True, False],
        # Nothing is ever deleted for what is wrong with the history.
        "fault": [
            fault
            for fault in doctor_of_ties.faults_of(schema)
            if name != "delete_wrong" or not fault.what.startswith("history_")
        ],
        "ask": [before_follow, before_unfollow, before_block],
    }
    if name in TOGETHER and not rules.modifying_ctes:
        return
    parameters = list(inspect.signature(inspect.unwrap(BUILDERS[name])).parameters.values())[1:]
    parameters = [one for one in parameters if one.kind is not one.VAR_POSITIONAL]
    for arguments in itertools.product(*(choices[parameter.name] for parameter in parameters)):
        if not {FOLLOWERS, FOLLOWING}.intersection(arguments) and set(LOOKS).intersection(arguments):
            continue  # nobody looks at others but as they are
        given = dict(zip((one.name for one in parameters), arguments, strict=True))
        if given.get("which") is not None and given["which"] not in (given["tie"].counts, given["tie"].ended):
            continue  # each condition is about rows of its own kind
        named = {p.name: value for p, value in zip(parameters, arguments, strict=True) if p.kind is p.KEYWORD_ONLY}
        more = [rules] if arguments[-1:] in ((follows.insert_edge,), (follows.insert_agreed_edge,)) else []
        yield partial(BUILDERS[name], schema, *arguments[: len(arguments) - len(named)], *more, **named)


# --- The library's own statements ----------------------------------------------------------------


@few_or_many("step", 15, 1)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", BUILDERS)
def test_every_statement_holds_to_an_owner_or_says_why_not(name: str, engine: str, step: int) -> None:
    """
    Each is shard-safe in all its forms, or on the list of exceptions and really one.

    Of a statement with many forms, the engines share them out: each is tried on one; in a long run, on each.
    """
    rules, dialect = ENGINES[engine]
    forms = list(forms_of(WHOLE, name, rules))
    if len(forms) > 2 * len(ENGINES):
        forms = forms[[*ENGINES].index(engine) % step :: step]

    for build in forms:
        statement = build()
        called = statement.get_execution_options()[OPTION]
        named_else = {
            "page_of": {f"{kind.name}{more}" for kind in LISTS for more in ("", "_viewed")},
            "change_with_effects": {f.__name__ for f in CHANGES},
            "insert_at_once": {"insert_edge"},
            "insert_change": {"insert_history"},
            "delete_at_once": {"delete_edge"},
            "block_at_once": {"insert_block"},
            "notify": {"notify_read"},
            **NAMED_BY_TIE,
        }
        assert called == name or called in named_else.get(name, ())
        assert bool(faults_of(statement.compile(dialect=dialect))) == (called in EXEMPT), str(statement)


@pytest.mark.parametrize("engine", ENGINES)
def test_counting_edges_holds_to_their_owner_as_well(engine: str) -> None:
    """Where no count rows are declared, `counts()` reads edges, of the users asked for."""
    rules, dialect = ENGINES[engine]

    (build,) = forms_of(schema_of(UncountedUser), "counts_of_edges", rules)

    assert faults_of(build().compile(dialect=dialect)) == []


def test_the_list_of_exceptions_is_not_stale() -> None:
    """It names statements that exist, each with a reason; those that are built elsewhere run in test_auditor.py."""
    elsewhere = {"doomed_users", *(name for name in EXEMPT if name.startswith("import_"))}
    assert EXEMPT.keys() - BUILDERS.keys() - NAMED_BY_TIE["delete_ended"] == elsewhere
    kinds = ("deletion of users: ", "dumps: ", "sweeping up: ", "erasure: ", "answers: ")
    assert all(reason.startswith(kinds) for reason in EXEMPT.values())


# --- Planted ones --------------------------------------------------------------------------------

edge: Any = Follow.__table__
count: Any = FollowCount.__table__
users: Any = User.__table__
by_target = schema_of(User).edges_by_target
me = bindparam("me", type_=Integer)
many: Any = bindparam("many", expanding=True)
other = edge.alias("other")
renamed = by_target.alias("renamed")
mine = select(edge.c.following_id).where(edge.c.follower_id == me)
page = mine.order_by(edge.c.timestamp).limit(20).subquery()
key = select(edge.c.follower_id.label("who")).where(edge.c.follower_id == me).limit(1).subquery()
not_owner = "follows is not held to an owner by follower_id"

BAD: dict[str, tuple[Any, str]] = {
    "no condition": (select(edge.c.timestamp), not_owner),
    "a condition on something else": (select(edge).where(edge.c.timestamp > bindparam("at")), not_owner),
    "the reverse key of the table itself": (select(edge).where(edge.c.following_id == me), not_owner),
    "the reverse key of another alias": (select(other).where(other.c.following_id == me), not_owner),
    "by_target without a key": (select(by_target), "follows is not held to an owner by follower_id or following_id"),
    "another alias is held": (select(edge, other.c.timestamp).where(edge.c.follower_id == me), not_owner),
    "either of two": (select(edge).where(or_(edge.c.follower_id == me, edge.c.following_id == me)), not_owner),
    "not": (select(edge).where(not_(edge.c.follower_id == me)), not_owner),
    "not in": (select(edge).where(edge.c.follower_id.not_in(many)), not_owner),
    "a range": (select(edge).where(edge.c.follower_id > me), not_owner),
    "an expression of the key": (select(edge).where(edge.c.follower_id + 1 == me), not_owner),
    "equal to a column that nothing holds": (
        select(edge).where(edge.c.follower_id == users.c.id, users.c.username == bindparam("name")),
        not_owner,
    ),
    "equal to a subquery": (select(edge).where(edge.c.follower_id == mine.scalar_subquery()), not_owner),
    "equal to a text": (select(edge).where(edge.c.follower_id == text("42")), not_owner),
    "pairs": (select(edge).where(tuple_(edge.c.follower_id, edge.c.following_id).in_(many)), not_owner),
    "in a union": (union_all(mine, select(edge.c.following_id)), not_owner),
    "in a subquery of FROM": (select(select(edge.c.following_id).limit(20).subquery()), not_owner),
    "in a CTE": (select(select(edge.c.following_id).cte("c")), not_owner),
    "in EXISTS": (select(users).where(users.c.id == me, exists().where(edge.c.following_id == users.c.id)), not_owner),
    "in a scalar subquery": (
        select(users.c.id, select(func.count()).select_from(edge).scalar_subquery()).where(users.c.id == me),
        not_owner,
    ),
    "in IN": (select(users).where(users.c.id.in_(select(edge.c.following_id))), not_owner),
    "a subquery does not hold the same table outside": (
        select(edge).join(page, page.c.following_id == edge.c.following_id),
        not_owner,
    ),
    "the optional side of an outer join holds nothing": (
        select(edge).outerjoin(other, (other.c.follower_id == me) & (edge.c.follower_id == me)),
        not_owner,
    ),
    "update": (update(edge).where(edge.c.following_id == me).values(timestamp=bindparam("at")), not_owner),
    "update by another table": (
        update(count).where(count.c.user_id == users.c.id).values(followers=0),
        "follow_counts is not held to an owner by user_id",
    ),
    "update from an unheld subquery": (
        update(count)
        .where(count.c.user_id == me)
        .values(followers=select(func.count()).select_from(edge).scalar_subquery()),
        not_owner,
    ),
    "delete": (delete(edge).where(edge.c.following_id.in_(many)), not_owner),
    "delete all": (delete(count), "follow_counts is not held to an owner by user_id"),
    "insert from select": (
        insert(count).from_select(
            ["user_id", "slot"], select(edge.c.following_id, literal(0)).where(edge.c.follower_id == me)
        ),
        "what is inserted into follow_counts is not held to an owner by user_id",
    ),
    "insert an expression": (
        insert(edge).values(follower_id=func.random(), following_id=me),
        "what is inserted into follows is not held to an owner by follower_id",
    ),
    "lock several owners": (
        select(count).where(count.c.user_id.in_(many)).with_for_update(),
        "the lock on follow_counts takes several owners by user_id",
    ),
    "share several owners": (
        select(count)
        .where(count.c.user_id == any_(bindparam("many", type_=ARRAY(Integer))))
        .with_for_update(read=True),
        "the lock on follow_counts takes several owners by user_id",
    ),
    "lock the owners in a subquery": (
        select(count).where(count.c.user_id.in_(mine)).with_for_update(),
        "the lock on follow_counts takes several owners by user_id",
    ),
    "lock inside a subquery": (
        select(func.count()).select_from(select(edge).where(edge.c.follower_id.in_(many)).with_for_update().subquery()),
        "the lock on follows takes several owners by follower_id",
    ),
    "lock a joined owner": (
        select(count)
        .join(edge, edge.c.following_id == count.c.user_id)
        .where(edge.c.follower_id == me)
        .with_for_update(),
        "follow_counts is not held to an owner by user_id",
    ),
    "text": (text("SELECT * FROM follows"), "came as text"),
    "a table that is text": (select(text("follower_id")).select_from(text("follows")), "came as text"),
}

GOOD: dict[str, Any] = {
    "equality": mine,
    "equality the other way round": select(edge).where(me == edge.c.follower_id),
    "in": select(edge).where(edge.c.follower_id.in_(many)),
    "in a list": select(edge).where(edge.c.follower_id.in_([1, 2, 3])),
    "any": select(edge).where(edge.c.follower_id == any_(bindparam("many", type_=ARRAY(Integer)))),
    "in a subquery that is held": select(count).where(count.c.user_id.in_(mine)),
    "by_target": select(by_target).where(by_target.c.following_id == me),
    "by_target under another name": select(renamed).where(renamed.c.following_id == me),
    "by_target by its own key": select(by_target).where(by_target.c.follower_id == me),
    "equal to a held column": select(count).join(edge, edge.c.follower_id == count.c.user_id).where(edge.c.follower_id == me),
    "equal to a column that is held elsewhere": select(other, edge).where(
        other.c.follower_id == edge.c.follower_id, edge.c.follower_id == users.c.id, users.c.id.in_(many)
    ),
    "outer join to a held column": select(users.c.id, count).outerjoin(count, count.c.user_id == users.c.id).where(users.c.id == me),
    "outer join held by itself": select(users).outerjoin(edge, (edge.c.follower_id == me) & (edge.c.following_id == users.c.id)),
    "correlated": select(users).where(users.c.id == me, exists().where(edge.c.follower_id == users.c.id)),
    "a page, and who is on it": select(page, edge.c.timestamp).join(edge, edge.c.follower_id == page.c.following_id).where(edge.c.follower_id == me),
    "a key that a subquery returns": select(count).join(key, key.c.who == count.c.user_id),
    "insert": insert(edge).values(follower_id=me, following_id=bindparam("you")),
    "insert what is given on execution": insert(edge),
    "insert from select of a held key": insert(count).from_select(
        ["user_id", "slot"], select(edge.c.follower_id, literal(0)).where(edge.c.follower_id == me)
    ),
    "update": update(count).where(count.c.user_id == me).values(followers=count.c.followers + 1),
    "lock one owner": select(count).where(count.c.user_id == me).with_for_update(),
    "lock one of a list as well": select(count).where(count.c.user_id.in_(many), count.c.user_id == me).with_for_update(),
    "nothing of the library": select(users),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_a_planted_bad_statement_turns_the_auditor_red(kind: str) -> None:
    """Each way of not holding to an owner is found, and the sentence names the table and the column."""
    statement, fault = BAD[kind]

    (found,) = faults_of(statement.compile(dialect=POSTGRESQL))

    assert fault in found


@pytest.mark.parametrize("kind", GOOD)
def test_the_auditor_does_not_cry_wolf(kind: str) -> None:
    """What holds to an owner passes, whatever it looks like."""
    assert faults_of(GOOD[kind].compile(dialect=POSTGRESQL)) == []


# --- The tables ----------------------------------------------------------------------------------

Declare = Callable[[], tuple[Table, Table]]

LONG = "a_table_name_so_long_that_nothing_could_be_put_before_or_after_it"[:63]


def declare(
    follow_args: Any = None,
    count_args: Any = None,
    metadata: MetaData | None = None,
    names: tuple[str, str, str] = ("users", "follows", "follow_counts"),
) -> tuple[Table, Table]:
    """Declare models whose tables have these names and arguments; return the tables."""

    class Base(DeclarativeBase):
        pass

    if metadata is not None:
        Base.metadata = metadata

    class Someone(FollowerMixin, Base):
        __tablename__ = names[0]
        id: Mapped[int] = mapped_column(primary_key=True)

    class Edge(FollowMixin, Base):
        __tablename__ = names[1]
        note: Mapped[str | None] = mapped_column(String(20))
        if follow_args is not None:
            __table_args__ = follow_args

    class Count(FollowCountMixin, Base):
        __tablename__ = names[2]
        if count_args is not None:
            __table_args__ = count_args

    Base.registry.configure()
    assert isinstance(Edge.__table__, Table)
    assert isinstance(Count.__table__, Table)
    return Edge.__table__, Count.__table__


CONVENTION = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

DECLARED: dict[str, Declare] = {
    "plain": declare,
    "a dict of arguments": lambda: declare({"comment": "edges"}, {"comment": "counts"}),
    "a tuple of arguments": lambda: declare(
        (CheckConstraint("note <> ''", name="note_said"),), (CheckConstraint("slot >= 0", name="slot_sane"), {"comment": "counts"})
    ),
    "a tuple that ends in a dict": lambda: declare((CheckConstraint("note <> ''", name="note_said"), {"comment": "edges"})),
    "a schema": lambda: declare(metadata=MetaData(schema="social")),
    "a schema of their own": lambda: declare({"schema": "social"}, {"schema": "social"}),
    "a naming convention": lambda: declare(metadata=MetaData(naming_convention=CONVENTION)),
    "long names": lambda: declare(names=(f"u{LONG}"[:63], f"f{LONG}"[:63], f"c{LONG}"[:63])),
    "long names and a convention": lambda: declare(
        metadata=MetaData(naming_convention=CONVENTION), names=(f"u{LONG}"[:63], f"f{LONG}"[:63], f"c{LONG}"[:63])
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", DECLARED)
def test_every_key_contains_the_owner(how: str) -> None:
    """A table can be spread over servers by its owner: no key and no unique constraint leaves it out."""
    for table in DECLARED[how]():
        owner = table.info["shard_key"]
        keys: list[Any] = [table.primary_key, *(c for c in table.constraints if isinstance(c, UniqueConstraint))]
        keys += [index for index in table.indexes if index.unique]

        assert next(iter(table.primary_key.columns)).name == owner
        assert all(owner in {column.name for column in key.columns} for key in keys)
        assert not table.c[owner].autoincrement


@pytest.mark.parametrize("how", DECLARED)
def test_constraints_and_indexes_survive_the_applications_own(how: str) -> None:
    """Whatever the application says about its table, what the mixin promises is there."""
    follows, counts = DECLARED[how]()

    assert follows.info == {"shard_key": "follower_id", "reverse_key": "following_id"}
    assert counts.info == {"shard_key": "user_id"}
    assert {tuple(c.name for c in index.columns) for index in follows.indexes} == {
        ("follower_id", "timestamp", "following_id"),
        ("following_id", "timestamp", "follower_id"),
    }
    checks = [str(c.sqltext) for c in follows.constraints if isinstance(c, CheckConstraint)]
    assert any("follower_id !=" in check for check in checks)
    for table, owners in ((follows, ["follower_id", "following_id"]), (counts, ["user_id"])):
        cascades = {key.column_keys[0]: key.ondelete for key in table.foreign_key_constraints}
        assert cascades == dict.fromkeys(owners, "CASCADE")
    if "arguments" in how or "tuple" in how:
        assert follows.comment == "edges" or any("note <>" in check for check in checks)


@pytest.mark.parametrize("how", DECLARED)
def test_names_derive_from_the_table_and_fit_every_engine(how: str) -> None:
    """Two graphs can share a database: names are theirs, differ, and have at most 63 characters."""
    follows, counts = DECLARED[how]()
    format_ = POSTGRESQL.identifier_preparer

    for table in (follows, counts):
        checks = [c for c in table.constraints if isinstance(c, CheckConstraint)]
        constraints = [*table.foreign_key_constraints, *(c for c in checks if "follower_id !=" in str(c.sqltext))]
        names = [format_.format_constraint(constraint) for constraint in constraints]
        names += [format_.format_index(index) for index in table.indexes]
        assert len(set(names)) == len(names)
        assert all(name and len(name) <= 63 and table.name[:40] in name for name in names)


def test_the_table_of_guards_has_a_name_that_fits() -> None:
    """However long the name of the users' table is; and it is one table, whoever needs it first."""

    class Base(DeclarativeBase):
        pass

    class Someone(FollowerMixin, Base):
        __tablename__ = LONG[:60]
        id: Mapped[int] = mapped_column(primary_key=True)

    class Edge(FollowMixin, Base):
        __tablename__ = "edges"

    class Barrier(BlockMixin, Base):
        __tablename__ = "barriers"

    class Wish(FollowRequestMixin, Base):
        __tablename__ = "wishes"

    guards = schema_of(Someone).guards
    assert guards is not None
    assert len(guards.name) <= 63
    assert set(Base.metadata.tables) == {LONG[:60], "edges", "barriers", "wishes", guards.name}


def test_two_graphs_beside_each_other_share_no_name() -> None:
    """What SQLite and PostgreSQL keep in one namespace for all tables does not clash."""
    names = []
    for table in (*declare(), *declare(names=("people", "contacts", "contact_counts"))):
        names += [index.name for index in table.indexes]

    assert len(set(names)) == len(names) == 4


def test_a_key_of_the_applications_own_is_refused() -> None:
    """A further column in the primary key would allow two edges of one pair."""

    class Base(DeclarativeBase):
        pass

    def broken() -> None:
        class Someone(FollowerMixin, Base):
            __tablename__ = "users"
            id: Mapped[int] = mapped_column(primary_key=True)

        class Edge(FollowMixin, Base):
            __tablename__ = "follows"
            kind: Mapped[str] = mapped_column(String(20), primary_key=True)

    with pytest.raises(TypeError, match="Edge needs the primary key"):
        broken()
    Base.registry.dispose()


def test_columns_of_the_applications_own_are_left_alone() -> None:
    """A column beside the library's is a column like any other."""
    follows, _ = declare()

    assert isinstance(follows.c.note, Column)
    assert follows.c.note.nullable
