"""SQLModel: users and follows are ``SQLModel`` tables, and what the mixins bring is no field of them."""

from __future__ import annotations

import types
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlmodel
from sqlalchemy import Engine, inspect
from sqlalchemy.orm import registry
from sqlmodel import Field, Session, col, create_engine, delete, select

from retinue import (
    BlockMixin,
    Counts,
    DismissedSuggestionMixin,
    FollowCountMixin,
    FollowerMixin,
    FollowEventMixin,
    FollowMixin,
    FollowRequestMixin,
    Graph,
    MappingError,
    ModelMissingError,
    MuteMixin,
    NotificationMixin,
    Outcome,
    Settings,
    prepare_engine,
    transact,
)
from retinue.testing import GraphContract, make_users


class SQLModel(sqlmodel.SQLModel, registry=registry()):
    """The base of this file alone: other tests have other tables."""


class UserBase(SQLModel):
    name: str = Field(index=True, max_length=50)
    locked: bool = False


class User(FollowerMixin, UserBase, table=True):
    __retinue__ = Settings(max_following=100)

    id: int | None = Field(default=None, primary_key=True)


class UserPublic(UserBase):
    id: int


class Follow(FollowMixin, SQLModel, table=True):
    note: str | None = Field(default=None, max_length=80)


class FollowCount(FollowCountMixin, SQLModel, table=True):
    pass


class FollowRequest(FollowRequestMixin, SQLModel, table=True):
    pass


class Block(BlockMixin, SQLModel, table=True):
    pass


class Mute(MuteMixin, SQLModel, table=True):
    pass


class FollowEvent(FollowEventMixin, SQLModel, table=True):
    pass


class Notification(NotificationMixin, SQLModel, table=True):
    pass


class DismissedSuggestion(DismissedSuggestionMixin, SQLModel, table=True):
    pass


class FollowPublic(SQLModel):
    follower_id: int
    following_id: int
    timestamp: datetime
    note: str | None


MODELS = (User, Follow, FollowCount, FollowRequest, Block, Mute, FollowEvent, Notification, DismissedSuggestion)


@pytest.mark.tables(SQLModel.metadata)
class TestSQLModel(GraphContract):
    """The contract, with SQLModel's own session."""

    @pytest.fixture
    def users(self, engine: Engine) -> Iterator[list[Any]]:
        with Session(engine) as session:
            yield make_users(session, User, 6)


class Members(sqlmodel.SQLModel, registry=registry()):
    """Another such base."""


class Member(Members, FollowerMixin, table=True):
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    name: str


class MemberFollow(Members, FollowMixin, table=True):
    pass


@pytest.mark.tables(Members.metadata)
@pytest.mark.parametrize(
    "database",
    ["sqlite", *(pytest.param(engine, marks=pytest.mark.long) for engine in ("postgresql", "mariadb"))],
    indirect=True,
)
class TestUuidsAndTheOtherOrderOfBases(GraphContract):
    """Keys that Python makes; and the mixins behind the base."""

    @pytest.fixture
    def users(self, engine: Engine) -> Iterator[list[Any]]:
        with Session(engine) as session:
            yield make_users(session, Member, 6)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
tables = pytest.mark.tables(SQLModel.metadata)


def two_users(session: Session) -> tuple[User, User]:
    ada, bo = User(name="ada"), User(name="bo")
    session.add(ada)
    session.add(bo)
    session.commit()
    return ada, bo


@pytest.mark.parametrize("model", MODELS)
def test_what_the_mixins_bring_is_no_field(model: Any) -> None:
    """Only what the application writes is in the model's fields, and all that the mixins bring is mapped."""
    own = {User: {"id", "name", "locked"}, Follow: {"note"}}.get(model, set())

    assert set(model.model_fields) == own
    assert set(inspect(model).column_attrs.keys()) >= own


@tables
@on_sqlite
def test_users_are_dumped_and_validated_as_before(session: Session) -> None:
    """Lists of follows are in no dump and in no response model."""
    ada, bo = two_users(session)
    ada.follow(bo)
    session.commit()
    session.refresh(ada)

    assert ada.model_dump() == {"id": ada.id, "name": "ada", "locked": False}
    assert UserPublic.model_validate(ada).model_dump() == ada.model_dump()
    assert repr(User.model_validate({"name": "cy"})) == "User(name='cy', locked=False, id=None)"
    assert [row.following for row in ada.following] == [bo]


@tables
@on_sqlite
def test_rows_of_the_applications_own_making_are_counted(session: Session) -> None:
    """The constructor takes what the mixin brings beside fields, and attributes of both can be set."""
    ada, bo = two_users(session)
    row = Follow(follower=ada, following=bo, note="from school")  # type: ignore[call-arg]
    session.add(row)
    mute = Mute(muter_id=ada.id, muted_id=bo.id)  # type: ignore[call-arg]
    session.add(mute)
    session.commit()
    graph = Graph(session, User)
    assert graph.counts([ada, bo]) == {ada.id: Counts(0, 1), bo.id: Counts(1, 0)}

    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1)
    row.timestamp, row.note, mute.until = since, "from work", until
    session.commit()
    session.expire_all()

    found = session.exec(select(Follow).where(col(Follow.follower_id) == ada.id)).one()
    assert FollowPublic.model_validate(found).model_dump() == {
        "follower_id": ada.id,
        "following_id": bo.id,
        "timestamp": since,
        "note": "from work",
    }
    assert mute.until == until
    with pytest.raises(ValueError, match="no field"):
        found.nothing = 1
    session.delete(found)
    session.commit()
    assert graph.counts([bo]) == {bo.id: Counts(0, 0)}


