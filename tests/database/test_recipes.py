"""Each change of a shipped table has its recipe in docs/versions.md, and the recipe does what the change needs."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, Index, Integer, MetaData

from tests.database.schemas import describe
from tests.database.test_migrations import Migrations, declare

VERSIONS = (Path(__file__).resolve().parents[2] / "docs" / "versions.md").read_text()
HEAD = """\
from alembic import op

revision = "recipe"
down_revision = None


"""


def history_without_wide_indexes(metadata: MetaData) -> None:
    """As tables of 0.1.0 are: one index has the time, the other nothing but whom it is about."""
    table = metadata.tables["follow_events"]
    table.indexes = {index for index in table.indexes if index.name == "ix_follow_events_lately"}
    Index("ix_follow_events_pair", *(table.c[name] for name in ("follower_id", "following_id", "timestamp", "id")))
    Index("ix_follow_events_following", table.c.following_id)


#: The title of each recipe, with what makes the models as they were before it.
BEFORE: dict[str, Callable[[MetaData], None]] = {"The indexes of the history": history_without_wide_indexes}


def test_every_change_has_its_recipe_and_every_recipe_its_test() -> None:
    """What the table of changes names is what stands below it."""
    named = re.findall(r"^\| \d.+\| \[(.+?)\]\(#.+?\) \|$", VERSIONS, re.MULTILINE)

    assert named == re.findall(r"^### (.+)$", VERSIONS, re.MULTILINE)
    assert {*named} == {*BEFORE}


@pytest.mark.parametrize("title", BEFORE)
def test_a_recipe_leads_to_the_tables_of_today_and_back(title: str, engine: Engine, tmp_path: Path) -> None:
    """From the tables as they were, by the words of the page: nothing is left to generate, and the way back is whole."""
    before, after = declare(Integer()), declare(Integer())
    BEFORE[title](before)
    before.create_all(engine)
    as_it_was = describe(engine)
    (recipe,) = re.findall(rf"^### {title}\n.*?^```python\n(.*?)^```", VERSIONS, re.MULTILINE | re.DOTALL)
    migrations = Migrations(tmp_path / "migrations", engine)
    (tmp_path / "migrations" / "versions" / "recipe.py").write_text(HEAD + textwrap.dedent(recipe))

    migrations.upgrade(after)

    migrations.check(after)
    as_it_is = describe(engine)
    assert as_it_is != as_it_was
    command.downgrade(migrations.config(after), "base")
    assert describe(engine) == as_it_was
