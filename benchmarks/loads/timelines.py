"""
Home timelines that are kept ready: what a page costs, and what it costs to send a post to them.

The floor reads and writes the same tables by hand, in the fewest statements.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import create_engine, insert
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.data import Data
from benchmarks.databases import Place
from benchmarks.loads.bare import Bare
from benchmarks.loads.comparing import FLOOR, OURS, compared
from benchmarks.loads.filling import fill
from benchmarks.loads.posting import BODY, Base, Post, User, insert_post, poster, timed
from benchmarks.results import Row
from retinue import Graph, fanout, prepare_engine

#: Posts by whom the reader follows, and how many follow the author at most to whose followers a post is sent.
POSTS, FOLLOWERS_MOST = 2_000, 10_000

_PAGE = (
    "SELECT p.id, p.author_id, p.made_at, p.body FROM timeline_entries e JOIN posts p ON p.id = e.post_id"
    " WHERE e.reader_id = :reader ORDER BY e.timestamp DESC, e.post_id DESC LIMIT 20"
)
_SEND = (
    "INSERT INTO timeline_entries (reader_id, timestamp, post_id, author_id)"
    " SELECT f.follower_id, p.made_at, p.id, p.author_id FROM posts p"
    " JOIN follows f ON f.following_id = p.author_id JOIN timeline_entries_readers r ON r.user_id = f.follower_id"
    " WHERE p.id = :post"
)


def measure(place: Place) -> list[Row]:
    """Read a page of one reader, then send posts of one author, in turns with the floor."""
    url, data = place.fresh(), place.data
    fill(url, Base.metadata, data)
    sessions = sessionmaker(prepare_engine(create_engine(url)))
    blocks = 5 if place.quick else 11
    with sessions() as session, closing(Bare(url)) as bare:
        rows = [
            _page(place, sessions, session, bare, blocks),
            _sending(place, sessions, session, bare, blocks),
        ]
    sessions.kw["bind"].dispose()
    place.drop(url)
    return rows


def _page(place: Place, sessions: sessionmaker[Session], session: Session, bare: Bare, blocks: int) -> Row:
    data, chance = place.data, np.random.default_rng(1)
    reader = _near(np.bincount(data.followers), 500)
    followed = data.followed[data.followers == reader]
    newest = datetime.now(UTC)
    authors = chance.choice(followed, POSTS).tolist()
    posts = [
        {"author_id": author, "made_at": newest - timedelta(minutes=number), "body": BODY}
        for number, author in enumerate(authors)
    ]
    with sessions.begin() as filling:
        filling.execute(insert(Post), posts)
    _keep(sessions, [reader])
    graph = Graph(session, User)
    if [row[0] for row in bare.run(_PAGE, reader=reader)] != [post.id for post in graph.home_timeline(reader)]:
        raise AssertionError("the timelines differ")
    sides: dict[str, Callable[[], object]] = {
        FLOOR: lambda: bare.run(_PAGE, reader=reader),
        OURS: lambda: graph.home_timeline(reader),
    }
    taken = {name: [0.0] * 0 for name in sides}
    for _ in range(blocks):
        for name, read in sides.items():
            taken[name].append(timed(read, calls=50))
    session.rollback()
    return Row(
        "page of a home timeline that is kept ready",
        place.kind,
        len(data.times),
        compared(taken),
        note="The floor trusts what is kept; Retinue looks whether it is still all there is.",
        stated={"follows": float(len(followed))},
    )


def _sending(place: Place, sessions: sessionmaker[Session], session: Session, bare: Bare, blocks: int) -> Row:
    data = place.data
    author, readers = _author(data), 100 if place.quick else 1_000
    followers = data.followers[data.followed == author][:readers].tolist()
    _keep(sessions, followers)
    post = poster(session, author)

    def by_hand() -> None:
        bare.begin()
        number = insert_post(bare, author)
        bare.run(_SEND, post=number)
        bare.commit()

    def ours() -> None:
        post()
        fanout.work(sessions, User)

    sides = {FLOOR: by_hand, OURS: ours}
    taken = {name: [0.0] * 0 for name in sides}
    before = _entries(bare, author)
    for _ in range(blocks):
        for name, send in sides.items():
            taken[name].append(timed(send, calls=2))
    kept = sum(
        bare.run(
            "SELECT COUNT(*) FROM timeline_entries_readers r JOIN follows f ON f.follower_id = r.user_id WHERE f.following_id = :author",
            author=author,
        )[0]
    )
    if _entries(bare, author) - before != 2 * 2 * blocks * kept:
        raise AssertionError("a post was not sent to everybody")
    return Row(
        "post, and send it to the timelines of followers",
        place.kind,
        len(data.times),
        compared(taken),
        note="The floor in one transaction of two statements; Retinue by its worker, which may be cut off at any"
        " moment and goes on.",
        stated={"timelines": float(kept), "followers": float((data.followed == author).sum())},
    )


def _keep(sessions: sessionmaker[Session], readers: list[int]) -> None:
    with sessions.begin() as session:
        graph = Graph(session, User)
        for reader in readers:
            graph.mark_active(reader)
    fanout.work(sessions, User)


def _entries(bare: Bare, author: int) -> int:
    return int(bare.run("SELECT COUNT(*) FROM timeline_entries WHERE author_id = :author", author=author)[0][0])


def _near(numbers: np.ndarray[tuple[int], np.dtype[np.int64]], wanted: int) -> int:
    """Return the user whose number is nearest to *wanted*."""
    return int(np.argmin(np.abs(numbers[1:] - wanted))) + 1


def _author(data: Data) -> int:
    """Return who has most followers of all to whose followers posts are sent."""
    numbers = np.bincount(data.followed)
    return int(np.argmax(np.where(numbers <= FOLLOWERS_MOST, numbers, -1)))
