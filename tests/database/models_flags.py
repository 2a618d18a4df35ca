"""Users who say the same of themselves in many ways: by columns, and by whatever else a mapped class can have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    case,
    select,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Session, column_property, relationship, synonym

import retinue
from retinue import FollowerMixin, Settings, UTCDateTime, declare_posts

#: What a user says, and of which type.
SAYS: Final[dict[str, Any]] = {
    "username": String(64),
    "locked": Boolean(),
    "active": Boolean(),
    "hide_followers": Boolean(),
    "hide_following": Boolean(),
    "discoverable": Boolean(),
    "seen_at": UTCDateTime(),
}

SETTINGS: Final = Settings(active="active", name="username", last_active="seen_at")

_MODELS: Final = {
    "Follow": "FollowMixin",
    "FollowCount": "FollowCountMixin",
    "FollowRequest": "FollowRequestMixin",
    "Block": "BlockMixin",
    "Mute": "MuteMixin",
    "FollowEvent": "FollowEventMixin",
    "Notification": "NotificationMixin",
    "DismissedSuggestion": "DismissedSuggestionMixin",
}


@dataclass(frozen=True)
class Saying:
    """A graph of users, and how they come to say something."""

    metadata: MetaData
    user: type[Any]
    follow: type[Any]
    post: type[Any]
    #: The attribute with the key.
    key: str
    #: Writes what a user says, given as a dictionary.
    say: Callable[[Session, Any, dict[str, Any]], None]


class _Tables:
    """The base of one graph, and names of tables that no other graph has."""

    def __init__(self, prefix: str) -> None:
        class Base(DeclarativeBase):
            pass

        self.base: Any = Base
        self.prefix = prefix

    def made(self, name: str, *bases: type[Any], **body: Any) -> type[Any]:
        table = {"__tablename__": f"{self.prefix}_{name.lower()}"}
        return type(
            name,
            (*bases, self.base) if not bases or bases[-1] is FollowerMixin else bases,
            {"__module__": __name__, **table, **body},
        )

    def graph(self, user: type[Any], key: str, say: Callable[..., None]) -> Saying:
        """Return the whole graph of the class *user*."""
        models = {name: self.made(name, getattr(retinue, mixin), self.base) for name, mixin in _MODELS.items()}
        table = f"{user.__tablename__}.{user.__table__.primary_key.columns[0].name}"
        post = self.made(
            "Post",
            id=Column(Integer, primary_key=True),
            author_id=Column(ForeignKey(table), nullable=False),
            created_at=Column(UTCDateTime, nullable=False),
            author=relationship(user),
            __table_args__=(Index(f"ix_{self.prefix}_posts", "author_id", "created_at", "id"),),
        )
        declare_posts(post, author="author_id", time="created_at")
        # The classes are known to nobody else, and a mapped class that nobody knows is gone.
        self.base.kept = (models, user)
        return Saying(self.base.metadata, user, models["Follow"], post, key, say)


def _say(_session: Session, user: Any, facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        setattr(user, name, value)


def _columns() -> dict[str, Any]:
    return {name: Column(kind, nullable=name != "username") for name, kind in SAYS.items()}


def plain(prefix: str) -> Saying:
    """Return users with a column for each thing that they say."""
    tables = _Tables(prefix)
    user = tables.made("User", FollowerMixin, __retinue__=SETTINGS, id=Column(Integer, primary_key=True), **_columns())
    return tables.graph(user, "id", _say)


def renamed(prefix: str) -> Saying:
    """Return users whose columns have other names than their attributes, the key's too."""
    tables = _Tables(prefix)
    columns = {name: Column(f"its_{name}", kind) for name, kind in SAYS.items()}
    user = tables.made(
        "User", FollowerMixin, __retinue__=SETTINGS, number=Column("id", Integer, primary_key=True), **columns
    )
    return tables.graph(user, "number", _say)


