"""The command of README.md starts the application; what it says of itself is a valid description."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from examples.fastapi_app.main import app

ROOT = Path(__file__).resolve().parents[3]


def test_one_command_starts_it(tmp_path: Path) -> None:
    """A user signs up, logs in and follows, over a socket."""
    (module,) = re.findall(r"python -m (\S+) +#", (ROOT / "examples/fastapi_app/README.md").read_text())
    database = f"sqlite+aiosqlite:///{tmp_path}/app.sqlite3"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": database}
    with subprocess.Popen([sys.executable, "-m", module, f"--port={port}"], cwd=ROOT, env=environment) as server:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
                wait_for(client)
                for name in ("ann", "bob"):
                    account = {"username": name, "password": "a good password"}
                    assert client.post("/users", json=account).status_code == 201
                token = client.post("/token", data=account).json()["access_token"]
                client.headers["Authorization"] = f"Bearer {token}"
                assert client.post("/users/1/follow").json()["following"] is True
                assert [row["user"]["username"] for row in client.get("/users/1/followers").json()["items"]] == ["bob"]
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


def test_every_answer_is_described() -> None:
    """Each operation has a name of its own, and each error the one body; nothing is called what no language allows."""
    description = app.openapi()
    operations: list[dict[str, Any]] = [one for path in description["paths"].values() for one in path.values()]

    names = [operation["operationId"] for operation in operations] + list(description["components"]["schemas"])
    assert len(names) == len(set(names))
    assert [name for name in names if not name.replace("Body_", "").isidentifier() or "__" in name] == []
    for operation in operations:
        for status, answer in operation["responses"].items():
            if status in {"401", "403", "404", "409", "429"}:
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorOut"}
        assert not operation.get("security") or "401" in operation["responses"]
