"""The extension on applications of somebody else's, which have two models and their own ways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Session
from werkzeug.test import TestResponse

from retinue import Graph
from retinue.flask import Retinue, State, current, viewer
from retinue.flask.sessions import sessions_of
from retinue.flask.wording import ending
from retinue.testing import count_statements
from tests.flask.plain_apps import KINDS, Plain, declare, plain_app

HERE = {"Origin": "http://localhost"}


@pytest.fixture(params=KINDS)
def plain(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Plain]:
    """Give each of the applications, with Ann, Bob and Cy."""
    plain = plain_app(request.param, f"sqlite:///{tmp_path / 'plain.sqlite3'}")
    with filled(plain) as one:
        yield one


class filled:  # noqa: N801 - used like a function
    """Fills an application, and lets go of its database in the end."""

    def __init__(self, plain: Plain) -> None:
        self.plain = plain

    def __enter__(self) -> Plain:
        with self.plain.app.app_context():
            session = self.plain.session()
            session.add_all([self.plain.user(username=name) for name in ("ann", "bob", "cy")])
            session.commit()
        return self.plain

    def __exit__(self, *_: object) -> None:
        with self.plain.app.app_context():
            self.plain.session().get_bind().dispose()


def client_as(plain: Plain, username: str) -> FlaskClient:
    """Return the browser of somebody."""
    client = plain.app.test_client()
    client.post(f"/be/{username}")
    return client


def slug(plain: Plain, username: str) -> str:
    """Return what stands for somebody in an address."""
    with plain.app.app_context():
        return str(plain.session().scalars(select(plain.user.id).where(plain.user.username == username)).one())


def follows(plain: Plain, follower: str, followed: str) -> bool:
    """Tell what the database says."""
    with plain.app.app_context():
        session = plain.session()
        ids = [
            session.scalars(select(plain.user.id).where(plain.user.username == n)).one() for n in (follower, followed)
        ]
        return Graph(session, plain.user).is_following(*ids)


# --- Sessions, keys and pages --------------------------------------------------------------------


def test_follow_and_unfollow_without_a_script(plain: Plain) -> None:
    """A press leads back to where the button was; the database says so, and so does the button."""
    client, bob = client_as(plain, "ann"), slug(plain, "bob")
    assert f'formaction="/people/@{bob}/follow"' in client.get("/").text

    answer = client.post(f"/people/@{bob}/follow", data={"next": "/?page=2"}, headers=HERE)

    assert (answer.status_code, answer.location) == (303, "/?page=2")
    assert follows(plain, "ann", "bob")
    assert f'formaction="/people/@{bob}/unfollow"' in client.get("/").text
    client.post(f"/people/@{bob}/unfollow", headers=HERE)
    assert not follows(plain, "ann", "bob")


def test_the_script_gets_the_button_as_it_is_then(plain: Plain) -> None:
    """Who asks for JSON is not led anywhere."""
    client, bob = client_as(plain, "ann"), slug(plain, "bob")

    answer = client.post(f"/people/@{bob}/follow", headers={**HERE, "Accept": "application/json"})

    assert answer.status_code == 200
    said = answer.get_json()
    assert said["message"] == "You follow bob."
    pieces = said["people"][bob]["pieces"]
    assert (pieces["followers"], pieces["following"]) == ("1", "0")
    assert "/unfollow" in pieces["user"]


def test_every_list_is_a_page(plain: Plain) -> None:
    """Followers and following of somebody, with the viewer's button beside each, and whom to follow."""
    client, ann, bob = client_as(plain, "ann"), slug(plain, "ann"), slug(plain, "bob")
    client.post(f"/people/@{bob}/follow", headers=HERE)

    assert f'id="user-{ann}"' in client.get(f"/people/@{bob}/followers").text
    assert f'id="user-{bob}"' in client.get(f"/people/@{ann}/following?sort=oldest").text
    assert client.get(f"/people/@{ann}/mutuals").status_code == 200
    assert client.get(f"/people/@{bob}/known").status_code == 200
    assert client.get("/people/suggestions").status_code == 200


@pytest.mark.parametrize("path", ["requests", "requests/sent", "blocked", "muted", "notifications"])
def test_what_is_not_declared_is_not_there(plain: Plain, path: str) -> None:
    """Two models make followers and nothing else: the other pages do not exist."""
    assert client_as(plain, "ann").get(f"/people/{path}").status_code == 404
    assert client_as(plain, "ann").post(f"/people/@{slug(plain, 'bob')}/block", headers=HERE).status_code == 404


