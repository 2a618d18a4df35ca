"""The command of README.md starts the application."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fastapi.started import started


@pytest.mark.long
def test_one_command_starts_it(tmp_path: Path) -> None:
    """Two people join, and one follows the other, over a socket."""
    with started("sqlmodel_app", f"sqlite:///{tmp_path}/app.sqlite3") as client:
        for name in ("ann", "bob"):
            key = client.post("/users", json={"name": name}).raise_for_status().json()["key"]
        client.headers["Authorization"] = f"Bearer {key}"
        assert client.put("/users/1/follow").json()["following"] is True
        assert [row["user"]["name"] for row in client.get("/users/1/followers").json()["items"]] == ["bob"]
