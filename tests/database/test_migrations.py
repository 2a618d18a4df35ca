"""
Revisions that Alembic generates from an application's models: they run, and nothing is left to generate after them.

Each test has a folder of migrations of its own, and runs Alembic's own commands, as an application does.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Uuid,
    create_engine,
    delete,
    insert,
    inspect,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from retinue import (
    BlockMixin,
    DismissedSuggestionMixin,
    FollowCountMixin,
    FollowerMixin,
    FollowEventMixin,
    FollowMixin,
    FollowRequestMixin,
    MuteMixin,
    NotificationMixin,
    Settings,
    TimelineEntryMixin,
    UTCDateTime,
    declare_posts,
    prepare_engine,
)
from retinue.migrations import drop_indexes_with_tables, render_item
from tests.database.schemas import describe
from tests.servers import Server

ENV = """\
from alembic import context

given = context.config.attributes
with given["engine"].connect() as connection:
    context.configure(connection=connection, target_metadata=given["metadata"], **given["options"])
    with context.begin_transaction():
        context.run_migrations()
"""
SCRIPT = """\
import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade():
    ${upgrades if upgrades else "pass"}


def downgrade():
    ${downgrades if downgrades else "pass"}
"""
#: As Flask-Migrate sets them.
OPTIONS = {"compare_type": True, "render_as_batch": True}

KEYS: dict[str, Callable[[], TypeEngine[Any]]] = {
    "integer": Integer,
    "big integer": BigInteger,
    "uuid": Uuid,
    "string": lambda: String(40),
}

RARE_KEYS = ["big integer", "string"]


def declare(key: TypeEngine[Any], *, everything: bool = True, settings: Settings | None = None) -> MetaData:
    """Declare users with a *key*, and the models of their graph: all there are, or `FollowMixin` alone."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        __retinue__ = settings or Settings()
        id = mapped_column(key, primary_key=True)
        username: Mapped[str] = mapped_column(String(64), unique=True)

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    if everything:
        _declare_rest(Base)
    return Base.metadata


def _declare_rest(base: type[DeclarativeBase]) -> None:
    class FollowCount(FollowCountMixin, base):  # type: ignore[valid-type,misc]
        __tablename__ = "follow_counts"

    class FollowRequest(FollowRequestMixin, base):  # type: ignore[valid-type,misc]
        __tablename__ = "follow_requests"

    class Block(BlockMixin, base):  # type: ignore[valid-type,misc]
        __tablename__ = "blocks"

    class Mute(MuteMixin, base):  # type: ignore[valid-type,misc]
        __tablename__ = "mutes"

    class FollowEvent(FollowEventMixin, base):  # type: ignore[valid-type,misc]
        __tablename__ = "follow_events"

    class Notification(NotificationMixin, base):  # type: ignore[valid-type,misc]
        __tablename__ = "notifications"

    class DismissedSuggestion(DismissedSuggestionMixin, base):  # type: ignore[valid-type,misc]
        __tablename__ = "dismissed_suggestions"

    class Post(base):  # type: ignore[valid-type,misc]
        __tablename__ = "posts"
        id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
        author_id = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), nullable=False)
        made_at: Mapped[datetime] = mapped_column(UTCDateTime)

    declare_posts(Post, author="author_id", time="made_at")

    class TimelineEntry(TimelineEntryMixin, base):  # type: ignore[valid-type,misc]
        __tablename__ = "timeline_entries"