@tables
@on_sqlite
def test_two_rows_are_not_the_same_because_they_have_no_fields(session: Session) -> None:
    """A row is equal to itself; a user is what SQLModel says."""
    ada, bo = two_users(session)
    ada.follow(bo)
    bo.follow(ada)
    one, other = session.exec(select(Follow)).all()

    assert one == one  # noqa: PLR0124 - that is the question
    assert one != other
    assert len({one, other}) == 2
    assert User(name="ada") == User(name="ada")


@tables
@on_sqlite
def test_requests_and_blocks(session: Session) -> None:
    """A locked user is asked, and a block ends it all."""
    ada, bo = two_users(session)
    bo.locked = True
    assert ada.follow(bo) is Outcome.REQUESTED
    assert bo.graph.accept(bo, ada)
    assert bo.graph.followers(bo).items[0].user is ada
    assert bo.graph.block(bo, ada)
    assert not ada.is_following(bo)
    session.delete(ada)
    session.commit()
    assert session.exec(select(Block)).all() == []


@tables
def test_a_unit_of_work_with_its_session(engine: Engine) -> None:
    """`transact()` takes SQLModel's session, and users who are deleted leave the counts right, on each engine."""
    with Session(engine) as session:
        ids: list[Any] = [user.id for user in two_users(session)]

    def follow(session: Session) -> None:
        ada, bo = (session.get(User, key) for key in ids)
        assert ada is not None
        assert bo is not None
        assert ada.follow(bo) is Outcome.FOLLOWED

    transact(lambda: Session(engine), follow)

    def leave(session: Session) -> dict[Any, Counts]:
        session.delete(session.exec(select(User).where(col(User.id) == ids[0])).one())
        session.flush()
        return Graph(session, User).counts(ids[1:])

    assert transact(lambda: Session(engine), leave) == {ids[1]: Counts(0, 0)}


@tables
@on_sqlite
def test_what_is_deleted_in_bulk_is_counted(session: Session) -> None:
    """By `exec()`, as SQLModel does everything."""
    ada, bo = two_users(session)
    ada.follow(bo)
    bo.follow(ada)
    graph, key = ada.graph, ada.id
    session.exec(delete(Follow).where(col(Follow.follower_id) == key))
    assert graph.counts([ada, bo]) == {ada.id: Counts(1, 0), bo.id: Counts(0, 1)}
    session.exec(delete(User).where(col(User.name) == "bo"))
    assert list(graph.counts([ada]).values()) == [Counts(0, 0)]


def test_keys_may_be_fields() -> None:
    """An application that wants the keys of a follow in its dumps declares them, as the mixin would."""

    class Base(sqlmodel.SQLModel, registry=registry()):
        pass

    class User(FollowerMixin, Base, table=True):
        id: int | None = Field(default=None, primary_key=True)

    class Follow(FollowMixin, Base, table=True):
        follower_id: int = Field(foreign_key="user.id", primary_key=True, ondelete="CASCADE")
        following_id: int = Field(foreign_key="user.id", primary_key=True, ondelete="CASCADE")

    engine = prepare_engine(create_engine("sqlite://"))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Follow(follower=User(id=1), following=User(id=2)))  # type: ignore[call-arg]
        session.commit()
        row = session.exec(select(Follow)).one()
        assert row.model_dump() == {"follower_id": 1, "following_id": 2}
        assert row.follower.unfollow(2)
    engine.dispose()


# --- What is refused -----------------------------------------------------------------------------


def test_a_follow_before_its_user_class_is_refused() -> None:

    class Base(sqlmodel.SQLModel, registry=registry()):
        pass

    with pytest.raises(
        MappingError, match="Follow belongs to no user class: declare the class with FollowerMixin first"
    ):

        class Follow(FollowMixin, Base, table=True):
            pass


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", ["followers", "following"])
def test_a_field_in_the_place_of_a_list_is_refused(name: str, *, first: bool) -> None:
    """A number of followers, with a default or without, cannot be called as the list is."""

    class Base(sqlmodel.SQLModel, registry=registry()):
        pass

    bases = (FollowerMixin, Base) if first else (Base, FollowerMixin)
    body = {"__module__": __name__, "__annotations__": {"id": int, name: int}, "id": Field(primary_key=True)}

    with pytest.raises(MappingError, match=f"User has {name} of its own: delete it"):
        types.new_class("User", bases, {"table": True}, lambda names: names.update(body))


def test_a_missing_model_is_named_as_sqlmodel_writes_it() -> None:

    class Base(sqlmodel.SQLModel, registry=registry()):
        pass

    class User(FollowerMixin, Base, table=True):
        id: int | None = Field(default=None, primary_key=True)

    with pytest.raises(ModelMissingError, match=r"class Follow\(FollowMixin, SQLModel, table=True\): pass"):
        Graph(Session(), User).counts([])
