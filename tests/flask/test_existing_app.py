"""docs/existing-app.md, done to the letter: by its own lines, on an app that somebody else wrote, with people in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from flask.testing import FlaskClient
from sqlalchemy import URL, NullPool, create_engine, inspect, text

import retinue
from tests.database.schemas import describe
from tests.long import in_every_run

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "existing-app.md").read_text()
APP = Path(__file__).parent / "existing_app"
SOURCE = Path(retinue.__file__).parents[1]

#: What has happened to the app before: its first revision, four people, and who follows whom.
PAST = """\
import flask_migrate
from larder import app, db
from app.models import Follow, Recipe, User
from datetime import datetime
with app.app_context():
    flask_migrate.init()
    flask_migrate.migrate(message="people and recipes")
    flask_migrate.upgrade()
    people = [User(username=name) for name in ("ada", "ben", "cleo", "dan")]
    people[0].set_password("dough")
    db.session.add_all(people)
    db.session.flush()
    db.session.add(Recipe(title="Rye bread", author=people[1]))
    for day, (who, whom) in enumerate([(2, 0), (0, 1), (2, 1), (3, 1), (1, 1)], start=1):
        pair = {"follower_id": people[who].id, "following_id": people[whom].id}
        db.session.add(Follow(**pair, timestamp=datetime(2024, 5, day, 12) if day != 4 else None))
    db.session.commit()
    db.session.remove()
    db.engine.dispose()
"""


class Block(NamedTuple):
    """A piece of code of the guide."""

    #: The file that it is about; empty for what is typed into a shell.
    file: str
    language: str
    code: str


def steps() -> list[Block]:
    """Return what the guide says to do, in order; what comes after its steps is about other apps."""
    followed = GUIDE.partition("## Later")[0]
    found = re.findall(r"(?:\*\*`([^`]+)`\*\*\n\n)?^```(\w+)\n(.*?)^```", followed, re.MULTILINE | re.DOTALL)
    return [Block(*one) for one in found]


def change(path: Path, difference: str) -> None:
    """Change a file as *difference* says; each of its pieces must fit in exactly one place."""
    content = path.read_text()
    for piece in re.split(r"^@@\n", difference, flags=re.MULTILINE):
        lines = piece.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        new = "".join(line[1:] for line in lines if line[0] in " +")
        assert content.count(old) == 1, f"{path.name} has {content.count(old)} times:\n{old}"
        content = content.replace(old, new)
    path.write_text(content)


class Project:
    """A copy of the app, on a database of its own."""

    def __init__(self, folder: Path, database: URL) -> None:
        self.folder = folder
        shutil.copytree(APP, folder, ignore=shutil.ignore_patterns("__pycache__"))
        url = database.render_as_string(hide_password=False)
        paths = os.pathsep.join([str(folder), str(SOURCE)])
        self.environment = {**os.environ, "DATABASE_URL": url, "FLASK_APP": "larder", "PYTHONPATH": paths}

    def run(self, *arguments: str) -> str:
        """Run Python there; return what it said."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def follow(self, step: Block) -> str:
        """Do what a piece of the guide says; return what was said."""
        if step.language == "sh":
            said = [self._type(line) for line in step.code.splitlines()]
            return "".join(said)
        if step.language == "diff":
            (path,) = self.folder.glob(step.file)
            change(path, step.code)
        else:
            path = self.folder / step.file
            path.parent.mkdir(parents=True, exist_ok=True)
            assert not path.exists()
            path.write_text(step.code)
        return ""

    def _type(self, line: str) -> str:
        if line.startswith("pip "):
            return ""
        command, *arguments = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)]
        assert command == "flask"
        return self.run("-m", "flask", *arguments)


@pytest.fixture
def project(tmp_path: Path, database: URL) -> Project:
    """Give the app as it was before, with its past in the database."""
    project = Project(tmp_path / "larder", database)
    project.run("-c", PAST)
    return project


