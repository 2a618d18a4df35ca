"""The demo on MariaDB with texts that have no characters of four bytes (utf8mb3), still the default of many: no emoji."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import URL, create_engine, text

from demo.tests.conftest import running

SMILE = "\N{GRINNING FACE}"


@pytest.fixture
def client(database: URL) -> Iterator[FlaskClient]:
    """Give a browser on the demo, whose database is in utf8mb3: still the default of many."""
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {database.database} CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci"))
    engine.dispose()
    with running(database, RATELIMIT_ENABLED=False, PROPAGATE_EXCEPTIONS=False) as site:
        yield site.app.test_client()


def sign_up(client: FlaskClient, username: str, name: str) -> int:
    """Sign up; return the answer's status."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert token
    fields = {"csrf_token": token[1], "username": username, "name": name, "password": "quite long enough"}
    return client.post("/signup", data=fields).status_code


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
@pytest.mark.parametrize(("path", "status"), [("/@ada/followers?q={}", 200), ("/people?q={}", 200), ("/@{}", 404)])
def test_an_emoji_in_an_address_finds_nobody(client: FlaskClient, path: str, status: int) -> None:
    """As a search and as a name; and the next page is there."""
    assert sign_up(client, "ada", "Ada") == 303
    answer = client.get(path.format(quote(SMILE)))
    assert answer.status_code == status
    assert client.get("/@ada/followers").status_code == 200


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_an_emoji_in_a_name_is_answered_and_nothing_secret_logged(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """With a sentence; the log has no hash of a password in it."""
    with caplog.at_level(logging.INFO):
        status = sign_up(client, "ada", f"Ada {SMILE}")
    assert (status, "$argon2" in caplog.text) == (422, False)
