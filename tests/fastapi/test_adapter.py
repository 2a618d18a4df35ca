"""What an application gets from `retinue.fastapi`, with sync sessions and with async ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from retinue import (
    AsyncSessionError,
    BlockedError,
    Graph,
    HalfDoneError,
    InvalidCursor,
    InvalidLimit,
    InvalidUserError,
    LimitError,
    MappingError,
    ModelMissingError,
    NoSessionError,
    NotVisibleError,
    NotWritableError,
    Page,
    RetinueError,
    SelfFollowError,
    UnknownUserError,
    errors,
)
from retinue.fastapi import PageOf, Paging, add_error_handlers
from retinue.testing import make_users
from tests.fastapi.client import Client, asked
from tests.fastapi.small_apps import MODELS, Small, User, async_app, sync_app

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
pytestmark = pytest.mark.tables(MODELS.metadata)

APPS = {"sync": sync_app, "async": async_app}

ANN, BOB, CY, DEE = 1, 2, 3, 4


@pytest.fixture(params=APPS)
def small(request: pytest.FixtureRequest, engine: Engine) -> Small:
    """Give each application, with four people."""
    with Session(engine) as session:
        make_users(session, User, 4)
        session.commit()
    return APPS[request.param](engine)


@pytest.fixture
def client(small: Small) -> Iterator[Client]:
    """Give a client of the application."""
    with Client(small.app) as client:
        yield client


def as_user(user: int) -> dict[str, str]:
    return {"me": str(user)}


@ON_SQLITE
def test_who_follows_is_on_the_list(client: Client) -> None:
    """The graph works on the session that the endpoint commits."""
    followed = client.post(f"/users/{ANN}/follow", headers=as_user(BOB))

    assert followed.status_code == 200
    assert followed.json()["following"] is True
    assert "blocked_by" not in followed.json()
    (row,) = client.get(f"/users/{ANN}/followers").json()["items"]
    assert row["user"] == {"id": BOB, "locked": False}
    assert row["since"] == followed.json()["since"]


@ON_SQLITE
def test_a_walk_along_the_links_meets_everybody_once(client: Client) -> None:
    """Onward by the body, back by the header; what else stands in the query stays."""
    for fan in (BOB, CY, DEE):
        client.post(f"/users/{ANN}/follow", headers=as_user(fan))

    first = client.get(f"/users/{ANN}/followers?limit=2&tag=a%26b&tag=c")
    second = client.get(first.json()["next"])

    assert [row["user"]["id"] for row in first.json()["items"]] == [DEE, CY]
    assert [row["user"]["id"] for row in second.json()["items"]] == [BOB]
    assert second.json()["next"] is None
    assert second.url.params.get_list("tag") == ["a&b", "c"]
    assert second.url.params.get_list("limit") == ["2"]
    assert first.links == {"next": {"url": first.json()["next"], "rel": "next"}}
    assert second.links == {"prev": {"url": second.json()["prev"], "rel": "prev"}}
    back = client.get(second.links["prev"]["url"])
    assert back.json()["items"] == first.json()["items"]
    assert back.url.params.get_list("tag") == ["a&b", "c"]
    assert len(back.url.params.get_list("cursor")) == 1


@ON_SQLITE
def test_links_have_the_prefix_of_a_proxy_and_of_a_mount(small: Small) -> None:
    """Whether the server leaves the prefix in the path or not, and where the application is part of another one."""
    outer = FastAPI()
    outer.mount("/v1", small.app)
    with Client(small.app) as plain, Client(outer) as mounted, Client(small.app, root_path="/api") as stripped:
        for fan in (BOB, CY):
            plain.post(f"/users/{ANN}/follow", headers=as_user(fan))
        found = [
            client.get(path).json()["next"].partition("?")[0]
            for client, path in (
                (plain, f"/users/{ANN}/followers?limit=1"),
                (stripped, f"/users/{ANN}/followers?limit=1"),
                (stripped, f"/api/users/{ANN}/followers?limit=1"),
                (mounted, f"/v1/users/{ANN}/followers?limit=1"),
            )
        ]

    path = f"/users/{ANN}/followers"
    assert found == [path, f"/api{path}", f"/api{path}", f"/v1{path}"]


def test_a_link_never_names_a_host() -> None:
    """Not the one that a client invents, and not by a path that begins with two slashes."""
    app = FastAPI()

    @app.get("/{path:path}")
    def anything(path: str, paging: Paging) -> PageOf[int]:
        assert path
        return paging.answer(Page((1,), next="c"), int)

    found = asked(app, "http://testserver//evil.example/ä?x=1", headers={"Host": "evil.example"})

    assert found.json()["next"] == "/.//evil.example/%C3%A4?x=1&cursor=c"


@pytest.mark.parametrize("limit", ["0", "101", "-1", "abc", "1.5", "", "9" * 30])
@ON_SQLITE
def test_a_limit_is_1_to_100(client: Client, limit: str) -> None:
    """Anything else is told of as FastAPI tells of every argument."""
    refused = client.get(f"/users/{ANN}/followers", params={"limit": limit})

    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["query", "limit"]


@pytest.mark.parametrize("cursor", ["x", "", "%00", "ä", "x" * 5_000])
@ON_SQLITE
def test_a_cursor_that_is_none_is_told_of_as_any_argument(client: Client, cursor: str) -> None:
    """So is one of another list."""
    refused = client.get(f"/users/{ANN}/followers", params={"cursor": cursor})

    assert refused.status_code == 422
    (said,) = refused.json()["detail"]
    assert said.keys() == {"type", "loc", "msg"}
    assert (said["type"], said["loc"]) == ("invalid_cursor", ["query", "cursor"])


@ON_SQLITE
def test_nobody_can_tell_a_block_from_an_id_that_nobody_has(client: Client, engine: Engine) -> None:
    """To the letter, for a verb and for a list, and whoever of the two blocks."""
    with Session(engine) as session:
        graph = Graph(session, User)
        graph.block(ANN, BOB)
        graph.block(CY, ANN)
        session.commit()

    refused = [
        client.post("/users/99/follow", headers=as_user(BOB)),
        client.post(f"/users/{ANN}/follow", headers=as_user(BOB)),
        client.post(f"/users/{ANN}/follow", headers=as_user(CY)),
        client.get(f"/users/{ANN}/followers", headers=as_user(BOB)),
        client.get(f"/users/{ANN}/followers", headers=as_user(CY)),
    ]

    assert {response.status_code for response in refused} == {404}
    assert len({response.content for response in refused}) == 1
    assert len({str(sorted(response.headers.items())) for response in refused}) == 1


@ON_SQLITE
def test_what_is_wrong_has_a_status_and_one_shape(client: Client, engine: Engine) -> None:
    """401 for nobody, 403 for oneself, 422 for no possible id, 429 for a limit, each with FastAPI's `detail`."""
    anonymous = client.post(f"/users/{ANN}/follow")
    oneself = client.post(f"/users/{ANN}/follow", headers=as_user(ANN))
    impossible = client.post(f"/users/{10**30}/follow", headers=as_user(ANN))
    with Session(engine) as session:
        session.get_one(User, BOB).locked = session.get_one(User, CY).locked = True
        session.commit()
    assert client.post(f"/users/{BOB}/follow", headers=as_user(ANN)).json()["requested"] is True
    limited = client.post(f"/users/{CY}/follow", headers=as_user(ANN))

    found = [anonymous, oneself, impossible, limited]
    assert [response.status_code for response in found] == [401, 403, 422, 429]
    assert all(response.json().keys() == {"detail"} for response in found)
    assert anonymous.headers["WWW-Authenticate"] == "Bearer"
    assert impossible.json()["detail"][0]["type"] == "invalid_user"
    assert "Retry-After" not in limited.headers
    assert limited.json() == {"detail": "max_pending_requests is reached."}


