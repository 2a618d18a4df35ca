"""Flask-Admin, with views as docs/admin.md sets them up, and with none of its lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_admin import Admin  # type: ignore[import-untyped]
from flask_admin.contrib.sqla import ModelView  # type: ignore[import-untyped]
from flask_babel import Babel  # type: ignore[import-untyped]
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL, Engine

from retinue import prepare_engine
from tests.admin.network import (
    ON_EVERY_ENGINE,
    ON_SQLITE,
    Base,
    Block,
    Follow,
    FollowCount,
    FollowRequest,
    Mute,
    User,
    assert_deleted,
    counts,
    loading,
    populate,
    rows,
    set_up,
    told,
    wrong,
)

pytestmark = pytest.mark.tables(Base.metadata)

#: Pages, and what is to be read there.
PAGES = {
    "user/": "user 1",
    "user/?search=user+2000": "user 2000",
    "user/?sort=0&desc=1": "user 999",
    "user/edit/?id=1": "user 1",
    "user/new/": "Username",
    "follow/": "user 2",
    "follow/?search=user+2000": "user 2000",
    "follow/new/": "Follower",
    "follow/ajax/lookup/?name=follower&query=user+2000": "user 2000",
    "followrequest/": "user 9",
    "block/": "user 5",
    "mute/": "user 7",
}


@pytest.fixture
def app(database: URL) -> Iterator[Flask]:
    """Give a Flask app with the database, and no admin yet; its ``db`` is the Flask-SQLAlchemy object."""
    app = Flask(__name__)
    app.config.update(SECRET_KEY="secret", SQLALCHEMY_DATABASE_URI=database)
    db = SQLAlchemy(app)
    Babel(app)  # Flask-Admin uses it wherever it is installed, and fails where it is not set up
    with app.app_context():
        prepare_engine(db.engine)
        yield app
        db.session.remove()
        db.engine.dispose()


def db_of(app: Flask) -> SQLAlchemy:
    db: SQLAlchemy = app.extensions["sqlalchemy"]
    return db


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Give a client of the admin of docs/admin.md."""
    set_up("Flask-Admin", app=app, db=db_of(app))
    return app.test_client()


def post(client: FlaskClient, path: str, **data: Any) -> str:
    """Send a form, which redirects; return what is then said."""
    answer = client.post(f"/admin/{path}", data=data)
    if answer.status_code == 200:
        return answer.text
    assert answer.status_code == 302
    with client.session_transaction() as session:
        return " ".join(f"{kind}: {text}" for kind, text in session.pop("_flashes", []))


@ON_SQLITE
def test_pages_open_and_load_no_more_than_they_show(client: FlaskClient, app: Flask, engine: Engine) -> None:
    """Nothing answers 500, and no page of a celebrity, nor of any other user, loads those who follow them."""
    populate(engine)

    for page, text in PAGES.items():
        with loading(db_of(app).engine) as loaded:
            answer = client.get(f"/admin/{page}")
        assert (page, answer.status_code) == (page, 200)
        assert text in answer.text, page
        assert loaded["statements"] <= 3, (page, loaded)
        assert loaded["User"] <= 41, (page, loaded)
        assert loaded["Follow"] <= (20 if page.startswith("follow/") else 0), (page, loaded)


@ON_EVERY_ENGINE
@pytest.mark.parametrize("fast", [False, True], ids=["one by one", "fast_mass_delete"])
def test_what_is_deleted_is_counted(
    client: FlaskClient, app: Flask, engine: Engine, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Follows, requests, blocks, mutes and users, one by one or many at once: the counts are those of the rows."""
    populate(engine, 12)
    assert (10, 9) in told(engine)
    monkeypatch.setattr(ModelView, "fast_mass_delete", fast)

    done = [
        post(client, "follow/delete/", id="2,1"),
        post(client, "follow/action/", action="delete", rowid=["1,3", "1,4", "3,1"]),
        post(client, "followrequest/action/", action="delete", rowid=["9,10"]),
        post(client, "block/delete/", id="5,6"),
        post(client, "mute/action/", action="delete", rowid=["7,8"]),
        # Several users at once are beyond Flask-Admin with psycopg 3, which does not compare a number to a text.
        *(
            [post(client, "user/delete/", id=key) for key in ("5", "11")]
            if engine.dialect.name == "postgresql"
            else [post(client, "user/action/", action="delete", rowid=["5", "11"])]
        ),
    ]

    assert {said.partition(":")[0] for said in done} == {"success"}, done
    assert_deleted(engine)


@ON_EVERY_ENGINE
def test_a_follow_is_made_and_a_block_is_not(client: FlaskClient, engine: Engine) -> None:
    """A follow that is created is counted; between two who are blocked it is refused in a sentence."""
    populate(engine, 12)

    assert "success" in post(client, "follow/new/", follower="3", following="4")
    assert "user 5 cannot follow user 6" in post(client, "follow/new/", follower="5", following="6")
    assert "Integrity error" in post(client, "follow/new/", follower="3", following="4")
    assert "success" not in post(client, "block/new/", blocker="3", blocked="4")
    assert len(rows(engine, Block)) == 1
    assert (counts(engine, 3), counts(engine, 4)) == ((1, 2), (2, 1))
    assert wrong(engine) == []


@ON_SQLITE
def test_a_user_is_edited_and_follows_stay(client: FlaskClient, engine: Engine) -> None:
    """A form that was open while others followed takes no follow away."""
    populate(engine, 12)
    before = rows(engine, Follow)

    assert "success" in post(client, "user/edit/?id=1", username="somebody else")

    assert rows(engine, Follow) == before
    assert (counts(engine, 1), wrong(engine)) == ((12, 3), [])


@ON_SQLITE
def test_a_view_that_says_nothing_of_follows_works(app: Flask, engine: Engine) -> None:
    """Without a line of docs/admin.md users are shown, edited and deleted; a block is refused in a sentence."""
    populate(engine, 100)
    db = db_of(app)
    admin = Admin(app)
    for model in (User, Follow, FollowRequest, Block, Mute, FollowCount):
        admin.add_view(ModelView(model, db))
    client = app.test_client()

    with loading(db.engine) as loaded:
        pages = [client.get(f"/admin/user/{page}") for page in ("", "edit/?id=1", "new/")]
    keys = ("follow", "followrequest", "block", "mute", "followcount")
    pages += [client.get(f"/admin/{key}/") for key in keys]

    assert [page.status_code for page in pages] == [200] * 8
    assert (loaded["Follow"], loaded["User"] <= 21) == (0, True)
    assert "success" in post(client, "user/edit/?id=1", username="somebody else")
    assert "success" in post(client, "user/action/", action="delete", rowid=["2", "3"])
    post(client, "block/new/", blocker="8", blocked="9")
    assert (counts(engine, 1), len(rows(engine, Block)), wrong(engine)) == ((98, 1), 1, [])
