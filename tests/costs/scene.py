"""Whom the calls of the table are about: the same few people around somebody, once with few rows and once with many."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, String, delete, insert, select, update
from sqlalchemy.orm import Session, mapped_column, sessionmaker

from retinue import HistoryKind, NotificationKind, Only, Settings, Sort, fanout
from retinue.insight import churn, follower_growth, statistics, top_new_followers
from retinue.models import now
from retinue.testing import count_statements
from tests.models import FLAGS, MIXINS, Models, declare, posts_with_authors


def _declare(*kinds: str, active: str | None = None, flags: tuple[str, ...] = ()) -> Models:
    settings, columns = Settings(name="username", active=active), {"username": mapped_column(String(64))}
    return declare(*kinds, settings=settings, flags=flags, columns=columns, posts=posts_with_authors)


#: The graphs that the table has a column for. All of them have posts.
GRAPHS: Final = {
    "plain": _declare("Follow"),
    "counted": _declare("Follow", "FollowCount"),
    "every model": _declare(*MIXINS, active="active", flags=tuple(FLAGS)),
}

#: How many rows there are of each kind that a call may be about.
FEW: Final = 1
MANY: Final = 50

#: They follow `IDOL`, and are followed by those for whom there are suggestions.
FELLOWS: Final = range(5_001, 5_111)
IDOL: Final = 5_000

Pairs = list[tuple[int, int]]


class Society:
    """The keys of somebody and of those around them: single ones, and crowds of this *size*."""

    def __init__(self, size: int) -> None:
        first = 1_000 * (size == MANY)
        self.single: Final = {role: first + number for number, role in enumerate(_SINGLE, 1)}
        #: Two fans at the least, so that there is a second page.
        self.crowds: Final = {
            role: [*range(first + 100 * number, first + 100 * number + max(size, 2 if role == "fan" else 1))]
            for number, role in enumerate(_CROWDS, 1)
        }
        #: Both are the most that still takes what the fewest take.
        self.newcomer_follows, self.settled_follows = (0, 20) if size == FEW else (19, 110)

    @property
    def keys(self) -> list[int]:
        """The keys of all who are users."""
        there = [key for role, key in self.single.items() if role != "nobody"]
        return [*there, *(key for crowd in self.crowds.values() for key in crowd)]

    @property
    def edges(self) -> Pairs:
        """Who follows whom."""
        one, fans = self.single, self.crowds["fan"]
        return [
            *((fan, one["me"]) for fan in fans),
            *((one["me"], fan) for fan in fans),
            (one["me"], one["followed"]),
            *((one["newcomer"], fellow) for fellow in FELLOWS[: self.newcomer_follows]),
            *((one["settled"], fellow) for fellow in FELLOWS[: self.settled_follows]),
        ]


_SINGLE: Final = (
    "me",
    "stranger",  # there is nothing between them and anybody
    "followed",  # I follow them, and they do not follow back
    "locked",  # they approve who follows them
    "uncounted",  # two who have no counts
    "uncounted_too",
    "back",  # they were here two hours ago; I was here just now
    "newcomer",  # they follow too few for suggestions by these alone
    "settled",  # they follow enough
    "nobody",  # a key that no user has
)
_CROWDS: Final = (
    "fan",  # they and I follow each other
    "asker",  # they asked the locked one
    "asked",  # I asked them
    "blocked",
    "muted",
    "dismissed",
)

SOCIETIES: Final = {size: Society(size) for size in (FEW, MANY)}


def fill(engine: Engine, models: Models) -> None:
    """Write all that there is when a call begins, and commit it."""
    societies = SOCIETIES.values()
    keys = [IDOL, *FELLOWS, *(key for one in societies for key in one.keys)]
    edges = [*((fellow, IDOL) for fellow in FELLOWS), *(edge for one in societies for edge in one.edges)]
    followers, following = Counter(b for _, b in edges), Counter(a for a, _ in edges)
    uncounted = {one.single[role] for one in societies for role in ("uncounted", "uncounted_too")}
    flags = {name: value for name, value in FLAGS.items() if name in models.user.__table__.c}
    at = now() - timedelta(hours=2)

    def mine(role: str) -> Pairs:
        return [(one.single["me"], key) for one in societies for key in one.crowds[role]]

    asks = [(key, one.single["locked"]) for one in societies for key in one.crowds["asker"]]
    told = [(fan, me, NotificationKind.FOLLOW) for me, fan in mine("fan")]
    told += [(*ask, NotificationKind.FOLLOW_REQUEST) for ask in asks]
    authors = [*(key for pair in mine("fan") for key in pair), *(one.single["followed"] for one in societies)]
    rows: list[tuple[Any, str, list[tuple[Any, ...]]]] = [
        (models.follow, "follower_id following_id timestamp", [(*edge, at) for edge in edges]),
        (
            models.count,
            "user_id slot followers following",
            [(key, 0, followers[key], following[key]) for key in keys if key not in uncounted],
        ),
        (models.request, "follower_id following_id timestamp", [(*ask, at) for ask in (*asks, *mine("asked"))]),
        (models.block, "blocker_id blocked_id timestamp", [(*pair, at) for pair in mine("blocked")]),
        (models.mute, "muter_id muted_id timestamp notifications", [(*pair, at, True) for pair in mine("muted")]),
        (models.dismissal, "user_id suggested_id timestamp", [(*pair, at) for pair in mine("dismissed")]),
        (
            models.event,
            "follower_id id following_id kind timestamp",
            [(a, number, b, HistoryKind.FOLLOWED, at) for number, (a, b) in enumerate(edges, 1)],
        ),
        (
            models.notification,
            "recipient_id actor_id kind id timestamp",
            [(b, a, kind, number, at) for number, (a, b, kind) in enumerate(told, 1)],
        ),
        (models.post, "id author_id made_at", [(number, author, at) for number, author in enumerate(authors, 1)]),
    ]
    with engine.begin() as connection:
        users = [{"id": key, "username": f"user{key}"} | flags for key in keys]
        connection.execute(insert(models.user.__table__), users)
        for model, columns, there in rows:
            if model is not None:
                names = columns.split()
                connection.execute(insert(model.__table__), [dict(zip(names, row, strict=True)) for row in there])
        if flags:
            locked = [key for one in societies for key in (one.single["locked"], *one.crowds["asked"])]
            connection.execute(update(models.user.__table__).where(models.user.id.in_(locked)).values(locked=True))
    if models.entry is not None:
        _keep_timelines(engine, models, at)


def _keep_timelines(engine: Engine, models: Models, at: datetime) -> None:
    """Keep home timelines of two, and finish all that is to be done for that."""
    back = [one.single["back"] for one in SOCIETIES.values()]
    with Session(engine) as session:
        for reader in (*back, *(one.single["me"] for one in SOCIETIES.values())):
            models.graph(session).mark_active(reader)
        readers = models.metadata.tables["timeline_entries_readers"]
        session.execute(update(readers).where(readers.c.user_id.in_(back)).values(active_at=at))
        session.commit()
    fanout.work(sessionmaker(engine), models.user)


def names(session: Session, models: Models, society: Society, *, instances: bool) -> dict[str, Any]:
    """
    Return what a call of the table can name: people, the graph's methods, and what else there is.

    People are *instances*, or their keys; but ``myself`` is always an instance, as is what ``user()`` returns.
    """
    User = models.user  # noqa: N806
    everybody = select(User).where(User.id.in_(society.keys))
    users = {user.id: user for user in session.scalars(everybody)} if instances else {}
    people = {**society.single, **{role: crowd[0] for role, crowd in society.crowds.items()}}
    me, graph = people["me"], models.graph(session)
    myself = session.get_one(User, me)
    return {
        **{name: getattr(graph, name) for name in dir(graph) if not name.startswith("_")},
        **{role: users.get(key, key) for role, key in people.items()},
        "fans": [users.get(key, key) for key in society.crowds["fan"]],
        "idol": IDOL,
        "myself": myself,
        "user": lambda one: one if isinstance(one, User) else session.get_one(User, one),
        "key": lambda one: one.id if isinstance(one, User) else one,
        "second": lambda list_: list_(me, limit=1, cursor=list_(me, limit=1).next),
        "read": lambda edges: [(edge.follower.username, edge.following.username) for edge in edges],
        "posts": lambda number: [models.post(id=9_000 + n, author=myself, made_at=now()) for n in range(number)],
        "session": session,
        "User": User,
        "Follow": models.follow,
        **{one.__name__: one for one in (Only, Sort, delete, follower_growth, churn, top_new_followers, statistics)},
    }


def statements_of(call: str, first: str | None, names: dict[str, Any]) -> list[str]:
    """Do what comes *first*, expire everybody, and return the statements of *call*; nothing of it stays."""
    session: Session = names["session"]
    names["found"] = eval(first, names) if first else None
    session.flush()
    session.expire_all()
    with count_statements(session.connection()) as statements:
        eval(call, names)
        session.flush()
    session.rollback()
    return statements
