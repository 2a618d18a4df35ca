"""starlette-admin, with views as docs/admin.md sets them up, and with none of its lines."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette_admin.contrib.sqla import Admin, ModelView

from tests.admin.network import (
    ON_EVERY_ENGINE,
    ON_SQLITE,
    Base,
    Block,
    Browser,
    Follow,
    FollowCount,
    FollowRequest,
    Mute,
    User,
    assert_deleted,
    assert_light,
    counts,
    loading,
    populate,
    rows,
    sessions_of,
    set_up,
    told,
    wrong,
)

pytestmark = [pytest.mark.tables(Base.metadata), pytest.mark.parametrize("kind", ["sync", "async"])]

SECRET = "a secret of at least thirty-two characters"

#: Pages, and what is to be read there.
PAGES = {
    "user/list": "user 1",
    "user/list?q=user+2000": "user 2000",
    "user/detail?pk=1": "user 1",
    "user/edit?pk=1": "user 1",
    "user/create": "username",
    "follow/list": "User(1)",
    "follow/list?q=user+2000": "User(2000)",
    "follow/detail?pk=2,1": "User(2)",
    "follow/create": "follower",
    "_api/user/relation-lookup?q=user+2000": "user 2000",
    "follow-request/list": "User(9)",
    "follow-request/detail?pk=9,10": "User(10)",
    "block/list": "User(5)",
    "block/detail?pk=5,6": "User(6)",
    "mute/list": "User(7)",
    "mute/detail?pk=7,8": "User(8)",
}


@pytest.fixture
def ask(engine: Engine, kind: str) -> Browser:
    """Give a browser on the admin of docs/admin.md."""
    app = Starlette()
    set_up("starlette-admin", app=app, sessions=sessions_of(engine, kind)[0], secret=SECRET)
    return Browser(app)


def post(ask: Browser, path: str, **data: Any) -> httpx.Response:
    """Send a form, or do what a list offers to do, as the pages themselves do."""
    token = ask.cookies.get("starlette_admin_csrftoken")
    if token is None:
        ask("GET", "/admin/")
        return post(ask, path, **data)
    return ask("POST", f"/admin/{path}", data=data, headers={"X-CSRFToken": token})


@ON_SQLITE
def test_pages_open_and_load_no_more_than_they_show(engine: Engine, kind: str) -> None:
    """Nothing answers 500, and no page of a celebrity, nor of any other user, loads those who follow them."""
    populate(engine)
    sessions, used = sessions_of(engine, kind)
    app = Starlette()
    set_up("starlette-admin", app=app, sessions=sessions, secret=SECRET)
    assert_light(Browser(app), used, PAGES, statements=2)


@ON_SQLITE
def test_lists_can_be_sorted_and_exported(ask: Browser, engine: Engine) -> None:
    """By any column, and with a line for each row."""
    populate(engine, 12)

    assert "user 9" in ask("GET", "/admin/user/list?sort=username__desc").text
    assert ask("GET", "/admin/follow/list?sort=timestamp__desc").status_code == 200
    for key, lines in (("user", 1 + 13), ("follow", 1 + 15)):
        answer = post(ask, f"_api/{key}/action?name=export&all=1", format="csv", scope="all")
        assert (key, answer.status_code, len(answer.text.splitlines())) == (key, 200, lines)


@ON_EVERY_ENGINE
def test_what_is_deleted_is_counted(ask: Browser, engine: Engine) -> None:
    """Follows, requests, blocks, mutes and users, one by one or many at once: the counts are those of the rows."""
    populate(engine, 12)
    assert (10, 9) in told(engine)

    done = [
        post(ask, "_api/follow/row-action?name=delete&pk=2,1"),
        post(ask, "_api/follow/action?name=delete&pks=1,3&pks=1,4&pks=3,1"),
        post(ask, "_api/follow-request/row-action?name=delete&pk=9,10"),
        post(ask, "_api/block/row-action?name=delete&pk=5,6"),
        post(ask, "_api/mute/row-action?name=delete&pk=7,8"),
        post(ask, "_api/user/action?name=delete&pks=5&pks=11"),
    ]

    assert [answer.status_code for answer in done] == [200] * 6, [answer.text for answer in done]
    assert_deleted(engine)


@ON_EVERY_ENGINE
def test_a_follow_is_made_and_a_block_is_not(ask: Browser, engine: Engine) -> None:
    """A follow that is created is counted; between two who are blocked it is refused in a sentence."""
    populate(engine, 12)

    made = post(ask, "follow/create", follower="3", following="4")
    blocked = post(ask, "follow/create", follower="5", following="6")
    again = post(ask, "follow/create", follower="3", following="4")
    oneself = post(ask, "follow/create", follower="3", following="3")

    assert (made.status_code, blocked.status_code, again.status_code, oneself.status_code) == (303, 422, 422, 422)
    assert "user 5 cannot follow user 6" in blocked.text
    assert [post(ask, f"{key}/create").status_code for key in ("block", "mute", "follow-request")] == [403] * 3
    assert (counts(engine, 3), counts(engine, 4)) == ((1, 2), (2, 1))
    assert wrong(engine) == []


@ON_SQLITE
def test_a_user_is_edited_and_follows_stay(ask: Browser, engine: Engine) -> None:
    """A form that was open while others followed takes no follow away."""
    populate(engine, 12)
    before = rows(engine, Follow)

    answer = post(ask, "user/edit?pk=1", username="somebody else")

    assert answer.status_code == 303
    assert rows(engine, Follow) == before
    assert (counts(engine, 1), wrong(engine)) == ((12, 3), [])


@ON_SQLITE
def test_a_view_that_says_nothing_of_follows_works(engine: Engine, kind: str) -> None:
    """Without a line of docs/admin.md users and all that is between them are shown, users edited, and all deleted."""
    populate(engine, 100)
    sessions, used = sessions_of(engine, kind)
    app = Starlette()
    admin = Admin(sessions, secret_key=SECRET)
    for model in (User, Follow, FollowRequest, Block, Mute, FollowCount):
        admin.add_view(ModelView(model))
    admin.mount_to(app)
    ask = Browser(app)

    with loading(used) as loaded:
        pages = [ask("GET", f"/admin/user/{page}") for page in ("list", "detail?pk=1", "edit?pk=1", "create")]
    keys = ("follow", "follow-request", "block", "mute", "follow-count")
    pages += [ask("GET", f"/admin/{key}/list") for key in keys]
    edited = post(ask, "user/edit?pk=1", username="somebody else")
    deleted = post(ask, "_api/user/action?name=delete&pks=2&pks=3")

    assert [page.status_code for page in pages] == [200] * 9
    assert (loaded["Follow"], loaded["User"] <= 20) == (0, True)
    assert (edited.status_code, deleted.status_code) == (303, 200)
    assert (counts(engine, 1), wrong(engine)) == ((98, 1), [])
