"""What may say something of users, and what is refused when it is mapped: before a private user can be public unseen."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Computed,
    DateTime,
    Enum,
    ForeignKey,
    Integer,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    column,
    create_engine,
    exists,
    literal,
)
from sqlalchemy.dialects.mysql import TINYINT
from sqlalchemy.ext.associationproxy import association_proxy
from sqlalchemy.ext.declarative import DeferredReflection
from sqlalchemy.ext.hybrid import hybrid_method, hybrid_property
from sqlalchemy.orm import (
    DeclarativeBase,
    Session,
    column_property,
    composite,
    configure_mappers,
    query_expression,
    relationship,
    synonym,
)

from retinue import FollowerMixin, FollowMixin, Graph, MappingError, Settings
from retinue.schema.flags import flags_of, written_by

Body = dict[str, Any]

#: Classes that nobody knows are gone: SQLAlchemy holds them weakly.
KEPT: list[type[Any]] = []


def declare(body: Body, below: Body | None = None, *, settings: Settings | None = None) -> type[Any]:
    """Return a user class with *body*, and a subclass of it with what is *below*."""

    class Base(DeclarativeBase):
        pass

    class Profile(Base):
        __tablename__ = "profiles"
        user_id: Any = Column(ForeignKey("users.id"), primary_key=True)
        locked = Column(Boolean)

    own: Body = {"__tablename__": "users", "__module__": __name__, "id": Column(Integer, primary_key=True)}
    args = {"kind": Column(String(9)), "__mapper_args__": {"polymorphic_on": "kind", "polymorphic_identity": "user"}}
    if settings is not None:
        own["__retinue__"] = settings
    made = {name: value(Profile) if callable(value) and name != "locked" else value for name, value in body.items()}
    user = type("User", (FollowerMixin, Base), {**own, **args, **made})
    if below is not None:
        KEPT.append(
            type(
                "Moderator",
                (user,),
                {"__module__": __name__, "__mapper_args__": {"polymorphic_identity": "m"}, **below},
            )
        )

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    KEPT.extend([user, Follow])
    return user


def _truth(self: Any) -> bool:
    return bool(self.kind == "private")


def _there(self: Any) -> bool:
    return self.kind is not None


def _traverses(self: Any) -> Any:
    return self.profile.locked


def _negates(self: Any) -> bool:
    return not self.kind


def _contains(self: Any) -> bool:
    return self.kind in ("private", "secret")


#: What looks as if it said who is locked, and cannot be read by a statement.
UNREADABLE: dict[str, tuple[Body, str]] = {
    "a property": ({"locked": property(lambda self: self.kind == "private")}, r"User\.locked is a plain attribute"),
    "a constant": ({"locked": False}, r"User\.locked is a plain attribute"),
    "a method": ({"locked": lambda self: self.kind == "private"}, r"User\.locked is a plain attribute"),
    "a hybrid that asks for truth": ({"locked": hybrid_property(_truth)}, r"User\.locked has no expression"),
    "a hybrid that compares with None": ({"locked": hybrid_property(_there)}, r"User\.locked has no expression"),
    "a hybrid that negates": ({"locked": hybrid_property(_negates)}, r"User\.locked has no expression"),
    "a hybrid that looks into a tuple": ({"locked": hybrid_property(_contains)}, r"User\.locked has no expression"),
    "a hybrid that goes by a relationship": (
        {"locked": hybrid_property(_traverses), "profile": relationship},
        r"User\.locked has no expression",
    ),
    "a hybrid method": ({"locked": hybrid_method(lambda self: self.kind == "x")}, r"User\.locked has no expression"),
    "a query_expression": ({"locked": query_expression()}, r"User\.locked is filled by each query alone"),
    "an association proxy": (
        {
            "locked": association_proxy("profile", "locked"),
            "profile": relationship,
        },
        r"User\.locked has no expression",
    ),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_no_statement_can_read_is_refused_when_it_is_mapped(kind: str) -> None:
    """By its name alone, as the setting's default; the sentence says what to write instead."""
    body, sentence = UNREADABLE[kind]
    user = declare(body)

    with pytest.raises(MappingError, match=sentence + r".*Settings\(locked=None\)"):
        configure_mappers()
    # Nor can anything be done by it later, though the mapping itself is complete.
    with pytest.raises(MappingError, match=sentence):
        Graph(Session(), user)


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_means_something_else_may_stay(kind: str) -> None:
    """Once the settings say so."""
    body, _ = UNREADABLE[kind]
    user = declare(body, settings=Settings(locked=None))
    configure_mappers()

    assert flags_of(user) == ({}, frozenset(), frozenset())