@pytest.fixture
def visit(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give what imports the app of the project, as it is by now, and returns it; it is forgotten afterwards."""
    ours: list[Any] = []

    def load() -> Any:
        for name in ("DATABASE_URL", "FLASK_APP"):
            monkeypatch.setenv(name, project.environment[name])
        monkeypatch.syspath_prepend(project.folder)
        ours.append(__import__("larder").app)
        return ours[-1]

    yield load
    for app in ours:
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("app", "config", "larder")]:
        del sys.modules[name]


def press(client: FlaskClient, page: str, word: str) -> str:
    """Press the button of that word on a page; return the page to which that leads."""
    html = client.get(page).get_data(as_text=True)
    (form,) = [one for one in re.findall(r"<form.*?</form>", html, re.DOTALL) if word in one]
    (action,) = re.findall(r'formaction="([^"]+)"', form)
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    answer = client.post(action, data=fields, headers={"Origin": "http://localhost"}, follow_redirects=True)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.request.path == page
    return answer.get_data(as_text=True)


def names(html: str) -> list[str]:
    """Return the people of a list, in order."""
    return re.findall(r'class="retinue-name" href="/user/(\w+)"', html)


@in_every_run("sqlite")
def test_the_guide(project: Project, database: URL, visit: Any, tmp_path: Path) -> None:
    """Every step can be done as it stands; then all that was there is there, and everything works."""
    said = "".join(project.follow(step) for step in steps())

    assert "No new upgrade operations detected." in said
    engine = create_engine(database, poolclass=NullPool)
    tables = {*inspect(engine).get_table_names()}
    assert tables == {"alembic_version", "users", "recipes", "user_follows", "follow_counts"}
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM users")).scalar_one() == 4
        # Ben followed himself.
        assert connection.execute(text("SELECT count(*) FROM user_follows")).scalar_one() == 4
        counts = connection.execute(text("SELECT sum(followers), sum(following) FROM follow_counts")).one()
        assert [int(number) for number in counts] == [4, 4]
    app = visit()
    client = app.test_client()
    html = client.get("/user/ben").get_data(as_text=True)
    assert "Rye bread" in html
    assert "3 followers" in html
    assert "retinue.css" in html
    # Dan's row had no time, so it is as old as the migration.
    html = client.get("/people/@ben/followers").get_data(as_text=True)
    assert names(html) == ["dan", "cleo", "ada"]
    assert "- Larder</title>" in html
    assert "2024-05-03" in html
    assert client.get("/user/nobody").status_code == 404

    client.post("/auth/login", data={"username": "ada", "password": "dough"})
    html = press(client, "/user/cleo", "Follow")
    assert "1 followers" in html
    assert "Following" in html
    html = press(client, "/user/cleo", "Following")
    assert "0 followers" in html

    # The way back, and once more.
    before = describe(engine)
    project.run("-m", "flask", "db", "downgrade")
    assert {*inspect(engine).get_table_names()} == {"alembic_version", "users", "recipes", "follows"}
    project.run("-m", "flask", "db", "upgrade")
    assert describe(engine) == before
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT follower_id, following_id FROM user_follows ORDER BY 1, 2"))
        assert [tuple(row) for row in rows] == [(1, 2), (3, 1), (3, 2), (4, 2)]


#: What Flask-Migrate wrote before 4.0.5, in short: an argument of its own beside those of the app.
OLDER_ENV = """\
from alembic import context
from flask import current_app

target_metadata = current_app.extensions['migrate'].db.metadata


def process_revision_directives(context, revision, directives):
    if getattr(context.config.cmd_opts, 'autogenerate', False) and directives[0].upgrade_ops.is_empty():
        directives[:] = []


def run_migrations_online():
    with current_app.extensions['migrate'].db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=target_metadata,
            process_revision_directives=process_revision_directives,
            **current_app.extensions['migrate'].configure_args
        )
        with context.begin_transaction():
            context.run_migrations()


run_migrations_online()
"""


def about(start: str, language: str) -> str:
    """Return the code of what the guide says about an app of another make."""
    found = re.search(rf"^\*\*{start}.*?^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


@in_every_run()
def test_an_env_py_of_an_older_flask_migrate(project: Project, database: URL) -> None:
    (project.folder / "migrations" / "env.py").write_text(OLDER_ENV)

    for step in steps():
        is_env = step.file == "migrations/env.py"
        said = project.follow(step._replace(code=about("An older Flask-Migrate", "diff")) if is_env else step)
        if "flask db check" in step.code:
            assert "No new upgrade operations detected." in said
    project.run("-m", "flask", "db", "downgrade")


@in_every_run()
def test_an_app_without_flask_migrate(project: Project, database: URL) -> None:
    """Nobody keeps a user from being deleted."""
    for step in steps():
        if step.language == "diff" and not step.file.startswith("migrations/"):
            project.follow(step)
    asked = ["from larder import app, db", "from app.models import User", "app.app_context().push()", "db.create_all()"]
    then = "db.session.delete(User.query.filter_by(username='ada').one()); db.session.commit(); db.engine.dispose()"

    project.run("-c", "\n".join([*asked, about("No Flask-Migrate", "python"), then]))

    engine = create_engine(database, poolclass=NullPool)
    assert "follows" not in inspect(engine).get_table_names()
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT follower_id, following_id FROM user_follows ORDER BY 1, 2"))
        assert [tuple(row) for row in rows] == [(3, 2), (4, 2)]


def test_the_app_is_one_that_knows_nothing_of_retinue() -> None:
    """Else the guide would prove nothing."""
    files = [path.read_text() for path in APP.rglob("*") if path.suffix in (".py", ".html")]

    assert len(files) > 10
    assert not any("retinue" in text for text in files)
