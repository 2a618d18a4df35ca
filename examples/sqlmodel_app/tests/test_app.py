"""What the application answers to people who follow, ask, block and leave."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import URL
from sqlmodel import Session, col, select

from examples.sqlmodel_app.main import make_app
from examples.sqlmodel_app.models import Block, Follow, FollowCount, FollowRequest
from tests.fastapi.client import Client

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Town:
    """The application on a new database."""

    def __init__(self, app: Any, client: Client) -> None:
        self.app, self.client = app, client
        self._names = (f"user_{number}" for number in itertools.count(1))

    def join(self, **says: Any) -> Someone:
        answer = self.client.post("/users", json={"name": next(self._names), **says})
        assert answer.status_code == 201
        return Someone(self.client, answer.json())

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)


class Someone:
    """A user of the application, with their key."""

    def __init__(self, client: Client, account: dict[str, Any]) -> None:
        self._client, self._key = client, account["key"]
        self.id: int = account["id"]
        self.name: str = account["name"]

    def __call__(self, method: str, path: str, **sent: Any) -> httpx.Response:
        return self._client.request(method, path, headers={"Authorization": f"Bearer {self._key}"}, **sent)

    def stand(self, method: str, other: Someone, what: str) -> Any:
        return self(method, f"/users/{other.id}/{what}").raise_for_status().json()

    def names(self, path: str) -> list[str]:
        return [item["user"]["name"] for item in self("GET", path).raise_for_status().json()["items"]]


@pytest.fixture
def town(database: URL) -> Iterator[Town]:
    app = make_app(database)
    with Client(app) as client:
        yield Town(app, client)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_people_follow_and_are_listed(town: Town) -> None:
    """A follow may be repeated; the newest comes first, and pages are links until there are no more."""
    ann, bob, cy = (town.join() for _ in range(3))
    for one in (bob, cy, cy):
        assert one.stand("PUT", ann, "follow")["following"] is True

    path = f"/users/{ann.id}/followers"
    assert town.get(path).json()["items"][0]["user"] == {"id": cy.id, "name": cy.name, "locked": False}
    first = town.get(f"{path}?limit=1").json()
    rest = town.get(first["next"]).json()
    assert [item["user"]["name"] for item in first["items"] + rest["items"]] == [cy.name, bob.name]
    assert rest["next"] is None
    assert bob.names(f"/users/{bob.id}/following") == [ann.name]

    page = bob("GET", f"/users/{ann.id}").json()
    assert page["counts"] == {"followers": 2, "following": 0}
    assert (page["relationship"]["following"], page["relationship"]["followed_by"]) == (True, False)

    assert bob.stand("DELETE", ann, "follow")["following"] is False
    assert town.get(f"/users/{ann.id}").json() == {
        "user": {"id": ann.id, "name": ann.name, "locked": False},
        "counts": {"followers": 1, "following": 0},
        "relationship": None,
    }


@on_sqlite
def test_who_is_locked_is_asked(town: Town) -> None:
    """A request waits for its answer; their lists are for those whom they let in; unlocking lets in who waits."""
    ann, bob, cy, dee = town.join(locked=True), town.join(), town.join(), town.join()
    for one in (bob, cy, dee):
        assert one.stand("PUT", ann, "follow")["requested"] is True
    assert ann.names("/me/requests") == [dee.name, cy.name, bob.name]
    assert bob("GET", f"/users/{ann.id}/followers").status_code == 404

    assert ann("POST", f"/me/requests/{bob.id}/accept").json()["followed_by"] is True
    assert ann("POST", f"/me/requests/{cy.id}/reject").json()["requested_by"] is False
    assert bob.names(f"/users/{ann.id}/followers") == [bob.name]

    assert ann("PATCH", "/me", json={"locked": False}).json()["locked"] is False
    assert cy.names(f"/users/{ann.id}/followers") == [dee.name, bob.name]
    assert ann("PATCH", "/me", json={"locked": True}).json()["locked"] is True
    assert cy("GET", f"/users/{ann.id}/followers").status_code == 404


@on_sqlite
def test_who_is_blocked_cannot_tell(town: Town) -> None:
    """For them there is no such user."""
    ann, bob = town.join(), town.join()
    bob.stand("PUT", ann, "follow")
    assert ann.stand("PUT", bob, "block")["blocking"] is True

    nobody = bob("GET", "/users/999999")
    for answer in (bob("GET", f"/users/{ann.id}"), bob("PUT", f"/users/{ann.id}/follow")):
        assert (answer.status_code, answer.json()) == (nobody.status_code, nobody.json()) == (404, answer.json())
    assert town.get(f"/users/{ann.id}").json()["counts"] == {"followers": 0, "following": 0}
    assert ann.stand("DELETE", bob, "block")["blocking"] is False
    assert bob.stand("PUT", ann, "follow")["following"] is True


@on_sqlite
def test_who_leaves_takes_everything_along(town: Town) -> None:
    """Their follows go on both sides, the counts of others stay right, and their key is nobody's."""
    ann, bob, cy = town.join(), town.join(), town.join(locked=True)
    ann.stand("PUT", bob, "follow")
    bob.stand("PUT", ann, "follow")
    ann.stand("PUT", cy, "follow")
    assert ann("DELETE", "/me").status_code == 204

    assert bob("GET", f"/users/{bob.id}").json()["counts"] == {"followers": 0, "following": 0}
    assert ann("GET", "/me").status_code == 401
    with Session(town.app.state.engine) as session:
        assert session.exec(select(FollowCount).where(col(FollowCount.user_id) == ann.id)).all() == []
        assert [session.exec(select(kind)).all() for kind in (Follow, FollowRequest, Block)] == [[], [], []]


@on_sqlite
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/me", 401),
        ("PUT", "/users/1/follow", 401),
        ("GET", "/users/2", 404),
        ("GET", "/users/0", 422),
        ("GET", "/users/1/followers?cursor=nonsense", 422),
        ("GET", "/users/1/followers?limit=101", 422),
    ],
)
def test_what_cannot_be_done_is_told(town: Town, method: str, path: str, status: int) -> None:
    """Without a key, of nobody, or not at all."""
    town.join()
    assert town.client.request(method, path).status_code == status


@on_sqlite
def test_names_are_taken_once_and_nobody_follows_themselves(town: Town) -> None:
    """A name has small letters, digits and underlines."""
    ann = town.join(name="ann")
    assert town.client.post("/users", json={"name": "ann"}).status_code == 409
    assert town.client.post("/users", json={"name": "Ann!"}).status_code == 422
    assert ann("PUT", f"/users/{ann.id}/follow").status_code == 403
