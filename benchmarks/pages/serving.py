"""An app in a process of its own, served by waitress as in production."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from flask import Flask
from sqlalchemy import URL

from benchmarks.cores import servers_core

#: Threads of waitress; as many people ask at once.
THREADS = 8

#: How long nothing may be heard of somebody.
CONNECTION_SECONDS = 3600


@contextmanager
def served(create_app: Callable[[URL], Flask], url: URL) -> Iterator[int]:
    """Serve the app of *create_app* on the database at *url*, and give the port of this machine that it hears."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(create_app, url, theirs), daemon=True)
    with servers_core():
        process.start()
    theirs.close()
    try:
        yield int(ours.recv())
    finally:
        process.terminate()
        process.join()


def _serve(create_app: Callable[[URL], Flask], url: URL, pipe: Connection) -> None:
    from waitress.server import create_server  # noqa: PLC0415 - where it is served alone

    # It warns of people who wait for a moment, as they do here all the time.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    # A connection waits while the other app has its turn.
    server: Any = create_server(
        create_app(url), host="127.0.0.1", port=0, threads=THREADS, channel_timeout=CONNECTION_SECONDS
    )
    pipe.send(server.effective_port)
    server.run()