def synonyms(prefix: str) -> Saying:
    """Return users who say all by synonyms."""
    tables = _Tables(prefix)
    columns = {f"its_{name}": Column(kind) for name, kind in SAYS.items()}
    others = {name: synonym(f"its_{name}") for name in SAYS}
    user = tables.made(
        "User", FollowerMixin, __retinue__=SETTINGS, id=Column(Integer, primary_key=True), **columns, **others
    )
    return tables.graph(user, "id", _say)


def _hybrid(name: str, kind: Any) -> tuple[Any, hybrid_property[Any]]:
    """Return a column, and a hybrid that says the same: a boolean by a word, anything else as it is."""
    column = f"its_{name}"
    if not isinstance(kind, Boolean):

        def read(self: Any) -> Any:
            return getattr(self, column)

        def write(self: Any, value: Any) -> None:
            setattr(self, column, value)

        return Column(kind), hybrid_property(read, write)

    def is_so(self: Any) -> Any:
        word = getattr(self, column)
        return None if word is None else word == "yes"

    def choose(self: Any, value: bool | None) -> None:
        setattr(self, column, None if value is None else "yes" if value else "no")

    def expression(cls: Any) -> Any:
        return getattr(cls, column) == "yes"

    return Column(String(3)), hybrid_property(is_so, choose, expr=expression)


def hybrids(prefix: str) -> Saying:
    """Return users who say all by hybrids, the booleans by words."""
    tables = _Tables(prefix)
    body: dict[str, Any] = {}
    for name, kind in SAYS.items():
        body[f"its_{name}"], body[name] = _hybrid(name, kind)
    user = tables.made("User", FollowerMixin, __retinue__=SETTINGS, id=Column(Integer, primary_key=True), **body)
    return tables.graph(user, "id", _say)


def _says_in(table: type[Any]) -> Callable[..., None]:
    def say(session: Session, user: Any, facts: dict[str, Any]) -> None:
        session.flush()
        session.merge(table(user_id=user.id, **facts))
        session.flush()
        session.expire(user)

    return say


def subqueries(prefix: str) -> Saying:
    """Return users of whom another table says all, read by correlated subqueries; some of it beside a CASE."""
    tables = _Tables(prefix)
    user = tables.made(
        "User", FollowerMixin, __retinue__=SETTINGS, id=Column(Integer, primary_key=True), own=Column(Text)
    )
    preference = tables.made(
        "Preference",
        user_id=Column(ForeignKey(f"{prefix}_user.id", ondelete="CASCADE"), primary_key=True),
        **_columns(),
    )
    for name in SAYS:
        said = select(getattr(preference, name)).where(preference.user_id == user.id).scalar_subquery()
        value = case((said.is_(True), True), (said.is_(False), False)) if name == "active" else said
        setattr(user, name, column_property(value))
    saying = tables.graph(user, "id", _says_in(preference))
    tables.base.more = preference
    return saying


def hybrid_subqueries(prefix: str) -> Saying:
    """Return the same, read by hybrids."""
    tables = _Tables(prefix)

    def reading(name: str) -> hybrid_property[Any]:
        def one(self: Any) -> Any:
            return getattr(self.preference, name)

        def all_(cls: Any) -> Any:
            return select(getattr(preference, name)).where(preference.user_id == cls.id).scalar_subquery()

        return hybrid_property(one, expr=all_)

    user = tables.made(
        "User",
        FollowerMixin,
        __retinue__=SETTINGS,
        id=Column(Integer, primary_key=True),
        own=Column(Text),
        **{name: reading(name) for name in SAYS},
    )
    preference: Any = tables.made(
        "Preference",
        user_id=Column(ForeignKey(f"{prefix}_user.id", ondelete="CASCADE"), primary_key=True),
        **_columns(),
    )
    user.preference = relationship(preference, uselist=False)
    return tables.graph(user, "id", _says_in(preference))


