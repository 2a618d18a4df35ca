"""
`Graph.visible_to()` in statements of every shape: it is about the users that a statement has, or the statement is refused.

It never adds users of its own, each of whom would then stand beside every row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, String, case, exists, func, literal, select, update
from sqlalchemy.exc import CompileError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    contains_eager,
    joinedload,
    mapped_column,
    relationship,
    selectinload,
    with_loader_criteria,
    with_polymorphic,
)
from sqlalchemy.schema import ForeignKey

from retinue import ALL, BlockMixin, FollowerMixin, FollowMixin, Graph, MappingError, Settings


class Base(DeclarativeBase):
    pass


class User(FollowerMixin, Base):
    __tablename__ = "users"
    __retinue__ = Settings(active="active")
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "user"}  # noqa: RUF012 - as SQLAlchemy has it
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(9))
    active: Mapped[bool] = mapped_column(default=True)
    letters: Mapped[list[Letter]] = relationship(back_populates="author")


class Editor(User):
    """Somebody with a row of their own."""

    __tablename__ = "editors"
    __mapper_args__ = {"polymorphic_identity": "editor"}  # noqa: RUF012
    id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)


class Guest(User):
    """Somebody without."""

    __mapper_args__ = {"polymorphic_identity": "guest"}  # noqa: RUF012


class Letter(Base):
    __tablename__ = "letters"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    author: Mapped[User | None] = relationship(back_populates="letters")


class Follow(FollowMixin, Base):
    __tablename__ = "follows"


class Block(BlockMixin, Base):
    __tablename__ = "blocks"


#: Who is what; each has written as many letters as their number says, less than three.
KINDS: dict[int, type[User]] = {1: User, 2: User, 3: User, 4: Editor, 5: Guest, 6: Editor, 7: Editor, 8: Guest}
LETTERS = {user: user % 3 for user in KINDS}
#: 2 blocks the viewer, 1; who blocks 7; 8 blocks 1, too; 6 is away.
VISIBLE = {1, 3, 4, 5}

pytestmark = pytest.mark.tables(Base.metadata)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """Give a session on the eight."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(kind(id=user, active=user != 6) for user, kind in KINDS.items())
        session.flush()
        session.add_all(Letter(author_id=user) for user, number in LETTERS.items() for _ in range(number))
        graph = Graph(session, User)
        for blocker, blocked in ((2, 1), (1, 7), (8, 1)):
            graph.block(blocker, blocked)
        session.commit()
        yield session


Build = Callable[[Callable[..., Any]], Any]

_ALIAS = aliased(User)
_NESTED = aliased(User, select(User).where(User.id < 6).subquery())
_EVERY = with_polymorphic(User, "*")
_EVERY_ALIAS = with_polymorphic(User, "*", aliased=True)
_FLAT = aliased(Editor, flat=True)
_DEEP = aliased(Editor)
_GUEST = aliased(Guest)

#: Selects of users by their keys, and whom they find of those who are visible.
USERS: dict[str, tuple[Build, set[int]]] = {
    "the class": (lambda seen: select(User.id).where(seen()), VISIBLE),
    "an alias": (lambda seen: select(_ALIAS.id).where(seen(_ALIAS)), VISIBLE),
    "an alias of a subquery": (lambda seen: select(_NESTED.id).where(seen(_NESTED)), VISIBLE),
    "every table": (lambda seen: select(_EVERY.id).where(seen(_EVERY)), VISIBLE),
    "every table, aliased": (lambda seen: select(_EVERY_ALIAS.id).where(seen(_EVERY_ALIAS)), VISIBLE),
    "joined below": (lambda seen: select(Editor.id).select_from(Editor).where(seen(Editor)), {4}),
    "joined below, by the class": (lambda seen: select(Editor.id).where(seen()), {4}),
    "joined below, aliased": (lambda seen: select(_DEEP.id).where(seen(_DEEP)), {4}),
    "joined below, aliased flat": (lambda seen: select(_FLAT.id).where(seen(_FLAT)), {4}),
    "of the same table": (lambda seen: select(Guest.id).where(seen(Guest)), {5}),
    "of the same table, by the class": (lambda seen: select(Guest.id).where(seen()), {5}),
    "of the same table, aliased": (lambda seen: select(_GUEST.id).where(seen(_GUEST)), {5}),
    "the other way round": (lambda seen: select(User.id).where(~seen()), set(KINDS) - VISIBLE),
    "by criteria of a loader": (lambda seen: select(User.id).options(with_loader_criteria(User, seen())), VISIBLE),
    "by criteria for an alias": (
        lambda seen: select(_ALIAS.id).options(with_loader_criteria(User, seen(), include_aliases=True)),
        VISIBLE,
    ),
    "within a case": (lambda seen: select(case((seen(), User.id), else_=1)).select_from(User), VISIBLE),
    "beside an alias": (
        lambda seen: select(User.id).join(_ALIAS, _ALIAS.id == User.id).where(seen()),
        VISIBLE,
    ),
    "in a common table": (lambda seen: select(select(User.id).where(seen()).cte().c.id), VISIBLE),
    "in a subquery about them": (
        lambda seen: select(User.id).where(exists().where(Letter.author_id == User.id, seen())),
        {1, 4, 5},
    ),
    "two subqueries deep": (
        lambda seen: select(User.id).where(
            exists(
                select(Letter.id)
                .where(Letter.author_id == User.id)
                .where(exists(select(literal(1)).where(Letter.id > 0, seen()).correlate(Letter, User)))
            )
        ),
        {1, 4, 5},
    ),
}

