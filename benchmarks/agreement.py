"""
Do the contestants answer alike? Each against a plain model of a follow system, on a small random graph.

    .venv/bin/python -m benchmarks.agreement [sqlite] [postgresql] [valkey] [mariadb]

Every operation that a contestant offers is asked for many times, reads after writes and writes
after reads; the first answer that differs ends the program with both of them. Suggestions, for which the model has no
formula, are compared among the contestants.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
from sqlalchemy import URL, make_url

from benchmarks.contestant import PAGE, Contestant, Shown
from benchmarks.contestants import everybody
from benchmarks.data import Data
from tests.servers import MariaDB, PostgreSQL

USERS, EDGES, STEPS = 120, 3_000, 250
START = 1_750_000_000_000_000
POSTS = 300
OPERATIONS = (
    "is_following",
    "relationships",
    "first_page",
    "page_from",
    "counts",
    "mutuals",
    "followers_you_know",
    "home_timeline",
    "suggestions",
    "follow",
    "unfollow",
    "post",
    "delete_user",
)


class Model(Contestant):
    """The plain model: two dictionaries and a list."""

    name = "plain model"

    def load(self, data: Data) -> None:
        """Take over the graph."""
        self.users = {key: data.name_of(key) for key in range(1, data.users + 1)}
        edges = zip(data.followers.tolist(), data.followed.tolist(), strict=True)
        self.since = dict(zip(edges, data.times.tolist(), strict=True))
        self.clock = max(self.since.values())

    def load_posts(self, authors: Sequence[int], times: Sequence[int]) -> None:
        """Take over the posts; the later ones are the newer ones."""
        assert list(times) == sorted(times)
        self.posts = [(author, key) for key, author in enumerate(authors, 1)]

    def is_following(self, follower: int, followed: int) -> bool:
        """Whether there is an edge."""
        return (follower, followed) in self.since

    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        """Look at each pair."""
        following = {("following", key) for key in users if (viewer, key) in self.since}
        return following | {("followed_by", key) for key in users if (key, viewer) in self.since}

    def _newest(self, keys: dict[int, int]) -> list[Shown]:
        return [(key, self.users[key]) for key in sorted(keys, key=lambda key: (keys[key], key), reverse=True)]

    def _followers(self, user: int) -> dict[int, int]:
        return {follower: since for (follower, followed), since in self.since.items() if followed == user}

    def _following(self, user: int) -> dict[int, int]:
        return {followed: since for (follower, followed), since in self.since.items() if follower == user}

    def first_page(self, user: int) -> list[Shown]:
        """Sort all."""
        return self._newest(self._followers(user))[:PAGE]

    def place_at(self, user: int, depth: int) -> int:  # noqa: ARG002
        """The offset."""
        return depth

    def page_from(self, user: int, place: int) -> list[Shown]:
        """Sort all."""
        return self._newest(self._followers(user))[place : place + PAGE]

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Count all."""
        return {key: (len(self._followers(key)), len(self._following(key))) for key in users}

    def mutuals(self, user: int) -> list[Shown]:
        """Both ways."""
        return self.followers_you_know(user, user)[1]

    def followers_you_know(self, viewer: int, user: int) -> tuple[int, list[Shown]]:
        """Those in both sets."""
        known = {key: at for key, at in self._following(viewer).items() if (key, user) in self.since}
        return len(known), self._newest(known)[:PAGE]

    def home_timeline(self, user: int) -> list[int]:
        """The last posts."""
        authors = {user, *self._following(user)}
        return [key for author, key in reversed(self.posts) if author in authors][:PAGE]

    def follow(self, follower: int, followed: int) -> bool:
        """One more edge."""
        self.clock += 1
        new = (follower, followed) not in self.since
        self.since.setdefault((follower, followed), self.clock)
        return new

    def unfollow(self, follower: int, followed: int) -> bool:
        """One edge less."""
        return self.since.pop((follower, followed), None) is not None

    def post(self, author: int, key: int) -> None:
        """One more post."""
        self.posts.append((author, key))

    def delete_user(self, user: int) -> None:
        """All edges of one user less."""
        del self.users[user]
        self.since = {edge: since for edge, since in self.since.items() if user not in edge}
        self.posts = [post for post in self.posts if post[0] != user]


