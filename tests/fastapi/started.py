"""An example, started by the command of its README.md, behind a socket."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def started(example: str, database: str) -> Iterator[httpx.Client]:
    """Give what asks the *example*, a folder of ``examples/``, which keeps its data in *database*."""
    (module,) = re.findall(r"python -m (\S+) +#", (ROOT / "examples" / example / "README.md").read_text())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": database}
    with subprocess.Popen([sys.executable, "-m", module, f"--port={port}"], cwd=ROOT, env=environment) as server:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                _wait_for(client)
                yield client
        finally:
            server.terminate()


def _wait_for(client: httpx.Client) -> None:
    """Wait until the server answers, at most for two minutes."""
    end = time.monotonic() + 120
    while True:
        try:
            client.get("/docs")
        except httpx.ConnectError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return
