"""What Retinue sends to the database, so that others can send the same without it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import URL, create_engine, event
from sqlalchemy.orm import Session

from benchmarks.loads.bare import Bare
from benchmarks.loads.models import User
from retinue import Graph, prepare_engine

#: Keys of users whom an example may be about: Retinue's own numbers in a statement are lower.
_FIRST_KEY = 100

_HOLE = re.compile(r"\?|%\((\w+)\)s")
_ARRAY = re.compile(r"\{\d+(,\d+)*\}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")

Pair = tuple[int, int]


@dataclass(frozen=True)
class Change:
    """
    A verb: a first statement, what follows where it changed a row, and what follows where it did not.

    The first two by whether the follower's key is the lower: counters change in ascending order.
    """

    first: Mapping[bool, str]
    then: Mapping[bool, tuple[str, ...]]
    otherwise: tuple[str, ...]

    @property
    def is_single(self) -> bool:
        """Whether the first statement does it all; it then returns a row that begins with how many edges it changed."""
        return not any(self.then.values())


@dataclass(frozen=True)
class Statements:
    """
    Retinue's statements, with parameters named ``:so``.

    Lists take ``user``, and ``at`` and ``key`` for where a page begins; `relationships` takes
    ``viewer``, ``a``, ``b`` and ``c``; all else ``follower`` and ``followed``, and ``now``.
    """

    followers: str
    following: str
    older_followers: str
    older_following: str
    count: str
    is_following: str
    relationships: str
    follow: Change
    unfollow: Change


def record(url: URL) -> Statements:
    """Watch Retinue on the graph at *url*, which stays as it is."""
    there = {up: _pair(url, up=up, there=True) for up in (True, False)}
    new = {up: _pair(url, up=up, there=False) for up in (True, False)}
    pair = dict(zip(("follower", "followed"), there[True], strict=True))
    user = pair["follower"]
    others = dict(zip("abc", (key for key in range(_FIRST_KEY, _FIRST_KEY + 4) if key != user), strict=False))
    with _recorder(url) as recorder:
        one = recorder.one
        return Statements(
            followers=one(lambda graph: graph.followers(user), user=user),
            following=one(lambda graph: graph.following(user), user=user),
            older_followers=recorder.older("followers"),
            older_following=recorder.older("following"),
            count=one(lambda graph: graph.counts([user]), user=user),
            is_following=one(lambda graph: graph.is_following(*pair.values()), **pair),
            relationships=one(lambda graph: graph.relationships(user, [*others.values()]), viewer=user, **others),
            follow=recorder.change(Graph.follow, new, there[True]),
            unfollow=recorder.change(Graph.unfollow, there, new[True]),
        )


def _pair(url: URL, *, up: bool, there: bool) -> Pair:
    """Return two users, the follower's key lower (*up*) or higher, of whom one follows the other or does not."""
    lower, higher = ("a.id", "b.id") if up else ("b.id", "a.id")
    pair = "SELECT 1 FROM follows WHERE follower_id = a.id AND following_id = b.id"
    near = f"a.id > {_FIRST_KEY} AND b.id > {_FIRST_KEY} AND {lower} < {higher}"
    with closing(Bare(url)) as bare:
        if there:
            text = (
                "SELECT a.id, b.id FROM follows JOIN users a ON a.id = follower_id JOIN users b ON b.id = following_id"
            )
            ((follower, followed),) = bare.run(f"{text} WHERE {near} LIMIT 1")
        else:
            text = f"SELECT a.id, b.id FROM users a JOIN users b ON {near} WHERE NOT EXISTS ({pair})"
            ((follower, followed),) = bare.run(f"{text} LIMIT 1")
        return int(follower), int(followed)


class _Recorder:
    """Runs calls of a graph, each of which it takes back, and keeps what they send."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sent: list[tuple[str, Any]] = []
        event.listen(session.get_bind(), "before_cursor_execute", self._hear)

    def one(self, call: Callable[[Graph[User]], object], **given: Any) -> str:
        """Return the only statement of *call*."""
        (text,) = self.all(call, **given)
        return text

    def all(self, call: Callable[[Graph[User]], object], **given: Any) -> tuple[str, ...]:
        """Return all statements of *call*, with the values *given* under their names."""
        self._session.rollback()
        graph = Graph(self._session, User)
        self._sent.clear()
        call(graph)
        self._session.rollback()
        return tuple(_named(text, values, given) for text, values in self._sent if not text.startswith("BEGIN"))

    def older(self, name: str) -> str:
        """Return the statement for a second page of the list of that *name*."""
        graph = Graph(self._session, User)
        for user in range(_FIRST_KEY, 100 * _FIRST_KEY):
            page = getattr(graph, name)(user)
            if page.next is not None and page.items[-1].user.id > _FIRST_KEY:
                break
        last = page.items[-1]
        given = {"user": user, "at": last.since, "key": last.user.id}
        return self.one(lambda graph: getattr(graph, name)(user, cursor=page.next), **given)

    def change(self, verb: Callable[..., object], pairs: Mapping[bool, Pair], not_for: Pair) -> Change:
        """Return what *verb* sends for *pairs*, by whether the first of two is the lower; and for whom it does nothing."""

        def sent(pair: Pair) -> tuple[str, ...]:
            return self.all(lambda graph: verb(graph, *pair), follower=pair[0], followed=pair[1])

        ways = {up: sent(pair) for up, pair in pairs.items()}
        return Change(
            {up: way[0] for up, way in ways.items()}, {up: way[1:] for up, way in ways.items()}, sent(not_for)[1:]
        )

    def _hear(self, _connection: Any, _cursor: Any, text: str, values: Any, _context: Any, _many: bool) -> None:
        self._sent.append((text, values))


@contextmanager
def _recorder(url: URL) -> Iterator[_Recorder]:
    engine = prepare_engine(create_engine(url))
    with Session(engine) as session:
        yield _Recorder(session)
    engine.dispose()


def _named(text: str, values: Any, given: Mapping[str, Any]) -> str:
    """Write the names of the values that were *given* into *text*, and all other values as they are."""
    names = {_plain(value): name for name, value in given.items()}
    in_order = iter(()) if isinstance(values, dict) else iter(values)

    def fill(hole: re.Match[str]) -> str:
        value = values[hole[1]] if hole[1] else next(in_order)
        if isinstance(value, str) and _ARRAY.fullmatch(value):
            value = [int(key) for key in value[1:-1].split(",")]
        if isinstance(value, list):
            return f"ARRAY[{', '.join(f':{names[_plain(key)]}' for key in value)}]"
        if _plain(value) in names:
            return f":{names[_plain(value)]}"
        if isinstance(value, datetime) or _TIME.fullmatch(str(value)):
            return ":now"
        if not isinstance(value, int) or value >= _FIRST_KEY:
            raise AssertionError(f"what is {value!r} in {text}?")
        return str(value)

    return " ".join(_HOLE.sub(fill, text).split())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        value = value.astimezone(UTC) if value.tzinfo else value
        return value.replace(tzinfo=None).isoformat(" ", "microseconds")
    return value
