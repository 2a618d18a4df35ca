"""What people do with the application, what they may not, and what many do at once."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from examples.fastapi_app.models import Base
from examples.fastapi_app.tests.conftest import Scene, Town
from retinue import ALL, Graph

Play = Callable[[Scene], None]


def is_list(method: Callable[..., Any]) -> bool:
    """Return whether this is one of the graph's lists: what takes a viewer and a cursor."""
    return {"viewer", "cursor"} <= set(inspect.signature(method).parameters)


pytestmark = [
    pytest.mark.tables(Base.metadata),
    pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True),
]

ANN, BOB, CY, DEE = 1, 2, 3, 4


#: The graph's lists, and the addresses that show them.
LISTS = [name for name, method in inspect.getmembers(Graph, inspect.isfunction) if is_list(method)]
PAGES = (
    "/users/1/followers", "/users/1/following", "/users/1/followers_you_know",
    "/timeline", "/requests", "/blocks", "/mutes", "/notifications", "/notifications?unread=true",
)  # fmt: skip


def ids(response: Any) -> list[int]:
    """Return who is on a page."""
    assert response.status_code == 200, response.text
    return [item["user"]["id"] for item in response.json()["items"]]


def test_somebody_signs_up_logs_in_and_leaves(play: Play) -> None:
    """With a name that nobody else has, and a password that nobody is told."""

    async def scene(town: Town) -> None:
        client = town.client()
        account = {"username": "ann", "password": "a good password"}
        made = await client.post("/users", json=account)
        assert made.status_code == 201
        assert made.json() == {"id": made.json()["id"], "username": "ann", "bio": "", "locked": False}
        assert (await client.post("/users", json=account)).status_code == 409
        for wrong in ({"password": "another password"}, {"username": "\x00"}):
            assert (await client.post("/token", data=account | wrong)).status_code == 401
        token = (await client.post("/token", data=account)).json()["access_token"]
        mine = town.client(token)
        assert (await mine.get("/me")).json()["username"] == "ann"
        assert (await mine.patch("/me", json={"bio": "Hello"})).json()["bio"] == "Hello"
        assert (await mine.delete("/me")).status_code == 204
        gone = await mine.get("/me")
        assert gone.status_code == 401
        assert gone.headers["WWW-Authenticate"] == "Bearer"

    play(scene)


def test_a_follow_is_on_both_lists_and_in_both_counts(play: Play) -> None:
    """Once, however often it is done; and gone again, however often that is."""

    async def scene(town: Town) -> None:
        ann, bob = await town.people(2)
        for _ in range(2):
            answer = await bob.post(f"/users/{ANN}/follow")
            assert answer.status_code == 200
            assert answer.json()["following"] is True
        assert ids(await ann.get(f"/users/{ANN}/followers")) == [BOB]
        assert ids(await ann.get(f"/users/{BOB}/following")) == [ANN]
        seen = (await ann.get(f"/users/{BOB}")).json()
        assert seen["counts"] == {"followers": 0, "following": 1}
        assert seen["relationship"]["followed_by"] is True
        assert (await town.client().get(f"/users/{ANN}")).json()["relationship"] is None
        assert (await ann.get("/me")).json()["unread"] == 1
        notices = (await ann.get("/notifications")).json()["items"]
        assert [(notice["kind"], notice["user"]["id"]) for notice in notices] == [("follow", BOB)]
        assert (await ann.post("/notifications/read", json={"ids": [notices[0]["id"]]})).status_code == 204
        assert (await ann.get("/me")).json()["unread"] == 0
        for _ in range(2):
            assert (await bob.post(f"/users/{ANN}/unfollow")).json()["following"] is False
        assert (await ann.get(f"/users/{ANN}")).json()["counts"] == {"followers": 0, "following": 0}

    play(scene)


def test_a_private_account_is_asked_first(play: Play) -> None:
    """Nobody but accepted followers sees its lists; who goes public accepts all."""

    async def scene(town: Town) -> None:
        ann, bob, cy, dee = await town.people(4)
        await ann.patch("/me", json={"locked": True})
        for fan in (bob, cy, dee):
            assert (await fan.post(f"/users/{ANN}/follow")).json()["requested"] is True
        assert (await bob.get(f"/users/{ANN}/followers")).status_code == 404
        assert (await town.client().get(f"/users/{ANN}/following")).status_code == 404
        assert ids(await ann.get("/requests")) == [DEE, CY, BOB]
        assert (await ann.post(f"/requests/{BOB}/accept")).json()["followed_by"] is True
        assert (await ann.post(f"/requests/{CY}/reject")).json()["requested_by"] is False
        assert ids(await bob.get(f"/users/{ANN}/followers")) == [BOB]
        assert (await cy.get(f"/users/{ANN}/followers")).status_code == 404
        await ann.patch("/me", json={"locked": False})
        assert ids(await cy.get(f"/users/{ANN}/followers")) == [DEE, BOB]
        assert (await bob.get("/notifications")).json()["items"][0]["kind"] == "request_accepted"

    play(scene)


