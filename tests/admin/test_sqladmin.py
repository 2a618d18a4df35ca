"""sqladmin, with views as docs/admin.md sets them up, and with none of its lines."""

from __future__ import annotations

import pytest
from sqladmin import Admin, ModelView
from sqlalchemy import Engine
from starlette.applications import Starlette

from tests.admin.network import (
    ON_EVERY_ENGINE,
    ON_SQLITE,
    Base,
    Block,
    Browser,
    Follow,
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

pytestmark = [
    pytest.mark.tables(Base.metadata),
    pytest.mark.parametrize("kind", ["sync", "async"]),
]

#: Pages, and what is to be read there.
PAGES = {
    "user/list": "user 1",
    "user/list?search=user+2000": "user 2000",
    "user/details/1": "user 1",
    "user/edit/1": "user 1",
    "user/create": "Username",
    "follow/list": "user 2",
    "follow/list?search=user+2000": "user 2000",
    "follow/details/2;1": "user 2",
    "follow/create": "Follower",
    "follow/ajax/lookup?name=follower&term=user+2000": "user 2000",
    "follow-request/list": "user 9",
    "follow-request/details/9;10": "user 10",
    "block/list": "user 5",
    "block/details/5;6": "user 6",
    "mute/list": "user 7",
    "mute/details/7;8": "user 8",
}


@pytest.fixture
def ask(engine: Engine, kind: str) -> Browser:
    """Give a browser on the admin of docs/admin.md."""
    app = Starlette()
    set_up("sqladmin", app=app, sessions=sessions_of(engine, kind)[0])
    return Browser(app)


@ON_SQLITE
def test_pages_open_and_load_no_more_than_they_show(engine: Engine, kind: str) -> None:
    """Nothing answers 500, and no page of a celebrity, nor of any other user, loads those who follow them."""
    populate(engine)
    sessions, used = sessions_of(engine, kind)
    app = Starlette()
    set_up("sqladmin", app=app, sessions=sessions)
    assert_light(Browser(app), used, PAGES, statements=6)


@ON_SQLITE
def test_exports_have_a_line_for_each_row(ask: Browser, engine: Engine) -> None:
    """A CSV file of users and of follows names everybody."""
    populate(engine, 12)

    assert len(ask("GET", "/admin/user/export/csv").text.splitlines()) == 1 + 13
    assert len(ask("GET", "/admin/follow/export/csv").text.splitlines()) == 1 + 15
    assert len(ask("GET", "/admin/follow/export/json").json()) == 15


@ON_EVERY_ENGINE
def test_what_is_deleted_is_counted(ask: Browser, engine: Engine) -> None:
    """Follows, requests, blocks, mutes and users, one by one or many at once: the counts are those of the rows."""
    populate(engine, 12)
    assert (10, 9) in told(engine)

    for which in ("follow/delete?pks=2;1", "follow/delete?pks=1;3,1;4,3;1", "follow-request/delete?pks=9;10"):
        assert "error" not in ask("DELETE", f"/admin/{which}").text
    for which in ("block/delete?pks=5;6", "mute/delete?pks=7;8", "user/delete?pks=5,11"):
        assert "error" not in ask("DELETE", f"/admin/{which}").text

    assert_deleted(engine)


@ON_EVERY_ENGINE
def test_a_follow_is_made_and_a_block_is_not(ask: Browser, engine: Engine) -> None:
    """A follow that is created is counted; between two who are blocked it is refused in a sentence."""
    populate(engine, 12)

    assert ask("POST", "/admin/follow/create", data={"follower": "3", "following": "4"}).status_code == 302
    refused = ask("POST", "/admin/follow/create", data={"follower": "5", "following": "6"})
    again = ask("POST", "/admin/follow/create", data={"follower": "3", "following": "4"})
    block = ask("POST", "/admin/block/create", data={"blocker": "3", "blocked": "4"})

    assert (refused.status_code, "user 5 cannot follow user 6" in refused.text) == (400, True)
    assert (again.status_code, block.status_code) == (400, 403)
    assert (counts(engine, 3), counts(engine, 4)) == ((1, 2), (2, 1))
    assert wrong(engine) == []


@ON_SQLITE
def test_a_user_is_edited_and_follows_stay(ask: Browser, engine: Engine) -> None:
    """A form that was open while others followed takes no follow away."""
    populate(engine, 12)
    before = rows(engine, Follow)

    answer = ask("POST", "/admin/user/edit/1", data={"username": "somebody else", "save": "Save"})

    assert answer.status_code == 302
    assert rows(engine, Follow) == before
    assert (counts(engine, 1), wrong(engine)) == ((12, 3), [])


@ON_SQLITE
def test_a_view_that_says_nothing_of_follows_works(engine: Engine, kind: str) -> None:
    """Without a line of docs/admin.md users are shown, edited and deleted; a block is refused in a sentence."""
    populate(engine, 100)
    sessions, used = sessions_of(engine, kind)
    app = Starlette()
    admin = Admin(app, session_maker=sessions)
    for model in (User, Block):
        admin.add_view(type(f"{model.__name__}Admin", (ModelView,), {"__module__": __name__}, model=model))
    ask = Browser(app)

    with loading(used) as loaded:
        pages = [ask("GET", f"/admin/user/{page}") for page in ("list", "details/1", "edit/1", "create")]
    edited = ask("POST", "/admin/user/edit/1", data={"username": "somebody else"})
    deleted = ask("DELETE", "/admin/user/delete?pks=2,3")
    block = ask("POST", "/admin/block/create", data={"blocker": "8", "blocked": "9"})

    assert [page.status_code for page in pages] == [200] * 4
    assert (loaded["Follow"], loaded["User"] <= 20) == (0, True)
    assert (edited.status_code, "error" in deleted.text) == (302, False)
    assert (block.status_code, "graph.block(blocker, blocked)" in block.text) == (400, True)
    assert (counts(engine, 1), wrong(engine)) == ((98, 1), [])
