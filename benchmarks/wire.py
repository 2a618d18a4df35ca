"""
A wire to a server: a relay between two sockets, which holds each answer back until a round trip took as long as it would there.

It is a process of its own on the server's core, and waits by looking at the clock: sleeping is not exact enough. While it
works, the client and the server wait, so that it takes nothing from them. What a relay costs by itself is a part of the
delay: it is measured, and so much less is waited. Only the first piece of an answer is held back, as on a wire.
"""

from __future__ import annotations

import multiprocessing
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.cores import servers_core

#: Seconds that a round trip takes longer than to a socket of this machine: two hosts in one data centre.
DELAY = 0.000_25

#: Round trips that are timed to find out what the relay itself costs.
_TIMED = 300
_BYTES = 65_536


@contextmanager
def wire(server: Path, near: Path, round_trip: Callable[[Path], Callable[[], object]]) -> Iterator[None]:
    """
    Relay what comes to the socket *near* to the socket *server*, delayed by `DELAY`.

    ``round_trip(folder of a socket)`` returns what makes one round trip.
    """
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_live, args=(server, near, theirs), daemon=True)
    with servers_core():
        process.start()
    theirs.close()
    ours.recv()
    try:
        direct, relayed = round_trip(server.parent), round_trip(near.parent)
        cost = _usual(relayed) - _usual(direct)
        ours.send(max(0.0, DELAY - cost))
        ours.recv()
        yield
    finally:
        process.terminate()
        process.join()


def _usual(call: Callable[[], object]) -> float:
    """Return how many seconds a call takes where the machine does nothing besides."""
    times = []
    for _ in range(_TIMED):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return sorted(times)[_TIMED // 10]


class _Relay:
    """Whatever comes from either end of a connection goes to the other."""

    def __init__(self, server: Path, near: Path) -> None:
        self.delay = 0.0
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(near))
        self._listener.listen()
        #: By each end of a connection, the other one, and whether it is the client's.
        self._others: dict[socket.socket, tuple[socket.socket, bool]] = {}
        #: Ends of servers that were asked, and have not answered yet.
        self._asked: set[socket.socket] = set()
        self.ready = selectors.DefaultSelector()
        self.ready.register(self._listener, selectors.EVENT_READ, self._connect)

    def _connect(self, _listener: object) -> None:
        client, server = self._listener.accept()[0], socket.socket(socket.AF_UNIX)
        server.connect(str(self._server))
        for end, other, is_client in ((client, server, True), (server, client, False)):
            self._others[end] = other, is_client
            self.ready.register(end, selectors.EVENT_READ, self._pass_on)

    def _pass_on(self, end: socket.socket) -> None:
        if end not in self._others:
            return  # the other one has just gone
        came, data, (other, is_client) = time.perf_counter(), end.recv(_BYTES), self._others[end]
        if not data:
            for one in (end, other):
                self.ready.unregister(one)
                self._others.pop(one)
                one.close()
            return
        if is_client:
            self._asked.add(other)
        elif end in self._asked:
            self._asked.discard(end)
            while time.perf_counter() - came < self.delay:
                pass
        other.sendall(data)


def _live(server: Path, near: Path, pipe: Connection) -> None:
    """Live as the relay."""
    relay = _Relay(server, near)

    def set_delay(_pipe: object) -> None:
        relay.delay = pipe.recv()
        pipe.send(None)

    relay.ready.register(pipe, selectors.EVENT_READ, set_delay)
    pipe.send(None)
    while True:
        for key, _ in relay.ready.select():
            key.data(key.fileobj)
