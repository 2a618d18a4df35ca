"""Bulk statements where the user class inherits, or a foreign key of the application's takes users along."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, ForeignKey, Integer, String, delete, insert, inspect, select, update
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

from retinue import (
    BlockedError,
    BlockMixin,
    FollowCountMixin,
    FollowerMixin,
    FollowEventMixin,
    FollowMixin,
    FollowRequestMixin,
    Graph,
    NotWritableError,
)


def table_of(model: Any) -> Any:
    return model.__table__


def pair(follower: int, followed: int) -> dict[str, Any]:
    return {"follower_id": follower, "following_id": followed}


class Guarded(DeclarativeBase):
    """A graph whose user class inherits from another, and refers to a third."""


class Region(Guarded):
    __tablename__ = "regions"
    id = mapped_column(Integer, primary_key=True)
    part_of = mapped_column(ForeignKey("regions.id", ondelete="CASCADE"))


class Account(Guarded):
    __tablename__ = "accounts"
    number = mapped_column(Integer, primary_key=True)
    kind = mapped_column(String(10))
    mail = mapped_column(String(40))
    region_id = mapped_column(ForeignKey(Region.id, ondelete="CASCADE"))
    __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "account"}  # noqa: RUF012


class Member(FollowerMixin, Account):
    __tablename__ = "members"
    member_id = mapped_column(ForeignKey(Account.number, ondelete="CASCADE"), primary_key=True)
    nick = mapped_column(String(20))
    invited_by = mapped_column(ForeignKey("members.member_id", ondelete="CASCADE"))
    __mapper_args__ = {  # noqa: RUF012
        "polymorphic_identity": "member",
        "inherit_condition": member_id == Account.number,
    }


class MemberFollow(FollowMixin, Guarded):
    __tablename__ = "member_follows"


class MemberCount(FollowCountMixin, Guarded):
    __tablename__ = "member_counts"


class MemberEvent(FollowEventMixin, Guarded):
    __tablename__ = "member_events"


class MemberBlock(BlockMixin, Guarded):
    __tablename__ = "member_blocks"


class MemberRequest(FollowRequestMixin, Guarded):
    __tablename__ = "member_requests"


pytestmark = pytest.mark.tables(Guarded.metadata)


@pytest.fixture
def members(engine: Engine) -> Iterator[Session]:
    """Give a session with six members who all follow each other: 1 in a region, 2 in its part, 4 invited by 3."""
    Guarded.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Region(id=1), Region(id=2)])
        session.flush()
        session.add(Region(id=3, part_of=1))
        session.flush()
        regions, hosts = {1: 1, 2: 3}, {4: 3}
        for n in range(1, 7):
            session.add(
                Member(member_id=n, nick=f"m{n}", mail=f"{n}@x", region_id=regions.get(n), invited_by=hosts.get(n))
            )
            session.flush()
        graph = Graph(session, Member)
        for a in range(1, 7):
            for b in range(1, 7):
                if a != b:
                    graph.follow(a, b)
        session.commit()
        yield session
        session.commit()
        left = set(session.scalars(select(Member.member_id)))
        pairs = {(row.follower_id, row.following_id) for row in session.scalars(select(MemberFollow)).unique()}
        assert pairs <= {(a, b) for a in left for b in left}
        for user, counts in graph.counts(sorted(left)).items():
            assert counts.followers == sum(b == user for _, b in pairs)
            assert counts.following == sum(a == user for a, _ in pairs)


DEPARTURES: dict[str, tuple[Callable[[], Any], set[int]]] = {
    "own class": (lambda: delete(Member).where(Member.nick == "m5"), {5}),
    "own class, and who was invited": (lambda: delete(Member).where(Member.nick == "m3"), {3, 4}),
    "own table": (lambda: delete(table_of(Member)).where(table_of(Member).c.nick == "m3"), {3, 4}),
    "base class": (lambda: delete(Account).where(Account.mail == "6@x"), {6}),
    "base class, and who was invited": (lambda: delete(Account).where(Account.mail.in_(["3@x", "6@x"])), {3, 4, 6}),
    "base table": (lambda: delete(table_of(Account)).where(table_of(Account).c.mail == "6@x"), {6}),
    "region": (lambda: delete(Region).where(Region.id == 3), {2}),
    "region, and its parts": (lambda: delete(Region).where(Region.id == 1), {1, 2}),
    "nobody's region": (lambda: delete(Region).where(Region.id == 2), set()),
}


@pytest.mark.parametrize("what", DEPARTURES)
def test_users_who_go_along_leave_the_graph(members: Session, what: str) -> None:
    """A foreign key takes users along: they are counted out, as if they had been deleted themselves."""
    build, gone = DEPARTURES[what]
    loaded = members.scalars(select(MemberFollow)).unique().all()

    members.execute(build())

    members.expire_all()
    table = table_of(Member)
    assert set(members.scalars(select(table.c.member_id))) == {1, 2, 3, 4, 5, 6} - gone
    marks = select(MemberEvent.follower_id).where(MemberEvent.kind == "removed")
    assert set(members.scalars(marks)) == gone
    assert {row for row in loaded if row in members} == {row for row in loaded if not {*_key(row)} & gone}


def _key(row: Any) -> tuple[Any, ...]:
    identity: tuple[Any, ...] = inspect(row).identity
    return identity


def test_rows_of_verbs_are_refused(members: Session) -> None:
    """A block or request stands for more than its row; what is put into its table is the application's own affair."""
    for model, row in (
        (MemberBlock, {"blocker_id": 1, "blocked_id": 2}),
        (MemberRequest, {"follower_id": 1, "following_id": 2}),
    ):
        with pytest.raises(NotWritableError):
            members.execute(insert(model), [row])
        target: Any
        for target in (model, table_of(model)):
            with pytest.raises(NotWritableError):
                members.execute(update(target).values(**row))
        members.execute(insert(table_of(model)), [row])


