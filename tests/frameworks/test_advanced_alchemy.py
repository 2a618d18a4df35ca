"""Advanced Alchemy: its bases with their keys and audit columns; its repositories and services delete users."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, String, select
from sqlalchemy.orm import Mapped, MappedAsDataclass, Session, mapped_column

from retinue import (
    BlockMixin,
    Counts,
    FollowCountMixin,
    FollowerMixin,
    FollowEventMixin,
    FollowMixin,
    FollowRequestMixin,
    MappingError,
    NotificationMixin,
    Outcome,
)
from retinue.testing import GraphContract, make_users
from tests.frameworks.alchemy import SQLAlchemySyncRepository, SQLAlchemySyncRepositoryService, bases_of_ones_own

#: Some bases that bring a key: by Python, by Python in the order of time (with uuid-utils), and by the database.
KEYS = ["UUIDAuditBase", "UUIDv7AuditBase", "BigIntAuditBase"]

#: The type of a UUID is another one on each engine; the rest is alike.
ON = [
    pytest.param(kind, database, marks=[pytest.mark.long] if database != "sqlite" and kind != KEYS[0] else [])
    for kind in KEYS
    for database in ("sqlite", "postgresql", "mariadb")
]


def declare(kind: str) -> Any:
    """Declare users on a base of the *kind*, and what they need, as the package's documentation declares models."""
    bases = bases_of_ones_own()

    class User(FollowerMixin, getattr(bases, kind)):  # type: ignore[misc]
        email: Mapped[str] = mapped_column(String(200), unique=True)
        locked: Mapped[bool] = mapped_column(default=False)

    class Follow(FollowMixin, bases.DefaultBase):  # type: ignore[name-defined,misc]
        pass

    class FollowCount(FollowCountMixin, bases.DefaultBase):  # type: ignore[name-defined,misc]
        pass

    class FollowRequest(FollowRequestMixin, bases.DefaultBase):  # type: ignore[name-defined,misc]
        pass

    class Block(BlockMixin, bases.DefaultBase):  # type: ignore[name-defined,misc]
        pass

    class FollowEvent(FollowEventMixin, bases.DefaultBase):  # type: ignore[name-defined,misc]
        pass

    class Notification(NotificationMixin, bases.DefaultBase):  # type: ignore[name-defined,misc]
        pass

    return SimpleNamespace(**locals())


MODELS = {kind: declare(kind) for kind in KEYS}


@pytest.mark.tables.with_args(lambda kind: MODELS[kind].User.metadata)
@pytest.mark.parametrize(("kind", "database"), ON, indirect=["database"])
class TestAdvancedAlchemy(GraphContract):
    """The contract, for each key."""

    @pytest.fixture
    def users(self, engine: Engine, kind: str) -> Iterator[list[Any]]:
        with Session(engine) as session:
            yield make_users(session, MODELS[kind].User, 6)


METADATA: MetaData = MODELS[KEYS[0]].User.metadata
User, Follow = MODELS["UUIDAuditBase"].User, MODELS["UUIDAuditBase"].Follow


class Repository(SQLAlchemySyncRepository[Any]):
    model_type = User


class Service(SQLAlchemySyncRepositoryService[Any]):
    repository_type = Repository


#: How many a delete takes at once, and what it brings back, differs from engine to engine; not who calls it.
SOME = [
    pytest.param(database, marks=[pytest.mark.long] if database == "mariadb" else [])
    for database in ("sqlite", "postgresql", "mariadb")
]

DELETIONS: dict[str, Callable[[Session, Any], Any]] = {
    "delete": lambda session, key: Repository(session=session).delete(key),
    "delete_many": lambda session, key: Repository(session=session).delete_many([key]),
    "delete_where": lambda session, key: Repository(session=session).delete_where(User.id == key),
    "a service": lambda session, key: Service(session=session).delete(key, auto_commit=True),
    "many by a service": lambda session, key: Service(session=session).delete_many([key], auto_commit=True),
}


@pytest.mark.tables(METADATA)
@pytest.mark.parametrize("way", DELETIONS)
@pytest.mark.parametrize("database", SOME, indirect=True)
def test_users_whom_it_deletes_leave_the_counts_right(engine: Engine, way: str) -> None:
    """One by one or many, by a repository or a service: rows on both sides go, and are counted."""
    with Session(engine) as session:
        ada, bo = make_users(session, User, 2)
        ada.follow(bo)
        bo.follow(ada)
        session.commit()
        graph, key = ada.graph, ada.id
        assert isinstance(key, uuid.UUID)
        assert graph.counts([bo]) == {bo.id: Counts(1, 1)}

        DELETIONS[way](session, bo.id)
        session.commit()

        assert graph.counts([key]) == {key: Counts(0, 0)}
        assert session.scalars(select(Follow)).all() == []


@pytest.mark.tables(METADATA)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_verb_touches_no_user(engine: Engine) -> None:
    """`updated_at` is when somebody changed the user: no follow, request or block does."""
    with Session(engine) as session:
        users = make_users(session, User, 3)
        ada, bo, cy = users
        bo.locked = True
        session.commit()
        before = [user.updated_at for user in users]
        ada.follow(cy)
        assert ada.follow(bo) is Outcome.REQUESTED
        assert ada.graph.accept(bo, ada)
        ada.graph.block(ada, cy)
        ada.unfollow(bo)
        session.commit()

        assert [user.updated_at for user in users] == before
        assert ada.to_dict().keys() == {"id", "email", "locked", "created_at", "updated_at"}


def test_a_base_that_brings_a_key_is_refused_for_rows_that_have_one() -> None:
    """A follow has its two users as its key; the sentence says what to take."""
    bases = bases_of_ones_own()

    class User(FollowerMixin, bases.UUIDBase):  # type: ignore[name-defined,misc]
        pass

    with pytest.raises(MappingError, match=r"needs the primary key \(follower_id, following_id\).* brings no id$"):

        class Follow(FollowMixin, bases.UUIDBase):  # type: ignore[name-defined,misc]
            pass


def test_a_dataclass_is_refused() -> None:
    """As with every other base."""
    bases = bases_of_ones_own()

    class Dataclass(MappedAsDataclass, bases.DefaultBase):  # type: ignore[name-defined,misc]
        __abstract__ = True

    with pytest.raises(MappingError, match="User is mapped as a dataclass, whose constructor cannot take"):

        class User(FollowerMixin, Dataclass):
            id: Mapped[int] = mapped_column(primary_key=True, init=False)