def test_without_models_there_is_no_menu(tmp_path: Path) -> None:
    """Two models know no mute and no block; a follower can be removed."""
    plain = plain_app("flask-sqlalchemy", f"sqlite:///{tmp_path / 'plain.sqlite3'}")
    with filled(plain):
        ann, bob = slug(plain, "ann"), slug(plain, "bob")
        assert "popover" not in client_as(plain, "ann").get(f"/people/@{bob}").text
        client_as(plain, "bob").post(f"/people/@{ann}/follow", headers=HERE)
        page = client_as(plain, "ann").get(f"/people/@{bob}").text
        assert ("/remove" in page, "/mute" in page, "/block" in page) == (True, False, False)


@pytest.mark.parametrize("bad", ["0", "-1", "999999999999999999999999", "x", "007", "1 ", "%00", "1e1", "a" * 300])
def test_an_address_of_nobody(plain: Plain, bad: str) -> None:
    """Is not found, for a page or a press."""
    client = client_as(plain, "ann")

    assert client.get(f"/people/@{bad}/followers").status_code == 404
    assert client.post(f"/people/@{bad}/follow", headers=HERE).status_code == 404


def test_somebody_unknown_is_asked_to_log_in(plain: Plain) -> None:
    """Without a log-in page: 401; nothing is changed. Lists are there for them."""
    client, bob = plain.app.test_client(), slug(plain, "bob")

    assert client.post(f"/people/@{bob}/follow", headers=HERE).status_code == 401
    assert client.get("/people/suggestions").status_code == 401
    assert client.get(f"/people/@{bob}/followers").status_code == 200
    assert 'href="/people/log-in?next=/%23user-' in client.get("/").text


@pytest.mark.parametrize(
    ("view", "place"),
    [
        ("index", "/?next=/people/suggestions"),
        ("/enter", "/enter?next=/people/suggestions"),
        ("https://login.example/?app=1", "https://login.example/?app=1&next=http://localhost/people/suggestions"),
    ],
)
def test_the_way_to_the_log_in_page(tmp_path: Path, view: str, place: str) -> None:
    """Flask-Login's `login_view`, an endpoint or an address, leads there and back."""
    plain = plain_app("flask-sqlalchemy", f"sqlite:///{tmp_path / 'plain.sqlite3'}")
    plain.app.login_manager = SimpleNamespace(login_view=view)  # type: ignore[attr-defined]
    with filled(plain):
        assert plain.app.test_client().get("/people/suggestions").location == place


# --- Batches -------------------------------------------------------------------------------------


def test_buttons_of_a_whole_page_cost_one_select(tmp_path: Path) -> None:
    """The application's own page asks nothing about anybody: the first button asks about all."""
    plain = plain_app("flask-sqlalchemy", f"sqlite:///{tmp_path / 'plain.sqlite3'}")
    with filled(plain):
        counted = []
        for more in (0, 40):
            with plain.app.app_context():
                plain.session().add_all([plain.user(username=f"p{number}") for number in range(more)])
                plain.session().commit()
                engine = plain.session().get_bind()
            client = client_as(plain, "ann")
            with count_statements(engine) as statements:
                page = client.get("/").text
            assert page.count("data-retinue-user") == 3 + more
            counted.append(len(statements))

        # The people, who is looking, and how they stand.
        assert counted == [3, 3]