class Migrations:
    """A folder of migrations, and the database that they are about."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        (folder / "versions").mkdir(parents=True)
        (folder / "env.py").write_text(ENV)
        (folder / "script.py.mako").write_text(SCRIPT)
        self.folder, self.engine = folder, engine
        self.options: dict[str, Any] = {
            **OPTIONS,
            "render_item": render_item,
            "process_revision_directives": drop_indexes_with_tables,
        }

    def config(self, metadata: MetaData) -> Config:
        config = Config(stdout=io.StringIO())
        config.set_main_option("script_location", str(self.folder))
        config.attributes.update(engine=self.engine, metadata=metadata, options=self.options)
        return config

    def generate(self, metadata: MetaData) -> Path:
        """Generate a revision; return its file."""
        made = command.revision(self.config(metadata), autogenerate=True)
        assert made is not None, "there was nothing to generate"
        assert not isinstance(made, list)
        return Path(made.path)

    def revise(self, metadata: MetaData) -> str:
        """Generate a revision and upgrade to it; return its text."""
        made = self.generate(metadata)
        self.upgrade(metadata)
        return made.read_text()

    def upgrade(self, metadata: MetaData) -> None:
        command.upgrade(self.config(metadata), "head")

    def downgrade(self, metadata: MetaData) -> None:
        command.downgrade(self.config(metadata), "base")

    def check(self, metadata: MetaData) -> None:
        """Fail if there is anything to generate."""
        command.check(self.config(metadata))


@pytest.fixture
def migrations(tmp_path: Path, engine: Engine) -> Migrations:
    """Give an empty folder of migrations."""
    return Migrations(tmp_path / "migrations", engine)


@pytest.fixture
def another(engine: Engine, tmp_path: Path, server: Callable[[str], Server]) -> Iterator[Engine]:
    """Give an engine on one more database, of the same kind."""
    if engine.dialect.name == "sqlite":
        url, drop = URL.create("sqlite", database=str(tmp_path / "another.sqlite3")), None
    else:
        kind = "postgresql" if engine.dialect.name == "postgresql" else "mariadb"
        url, drop = server(kind).create_database(), server(kind).drop_database
    other = prepare_engine(create_engine(url))
    yield other
    other.dispose()
    if drop:
        drop(url)


@pytest.mark.parametrize("key", ["integer", "uuid", *(pytest.param(key, marks=pytest.mark.long) for key in RARE_KEYS)])
def test_a_generated_revision_makes_what_the_models_say(migrations: Migrations, another: Engine, key: str) -> None:
    """It runs as it is, nothing is left to generate, and the schema is `create_all`'s to the letter; and it goes back."""
    metadata = declare(KEYS[key]())

    text = migrations.revise(metadata)

    migrations.check(metadata)
    metadata.create_all(another)
    assert describe(migrations.engine) == describe(another)
    assert "import retinue\n" in text
    assert "retinue.models" not in text
    migrations.downgrade(metadata)
    assert inspect(migrations.engine).get_table_names() == ["alembic_version"]
    migrations.upgrade(metadata)
    assert describe(migrations.engine) == describe(another)


def test_what_is_declared_later_is_one_more_revision(migrations: Migrations, another: Engine) -> None:
    """An application that begins with two lines of models and adds the others comes to the same."""
    everything = declare(Integer())
    migrations.revise(declare(Integer(), everything=False))

    migrations.revise(everything)

    migrations.check(everything)
    everything.create_all(another)
    assert describe(migrations.engine) == describe(another)
    migrations.downgrade(everything)
    assert inspect(migrations.engine).get_table_names() == ["alembic_version"]


def test_altering_the_users_leaves_their_follows_alone(migrations: Migrations) -> None:
    """On SQLite, too, where Alembic alters a table by making it anew; and foreign keys count again afterwards."""
    before, after = declare(Integer()), declare(Integer())
    migrations.revise(before)
    with migrations.engine.begin() as connection:
        connection.execute(insert(before.tables["users"]), [{"id": key, "username": f"u{key}"} for key in (1, 2)])
        follow = {"follower_id": 1, "following_id": 2, "timestamp": datetime.now(UTC)}
        connection.execute(insert(before.tables["follows"]), follow)
    after.tables["users"].c.username.type = String(200)

    migrations.revise(after)

    with migrations.engine.begin() as connection:
        assert connection.execute(select(after.tables["follows"].c.follower_id)).all() == [(1,)]
        connection.execute(delete(after.tables["users"]).where(after.tables["users"].c.id == 2))
        assert connection.execute(select(after.tables["follows"])).all() == []
    migrations.check(after)


def test_a_plain_table_of_pairs_goes_and_its_rows_stay(migrations: Migrations) -> None:
    """One line more in the revision, as docs/existing-app.md says it, and the old table's indexes are no obstacle."""
    before, after = MetaData(), declare(Integer(), everything=False)
    users = after.tables["users"].to_metadata(before)
    pairs = Table(
        "followers",
        before,
        Column("follower_id", ForeignKey("users.id"), index=True),
        Column("followed_id", ForeignKey("users.id"), index=True),
    )
    migrations.revise(before)
    with migrations.engine.begin() as connection:
        connection.execute(insert(users), [{"id": key, "username": f"u{key}"} for key in (1, 2, 3)])
        connection.execute(insert(pairs), [{"follower_id": 1, "followed_id": key} for key in (1, 2, 3)])

    revision = migrations.generate(after)
    text, gone = revision.read_text(), "    op.drop_table('followers')\n"
    assert text.count(gone) == 1
    copy = "    copy_follows(op.get_bind(), 'followers', 'follows')\n"
    revision.write_text(f"from retinue.migrations import copy_follows\n{text.replace(gone, copy + gone)}")
    migrations.upgrade(after)

    migrations.check(after)
    follows = after.tables["follows"].c
    with migrations.engine.connect() as connection:
        found = connection.execute(select(follows.follower_id, follows.following_id).order_by(*follows)).all()
    assert [tuple(row) for row in found] == [(1, 2), (1, 3)]
