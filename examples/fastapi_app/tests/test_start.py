"""The command of README.md starts the application; what it says of itself is a valid description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from examples.fastapi_app.main import app
from tests.fastapi.started import started


def test_one_command_starts_it(tmp_path: Path) -> None:
    """A user signs up, logs in and follows, over a socket."""
    with started("fastapi_app", f"sqlite+aiosqlite:///{tmp_path}/app.sqlite3") as client:
        for name in ("ann", "bob"):
            account = {"username": name, "password": "a good password"}
            assert client.post("/users", json=account).status_code == 201
        token = client.post("/token", data=account).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        assert client.post("/users/1/follow").json()["following"] is True
        assert [row["user"]["username"] for row in client.get("/users/1/followers").json()["items"]] == ["bob"]


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