def test_a_relationship_or_a_composite_says_nothing() -> None:
    """Neither is one value."""

    class Pair(NamedTuple):
        a: bool
        b: bool

    for body in (
        {"profile": relationship, "locked": synonym("profile")},
        {"a": Column(Boolean), "b": Column(Boolean), "locked": composite(Pair, "a", "b")},
    ):
        declare(body)
        with pytest.raises(MappingError, match=r"User\.\w+ (is no single value|has no expression)"):
            configure_mappers()


class YesNo(TypeDecorator[bool]):
    """A boolean that is kept as a letter."""

    impl = String(1)
    cache_ok = True


class Epoch(TypeDecorator[Any]):
    """A time that is kept as a number."""

    impl = Integer
    cache_ok = True


@pytest.mark.parametrize(
    ("setting", "kind"),
    [
        ("locked", DateTime()),
        ("locked", Enum("open", "private", name="privacy")),
        ("active", String(3)),
        ("hide_followers", YesNo()),
        ("discoverable", JSON()),
        ("name", Integer()),
        ("last_active", Integer()),
    ],
    ids=repr,
)
def test_what_is_of_another_type_is_refused(setting: str, kind: Any) -> None:
    """A database may read a text or a time as false, which is everybody's consent; or it raises in every verb."""
    names: Any = {setting: setting}
    declare({setting: Column(kind)}, settings=Settings(**names))

    with pytest.raises(MappingError, match=rf"User\.{setting} is of the type \w+, where .*Settings\({setting}=None\)"):
        configure_mappers()


@pytest.mark.parametrize(
    ("setting", "kind", "number"),
    [
        ("locked", SmallInteger(), True),
        ("active", Numeric(1, 0), True),
        ("active", TINYINT(1), True),
        ("locked", Boolean(), False),
        ("name", Text(), False),
        ("last_active", Epoch(), False),
    ],
    ids=repr,
)
def test_a_truth_may_be_a_number(setting: str, kind: Any, number: bool) -> None:
    """As in a table that MySQL was asked for its columns; what a type of the application's own makes is its own affair."""
    names: Any = {setting: setting}
    user = declare({setting: Column(kind)}, settings=Settings(**names))
    configure_mappers()

    assert flags_of(user).numbers == ({setting} if number else set())


def test_a_column_that_is_text_is_read_from_a_user_alone() -> None:
    """Beside others of the same table its name would be any of theirs."""
    user = declare({"locked": column_property(column("kind") == "private")})
    configure_mappers()

    assert flags_of(user).elsewhere == {"locked"}


