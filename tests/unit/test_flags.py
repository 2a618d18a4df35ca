"""What may say something of users, and what is refused when it is mapped: before a private user can be public unseen."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from sqlalchemy import Boolean, Column, Computed, ForeignKey, Integer, String, exists, literal
from sqlalchemy.ext.associationproxy import association_proxy
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
from retinue.flags import flags_of, written_by

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

    assert flags_of(user) == ({}, frozenset())


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