#: Selects of letters by their authors.
OF_LETTERS: dict[str, Build] = {
    "joined": lambda seen: select(Letter).join(Letter.author).where(seen()),
    "joined and loaded": lambda seen: (
        select(Letter).join(Letter.author).options(joinedload(Letter.author)).where(seen())
    ),
    "joined and contained": lambda seen: (
        select(Letter).join(Letter.author).options(contains_eager(Letter.author)).where(seen())
    ),
    "joined to an alias": lambda seen: select(Letter).join(Letter.author.of_type(_ALIAS)).where(seen(_ALIAS)),
    "an alias that is contained": lambda seen: (
        select(Letter)
        .join(Letter.author.of_type(_ALIAS))
        .options(contains_eager(Letter.author.of_type(_ALIAS)))
        .where(seen(_ALIAS))
    ),
    "joined on it": lambda seen: select(Letter).join(Letter.author.and_(seen())),
    "joined to an alias on it": lambda seen: select(Letter).join(Letter.author.of_type(_ALIAS).and_(seen())),
    "has": lambda seen: select(Letter).where(Letter.author.has(seen())),
    "loaded in a select of its own": lambda seen: (
        select(Letter).options(selectinload(Letter.author)).where(Letter.author.has(seen()))
    ),
}

#: Statements that have no users, or none of the class itself.
REFUSED: dict[str, Build] = {
    "letters alone": lambda seen: select(Letter).where(seen()),
    "letters, their authors loaded": lambda seen: select(Letter).options(joinedload(Letter.author)).where(seen()),
    "letters of an alias": lambda seen: select(Letter).join(Letter.author.of_type(_ALIAS)).where(seen()),
    "an alias": lambda seen: select(_ALIAS).where(seen()),
    "another alias": lambda seen: select(User).where(seen(_ALIAS)),
    "a number of nobody": lambda seen: select(func.count()).where(seen()),
    "all tables under another name": lambda seen: select(_EVERY_ALIAS).where(seen()),
    "a subquery about an alias": lambda seen: select(_ALIAS).where(
        exists().where(Letter.author_id == _ALIAS.id, seen())
    ),
}


def sees(session: Session, viewer: int | None = 1) -> Callable[..., Any]:
    """Return what makes the condition, for an entity."""
    return lambda entity=None: Graph(session, User).visible_to(viewer, entity)


@pytest.mark.parametrize("shape", USERS)
def test_users_are_found_in_any_shape(session: Session, shape: str) -> None:
    """Those who are visible, each once."""
    build, expected = USERS[shape]
    found = sorted(session.scalars(build(sees(session))))
    if shape == "within a case":
        found = sorted(set(found))

    assert found == sorted(expected)


@pytest.mark.parametrize("shape", OF_LETTERS)
def test_letters_come_once_and_of_nobody_across_a_block(session: Session, shape: str) -> None:
    """Whatever else the statement loads."""
    found = session.scalars(OF_LETTERS[shape](sees(session))).all()

    assert sorted(letter.author_id for letter in found) == sorted(u for u in VISIBLE for _ in range(LETTERS[u]))


@pytest.mark.parametrize("viewer", [1, None])
@pytest.mark.parametrize("shape", REFUSED)
def test_users_are_never_added(session: Session, shape: str, viewer: int | None) -> None:
    """A statement without them is refused, and the session goes on."""
    with pytest.raises(CompileError, match=r"visible_to\(\) is about"):
        session.execute(REFUSED[shape](sees(session, viewer)))
    assert session.scalars(select(func.count(User.id))).one() == len(KINDS)


def test_relationships_load_who_is_visible(session: Session) -> None:
    """By a condition on the relationship, whichever way it is loaded."""
    seen = sees(session)()
    # Used before: a condition may be in several statements.
    assert set(session.scalars(select(User.id).where(seen))) == VISIBLE
    for load in (joinedload, selectinload):
        session.expunge_all()
        letters = session.scalars(select(Letter).options(load(Letter.author.and_(seen)))).all()
        assert {letter.author.id for letter in letters if letter.author} == {1, 4, 5}
        assert {letter.author_id for letter in letters if letter.author is None} == {2, 7, 8}


def test_updates_and_counts_take_it(session: Session) -> None:
    """As any other condition on the class."""
    seen = sees(session)()

    assert session.scalars(select(func.count(User.id)).where(seen)).one() == len(VISIBLE)
    assert session.query(User).filter(seen).count() == len(VISIBLE)
    assert session.query(User).filter(seen).order_by(User.id).limit(3).count() == 3
    page = select(User).options(joinedload(User.letters)).where(seen).order_by(User.id).limit(2)
    assert [user.id for user in session.scalars(page).unique()] == [1, 3]
    assert session.execute(update(User).where(seen).values(active=False)).rowcount == len(VISIBLE)  # type: ignore[attr-defined]


def test_it_is_about_users_alone(session: Session) -> None:
    """Anything else is refused at once, for trusted code as well."""
    for entity in (Letter, aliased(Letter), User.__table__, 7, "User"):
        for viewer in (1, ALL):
            with pytest.raises(MappingError, match=r"visible_to\(\) is about User"):
                Graph(session, User).visible_to(viewer, entity)
    assert set(session.scalars(select(_ALIAS.id).where(Graph(session, User).visible_to(ALL, _ALIAS)))) == set(KINDS)
