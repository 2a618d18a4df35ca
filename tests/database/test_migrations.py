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
    DateTime,
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
    MappingError,
    MuteMixin,
    NotificationMixin,
    Settings,
    TimelineEntryMixin,
    UTCDateTime,
    declare_posts,
    prepare_engine,
)
from retinue.migrations import prepare_revision, render_item
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
            "process_revision_directives": prepare_revision,
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
    """The revision copies them before it drops the table, and back; the old table's indexes are no obstacle."""
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

    migrations.revise(after)

    migrations.check(after)
    follows = after.tables["follows"].c
    with migrations.engine.connect() as connection:
        found = connection.execute(select(follows.follower_id, follows.following_id).order_by(*follows)).all()
    assert [tuple(row) for row in found] == [(1, 2), (1, 3)]
    command.downgrade(migrations.config(after), "-1")
    with migrations.engine.connect() as connection:
        found = connection.execute(select(pairs.c.follower_id, pairs.c.followed_id).order_by(*pairs.c)).all()
    assert [tuple(row) for row in found] == [(1, 2), (1, 3)]


def _both(*columns: str) -> list[Column[Any]]:
    return [Column(one, ForeignKey("users.id"), primary_key=True) for one in columns]


#: Older tables, and the line of the revision about them.
OLDER: dict[str, tuple[Callable[[MetaData], None], str]] = {
    "a model with a time": (
        lambda old: void(Table("fans", old, *_both("user_id", "follower_id"), Column("since", DateTime))),
        "follower='follower_id', followed='user_id', timestamp='since')\n",
    ),
    "no foreign keys": (
        lambda old: void(Table("fans", old, Column("follower", Integer), Column("followed_by", Integer))),
        "follower='follower', followed='followed_by')\n",
    ),
    "names that say nothing": (
        lambda old: void(Table("fans", old, *_both("from_id", "to_id"))),
        "follower='?', followed='?')\n",
    ),
    "rows that may be no follows": (
        lambda old: void(Table("fans", old, *_both("follower_id", "followed_id"), Column("accepted", Integer))),
        "follower='?', followed='?')\n",
    ),
    "two times": (
        lambda old: void(
            Table(
                "fans", old, *_both("follower_id", "followed_id"), *(Column(one, DateTime) for one in ("at", "until"))
            )
        ),
        "follower='?', followed='?', timestamp='?')\n",
    ),
    "two of them": (
        lambda old: void(
            Table("asks", old, *_both("follower_id", "followed_id")),
            Table("fans", old, *_both("follower_id", "followed_id")),
        ),
        "follower='?', followed='?')\n",
    ),
}


def void(*_tables: Table) -> None:
    """Take tables that are known by their metadata."""


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("older", OLDER.values(), ids=OLDER)
def test_what_a_revision_says_about_an_older_table(
    migrations: Migrations, older: tuple[Callable[[MetaData], None], str]
) -> None:
    """It guesses nothing: where a person has to say who follows whom, it does not run until they have."""
    declare_old, line = older
    before, after = MetaData(), declare(Integer(), everything=False)
    after.tables["users"].to_metadata(before)
    declare_old(before)
    migrations.revise(before)

    text = migrations.generate(after).read_text()

    assert f"    copy_follows(op.get_bind(), 'fans', 'follows',\n        {line}" in text
    assert f"    copy_follows_back(op.get_bind(), 'follows', 'fans',\n        {line}" in text
    if "?" in line:
        names = ", ".join(before.tables["fans"].c.keys())
        assert f"# Who follows whom in fans? It has {names}. Write it in, or delete the call.\n    copy_" in text
        with pytest.raises(ValueError, match=r"has no column '\?'; it has "):
            migrations.upgrade(after)
        assert "follows" not in inspect(migrations.engine).get_table_names()
    else:
        migrations.upgrade(after)
        migrations.check(after)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_pairs_of_something_that_users_have(migrations: Migrations) -> None:
    """Profiles follow each other, say: the revision knows whose they are."""
    before, after = MetaData(), declare(Integer(), everything=False)
    users = after.tables["users"].to_metadata(before)
    for metadata in (before, after):
        Table("profiles", metadata, Column("id", Integer, primary_key=True), Column("user_id", ForeignKey("users.id")))
    pairs = Table("fans", before, *(Column(one, ForeignKey("profiles.id")) for one in ("follower", "followed_by")))
    migrations.revise(before)
    with migrations.engine.begin() as connection:
        connection.execute(insert(users), [{"id": key, "username": f"u{key}"} for key in (1, 2, 3)])
        connection.execute(insert(before.tables["profiles"]), [{"id": 10 * key, "user_id": key} for key in (1, 2, 3)])
        connection.execute(insert(pairs), [{"follower": 10, "followed_by": 20}, {"follower": 30, "followed_by": 10}])

    text = migrations.revise(after)

    assert "through=('profiles', 'id', 'user_id'))" in text
    follows = after.tables["follows"].c
    with migrations.engine.connect() as connection:
        found = connection.execute(select(follows.follower_id, follows.following_id).order_by(*follows)).all()
    assert [tuple(row) for row in found] == [(1, 2), (3, 1)]
    command.downgrade(migrations.config(after), "-1")
    with migrations.engine.connect() as connection:
        found = connection.execute(select(pairs).order_by(*pairs.c)).all()
    assert [tuple(row) for row in found] == [(10, 20), (30, 10)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_name_of_an_older_table_is_refused(migrations: Migrations) -> None:
    """It would be changed in place, and its rows be lost."""
    before, after = MetaData(), declare(Integer(), everything=False)
    after.tables["users"].to_metadata(before)
    Table("follows", before, *_both("follower_id", "followed_id"))
    migrations.revise(before)

    with pytest.raises(
        MappingError, match="'follows' is there already, with other columns: give the FollowMixin model"
    ):
        migrations.generate(after)
