"""Rows in the place of objects: the same people, in the same order, by the same cursors, and nothing behind them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, ForeignKey, String, func, insert
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    column_property,
    composite,
    mapped_column,
    relationship,
    synonym,
)

from retinue import FollowerMixin, FollowMixin, Graph, MappingError, Only, Page, Settings, Sort
from retinue.testing import count_statements
from tests.models import MIXINS, declare, posts_that_end

NOW = datetime.now(UTC)

MODELS = declare(
    *MIXINS,
    settings=Settings(name="name", active="active"),
    flags=("active",),
    columns={"name": mapped_column(String(64)), "about": mapped_column(String(64), default="me")},
    posts=posts_that_end,
)
USER, POST = MODELS.user, MODELS.post
ADA, OTHERS = 1, range(2, 10)


@pytest.fixture
def people(engine: Engine) -> None:
    """Let everybody follow Ada and be followed, ask her, be blocked and muted by her, and post."""
    with engine.begin() as connection:
        connection.execute(insert(USER), [{"id": n, "name": f"name {n % 3}"} for n in (ADA, *OTHERS)])
    with Session(engine) as session, session.begin():
        graph = MODELS.graph(session)
        for other in OTHERS:
            graph.follow(other, ADA)
            graph.follow(ADA, other)
            session.add(POST(author_id=other, made_at=NOW - timedelta(minutes=other)))
        graph.block(ADA, 9)
        graph.mute(ADA, 8, until=NOW + timedelta(1))


READS: dict[str, Callable[..., Page[Any]]] = {
    "followers": lambda graph, **how: graph.followers(ADA, **how),
    "of a viewer": lambda graph, **how: graph.following(ADA, viewer=2, **how),
    "of the owner": lambda graph, **how: graph.following(ADA, viewer=ADA, **how),
    "by name": lambda graph, **how: graph.followers(ADA, sort=Sort.NAME, search="NAME", **how),
    "mutuals": lambda graph, **how: graph.mutuals(ADA, **how),
    "filtered": lambda graph, **how: graph.following(ADA, only=Only.MUTUAL, sort=Sort.OLDEST, **how),
    "known": lambda graph, **how: graph.followers_you_know(ADA, 2, **how),
    "blocks": lambda graph, **how: graph.blocks(ADA, **how),
    "mutes": lambda graph, **how: graph.mutes(ADA, **how),
    "notifications": lambda graph, **how: graph.notifications(ADA, **how),
}


@pytest.mark.tables(MODELS.metadata)
@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("name", READS)
def test_rows_are_what_the_objects_are(engine: Engine, name: str) -> None:
    """Page by page, on and back: the same but for the user, who is a row; in as many statements."""
    read = READS[name]
    with Session(engine) as session, Session(engine) as other:
        graph, rows = MODELS.graph(session), MODELS.graph(other)
        cursor = None
        while True:
            with count_statements(engine) as expected:
                page = read(graph, limit=3, cursor=cursor)
            with count_statements(engine) as counted:
                found = read(rows, limit=3, cursor=cursor, columns=(USER.name, USER.id))
            assert len(counted) == len(expected)
            assert [one.user for one in found] == [(one.user.name, one.user.id) for one in page]
            assert [one._replace(user=None) for one in found] == [one._replace(user=None) for one in page]
            assert (found.next, found.prev, found.hidden, found.total) == (
                page.next,
                page.prev,
                page.hidden,
                page.total,
            )
            if page.prev is not None:
                assert read(rows, limit=3, cursor=page.prev, columns=(USER.id,)).next is not None
            if page.next is None:
                break
            cursor = page.next
        assert not other.identity_map.keys()


@pytest.mark.tables(MODELS.metadata)
@pytest.mark.usefixtures("people")
def test_suggestions_and_posts_come_as_rows(engine: Engine) -> None:
    """A suggestion with those one knows; a post with its author."""
    with Session(engine) as session, session.begin():
        graph = MODELS.graph(session)
        graph.unfollow(2, ADA)
        graph.follow(2, 3)
    with Session(engine) as session:
        graph = MODELS.graph(session)
        (found, *_) = graph.suggestions(2, columns=(USER.name, USER.id))
        posts = graph.home_timeline(ADA, columns=(POST.id, USER.name, POST.author_id), limit=2)
        older = graph.home_timeline(ADA, columns=(POST.author_id,), limit=2, cursor=posts.next)
        assert not session.identity_map.keys()
        (same, *_) = graph.suggestions(2)
        assert found == same._replace(
            user=(same.user.name, same.user.id), known=tuple((one.name, one.id) for one in same.known)
        )
        assert found.known[0].id == 3
        shown = graph.home_timeline(ADA, limit=2)
        assert [tuple(row) for row in posts] == [(one.id, f"name {one.author_id % 3}", one.author_id) for one in shown]
        assert (posts.next, posts.prev) == (shown.next, shown.prev)
        assert [row.author_id for row in older] == [4, 5]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.tables(MODELS.metadata)
@pytest.mark.usefixtures("people")
def test_a_row_is_frozen_and_needs_no_session(engine: Engine) -> None:
    """It can go into a cache, and a page with it."""
    with Session(engine) as session:
        page = MODELS.graph(session).followers(ADA, columns=(USER.id, USER.name), limit=2)
    (person, _) = page
    assert person.user.name == f"name {person.user.id % 3}"
    assert person.user._mapping == {"id": person.user.id, "name": person.user.name}
    with pytest.raises(AttributeError):
        person.user.name = "another"
    with pytest.raises(AttributeError):
        person.user.about  # noqa: B018 - it was not asked for
    same = pickle.loads(pickle.dumps(page))
    assert (same, same.next, same.items[0].user.name) == (page, page.next, person.user.name)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.tables(MODELS.metadata)
@pytest.mark.usefixtures("people")
def test_what_is_no_attribute_of_the_class_is_refused(engine: Engine) -> None:
    """With a sentence, and before any statement."""
    wrong: list[Any] = [
        (),
        "name",
        ("name",),
        USER.name,
        (USER.followers,),
        (USER.name, USER.name),
        (MODELS.follow.timestamp,),
        (aliased(USER).name,),
        (func.lower(USER.name),),
        (POST.id,),
        7,
    ]
    with Session(engine) as session:
        graph: Graph[Any] = MODELS.graph(session)
        with count_statements(engine) as counted:
            for columns in wrong:
                for read in (graph.followers, graph.blocks, graph.notifications, graph.suggestions):
                    with pytest.raises(MappingError, match="columns="):
                        read(ADA, columns=columns)
            with pytest.raises(MappingError, match="id is there twice"):
                graph.home_timeline(ADA, columns=(POST.id, USER.id))
        assert not counted


class Base(DeclarativeBase):
    """The base of models that somebody else has thought of."""


class Name:
    """Two columns as one value."""

    def __init__(self, first: str, last: str) -> None:
        self.first, self.last = first, last


class Account(Base):
    """A table above that of the users."""

    __tablename__ = "accounts"
    number: Mapped[int] = mapped_column("account_no", primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    mail: Mapped[str] = mapped_column("e_mail", String(64))
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "account"}  # noqa: RUF012


class Member(FollowerMixin, Account):
    """A user over two tables, with columns of other names, expressions, and a collection that comes along, joined."""

    __tablename__ = "members"
    number: Mapped[int] = mapped_column("member_no", ForeignKey(Account.number), primary_key=True)
    first: Mapped[str] = mapped_column("first name", String(20))
    last: Mapped[str] = mapped_column(String(20))
    called = synonym("first")
    whole = composite(Name, "first", "last")
    pets: Mapped[list[Pet]] = relationship(lazy="joined")
    __mapper_args__ = {"polymorphic_identity": "member"}  # noqa: RUF012

    @hybrid_property
    def loud(self) -> str:
        """The name, as it is shouted."""
        return self.first.upper()

    @loud.inplace.expression
    @classmethod
    def _loud(cls) -> Any:
        return func.upper(cls.first)


Member.length = column_property(func.length(Member.first), deferred=True)


class Pet(Base):
    """Whoever belongs to a member."""

    __tablename__ = "pets"
    id: Mapped[int] = mapped_column(primary_key=True)
    member: Mapped[int] = mapped_column(ForeignKey(Member.number))


class Follow(FollowMixin, Base):
    """The edges."""

    __tablename__ = "member_follows"


@pytest.mark.tables(Base.metadata)
def test_columns_are_whatever_the_class_maps(engine: Engine) -> None:
    """Inherited ones, expressions, synonyms; by the names of the attributes, and each user once."""
    member: Any = Member
    with Session(engine) as session:
        session.add_all(
            Member(number=n, mail=f"{n}@x", first=f"n{n}", last="x", pets=[Pet(), Pet()]) for n in range(1, 5)
        )
        session.flush()
        graph = Graph(session, Member)
        for n in range(2, 5):
            graph.follow(n, 1)
        columns = (member.mail, member.first, member.called, member.loud, member.length, Account.kind)
        page = graph.followers(1, columns=columns, limit=2)
        assert [one.user.mail for one in page] == ["4@x", "3@x"]
        assert page.items[0].user._asdict() == {
            "mail": "4@x",
            "first": "n4",
            "called": "n4",
            "loud": "N4",
            "length": 2,
            "kind": "member",
        }
        assert [one.user.number for one in graph.followers(1, limit=2)] == [4, 3]
        for wrong in (member.pets, member.whole):
            with pytest.raises(MappingError, match="columns="):
                graph.followers(1, columns=(wrong,))