def small_graph(dice: random.Random) -> Data:
    """Return a random graph, with a celebrity whom all others follow."""
    pairs = {(key, 1) for key in range(2, USERS + 1)}
    while len(pairs) < EDGES:
        pairs.add((dice.randint(1, USERS), 1 + int(USERS * dice.random() ** 2)))
        pairs -= {(key, key) for key in range(1, USERS + 1)}
    edges = np.array(dice.sample(sorted(pairs), len(pairs)))
    times = START + np.cumsum(np.array([dice.choice((1, 999_999, 1_000_000, 10_000_000)) for _ in edges]))
    return Data("small", USERS, edges[:, 0], edges[:, 1], times, celebrity=1)


@contextmanager
def places(kind: str) -> Iterator[Iterator[URL]]:
    """Give as many addresses of empty databases of one *kind* as are asked for."""
    if kind in {"postgresql", "mariadb"}:
        server = {"postgresql": PostgreSQL, "mariadb": MariaDB}[kind]()
        try:
            yield iter(server.create_database, None)
        finally:
            server.stop()
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield (make_url(f"sqlite:///{folder}/{number}.sqlite3") for number in range(100))


def steps(dice: random.Random, model: Model) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Draw calls: each an operation and its arguments."""
    for number in range(1, STEPS + 1):
        keys = sorted(model.users)
        operation = dice.choice(OPERATIONS)
        one, other = dice.sample(keys, 2) if number % 3 else (dice.choice(keys[1:]), keys[0])
        match operation:
            case "relationships":
                yield operation, (one, dice.sample([key for key in keys if key != one], 20))
            case "counts":
                yield operation, (dice.sample(keys, dice.choice((1, 20))),)
            case "first_page" | "mutuals" | "home_timeline" | "suggestions":
                yield operation, (other,)
            case "page_from":
                ((followers, _),) = model.counts([other]).values()
                if followers > 1:
                    yield operation, (other, dice.randint(1, followers - 1))
            case "post":
                yield operation, (one, POSTS + number)
            case "delete_user":
                if one != keys[0] and number % 2:
                    yield operation, (one,)
            case _:
                yield operation, (one, other)


def call(contestant: Contestant, operation: str, arguments: tuple[Any, ...]) -> Any:
    """Return the answer to one call."""
    if operation == "page_from":
        user, depth = arguments
        return contestant.page_from(user, contestant.place_at(user, depth))
    return getattr(contestant, operation)(*arguments)


def compare(kind: str, kinds_of_contestants: Sequence[type[Contestant]], seed: int) -> None:
    """Ask all contestants on one kind of database, in turns, as the benchmark does."""
    dice = random.Random(seed)
    data = small_graph(dice)
    with places(kind) as urls, ExitStack() as stack:
        model = Model(next(urls))
        model.load(data)
        taking_part = []
        for contestant_class in kinds_of_contestants:
            contestant = contestant_class(next(urls))
            stack.callback(contestant.close)
            contestant.load(data)
            taking_part.append(contestant)
        authors, times = dice.choices(range(1, USERS + 1), k=POSTS), [START + number for number in range(POSTS)]
        for contestant in (model, *taking_part):
            if contestant.offers("post"):
                contestant.load_posts(authors, times)
        asked = dict.fromkeys((model, *taking_part), 0)
        for operation, arguments in steps(dice, model):
            able = [contestant for contestant in (model, *taking_part) if contestant.offers(operation)]
            answers = [(contestant, call(contestant, operation, arguments)) for contestant in able]
            for contestant, answer in answers:
                asked[contestant] += 1
                right = answers[0][1]
                if answer != right or type(answer) is not type(right):
                    sys.exit(f"{contestant.name} on {kind}: {operation}{arguments}\n gave {answer}\n  not {right}")
        for contestant in taking_part:
            missing = [name for name in OPERATIONS if not contestant.offers(name)]
            without = f", without {', '.join(missing)}" if missing else ""
            print(f"{kind}: {contestant.name} answers right, {asked[contestant]} times{without}", flush=True)


def main(kinds: Sequence[str]) -> None:
    """Compare on each kind of database, twice in one process: contestants must be able to be made again."""
    everyone = everybody()
    for seed in (1, 2):
        for kind in kinds:
            compare(kind, [one for one in everyone if kind in one.runs_on], seed)


if __name__ == "__main__":
    main(sys.argv[1:] or ["sqlite", "postgresql", "valkey"])
