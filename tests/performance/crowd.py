"""Who is in the graph that calls are measured in: the same people on every engine, in every run."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from retinue import search_texts

PEOPLE: Final = 20_000
#: Someone with 15,000 followers who follows 40.
CELEBRITY: Final = 1
#: Two who follow many: their home timelines are measured.
FOLLOWS_500: Final = 2
FOLLOWS_5000: Final = 3
#: Three like everybody else; the second follows the first, and nobody else of them anybody of them.
ORDINARY: Final = 11
ORDINARY_FRIEND: Final = 12
STRANGER: Final = 13
#: Someone whom ten follow, and who follows ten.
LITTLE: Final = 14
#: One whom the celebrity follows, and who follows back.
FRIEND_OF_CELEBRITY: Final = 1_001

FANS: Final = range(1_001, 16_001)
_STARTED: Final = datetime(2026, 1, 1, tzinfo=UTC)
_EACH: Final = 4

Rows = list[tuple[Any, ...]]


def at(second: int) -> datetime:
    """Return a time of the past: that many seconds after a fixed one."""
    return _STARTED + timedelta(seconds=second)


@cache
def edges() -> list[tuple[int, int]]:
    """Return who follows whom, in the order in which they began to."""
    dice = random.Random(20_26)
    pairs = {(fan, CELEBRITY) for fan in FANS}
    pairs |= {(CELEBRITY, other) for other in FANS[:40]}
    pairs |= {(FOLLOWS_500, other) for other in dice.sample(FANS, 500)}
    pairs |= {(FOLLOWS_5000, other) for other in dice.sample(FANS, 5_000)}
    pairs |= {(ORDINARY, other) for other in range(5_000, 5_060)}
    pairs |= {(other, ORDINARY) for other in (ORDINARY_FRIEND, *range(5_030, 5_090))}
    pairs |= {(LITTLE, other) for other in range(6_000, 6_010)} | {(other, LITTLE) for other in range(6_005, 6_015)}
    for user in range(21, PEOPLE + 1):
        for _ in range(_EACH):
            # Some are followed more than others, and some follow back.
            other = 21 + int((PEOPLE - 20) * dice.random() ** 2)
            if other != user:
                pairs.add((user, other))
                if dice.random() < 0.2:
                    pairs.add((other, user))
    ordered = sorted(pairs)
    dice.shuffle(ordered)
    return ordered


@cache
def tables() -> list[tuple[str, tuple[str, ...], Rows]]:
    """Return each table, its columns and its rows, in the order of their foreign keys."""
    return [*_people_and_edges(), *_posts_and_timelines(), *_between_people()]


def _people_and_edges() -> Iterator[tuple[str, tuple[str, ...], Rows]]:
    # Rows as wide as they are in real life: where users fit in a few pages, reading them all is a good plan.
    users = [(n, f"user{n}", "about them " * 40, *_FLAGS.values()) for n in range(1, PEOPLE + 1)]
    yield "users", ("id", "username", "about", *_FLAGS), users
    texts = [(n, text) for n in range(1, PEOPLE + 1) for text in search_texts(f"user{n} family{n % 2_000}")]
    yield "search_texts", ("user_id", "text"), texts
    pairs = edges()
    yield (
        "follows",
        ("follower_id", "following_id", "timestamp"),
        sorted((a, b, at(n)) for n, (a, b) in enumerate(pairs)),
    )
    followers, following = Counter(b for _, b in pairs), Counter(a for a, _ in pairs)
    yield (
        "follow_counts",
        ("user_id", "slot", "followers", "following"),
        [(n, 0, followers[n], following[n]) for n in range(1, PEOPLE + 1)],
    )
    yield "users_follow_guards", ("user_id", "version"), [(n, 1) for n in range(1, PEOPLE + 1)]


_FLAGS: Final = {
    "locked": False,
    "active": True,
    "hide_followers": False,
    "hide_following": False,
    "discoverable": True,
}


def _posts_and_timelines() -> Iterator[tuple[str, tuple[str, ...], Rows]]:
    dice = random.Random(20_27)
    authors = [CELEBRITY] * 1_000 + [dice.randint(21, PEOPLE) for _ in range(39_000)]
    dice.shuffle(authors)
    posts = [(n, author, at(n * 60)) for n, author in enumerate(authors, 1)]
    yield "posts", ("id", "author_id", "made_at"), posts
    # Kept for the two who follow many, and a little for many others, so that the tables have a size.
    followed = {reader: {b for a, b in edges() if a == reader} for reader in (FOLLOWS_500, FOLLOWS_5000)}
    entries = [
        (reader, time, post, author)
        for reader, mine in followed.items()
        for post, author, time in [row for row in posts if row[1] in mine][-800:]
    ]
    complete = {reader: min(time for who, time, *_ in entries if who == reader) for reader in followed}
    for reader in range(21, 1_521):
        newest = [posts[-n] for n in range(1, 4)]
        entries += [(reader, time, post, author) for post, author, time in newest]
        complete[reader] = newest[-1][2]
    yield "timeline_entries", ("reader_id", "timestamp", "post_id", "author_id"), sorted(entries)
    yield (
        "timeline_entries_readers",
        ("user_id", "version", "active_at", "complete_after"),
        [(reader, 1, at(40_000 * 60), time) for reader, time in sorted(complete.items())],
    )
    senders = [(CELEBRITY, 1, at(0), True), *((n, n, at(0), False) for n in range(18_001, 19_001))]
    yield "timeline_entries_senders", ("user_id", "version", "since", "merged"), senders


def _between_people() -> Iterator[tuple[str, tuple[str, ...], Rows]]:
    """Yield what one can do to others besides following them; nobody here follows the other."""
    dice = random.Random(20_28)
    follows = set(edges())
    pairs = {(dice.randint(21, PEOPLE), dice.randint(21, PEOPLE)) for _ in range(18_000)}
    # The celebrity is blocked, asked and muted by more than others are.
    pairs |= {(n, CELEBRITY) for n in range(17_001, 20_001)}
    apart = sorted((a, b) for a, b in pairs if a != b and not {(a, b), (b, a)} & follows)
    dice.shuffle(apart)
    blocks, requests, mutes, dismissed, told = (apart[n::5] for n in range(5))
    yield "blocks", ("blocker_id", "blocked_id", "timestamp"), [(*pair, at(1)) for pair in sorted(blocks)]
    yield "follow_requests", ("follower_id", "following_id", "timestamp"), [(*pair, at(1)) for pair in sorted(requests)]
    yield (
        "mutes",
        ("muter_id", "muted_id", "timestamp", "notifications"),
        [(*pair, at(1), True) for pair in sorted(mutes)],
    )
    yield (
        "dismissed_suggestions",
        ("user_id", "suggested_id", "timestamp"),
        [(*pair, at(1)) for pair in sorted(dismissed)],
    )
    yield (
        "notifications",
        ("recipient_id", "actor_id", "kind", "id", "timestamp"),
        [(b, a, "followed", n, at(1)) for n, (a, b) in enumerate(sorted(told), 1)],
    )
    yield (
        "follow_events",
        ("follower_id", "id", "following_id", "kind", "timestamp"),
        [(a, n, b, "followed", at(n)) for n, (a, b) in enumerate(edges()[:20_000], 1)],
    )


@cache
def sizes() -> dict[str, int]:
    """Return how many rows each table has."""
    return {table: len(rows) for table, _, rows in tables()}