# --- Forms from elsewhere ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "let"),
    [
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "https://localhost"}, True),
        ({"Referer": "http://localhost/page"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://behind-a-proxy"}, True),
        ({"Origin": "https://friend.example"}, True),
        ({}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://localhost.evil.example"}, False),
        ({"Origin": "http://localhost:81"}, False),
        ({"Referer": "http://evil.example/localhost"}, False),
        ({"Referer": "http://[bad"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
    ],
)
def test_a_form_of_another_site_is_refused(tmp_path: Path, headers: dict[str, str], let: bool) -> None:
    """Without Flask-WTF, what the browser says of the page decides."""
    url = f"sqlite:///{tmp_path / 'plain.sqlite3'}"
    plain = plain_app("flask-sqlalchemy", url, RETINUE_TRUSTED_ORIGINS=["https://friend.example"])
    with filled(plain):
        answer = client_as(plain, "ann").post(f"/people/@{slug(plain, 'bob')}/follow", headers=headers)

        assert answer.status_code == (303 if let else 403)
        assert follows(plain, "ann", "bob") is let


@pytest.mark.parametrize(
    "target", ["//evil.example", "http://evil.example", "/\\evil.example", "/\t/evil.example", "javascript:x", "people"]
)
def test_nobody_is_led_to_another_host(tmp_path: Path, target: str) -> None:
    """After a press, and after a log-in."""
    plain = plain_app("flask-sqlalchemy", f"sqlite:///{tmp_path / 'plain.sqlite3'}")
    with filled(plain):
        client, bob = client_as(plain, "ann"), slug(plain, "bob")

        pressed = client.post(f"/people/@{bob}/follow", data={"next": target}, headers=HERE)
        asked = client.get("/people/log-in", query_string={"next": target})

        assert pressed.location == f"/people/@{bob}"
        assert asked.location == "/"


@pytest.mark.parametrize(
    "verb", ["follow", "unfollow", "remove", "accept", "reject", "block", "unblock", "mute", "dismiss"]
)
def test_no_state_is_changed_by_get(tmp_path: Path, verb: str) -> None:
    """An address for a button does nothing when it is opened."""
    plain = plain_app("flask-sqlalchemy", f"sqlite:///{tmp_path / 'plain.sqlite3'}")
    with filled(plain):
        assert client_as(plain, "ann").get(f"/people/@{slug(plain, 'bob')}/{verb}").status_code == 405


# --- What the application says, and what it forgets ----------------------------------------------


def test_users_by_name_and_pages_elsewhere(tmp_path: Path) -> None:
    """The config says what stands in an address, what people read, and how many are on a page."""
    plain = plain_app(
        "flask-sqlalchemy",
        f"sqlite:///{tmp_path / 'plain.sqlite3'}",
        RETINUE_URL_PREFIX="",
        RETINUE_USER_SLUG="username",
        RETINUE_ROWS=1,
    )
    with filled(plain):
        for fan in ("ann", "cy"):
            client_as(plain, fan).post("/@bob/follow", headers=HERE)

        page = client_as(plain, "ann").get("/@bob/followers").text
        assert len(re.findall('id="user-', page)) == 1
        assert 'rel="next"' in page
        assert plain.app.test_client().get("/@Bob/followers").status_code == 404


def test_a_template_of_the_application_goes_first(tmp_path: Path) -> None:
    """Its frame, its pictures, its words: each file can be replaced alone."""
    templates = tmp_path / "templates" / "retinue"
    templates.mkdir(parents=True)
    (templates / "layout.html").write_text("<main class=mine>{% block content %}{% endblock %}</main>")
    (templates / "_details.html").write_text("<i>{{ person.user.username }} at home</i>")
    plain = plain_app("flask-sqlalchemy", f"sqlite:///{tmp_path / 'plain.sqlite3'}")
    plain.app.template_folder = str(tmp_path / "templates")
    with filled(plain):
        client, bob = client_as(plain, "ann"), slug(plain, "bob")
        client.post(f"/people/@{bob}/follow", headers=HERE)

        page = client.get(f"/people/@{bob}/followers").text

        assert page.startswith("<main class=mine>")
        assert "<i>ann at home</i>" in page


def test_twice_on_one_app_is_refused(tmp_path: Path) -> None:
    """A second registration would hide the first."""
    plain = plain_app("flask-sqlalchemy", f"sqlite:///{tmp_path / 'plain.sqlite3'}")

    with pytest.raises(RuntimeError, match="already"):
        Retinue(plain.app)
    with plain.app.app_context():
        plain.session().get_bind().dispose()


def test_an_app_without_it_is_told_so() -> None:
    """Also what the reason may be."""
    with Flask("bare").app_context(), pytest.raises(RuntimeError, match="init_app"):
        current()


def test_no_session_no_user_and_no_viewer_are_explained() -> None:
    """Each with the line to write."""
    app = Flask("bare")
    Retinue(app, user_model=declare_alone)
    with app.app_context():
        with pytest.raises(RuntimeError, match="session="):
            current().session()
        app.extensions["retinue"] = State(app, None, None, None, None)
        with pytest.raises(RuntimeError, match="user_model=User"):
            _ = current().user_class
    with pytest.raises(TypeError, match=r"db\.session"):
        Retinue(Flask("bare"), session=object())
    with app.test_request_context(), pytest.raises(RuntimeError, match="current_user="):
        viewer()


def declare_alone() -> type[Any]:
    """Declare the two models once more."""

    class Base(DeclarativeBase):
        pass

    return declare(Base)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("RETINUE_URL_PREFIX", "people"),
        ("RETINUE_URL_PREFIX", None),
        ("RETINUE_ROWS", 0),
        ("RETINUE_ROWS", 101),
        ("RETINUE_ROWS", "20"),
        ("RETINUE_SUGGESTIONS", True),
        ("RETINUE_USER_SLUG", 7),
        ("RETINUE_TRUSTED_ORIGINS", "https://one.example"),
        ("RETINUE_ROW", 20),
    ],
)
def test_a_config_that_makes_no_sense_is_refused_at_once(key: str, value: object) -> None:
    """By its name, when the application is made."""
    app = Flask("bare")
    app.config[key] = value

    with pytest.raises(ValueError, match=key):
        Retinue(app)


def test_an_attribute_that_is_not_there(tmp_path: Path) -> None:
    """The key of the config and the class are named."""
    plain = plain_app("flask-sqlalchemy", f"sqlite:///{tmp_path / 'plain.sqlite3'}", RETINUE_USER_SLUG="handle")

    with plain.app.app_context():
        with pytest.raises(ValueError, match="RETINUE_USER_SLUG is 'handle', but User"):
            _ = current().slug_name
        plain.session().get_bind().dispose()


def test_without_pages_there_is_no_blueprint(tmp_path: Path) -> None:
    """An application that draws everything itself keeps its addresses to itself."""
    plain = plain_app("flask-sqlalchemy", f"sqlite:///{tmp_path / 'plain.sqlite3'}", RETINUE_PAGES=False)

    assert not any(str(rule).startswith("/people") for rule in plain.app.url_map.iter_rules())
    with plain.app.app_context():
        plain.session().get_bind().dispose()


def test_an_end_is_a_time_of_today_or_a_day() -> None:
    """A mute of an hour ends at a time, one of a month on a day."""
    now = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)

    assert ending(now + timedelta(minutes=29), now) == "23:59 UTC"
    assert ending(now + timedelta(hours=1), now) == "tomorrow, 00:30 UTC"
    assert ending(now + timedelta(days=30), now) == "21 Dec"
    assert ending(now + timedelta(days=90), now) == "19 Feb 2027"