@ON_SQLITE
def test_who_comes_too_early_is_told_when_to_come_again(client: Client, engine: Engine) -> None:
    """In seconds, as HTTP has it."""
    with Session(engine) as session:
        make_users(session, User, 1)
        session.commit()
    for user in (BOB, CY, DEE):
        client.post(f"/users/{user}/follow", headers=as_user(ANN))

    limited = client.post("/users/5/follow", headers=as_user(ANN))

    assert limited.status_code == 429
    assert 86_000 < int(limited.headers["Retry-After"]) <= 86_400


def test_a_time_that_has_come_is_a_second_away() -> None:
    """A client is never told to come back in no time, or a negative one."""
    app = raising(LimitError("max_follows_per_day", 1, 1, datetime.now(UTC) - timedelta(minutes=1)))

    assert asked(app, "/").headers["Retry-After"] == "1"


#: What only the application's developer can put right.
FAULTS = [
    AsyncSessionError("User"),
    MappingError("models"),
    ModelMissingError("BlockMixin", "class Block(BlockMixin, Base)"),
    NoSessionError(),
    NotWritableError("a list", "a verb"),
    HalfDoneError("follow()", "OperationalError"),
]
#: What the one who asked can.
ANSWERED = {
    SelfFollowError: 403,
    UnknownUserError: 404,
    BlockedError: 404,
    NotVisibleError: 404,
    InvalidUserError: 422,
    InvalidCursor: 422,
    InvalidLimit: 422,
    LimitError: 429,
}


def test_every_error_of_the_tree_has_its_place() -> None:
    """A new one is an answer or a fault, and somebody has to say which."""
    tree = {cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, RetinueError)}

    assert tree - {RetinueError} == {*ANSWERED, *map(type, FAULTS)}


@pytest.mark.parametrize(("kind", "status"), ANSWERED.items())
def test_an_answer_has_its_status(kind: type[RetinueError], status: int) -> None:
    """Whatever its evidence is."""
    error = kind.__new__(kind)
    error.retry_at = None  # type: ignore[attr-defined]
    error.limit = "max_following"  # type: ignore[attr-defined]
    error.highest = 100  # type: ignore[attr-defined]

    answer = asked(raising(error), "/")

    assert (answer.status_code, answer.json().keys()) == (status, {"detail"})


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: type(error).__name__)
def test_a_fault_of_the_application_is_no_answer(error: RetinueError) -> None:
    """It is a 500, and the log has it: the one who asked can do nothing about it."""
    with pytest.raises(type(error)):
        asked(raising(error), "/")
    assert asked(raising(error), "/", raises=False).status_code == 500


@pytest.mark.parametrize("error", [UnknownUserError([7]), BlockedError(1, 7), NotVisibleError(7)])
def test_an_error_of_ones_own_that_is_one_of_these_is_answered_alike(error: RetinueError) -> None:
    """A subclass has the answer of what it is."""
    own = type("Own", (type(error),), {"__init__": lambda _self: None})()

    assert asked(raising(own), "/").json() == asked(raising(error), "/").json()


def raising(error: Exception) -> FastAPI:
    """Return an application that does nothing but raise."""
    app = FastAPI()
    add_error_handlers(app)

    @app.get("/")
    def raise_it() -> None:
        raise error

    return app
