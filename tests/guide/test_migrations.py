"""What the guide says about migrations of another make than Flask-Migrate's own, on its first app."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import URL, inspect

from tests.guide.apps import LARDER
from tests.guide.steps import Block, Project, blocks
from tests.long import in_every_run

SEVERAL, ALONE, NONE = blocks("existing-app-shapes.md", "Other files of migrations")

#: Alembic's own template, with what every app writes into it.
ALEMBIC = """\
import os, pathlib
from alembic import command
from alembic.config import Config
command.init(Config("alembic.ini"), "migrations", template="generic")
env = pathlib.Path("migrations/env.py")
own = "import os\\nfrom larder import db\\ntarget_metadata = db.metadata\\n"
own += "config.set_main_option('sqlalchemy.url', os.environ['DATABASE_URL'].replace('%', '%%'))"
env.write_text(env.read_text().replace("target_metadata = None", own))
"""


def in_env(step: Block) -> Block:
    """Return what the guide says about the file of Alembic, under its name."""
    return step._replace(file="migrations/env.py")


def rows(project: Project, *columns: str) -> list[tuple[object, ...]]:
    """Return the follows that there are now, in the new table."""
    return project.edges(LARDER.new, "follower_id", "following_id", *columns)


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_several_databases(database: URL, tmp_path: Path) -> None:
    """The follows are copied in theirs, and the other one is left alone; where nothing has changed there is no revision."""
    project = Project("larder", tmp_path, database)
    config = project.folder / "config.py"
    config.write_text(f"{config.read_text()}    SQLALCHEMY_BINDS = {{'attic': 'sqlite:///{tmp_path}/attic.sqlite3'}}\n")
    project.run(LARDER.past.replace("flask_migrate.init()", "flask_migrate.init(multidb=True)"))
    before = project.edges(*LARDER.old)

    said = project.follow(*(in_env(SEVERAL) if step.file.endswith("env.py") else step for step in LARDER.steps()))

    assert "No new upgrade operations detected." in said
    found = rows(project, "timestamp")
    assert [row[:2] for row in found] == [row[:2] for row in before]
    revisions = [*project.folder.glob("migrations/versions/*.py")]
    assert "No changes in schema detected" in project.type("flask db migrate")
    assert [*project.folder.glob("migrations/versions/*.py")] == revisions
    project.type("flask db downgrade", "flask db upgrade")
    assert rows(project, "timestamp") == found


@pytest.mark.long
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_alembic_alone(database: URL, tmp_path: Path) -> None:
    """Its own commands do the same."""
    project = Project("larder", tmp_path, database)
    past = LARDER.past.replace("flask_migrate.init()", "pass").replace(
        'flask_migrate.migrate(message="people and recipes")\n    flask_migrate.upgrade()',
        'command.revision(Config("alembic.ini"), "first", autogenerate=True)\n'
        '    command.upgrade(Config("alembic.ini"), "head")',
    )
    project.run(ALEMBIC + past)
    before = project.edges(*LARDER.old)

    said = project.follow(
        *(in_env(ALONE) if step.file.endswith("env.py") else step for step in LARDER.steps() if step.language == "diff")
    )
    said += project.type(
        'alembic revision --autogenerate -m "follows by retinue"', "alembic upgrade head", "alembic check"
    )

    assert "No new upgrade operations detected." in said
    found = rows(project, "timestamp")
    assert [row[:2] for row in found] == [row[:2] for row in before]
    project.type("alembic downgrade -1", "alembic upgrade head")
    assert rows(project, "timestamp") == found


@in_every_run()
def test_no_migrations_at_all(database: URL, tmp_path: Path) -> None:
    """Nobody keeps a user from being deleted."""
    project = Project("larder", tmp_path, database)
    project.run(LARDER.past)
    before = project.edges(*LARDER.old)
    project.follow(
        *(step for step in LARDER.steps() if step.language == "diff" and not step.file.startswith("migrations/"))
    )
    asked = "from larder import app, db\napp.app_context().push()\ndb.create_all()\n"

    project.run(f"{asked}{NONE.code}\ndb.engine.dispose()")

    assert "follows" not in inspect(project.engine).get_table_names()
    assert [row[:2] for row in rows(project)] == [row[:2] for row in before]
    project.run(LARDER.delete)
    assert len(rows(project)) == len(before) - 6
