"""
Expected failures of the demo: what is known to be wrong today, each as a test of what is right.

A mark stands for exactly the engines on which its test fails, and is strict: one that passes is an error. Whoever
mends it takes the mark away.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from sqlalchemy import URL, create_engine, text

from demo.tests.conftest import running
from demo.tests.test_command import Demo

SMILE = "\N{GRINNING FACE}"


def narrow(reason: str) -> pytest.MarkDecorator:
    """Mark a test that fails where the database's texts have no characters of four bytes."""
    return pytest.mark.xfail(strict=True, raises=AssertionError, reason=f"the demo, on utf8mb3: {reason}")


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
@pytest.mark.parametrize("path", ["/@ada/followers?q={}", "/@{}/followers"])
@narrow("an emoji in an address is a 500")
def test_an_emoji_in_an_address_finds_nobody(client: FlaskClient, path: str) -> None:
    """Neither as a search nor as a name."""
    assert sign_up(client, "ada", "Ada") == 303
    assert client.get(path.format(quote(SMILE))).status_code < 500


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
@narrow("an emoji in a name is a 500, and the log has all that was to be inserted")
def test_an_emoji_in_a_name_is_answered_and_nothing_secret_logged(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    """With a sentence; the log has no hash of a password in it."""
    with caplog.at_level(logging.INFO):
        status = sign_up(client, "ada", f"Ada {SMILE}")
    assert (status < 500, "$argon2" in caplog.text) == (True, False)


@pytest.mark.skipif(os.name == "nt", reason="other systems have other rights")
@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the demo: its community is readable by everybody")
def test_what_the_demo_keeps_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """The folder, and every file in it, whatever files are otherwise made like."""
    before = os.umask(0o022)
    try:
        demo = Demo(tmp_path, "--port", "0", "--users", "2")
    finally:
        os.umask(before)
    folder = tmp_path / "retinue"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    demo.stop()
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