def test_new_sessions_have_the_databases_of_the_request(tmp_path: Path) -> None:
    """Where a function gives the sessions, and those have a database for each base class: work of its own goes there too."""

    class Base(DeclarativeBase):
        pass

    user, engine = declare(Base), create_engine(f"sqlite:///{tmp_path / 'people.sqlite3'}")
    sessions = sessions_of(Flask(__name__), lambda: Session(binds={Base: engine}))
    assert sessions.new().get_bind(user) is engine


def test_the_engine_of_each_tenant_is_prepared(tmp_path: Path) -> None:
    """Also that of a tenant who comes after the first request."""

    class Base(DeclarativeBase):
        pass

    user, app = declare(Base), Flask(__name__)
    engines = [create_engine(f"sqlite:///{tmp_path / name}") for name in ("red", "blue")]
    tenants = iter(engines)
    Retinue(app, session=lambda: Session(next(tenants)), user_model=user, current_user=lambda: None)
    for engine in engines:
        with app.app_context():
            current().session().close()
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        engine.dispose()


@pytest.fixture
def with_tokens(tmp_path: Path) -> Iterator[Plain]:
    """Give an application on which Flask-WTF asks every form for a token; it was put there after Retinue."""
    plain = plain_app("flask-sqlalchemy", f"sqlite:///{tmp_path / 'plain.sqlite3'}", RETINUE_LOGIN_ENDPOINT="door")
    CSRFProtect(plain.app)
    plain.app.add_url_rule("/door", "door", lambda: "")
    plain.app.register_error_handler(CSRFError, lambda _: ("their page", 400))
    with filled(plain) as one:
        yield one


def told(answer: TestResponse) -> dict[str, Any]:
    """Return what an answer tells the script."""
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json"}], ids=["a form", "the script"])
def test_whose_session_has_ended_is_led_to_the_log_in_page(with_tokens: Plain, headers: dict[str, str]) -> None:
    """The token that went with the session is not what they read about: a form redirects, the script gets the way."""
    back = "/people/@2/followers"
    answer = with_tokens.app.test_client().post("/people/@2/follow", data={"next": back}, headers={**HERE, **headers})

    way = "/door?next=%2Fpeople%2F@2%2Ffollowers%23user-2"
    if headers:
        assert answer.status_code == 401
        assert unquote(told(answer)["location"]) == unquote(way)
        assert told(answer)["link"] == "Log in again"
    else:
        assert answer.status_code == 303
        assert unquote(answer.location or "") == unquote(way)


def test_a_form_without_a_token_does_nothing(with_tokens: Plain) -> None:
    """Of somebody who is logged in: a form gets the application's own page about it, the script a way to a new page."""
    client = with_tokens.app.test_client()
    with client.session_transaction() as session:
        session["username"] = "ann"
    script = {**HERE, "Accept": "application/json"}

    form = client.post("/people/@2/follow", headers=HERE)
    answer = client.post("/people/@2/follow", data={"next": "/there"}, headers=script)
    elsewhere = client.post("/people/@2/follow", data={"next": "//there"}, headers=script)

    assert (form.status_code, form.text) == (400, "their page")
    assert (answer.status_code, told(answer)["location"], told(answer)["link"]) == (400, "/there", "Load it again")
    assert told(elsewhere)["location"] is None
    assert client.post("/be/bob").text == "their page"
    assert "False" in client.get("/").text
    assert "True" not in client.get("/").text
