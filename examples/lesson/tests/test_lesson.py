"""The shell says what the lesson says, and the pages do what their buttons say."""

from __future__ import annotations

import doctest
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.cli import ScriptInfo

from examples.lesson import app as lesson
from examples.lesson.app import Follow, User, create_app, db
from retinue.testing import count_statements, make_users

ROOT = Path(__file__).resolve().parents[3]
HERE = {"Origin": "http://localhost"}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """Give the app on a new database."""
    app = create_app(f"sqlite:///{tmp_path}/lesson.sqlite3")
    yield app
    with app.app_context():
        db.engine.dispose()


def test_the_shell_answers_as_the_lesson_says(app: Flask) -> None:
    """Word for word: two users, a follow, both lists, the follow itself, and its end."""
    assert lesson.__doc__
    said: list[str] = []
    with app.app_context():
        names = dict(app.make_shell_context())
        session = doctest.DocTestParser().get_doctest(lesson.__doc__, names, "lesson", "app.py", 0)
        result = doctest.DocTestRunner().run(session, out=said.append)
        db.session.remove()

    assert result.attempted >= 7
    assert result.failed == 0, "".join(said)


def test_somebody_follows_and_unfollows_by_the_buttons(app: Flask) -> None:
    """Sign up, press the button, see it change, and the other's list; no script is needed."""
    ann, bob = app.test_client(), app.test_client()
    for client, name in ((ann, "Ann"), (bob, "Bob B")):
        entered = client.post("/enter", data={"username": name, "password": "p"}, headers=HERE, follow_redirects=True)
        assert f"You are {name}" in entered.text

    (action,) = re.findall(r'action="([^"]*/follow)"', ann.get("/").text)
    pressed = ann.post(action, data={"next": "/"}, headers=HERE, follow_redirects=True)
    assert "/unfollow" in pressed.text
    assert "Ann" in bob.get("/people/@Bob B/followers").text
    with app.app_context():
        follow = db.session.scalars(db.select(Follow)).one()
        assert (follow.follower.username, follow.following.username) == ("Ann", "Bob B")
    ann.post(action.replace("/follow", "/unfollow"), headers=HERE)
    with app.app_context():
        assert db.session.scalars(db.select(Follow)).all() == []
        assert db.session.scalars(db.select(User.username).order_by(User.id)).all() == ["Ann", "Bob B"]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"username": "", "password": "p"},
        {"username": "\x00", "password": "p"},
        {"username": "x" * 65, "password": "p"},
        {"username": "Ann", "password": "wrong"},
    ],
)
def test_who_cannot_enter_is_told(app: Flask, form: dict[str, Any]) -> None:
    """And is nobody afterwards."""
    app.test_client().post("/enter", data={"username": "Ann", "password": "p"})
    client = app.test_client()

    answer = client.post("/enter", data=form, follow_redirects=True)

    assert 'role="alert"' in answer.text
    assert "You are Ann" not in answer.text
    client.post("/enter", data={"username": "Ann", "password": "p"})
    assert "You are Ann" in client.get("/").text
    assert "You are Ann" not in client.post("/log-out", follow_redirects=True).text


def test_the_page_of_a_hundred_costs_a_few_statements(app: Flask) -> None:
    """However many buttons are on it."""
    client = app.test_client()
    client.post("/enter", data={"username": "Ann", "password": "p"})
    with app.app_context():
        make_users(db.session(), User, 30)
        db.session.commit()
        with count_statements(db.engine) as statements:
            page = client.get("/")

    assert page.text.count("<li>") == 31
    assert len(statements) <= 4


def test_the_command_of_the_docstring_finds_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`flask --app examples/lesson/app`, in the folder of the repository."""
    (path,) = set(re.findall(r"flask --app (\S+) ", lesson.__doc__ or ""))
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", list(sys.path))  # Flask adds to it
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/lesson.sqlite3")

    found = ScriptInfo(app_import_path=path).load_app()

    assert found.name == "lesson.app"
    assert "retinue.people" in found.view_functions
    with found.app_context():
        found.extensions["sqlalchemy"].engine.dispose()  # Flask has imported the file by another name
