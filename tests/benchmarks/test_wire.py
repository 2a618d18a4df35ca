"""A relay between two sockets that holds each answer back."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from benchmarks import wire

DELAY = 0.02


@contextmanager
def echo(path: Path) -> Iterator[None]:
    """Answer whatever comes with two pieces, in threads that end with their connections."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def answer(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(100):
                connection.sendall(data)
                time.sleep(0.001)
                connection.sendall(data)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_each_answer_comes_later_by_the_delay_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "DELAY", DELAY)
    monkeypatch.setattr(wire, "_TIMED", 5)
    for folder in ("far", "near"):
        (tmp_path / folder).mkdir()
    far, near = tmp_path / "far" / "s", tmp_path / "near" / "s"
    connections: list[socket.socket] = []

    def round_trip(folder: Path) -> Callable[[], object]:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(folder / "s"))
        connections.append(connection)

        def ask() -> bytes:
            connection.sendall(b"ping")
            return b"".join(connection.recv(1) for _ in range(8))

        return ask

    with echo(far), wire.wire(far, near, round_trip):
        ask, times = round_trip(near.parent), []
        for _ in range(5):
            start = time.perf_counter()
            assert ask() == b"pingping"
            times.append(time.perf_counter() - start)
        for connection in connections:
            connection.close()

    # The delay comes once, whatever the machine does besides; and not for each piece.
    assert DELAY * 0.5 <= min(times) < DELAY * 2
