"""What goes through the attributes of a user class does not come upon its endless lists; by name they are there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, Table, inspect
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Mapped, Mapper, mapped_column

from retinue import FollowerMixin, FollowMixin
from tests.models import declare

LISTS = {"following", "followers"}


def test_going_through_the_attributes_leaves_the_lists_out() -> None:
    """However one goes: over the properties, their names, both of them, or how many there are."""
    attributes = inspect(declare("Follow", columns={"name": mapped_column(String(20))}).user).attrs

    assert attributes.keys() == ["id", "name"]
    assert [one.key for one in attributes] == [one.key for one in attributes.values()] == ["id", "name"]
    assert [name for name, _ in attributes.items()] == ["id", "name"]
    assert len(attributes) == 2


def test_by_name_the_lists_are_there() -> None:
    """Whoever asks for one gets it, and SQLAlchemy, which asks for relationships, gets both."""
    user = declare("Follow").user
    mapper = inspect(user)

    assert set(mapper.relationships.keys()) == LISTS
    assert all(name in mapper.attrs for name in LISTS)
    assert (
        mapper.attrs.followers is mapper.attrs["followers"] is mapper.attrs.get("followers") is user.followers.property
    )
    assert set(mapper.all_orm_descriptors.keys()) >= LISTS


def test_what_is_mapped_later_is_among_the_attributes() -> None:
    """An attribute that is added to the class when its attributes have been looked at."""
    user = declare("Follow").user
    assert inspect(user).attrs.keys() == ["id"]

    user.name = mapped_column(String(20))

    assert inspect(user).attrs.keys() == ["id", "name"]


def test_the_lists_are_no_plain_attributes_before_the_mappers_are_configured() -> None:
    """Some take every plain attribute in the dictionary of a class for a field, as soon as they see the class."""
    user = declare("Follow").user

    assert not inspect(user).configured
    assert {name for name, one in vars(user).items() if type(one) is InstrumentedAttribute} == {"id"}
    assert all(isinstance(vars(user)[name], InstrumentedAttribute) for name in LISTS)


def test_a_mapper_of_the_application_is_kept() -> None:
    """A mapper class that the base names maps the users as well; so does a function, which is left alone."""

    class OwnMapper(Mapper[Any]):
        pass

    class Base(DeclarativeBase):
        __mapper_cls__ = OwnMapper

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Admin(User):
        pass

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    made: list[type[Any]] = []

    class Other(DeclarativeBase):
        @staticmethod
        def __mapper_cls__(user: type[Any], table: Table, **arguments: Any) -> Mapper[Any]:
            made.append(user)
            return Mapper(user, table, **arguments)

    class Member(FollowerMixin, Other):
        __tablename__ = "members"
        id: Mapped[int] = mapped_column(primary_key=True)

    assert isinstance(inspect(User), OwnMapper)
    assert isinstance(inspect(Admin), OwnMapper)
    assert type(inspect(Follow)) is OwnMapper
    assert [inspect(one).attrs.keys() for one in (User, Admin)] == [["id"]] * 2
    assert made == [Member]