def joined(prefix: str) -> Saying:
    """Return members, of whom the table of accounts says all; their key has the name of the accounts' key."""
    tables = _Tables(prefix)
    account = tables.made(
        "Account",
        id=Column(Integer, primary_key=True),
        kind=Column(String(20)),
        **_columns(),
        __mapper_args__={"polymorphic_on": "kind", "polymorphic_identity": "account", "with_polymorphic": "*"},
    )
    user = tables.made(
        "Member",
        FollowerMixin,
        account,
        __retinue__=SETTINGS,
        id=Column(ForeignKey(f"{prefix}_account.id", ondelete="CASCADE"), primary_key=True),
        __mapper_args__={"polymorphic_identity": "member", "with_polymorphic": "*"},
    )
    tables.made(
        "Moderator",
        user,
        id=Column(ForeignKey(f"{prefix}_member.id", ondelete="CASCADE"), primary_key=True),
        since=Column(Integer),
        __mapper_args__={"polymorphic_identity": "moderator"},
    )
    return tables.graph(user, "id", _say)


def twice_joined(prefix: str) -> Saying:
    """Return members of two more tables, each of which says a part; each key has a name of its own."""
    tables = _Tables(prefix)
    columns = _columns()
    account = tables.made(
        "Account",
        account_id=Column(Integer, primary_key=True),
        kind=Column(String(20)),
        username=columns["username"],
        locked=columns["locked"],
        active=columns["active"],
        __mapper_args__={"polymorphic_on": "kind", "polymorphic_identity": "account"},
    )
    person = tables.made(
        "Person",
        account,
        person_id=Column(ForeignKey(f"{prefix}_account.account_id", ondelete="CASCADE"), primary_key=True),
        hide_followers=columns["hide_followers"],
        hide_following=columns["hide_following"],
        seen_at=columns["seen_at"],
        __mapper_args__={"polymorphic_identity": "person"},
    )
    user = tables.made(
        "Member",
        FollowerMixin,
        person,
        __retinue__=SETTINGS,
        member_id=Column(ForeignKey(f"{prefix}_person.person_id", ondelete="CASCADE"), primary_key=True),
        discoverable=columns["discoverable"],
        __mapper_args__={"polymorphic_identity": "member"},
    )
    return tables.graph(user, "member_id", _say)


def _say_numbers(_session: Session, user: Any, facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        # Any number but 0 says yes.
        setattr(user, name, (0, 3)[value] if isinstance(value, bool) else value)


def _numbers() -> dict[str, Any]:
    return {name: Column(SmallInteger if isinstance(kind, Boolean) else kind) for name, kind in SAYS.items()}


def numbers(prefix: str) -> Saying:
    """Return users who say yes and no by numbers, of a class that is mapped imperatively."""
    tables = _Tables(prefix)
    columns = [Column(f"its_{name}", column.type) for name, column in _numbers().items()]
    table = Table(f"{prefix}_user", tables.base.metadata, Column("id", Integer, primary_key=True), *columns)

    class User(FollowerMixin):
        __retinue__ = SETTINGS
        __tablename__ = table.name
        __table__ = table

    properties = {name: table.c[f"its_{name}"] for name in SAYS}
    tables.base.registry.map_imperatively(User, table, properties={**properties, "number": table.c.id})
    return tables.graph(User, "number", _say_numbers)


def joined_numbers(prefix: str) -> Saying:
    """Return members, of whom the table of accounts says yes and no by numbers."""
    tables = _Tables(prefix)
    account = tables.made(
        "Account",
        id=Column(Integer, primary_key=True),
        kind=Column(String(20)),
        **_numbers(),
        __mapper_args__={"polymorphic_on": "kind", "polymorphic_identity": "account"},
    )
    user = tables.made(
        "Member",
        FollowerMixin,
        account,
        __retinue__=SETTINGS,
        id=Column(ForeignKey(f"{prefix}_account.id", ondelete="CASCADE"), primary_key=True),
        __mapper_args__={"polymorphic_identity": "member"},
    )
    return tables.graph(user, "id", _say_numbers)


#: Every other way than plain columns.
KINDS: Final = (
    renamed,
    synonyms,
    hybrids,
    subqueries,
    hybrid_subqueries,
    joined,
    twice_joined,
    numbers,
    joined_numbers,
)
