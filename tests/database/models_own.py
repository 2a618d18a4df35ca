"""Every model of a graph, with columns of the application's own on each; in every kind that SQLAlchemy knows."""

from __future__ import annotations

import enum
import itertools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Computed,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Sequence,
    String,
    TypeDecorator,
    Uuid,
    func,
)
from sqlalchemy.orm import Mapped, deferred, mapped_column, relationship

from retinue import Settings
from tests import models
from tests.models import MIXINS, Extra, Models, posts_that_end

#: The primary keys of their tables.
KEYS: dict[str, tuple[str, ...]] = {
    "Follow": ("follower_id", "following_id"),
    "FollowCount": ("user_id", "slot"),
    "FollowRequest": ("follower_id", "following_id"),
    "Block": ("blocker_id", "blocked_id"),
    "Mute": ("muter_id", "muted_id"),
    "FollowEvent": ("follower_id", "id"),
    "Notification": ("recipient_id", "actor_id", "kind"),
    "DismissedSuggestion": ("user_id", "suggested_id"),
    "TimelineEntry": ("reader_id", "post_id"),
}


@dataclass(frozen=True)
class OwnModels(Models):
    """The mapped classes."""

    #: What a row may refer to.
    shop: Any = None


def declare(extra: Extra, settings: Settings | None = None, without: tuple[str, ...] = ()) -> OwnModels:
    """Declare every model, each with what *extra* returns for it."""
    shops: list[type[Any]] = []

    def posts(base: Any, user: type[Any]) -> type[Any]:
        class Shop(base):  # type: ignore[misc]
            __tablename__ = "shops"
            id: Mapped[int] = mapped_column(primary_key=True)

        shops.append(Shop)
        return posts_that_end(base, user)

    kinds = [kind for kind in MIXINS if kind not in without]
    of = models.declare(*kinds, settings=settings, flags=("locked",), own=extra, posts=posts)
    return OwnModels(of.metadata, of.user, of.of, of.post, shops[0])


# --- Kinds of columns ----------------------------------------------------------------------------


class Mood(enum.Enum):
    """What a column of an enumeration holds."""

    GOOD = "good"
    BAD = "bad"


class Shouted(TypeDecorator[str]):
    """Text that the database has in capitals."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """Return what is stored."""
        del dialect
        return None if value is None else value.upper()

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        """Return what was meant."""
        del dialect
        return None if value is None else value.lower()


def label_of(name: str, row: Mapping[str, Any]) -> str:
    """Return what a row of the model *name* is called by its primary key."""
    return ":".join(str(row[key]) for key in KEYS[name])


def _context(name: str) -> dict[str, Any]:
    def label(context: Any) -> str:
        row = context.get_current_parameters()
        assert row.get("remark") is None
        return label_of(name, row)

    return {
        "remark": Column(String(10)),
        "label": Column("called", String(90), key="label", default=label, nullable=False),
    }


def _of_another(_name: str) -> dict[str, Any]:
    """A default that reads what another default made."""
    return {
        "code": mapped_column(String(40), default=lambda: uuid.uuid4().hex, unique=True, nullable=False),
        "link": mapped_column(String(60), default=lambda context: f"/{context.get_current_parameters()['code']}"),
    }


def _types(_name: str) -> dict[str, Any]:
    return {
        "mood": mapped_column(Enum(Mood, name=f"mood_{_name.lower()}"), default=lambda: Mood.BAD, nullable=False),
        "about": mapped_column(JSON, default=lambda: {"tags": ["new"]}, nullable=False),
        "loud": deferred(Column(Shouted, default=lambda: "hello", nullable=False)),
    }


def _relation(_name: str) -> dict[str, Any]:
    column = Column(Integer, ForeignKey("shops.id"), default=lambda: 1, nullable=False)
    return {"shop_id": column, "shop": relationship("Shop", foreign_keys=[column])}


def _names_of_parameters(_name: str) -> dict[str, Any]:
    """Columns that are called as the library's own statements call their parameters."""
    quiet = {name: mapped_column(Integer) for name in ("users", "since", "now", "limit", "post", "ids")}
    return {
        **quiet,
        "at": mapped_column(String(10), default="then"),
        "row_at": mapped_column(Integer, default=lambda: 7),
    }


def _constraint(name: str) -> dict[str, Any]:
    """A unique constraint of two columns, one of them the library's."""
    return {
        "place": mapped_column(Integer, default=itertools.count(1).__next__, nullable=False),
        "__table_args__": (Index(f"uq_{name.lower()}_place", KEYS[name][0], "place", unique=True),),
    }


#: What is added to each model.
KINDS: dict[str, Extra] = {
    "unique callable": lambda _: {"public_id": mapped_column(Uuid, default=uuid.uuid4, unique=True, nullable=False)},
    "context": _context,
    "of another default": _of_another,
    "scalar": lambda _: {"scalar": mapped_column(String(10), default="web", nullable=False)},
    "sql": lambda _: {"sql": mapped_column(String(10), default=func.lower("WEB"), nullable=False)},
    "server": lambda _: {"server": mapped_column(String(10), server_default="web", nullable=False)},
    "computed": lambda name: {"twice": mapped_column(Integer, Computed(f"{KEYS[name][0]} * 2", persisted=True))},
    "types": _types,
    "relation": _relation,
    "names of parameters": _names_of_parameters,
    "unique together": _constraint,
    "time": lambda _: {"changed_at": mapped_column(DateTime, default=func.now(), onupdate=func.now(), nullable=False)},
}

#: Those of one engine only.
KINDS_OF_POSTGRESQL: dict[str, Extra] = {
    "identity": lambda _: {"identity": mapped_column(Integer, Identity(), nullable=False, unique=True)},
    "sequence": lambda name: {
        "sequence": mapped_column(Integer, Sequence(f"numbers_{name.lower()}"), nullable=False, unique=True)
    },
}


def of_every_kind(name: str) -> dict[str, Any]:
    """Return columns of every kind at once, for the model *name*."""
    return {key: column for extra in KINDS.values() for key, column in extra(name).items()}


def faults(kind: str, name: str, rows: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with the application's own columns in *rows* of the model *name*."""

    def all_differ(column: str) -> bool:
        return None not in {row[column] for row in rows} and len({row[column] for row in rows}) == len(rows)

    judge: dict[str, Callable[[], bool]] = {
        "unique callable": lambda: all_differ("public_id"),
        "context": lambda: all(row["label"] == label_of(name, row) for row in rows),
        "of another default": lambda: all_differ("code") and all(row["link"] == f"/{row['code']}" for row in rows),
        "computed": lambda: all(row["twice"] == 2 * row[KEYS[name][0]] for row in rows),
        "types": lambda: all(
            (row["mood"], row["about"], row["loud"]) == (Mood.BAD, {"tags": ["new"]}, "hello") for row in rows
        ),
        "relation": lambda: all(row["shop_id"] == 1 for row in rows),
        "names of parameters": lambda: all(
            (row["at"], row["row_at"]) == ("then", 7) and (row["users"], row["since"], row["now"]) == (None, None, None)
            for row in rows
        ),
        "unique together": lambda: all_differ("place"),
        "time": lambda: all(row["changed_at"] is not None for row in rows),
        "identity": lambda: all_differ("identity"),
        "sequence": lambda: all_differ("sequence"),
    }
    right = judge.get(kind, lambda: all(row[kind] == "web" for row in rows))()
    return [] if right else [f"{name}: {rows}"]
