"""The guide, done to the letter: by its own lines, on apps that know nothing of Retinue, with people in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import URL, inspect

from tests.guide.apps import APPS, App
from tests.guide.steps import HERE, Project
from tests.long import on_engines


@on_engines("app", APPS, lambda engine, _app: engine == "sqlite")
def test_an_app_is_moved(app: App, database: URL, tmp_path: Path) -> None:
    """What people see is the same, and so is who follows whom since when; also after the way back, and once more."""
    project = Project(app.name, tmp_path, database)
    project.run(app.past)
    seen = project.asked(f"moved = False\n{app.facts}")
    rows = project.edges(*app.old)
    assert len(seen) >= 20
    assert len(rows) >= 36

    said = project.follow(*app.steps())

    assert "No new upgrade operations detected." in said
    assert app.old[0] not in inspect(project.engine).get_table_names()
    found = project.edges(app.new, "follower_id", "following_id", "timestamp")
    assert project.asked(f"moved = True\n{app.facts}") == seen
    times = len(app.old) == 4
    if app.name != "gazette":  # which had pairs of profiles
        oldest = min(row[2] for row in rows if row[2]) if times else None
        assert found == [
            (*row[:2], row[2] or oldest) if times else (*row, edge[2]) for row, edge in zip(rows, found, strict=True)
        ]

    project.type(app.down)
    assert [row[:2] for row in project.edges(*app.old)] == [row[:2] for row in rows]
    if times:
        assert [row for row in project.edges(*app.old) if row in rows] == [row for row in rows if row[2]]
    assert app.new not in inspect(project.engine).get_table_names()
    revisions = {*project.folder.glob("migrations/versions/*.py")}
    for line in app.up:  # one by one: within a process, Flask-Migrate's function is that of the first command
        project.type(line)
    assert {*project.folder.glob("migrations/versions/*.py")} == revisions
    assert [row[:2] for row in project.edges(app.new, "follower_id", "following_id")] == [row[:2] for row in found]
    if times:
        assert project.edges(app.new, "follower_id", "following_id", "timestamp") == found

    project.run(app.delete)
    gone = [row for row in found if ada(project, app) not in row[:2]]
    assert [row[:2] for row in project.edges(app.new, "follower_id", "following_id")] == [row[:2] for row in gone]


def ada(project: Project, app: App) -> int:
    """Return the key that the user ada had: the one that is missing among twelve."""
    with project.engine.connect() as connection:
        quoted = connection.dialect.identifier_preparer.quote(app.users)
        left = {key for (key,) in connection.exec_driver_sql(f"SELECT id FROM {quoted}")}
    (gone,) = set(range(1, 13)) - left
    return gone


@pytest.mark.parametrize("app", APPS)
def test_the_apps_know_nothing_of_retinue(app: str) -> None:
    """Else the guide would prove nothing."""
    files = [path.read_text() for path in (HERE / app).rglob("*") if path.suffix in (".py", ".html")]

    assert len(files) >= 3
    assert not any("retinue" in text for text in files)