def test_who_waits_for_their_models_holds_up_nobody() -> None:
    """Models of one registry may be mapped later, when their tables are reflected: others are used before."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
        locked = Column(Boolean)

    class Follow(FollowMixin, DeferredReflection, Base):
        __tablename__ = "follows"

    other = declare({"locked": Column(Boolean)})

    assert other(id=1).id == 1
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE users (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("CREATE TABLE follows (follower_id INTEGER, following_id INTEGER)")
        Follow.prepare(connection)
    engine.dispose()
    assert User(id=1).id == 1


def test_a_class_of_two_tables_is_refused() -> None:
    """A follow refers to a row of one table."""

    class Base(DeclarativeBase):
        pass

    users = Table("users", Base.metadata, Column("id", Integer, primary_key=True))
    profiles = Table("profiles", Base.metadata, Column("user_id", ForeignKey("users.id"), primary_key=True))

    class User(FollowerMixin, Base):
        __table__ = users.join(profiles)
        id = column_property(users.c.id, profiles.c.user_id)

    with pytest.raises(MappingError, match="User is mapped to a Join, and follows need a table"):

        class Follow(FollowMixin, Base):
            __tablename__ = "follows"

    Base.registry.dispose()


def test_a_table_beside_the_users_is_refused() -> None:
    """Its rows would be multiplied by the users."""

    def expression(cls: Any) -> Any:
        return cls.profile.property.mapper.class_.locked

    hybrid = hybrid_property(lambda self: self.profile.locked, expr=expression)
    declare({"locked": hybrid, "profile": relationship})

    with pytest.raises(MappingError, match=r"User\.locked reads a table beside the user's"):
        configure_mappers()


def test_what_is_of_a_subclass_alone_is_refused() -> None:
    """Whether it was chosen or not; and what a subclass has in the place of what all users have."""
    for below in ({"locked": Column(Boolean)}, {"locked": property(lambda _self: True)}):
        declare({}, below)
        with pytest.raises(MappingError, match=r"Moderator\.locked is of that subclass alone"):
            configure_mappers()
    declare({}, {"hidden": Column(Boolean)}, settings=Settings(hide_followers="hidden"))
    with pytest.raises(MappingError, match=r"Moderator\.hidden is of that subclass alone"):
        configure_mappers()
    declare({"locked": Column(Boolean)}, {"locked": hybrid_property(lambda self: self.kind == "m")})
    with pytest.raises(MappingError, match=r"Moderator\.locked is not the locked of User"):
        configure_mappers()


def test_a_subclass_may_come_later() -> None:
    """It is looked at as well, when it is mapped."""
    user = declare({})
    configure_mappers()
    Graph(Session(), user)
    late: Any = type("Late", (user,), {"locked": Column(Boolean), "__mapper_args__": {"polymorphic_identity": "l"}})

    with pytest.raises(MappingError, match=r"Late\.locked is of that subclass alone"):
        configure_mappers()
    assert late.locked is not None
    with pytest.raises(MappingError, match=r"Late\.locked is of that subclass alone"):
        Graph(Session(), user)


def test_what_was_chosen_must_be_there() -> None:
    """A name that was mistyped makes nobody public."""
    declare({}, settings=Settings(locked="is_private"))

    with pytest.raises(MappingError, match=r"Settings\(locked='is_private'\): User maps no attribute of that name"):
        configure_mappers()


def _word(self: Any) -> Any:
    return self.word == "yes"


def _set_word(self: Any, value: bool) -> None:
    self.word = "yes" if value else "no"


#: What can say who is locked: whether it is made of the user's own row, and the columns that are written with it.
READABLE: dict[str, tuple[Body, bool, str | None]] = {
    "a column": ({"locked": Column(Boolean)}, True, "locked"),
    "a column with another name": ({"locked": Column("is_private", Boolean)}, True, "locked"),
    "a computed column": ({"locked": Column(Boolean, Computed("1 = 1"))}, True, None),
    "a synonym": ({"private": Column(Boolean), "locked": synonym("private")}, True, "private"),
    "a hybrid": ({"word": Column(String(3)), "locked": hybrid_property(_word, _set_word)}, True, "word"),
    "a hybrid without a setter": ({"word": Column(String(3)), "locked": hybrid_property(_word)}, True, None),
    "a synonym of a hybrid": (
        {"word": Column(String(3)), "private": hybrid_property(_word, _set_word), "locked": synonym("private")},
        True,
        "word",
    ),
    "a column_property": ({"locked": column_property(literal(value=True))}, True, None),
    "a subquery": ({"locked": column_property(exists().where(literal(value=True)))}, False, None),
}


@pytest.mark.parametrize("kind", READABLE)
def test_what_a_statement_can_read_may_say_it(kind: str) -> None:
    """And `unlock()` knows how to write it, where that can be done."""
    body, own, column = READABLE[kind]
    user = declare(body)
    configure_mappers()

    flags = flags_of(user)
    assert flags.elsewhere == (frozenset() if own else {"locked"})
    assert written_by(user, flags.names["locked"]) == (None if column is None else (column,))
