"""
Home timelines that are kept ready: what a post costs however many follow, what a page costs, and what it costs to send.

The floor reads and writes the same tables by hand, in the fewest statements. What a post leaves to be done
is noted with it, and done by a worker; a page is right before that and after it, which is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any

import numpy as np
from sqlalchemy.orm import sessionmaker

from benchmarks.competitors import floor_of
from benchmarks.competitors.models import declare
from benchmarks.competitors.retinue import Retinue
from benchmarks.data import Data
from benchmarks.databases import Place
from benchmarks.loads.load import Measured
from benchmarks.results import FLOOR, RETINUE, Stated
from benchmarks.runner import quarters, ratios, repeated, take_turns
from retinue import TimelineEntryMixin, fanout

POST_GOAL = 1.2
#: For how many followers of each author a timeline is kept.
KEPT = 100
#: Posts by whom the reader follows, and how many follow the author at most to whose followers a post is sent.
POSTS, MAX_FOLLOWERS = 2_000, 10_000


class RetinueTimelines(Retinue):
    """With timelines that are kept ready."""

    models = declare(TimelineEntryMixin)

    def keep(self, readers: Sequence[int]) -> None:
        """Keep the timelines of *readers* from now on."""
        for reader in readers:
            self.graph.mark_active(reader)
        self.session.commit()
        self.work()

    def work(self) -> None:
        """Do what a worker does."""
        fanout.work(sessionmaker(self.engine), self.models.user)


#: The floor on Retinue's tables.
_ON_ITS_TABLES: dict[str, Any] = {
    "POST": "INSERT INTO posts (id, author_id, created_at, body) VALUES (?, ?, ?, ?)",
    "KEPT_PAGE": "SELECT p.id, p.author_id, p.created_at, p.body FROM timeline_entries e JOIN posts p ON p.id = e.post_id"
    " WHERE e.reader_id = ? ORDER BY e.timestamp DESC, e.post_id DESC LIMIT 20",
    "SEARCHED_PAGE": "SELECT id FROM posts WHERE author_id = ? OR author_id IN (SELECT following_id FROM follows"
    " WHERE follower_id = ?) ORDER BY created_at DESC, id DESC LIMIT 20",
    "ENTRIES": "SELECT COUNT(*) FROM timeline_entries WHERE author_id = ?",
    "READERS": "SELECT COUNT(*) FROM timeline_entries_readers r JOIN follows f ON f.follower_id = r.user_id"
    " WHERE f.following_id = ?",
    "SEND": "INSERT INTO timeline_entries (reader_id, timestamp, post_id, author_id)"
    " SELECT f.follower_id, p.created_at, p.id, p.author_id FROM posts p"
    " JOIN follows f ON f.following_id = p.author_id JOIN timeline_entries_readers r ON r.user_id = f.follower_id"
    " WHERE p.id = ?",
}


@contextmanager
def _sides(place: Place) -> Iterator[tuple[Any, RetinueTimelines]]:
    """Give the floor and Retinue, on the same tables."""
    url = place.fresh()
    retinue = RetinueTimelines(url)
    retinue.create()
    retinue.load(place.data)
    kind: Any = type("FloorTimelines", (floor_of(place.kind),), dict(_ON_ITS_TABLES))
    by_hand = kind(url)
    if place.kind != "postgresql":
        by_hand.now = lambda: datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    yield by_hand, retinue
    by_hand.close()
    retinue.close()
    place.drop(url)


def posting(place: Place) -> Measured:
    """Let authors with few and with many followers post in turns, and the bare driver insert a post."""
    data, keys, rounds = place.data, count(1), 7 if place.quick else 15
    followers = np.bincount(data.followed, minlength=data.users + 1)
    followers[0] = -1
    found = [int(np.argmin(np.abs(followers - wanted))) for wanted in (10, 10_000)]
    authors = {int(followers[author]): author for author in (*found, data.celebrity)}
    few, *_, many = authors
    with _sides(place) as (by_hand, retinue):
        readers = {author: data.followers[data.followed == author][:KEPT].tolist() for author in authors.values()}
        retinue.keep([reader for some in readers.values() for reader in some])
        names = {number: RETINUE if number == many else f"{number:,}" for number in authors}
        calls: dict[str, Callable[[], object]] = {FLOOR: lambda: by_hand.post(authors[many], next(keys))}
        for number, author in authors.items():
            calls[names[number]] = partial(_post, retinue, author, keys)
        turns = take_turns({name: repeated(call, calls=20, rounds=rounds) for name, call in calls.items()}, rounds)
        for is_sent in (False, True):
            if is_sent:
                retinue.work()
            for some in readers.values():
                searched = [key for (key,) in by_hand.rows(by_hand.SEARCHED_PAGE, (some[0], some[0]))]
                _same(retinue.home_timeline(some[0]), searched)
    stated = [
        Stated(
            f"{number:,} followers: of {few:,} followers",
            quarters(ratios(turns[names[number]], turns[names[few]]))[0],
            POST_GOAL if number == many else None,
        )
        for number in list(authors)[1:]
    ]
    return Measured({name: turns[name] for name in (FLOOR, RETINUE)}, tuple(stated))


def page(place: Place) -> Measured:
    """Read a page of one reader."""
    data, chance, rounds = place.data, np.random.default_rng(1), 5 if place.quick else 11
    reader = int(np.argmin(np.abs(np.bincount(data.followers)[1:] - 500))) + 1
    followed = data.followed[data.followers == reader]
    newest = int(datetime.now(UTC).timestamp() * 1e6)
    with _sides(place) as (by_hand, retinue):
        times = [newest - 60_000_000 * number for number in range(POSTS, 0, -1)]
        retinue.load_posts(chance.choice(followed, POSTS).tolist(), times)
        retinue.keep([reader])
        calls: dict[str, Callable[[], list[int]]] = {
            FLOOR: lambda: [row[0] for row in by_hand.rows(by_hand.KEPT_PAGE, (reader,))],
            RETINUE: lambda: retinue.home_timeline(reader),
        }
        _same(calls[FLOOR](), calls[RETINUE]())
        turns = take_turns({name: repeated(call, calls=50, rounds=rounds) for name, call in calls.items()}, rounds)
    return Measured(turns, (Stated("follows", len(followed)),))


def sending(place: Place) -> Measured:
    """Post, and send that to the timelines of followers."""
    data, keys, rounds = place.data, count(1), 5 if place.quick else 11
    author = _author(data)
    with _sides(place) as (by_hand, retinue):
        retinue.keep(data.followers[data.followed == author][: 100 if place.quick else 1_000].tolist())

        def send_by_hand() -> None:
            key = next(keys)
            by_hand.begin()
            by_hand.write(by_hand.POST, (key, author, by_hand.now(), f"post {key}"))
            by_hand.write(by_hand.SEND, (key,))
            by_hand.commit()

        def send() -> None:
            _post(retinue, author, keys)
            retinue.work()

        sides = {FLOOR: repeated(send_by_hand, calls=2, rounds=rounds), RETINUE: repeated(send, calls=2, rounds=rounds)}
        turns = take_turns(sides, rounds)
        ((readers,),) = by_hand.rows(by_hand.READERS, (author,))
        _same(by_hand.rows(by_hand.ENTRIES, (author,)), [((next(keys) - 1) * readers,)])
    followers = int(np.count_nonzero(data.followed == author))
    return Measured(turns, (Stated("timelines", readers), Stated("followers", followers)))


def _post(retinue: RetinueTimelines, author: int, keys: Iterator[int]) -> None:
    retinue.post(author, next(keys))


def _author(data: Data) -> int:
    """Return who has the highest number of followers of all to whose followers posts are sent."""
    numbers = np.bincount(data.followed)
    return int(np.argmax(np.where(numbers <= MAX_FOLLOWERS, numbers, -1)))


def _same(found: object, expected: object) -> None:
    if found != expected:
        raise AssertionError(f"{found}, and not {expected}")
