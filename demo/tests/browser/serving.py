"""The demo behind its own server, on a free port of this machine, for as long as a test needs it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from flask import Flask
from waitress import wasyncore

from retinue_demo.server import server_of

_STOPS_WITHIN_SECONDS = 10.0


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve *app* as `python -m retinue_demo` does, in threads; give its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Typed as one of several kinds of server, not all of which have what is used here.
        server: Any = server_of(app, listener)
        thread = Thread(target=server.run, name="demo", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            # In the server's own thread: it sleeps on the very sockets that are to be closed.
            server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
            thread.join(_STOPS_WITHIN_SECONDS)
            server.task_dispatcher.shutdown(timeout=_STOPS_WITHIN_SECONDS)
    assert not thread.is_alive()