def test_who_is_blocked_cannot_tell(play: Play) -> None:
    """Every address of the blocker is, to the letter, as that of an id which nobody has."""

    async def scene(town: Town) -> None:
        ann, bob = await town.people(2)
        await bob.post(f"/users/{ANN}/follow")
        assert (await ann.post(f"/users/{BOB}/block")).json() == {
            "following": False, "followed_by": False, "requested": False, "requested_by": False,
            "blocking": True, "muting": False, "since": None,
        }  # fmt: skip
        for method, path in [
            ("GET", ""), ("GET", "/followers"), ("GET", "/following"), ("GET", "/followers_you_know"),
            ("POST", "/follow"), ("POST", "/unfollow"), ("POST", "/block"), ("POST", "/mute"),
        ]:  # fmt: skip
            blocked = await bob.request(method, f"/users/{ANN}{path}")
            nobody = await bob.request(method, f"/users/99{path}")
            assert (blocked.status_code, blocked.content) == (404, nobody.content), path
        assert [user["id"] for user in (await bob.get("/users?search=user")).json()] == [BOB]
        assert ids(await ann.get("/blocks")) == [BOB]
        assert (await ann.post(f"/users/{BOB}/unblock")).json()["blocking"] is False
        assert (await bob.post(f"/users/{ANN}/follow")).json()["following"] is True

    play(scene)


