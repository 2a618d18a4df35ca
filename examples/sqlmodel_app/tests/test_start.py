"""The command of README.md starts the application."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.long
def test_one_command_starts_it(tmp_path: Path) -> None:
    """Two people join, and one follows the other, over a socket."""
    (module,) = re.findall(r"python -m (\S+) +#", (ROOT / "examples/sqlmodel_app/README.md").read_text())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/app.sqlite3"}
    with subprocess.Popen([sys.executable, "-m", module, f"--port={port}"], cwd=ROOT, env=environment) as server:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                wait_for(client)
                for name in ("ann", "bob"):
                    key = client.post("/users", json={"name": name}).raise_for_status().json()["key"]
                client.headers["Authorization"] = f"Bearer {key}"
                assert client.put("/users/1/follow").json()["following"] is True
                assert [row["user"]["name"] for row in client.get("/users/1/followers").json()["items"]] == ["bob"]
        finally:
            server.terminate()


def wait_for(client: httpx.Client) -> None:
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