def test_a_blocked_pair_is_refused_by_table_as_by_class(members: Session) -> None:
    """All rows of the statement go with it, and the session has its objects."""
    graph = Graph(members, Member)
    graph.block(1, 2)
    graph.unfollow(3, 4)
    target: Any
    for target in (MemberFollow, table_of(MemberFollow)):
        with pytest.raises(BlockedError):
            members.execute(insert(target), [pair(3, 4), pair(1, 2)])
        assert not graph.is_following(3, 4)


class Plain(DeclarativeBase):
    """A graph whose user class is one of two in one table."""


class Being(Plain):
    __tablename__ = "beings"
    id = mapped_column(Integer, primary_key=True)
    kind = mapped_column(String(10))
    __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "being"}  # noqa: RUF012


class Elf(FollowerMixin, Being):
    __mapper_args__ = {"polymorphic_identity": "elf"}  # noqa: RUF012


class ElfFollow(FollowMixin, Plain):
    __tablename__ = "elf_follows"


class ElfCount(FollowCountMixin, Plain):
    __tablename__ = "elf_counts"


def test_a_base_class_in_the_same_table(engine: Engine) -> None:
    """Who deletes beings deletes the elves among them."""
    Plain.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([*(Elf(id=n) for n in range(1, 5)), Being(id=5)])
        session.flush()
        graph = Graph(session, Elf)
        for a, b in ((1, 2), (2, 1), (3, 1), (1, 3), (4, 3)):
            graph.follow(a, b)

        assert session.execute(delete(Being).where(Being.id.in_([1, 5]))).rowcount == 2  # type: ignore[attr-defined]

        assert {n: (c.followers, c.following) for n, c in graph.counts([2, 3, 4]).items()} == {
            2: (0, 0),
            3: (1, 0),
            4: (0, 1),
        }


def flushed(session: Session, write: Callable[[Any], None], row: Any) -> None:
    """Write *row* in this way, and flush it."""
    write(row)
    session.flush()


#: What has consequences.
CHANGES: dict[str, Callable[[Session], object]] = {
    "delete users": lambda session: session.execute(delete(Member)),
    "delete follows": lambda session: session.execute(delete(MemberFollow)),
    "insert follows": lambda session: session.execute(insert(MemberFollow), [pair(1, 3)]),
    "delete a user": lambda session: flushed(session, session.delete, session.get_one(Member, 1)),
    "delete a follow": lambda session: flushed(session, session.delete, session.scalars(select(MemberFollow)).first()),
    "add a follow": lambda session: flushed(session, session.add, MemberFollow(**pair(1, 3))),
    "follow": lambda session: Graph(session, Member).follow(1, 3),
    "unfollow": lambda session: Graph(session, Member).unfollow(1, 2),
    "block": lambda session: Graph(session, Member).block(1, 2),
    "accept_all": lambda session: Graph(session, Member).accept_all(1),
    "expire": lambda session: Graph(session, Member).expire(),
}


@pytest.mark.parametrize("of_engine", [False, True], ids=["connection", "engine"])
@pytest.mark.parametrize("change", CHANGES)
def test_in_autocommit_whatever_has_consequences_is_refused(
    members: Session, engine: Engine, of_engine: bool, change: str
) -> None:
    """Nothing has changed then; questions are answered."""
    before = set(members.execute(select(MemberFollow.follower_id, MemberFollow.following_id)).all())
    members.commit()
    alone = engine.execution_options(isolation_level="AUTOCOMMIT") if of_engine else engine
    with Session(alone) as session:
        session.connection(execution_options={} if of_engine else {"isolation_level": "AUTOCOMMIT"})
        with pytest.raises(NotWritableError, match="AUTOCOMMIT"):
            CHANGES[change](session)
        session.rollback()
        assert len(session.scalars(select(Member.member_id)).all()) == 6
        assert set(session.execute(select(MemberFollow.follower_id, MemberFollow.following_id)).all()) == before
        assert Graph(session, Member).is_following(1, 2) == ((1, 2) in before)