def test_every_list_is_asked_for_the_one_who_looks(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever address is opened, by whomever."""
    asked: list[tuple[str, Any]] = []

    def watched(name: str) -> Callable[..., Any]:
        original = getattr(Graph, name)

        def call(*arguments: Any, **named: Any) -> Any:
            given = inspect.signature(original).bind(*arguments, **named).arguments
            asked.append((name, given.get("viewer", ALL)))
            return original(*arguments, **named)

        return call

    async def scene(town: Town) -> None:
        (ann,) = await town.people(1)
        for client, viewer in ((ann, ANN), (town.client(), None)):
            asked.clear()
            for path in PAGES:
                await client.get(path)
            assert len(asked) == (9 if viewer else 2)
            assert [name for name, who in asked if who is ALL or getattr(who, "id", None) != viewer] == []

    for name in LISTS:
        monkeypatch.setattr(Graph, name, watched(name))
    play(scene)


def test_a_hidden_list_is_its_owners(play: Play) -> None:
    """And a mute is nobody else's business."""

    async def scene(town: Town) -> None:
        ann, bob = await town.people(2)
        await bob.post(f"/users/{ANN}/follow")
        await ann.patch("/me", json={"hide_followers": True})
        assert (await bob.get(f"/users/{ANN}/followers")).status_code == 404
        assert (await bob.get(f"/users/{ANN}/following")).status_code == 200
        assert ids(await ann.get(f"/users/{ANN}/followers")) == [BOB]
        assert (await ann.post(f"/users/{BOB}/mute?notifications=false")).json()["muting"] is True
        (muted,) = (await ann.get("/mutes")).json()["items"]
        assert (muted["user"]["id"], muted["notifications"]) == (BOB, False)
        assert (await bob.get(f"/users/{ANN}")).json()["relationship"]["following"] is True
        assert (await ann.post(f"/users/{BOB}/unmute")).json()["muting"] is False

    play(scene)


def test_the_timeline_has_what_those_post_whom_one_follows(play: Play) -> None:
    """Newest first, by pages, without those who are muted."""

    async def scene(town: Town) -> None:
        ann, bob, cy, _ = await town.people(4)
        for user in (BOB, CY):
            await ann.post(f"/users/{user}/follow")
        for client, text in ((bob, "one"), (cy, "two"), (bob, "three")):
            assert (await client.post("/posts", json={"text": text})).status_code == 201
        first = await ann.get("/timeline?limit=2")
        rest = await ann.get(first.json()["next"])
        assert [post["text"] for page in (first, rest) for post in page.json()["items"]] == ["three", "two", "one"]
        assert first.json()["items"][0]["author"]["username"] == "user_1"
        await ann.post(f"/users/{BOB}/mute")
        assert [post["text"] for post in (await ann.get("/timeline")).json()["items"]] == ["two"]
        assert (await town.client().get("/timeline")).status_code == 401

    play(scene)


def test_known_followers_and_suggestions_name_people_in_common(play: Play) -> None:
    """With a total, and with a reason."""

    async def scene(town: Town) -> None:
        ann, bob, _, _ = await town.people(4)
        await ann.post(f"/users/{BOB}/follow")
        await bob.post(f"/users/{CY}/follow")
        known = await ann.get(f"/users/{CY}/followers_you_know")
        assert (ids(known), known.json()["total"]) == ([BOB], 1)
        suggested = (await ann.get("/suggestions")).json()
        assert [(one["user"]["id"], one["known"][0]["id"]) for one in suggested[:1]] == [(CY, BOB)]

    play(scene)


def test_what_many_do_at_once_is_counted_right(play: Play) -> None:
    """Ten follow the same two at once, twice each, and each other way round; half of them leave again."""

    async def scene(town: Town) -> None:
        crowd = await town.people(12)
        answers = await asyncio.gather(
            *(fan.post(f"/users/{star}/follow") for _ in range(2) for star in (1, 2) for fan in crowd[2:]),
            *(crowd[0].post(f"/users/{fan}/follow") for fan in range(3, 13)),
        )
        assert {answer.status_code for answer in answers} == {200}
        assert (await crowd[0].get("/users/1")).json()["counts"] == {"followers": 10, "following": 10}
        answers = await asyncio.gather(
            *(fan.post(f"/users/1/{verb}") for fan in crowd[2:7] for verb in ("unfollow", "unfollow")),
            *(fan.post(f"/users/1/{verb}") for fan in crowd[7:] for verb in ("unfollow", "follow")),
            crowd[0].post("/users/12/block"),
        )
        assert {answer.status_code for answer in answers} <= {200, 404}  # of the one who is blocked
        found = await crowd[0].get("/users/1/followers?limit=100")
        assert (await crowd[0].get("/users/1")).json()["counts"]["followers"] == len(ids(found))
        assert not {12, *range(3, 8)} & set(ids(found))
        assert (await crowd[0].get("/users/2")).json()["counts"]["followers"] == 10

    play(scene)


def test_one_name_is_given_once(play: Play) -> None:
    """However many ask for it in the same moment."""

    async def scene(town: Town) -> None:
        account = {"username": "ann", "password": "a good password"}
        answers = await asyncio.gather(*(town.client().post("/users", json=account) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]

    play(scene)


HOSTILE = [
    ("GET", "/users/1/followers?limit=0"), ("GET", "/users/1/followers?limit=101"),
    ("GET", "/users/1/followers?limit=abc"), ("GET", "/users/1/followers?cursor=x"),
    ("GET", "/users/1/followers?sort=backwards"), ("GET", "/users/1/followers?search=%00"),
    ("GET", "/timeline?cursor=%F0%9F%99%82"), ("GET", "/requests?cursor=" + "x" * 5_000),
    ("GET", "/users?search=%25"), ("GET", "/users/-1"), ("GET", "/users/0"), ("GET", "/users/ann"),
    ("GET", f"/users/{2**31}"), ("GET", f"/users/{10**40}/followers"), ("POST", "/users/1.5/follow"),
    ("POST", "/users/%00/block"), ("POST", f"/requests/{2**63}/accept"),
]  # fmt: skip


def test_hostile_addresses_are_told_of_and_nothing_more(play: Play) -> None:
    """422, in FastAPI's own shape; and the next request is served."""

    async def scene(town: Town) -> None:
        (ann,) = await town.people(1)
        for method, path in HOSTILE:
            answer = await ann.request(method, path)
            assert answer.status_code == 422, path
            assert {"type", "loc", "msg"} <= answer.json()["detail"][0].keys(), path
        bodies: list[Any] = [{"text": ""}, {"text": "\x00"}, {"text": "x" * 501}, {"text": 7}, {}, []]
        for body in bodies:
            assert (await ann.post("/posts", json=body)).status_code == 422
        for read in ({"ids": [2**64]}, {"ids": [0]}, {"ids": list(range(1, 1_002))}, {"ids": "all"}):
            assert (await ann.post("/notifications/read", json=read)).status_code == 422
        assert (await ann.post("/users/1/follow")).status_code == 403
        assert (await ann.post("/users/2147483647/follow")).status_code == 404
        assert (await ann.get("/me")).status_code == 200

    play(scene)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "Bearer", "\x7f" * 9])
def test_a_token_that_is_none_is_401(play: Play, token: str) -> None:
    """Not somebody who is not logged in: a client must hear that its token is of no use."""

    async def scene(town: Town) -> None:
        await town.people(1)
        for path in ("/users/1", "/me"):
            assert (await town.client(token).get(path)).status_code == 401

    play(scene)


def test_cursors_are_for_one_list_and_one_viewer(play: Play) -> None:
    """Handed on, they are of no use."""

    async def scene(town: Town) -> None:
        ann, bob, cy, _ = await town.people(4)
        for fan in (bob, cy):
            await fan.post(f"/users/{ANN}/follow")
        link = (await ann.get(f"/users/{ANN}/followers?limit=1")).json()["next"]
        assert (await ann.get(link)).status_code == 200
        assert (await bob.get(link)).status_code == 422
        assert (await ann.get(link.replace("followers", "following"))).status_code == 422

    play(scene)
