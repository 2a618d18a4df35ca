"""Flask-Security: docs/frameworks.md has an app with its users and roles; people log in, follow, and are deleted."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask_security import hash_password
from sqlalchemy import URL

from retinue.testing import GraphContract, make_users
from tests.pages import do

CONFIG = {
    "SECRET_KEY": "a key for tests, and long enough",
    "SECURITY_PASSWORD_SALT": "another one",
    "SECURITY_PASSWORD_HASH": "plaintext",  # nobody waits for a hash
    "SECURITY_PASSWORD_SCHEMES": '["plaintext"]',
    "SECURITY_PASSWORD_SINGLE_HASH": '["plaintext"]',
    "TESTING": "true",
    "WTF_CSRF_ENABLED": "false",
}


@pytest.fixture
def page(database: URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Give the names of the page's section, on a new database with its tables."""
    for name, value in (CONFIG | {"SQLALCHEMY_DATABASE_URI": database.render_as_string(hide_password=False)}).items():
        monkeypatch.setenv(f"FLASK_{name}", value)
    names: dict[str, Any] = {"__name__": __name__}
    do("frameworks.md", names, "With Flask-Security")
    page = SimpleNamespace(**names)
    with page.app.app_context():
        page.db.create_all()
    yield page
    with page.app.app_context():
        page.db.engine.dispose()


class TestFlaskSecurity(GraphContract):
    """The contract, in its session."""

    @pytest.fixture
    def database(self, tmp_path: Any) -> URL:
        return URL.create("sqlite", database=str(tmp_path / "retinue.sqlite3"))

    @pytest.fixture
    def users(self, page: SimpleNamespace) -> Iterator[list[Any]]:
        with page.app.app_context():
            yield make_users(page.db.session, page.User, 6)


@pytest.mark.parametrize(
    "database",
    ["sqlite", *(pytest.param(engine, marks=pytest.mark.long) for engine in ("postgresql", "mariadb"))],
    indirect=True,
)
def test_people_log_in_follow_and_are_deleted(page: SimpleNamespace) -> None:
    """With roles; the store of users deletes one, and the counts of the others stay right."""
    store, session = page.user_datastore, page.db.session
    with page.app.app_context():
        store.find_or_create_role("member")
        for name in ("ada", "bo", "cy"):
            known = {"email": f"{name}@example.com", "password": hash_password("a password")}
            store.create_user(**known, roles=["member"])
        store.commit()
        ada, bo, cy = (store.find_user(email=f"{name}@example.com") for name in ("ada", "bo", "cy"))
        for one, other in ((bo, ada), (cy, ada), (ada, bo)):
            one.follow(other)
        session.commit()

    client = page.app.test_client()
    assert client.get("/me", headers={"Accept": "application/json"}).status_code == 401
    logged_in = client.post("/login", json={"email": "ada@example.com", "password": "a password"})
    assert logged_in.status_code == 200
    assert client.get("/me").get_json() == {"followers": 2, "following": 1}

    with page.app.app_context():
        store.delete_user(store.find_user(email="bo@example.com"))
        store.commit()
        ada = store.find_user(email="ada@example.com")
        assert ada.has_role("member")
        assert [row.follower.email for row in ada.followers] == ["cy@example.com"]

    assert client.get("/me").get_json() == {"followers": 1, "following": 0}
    assert client.get("/people/@1/followers").status_code == 200  # the extension's own page, for who is logged in
