"""
Every piece of Python in docs/ runs; one that does not says on its page why.

A page that can be typed from its first line on is typed in an empty environment (`tests/test_documentation.py`), and some
have tests of their own. Here are the others: pieces that take something for granted, which stands in `SCENES`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Final, NamedTuple

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from retinue import prepare_engine
from tests.pages import DOCS, do, on_page
from tests.test_documentation import PAGES

#: Pages that another test runs, and where it is.
ELSEWHERE: Final = {
    **{Path(page.name).name: "tests/test_documentation.py" for page in PAGES if page.name.startswith("docs/")},
    "fastapi.md": "tests/fastapi/test_documentation.py",
    "sqlmodel.md": "tests/frameworks/test_sqlmodel_page.py",
    "frameworks.md": "tests/frameworks",
    "existing-app.md": "tests/guide",
    "existing-app-shapes.md": "tests/guide",
    "versions.md": "tests/database/test_recipes.py",
    "testing.md": "below, by pytest",
}


class Scene(NamedTuple):
    """What a page takes for granted."""

    #: Before its first piece.
    given: str = ""
    #: And before others: by their number among those that are run, from 0.
    before: Mapping[int, str] = MappingProxyType({})


#: A database of Flask-SQLAlchemy.
DB: Final = """
from datetime import UTC, datetime, timedelta
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Index, create_engine, event, func, select
from sqlalchemy.orm import Session, aliased, sessionmaker
from retinue import *

db = SQLAlchemy()
"""
#: Two tables on it.
PEOPLE: Final = """
class User(FollowerMixin, db.Model):
    __tablename__ = "users"
    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.String(64))
    locked = db.Column(db.Boolean, nullable=False, default=False)

class Follow(FollowMixin, db.Model): __tablename__ = "follows"
"""
#: Three people, and a graph.
THREE: Final = """
app = started(db)
engine, session = db.engine, db.session
ann, bob, carol = User(username="Ann"), User(username="Bob"), User(username="Carol")
session.add_all([ann, bob, carol])
session.commit()
graph = Graph(session, User)
me, them = ann.id, bob.id
"""

SCENES: Final[dict[str, Scene]] = {
    "privacy.md": Scene(
        given=DB + "from retinue import FollowerMixin",
        before={
            1: """
class Follow(FollowMixin, db.Model): __tablename__ = "follows"
class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    author_id = db.Column(db.ForeignKey("users.id"))
    created_at = db.Column(UTCDateTime)
    author = db.relationship(User)
User.username = db.Column(db.String(64))
"""
            + THREE
            + "bob.locked = True\n",
            2: "next_week = datetime.now(UTC) + timedelta(days=7)",
            3: "viewer = ann",
        },
    ),
    "flask.md": Scene(
        given=DB + PEOPLE + THREE, before={1: "app = Flask('other'); app.secret_key = 'a key'; session = db.session"}
    ),
    "lists.md": Scene(
        given=DB,
        before={
            1: """
class Follow(FollowMixin, db.Model): __tablename__ = "follows"
"""
            + THREE,
            2: DB
            + PEOPLE
            + """
from sqlalchemy.orm import Mapped, mapped_column
User.name = db.Column(db.String(64))
class FollowEvent(FollowEventMixin, db.Model): __tablename__ = "follow_events"
class FollowCount(FollowCountMixin, db.Model): __tablename__ = "follow_counts"
class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    author_id = db.Column(db.ForeignKey("users.id"))
    created_at = db.Column(UTCDateTime)
    text = db.Column(db.Text)
declare_posts(Post, author="author_id", time="created_at")
""",
            3: THREE
            + """
ann.name = "Mary Ann Lee"
let_find(session, ann)
graph.follow(ann, bob)
session.commit()
assert [person.user for person in graph.followers(bob, search="lee")] == [ann]
""",
        },
    ),
    "timeline.md": Scene(
        given=DB + PEOPLE,
        before={
            1: THREE,
            2: DB
            + PEOPLE
            + """
class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    author_id = db.Column(db.ForeignKey("users.id"))
    created_at = db.Column(UTCDateTime)
declare_posts(Post, author="author_id", time="created_at")
""",
            3: THREE
            + """
from types import SimpleNamespace
user, queue = ann, SimpleNamespace(enqueue=lambda run, unit: run(unit))
""",
        },
    ),
    "discovery.md": Scene(
        given=DB + PEOPLE + THREE + "graph.follow(bob, ann); session.commit()",
        before={
            2: DB + PEOPLE,
            3: THREE,
            4: """
class Kept(db.Model):
    user_id = db.Column(db.Integer, primary_key=True)
    ids = db.Column(db.JSON)
session.rollback()
db.create_all()
places = []
save, load = places.append, lambda: places[-1]
""",
        },
    ),
    "importing.md": Scene(
        given=DB
        + PEOPLE
        + THREE
        + """
import gzip
with gzip.open("follows.csv.gz", "wt") as file:
    file.write("1,2\\n2,1\\n1,1\\n")
"""
    ),
    "writing.md": Scene(
        given="""
import uuid
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from retinue import FollowerMixin, FollowMixin
class Base(DeclarativeBase): pass
class User(FollowerMixin, Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
def label(**values): return f"{values['follower_id']} to {values['following_id']}"
""",
        before={
            1: """
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    ann, bob = User(), User()
    session.add_all([ann, bob])
    ann.follow(bob)
    session.commit()
    assert ann.following.one().label == "1 to 2"
"""
        },
    ),
    "databases.md": Scene(
        given=DB + PEOPLE + "Kept = Session",
        before={
            1: THREE + "from sqlalchemy.exc import OperationalError",
            2: "from types import SimpleNamespace; context = SimpleNamespace(configure=lambda *others, **arguments: None)",
            3: "from flask_migrate import Migrate",
            4: "anna_id, ben_id = ann.id, bob.id; Session = sessionmaker(db.engine)",
        },
    ),
    "reference.md": Scene(given=DB + PEOPLE + THREE),
}


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Give the names of a module in an empty folder, and in them `started()`, which starts an app on a database."""
    monkeypatch.chdir(tmp_path)
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    with ExitStack() as after:

        def started(db: SQLAlchemy) -> Flask:
            app = Flask("page")
            app.config.update(SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path}/{id(db)}.sqlite3", SECRET_KEY="a key")
            db.init_app(app)
            after.enter_context(app.app_context())
            after.callback(db.engine.dispose)
            prepare_engine(db.engine)
            db.create_all()
            return app

        vars(module)["started"] = started
        yield vars(module)


@pytest.mark.parametrize("page", SCENES)
def test_the_pieces_of_a_page_run(page: str, names: dict[str, Any]) -> None:
    """One after the other, with what the page takes for granted, and what they print is what comes out."""
    scene = SCENES[page]
    exec(compile(scene.given, "given", "exec", dont_inherit=True), names)
    do(page, names, before=scene.before)


#: What the page about tests takes for granted, in the conftest.py beside them.
TESTED: Final = """
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from retinue import FollowerMixin, FollowMixin, FollowRequestMixin, Followed, Outcome, listen, prepare_engine

class Base(DeclarativeBase): pass

class User(FollowerMixin, Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str]
    locked: Mapped[bool] = mapped_column(default=False)

class Follow(FollowMixin, Base): __tablename__ = "follows"
class FollowRequest(FollowRequestMixin, Base): __tablename__ = "follow_requests"

engine = prepare_engine(create_engine("sqlite:///app.sqlite3"))
Base.metadata.create_all(engine)
"""


@pytest.mark.long
def test_the_tests_of_the_page_about_tests_pass(tmp_path: Path) -> None:
    """Those on docs/testing.md, in one file, run by pytest as anybody's."""
    code = [one.code for one in on_page("testing.md") if not one.why_not]
    (tmp_path / "test_page.py").write_text(TESTED + "".join(code))

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_page.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"([0-9]+) passed", done.stdout)[0]) > 10, done.stdout


def test_no_piece_is_left_out() -> None:
    """Each page with Python is run, here or by another test; and nothing is marked where that test would not see it."""
    pages = {file.name for file in DOCS.glob("*.md") if any(not one.why_not for one in on_page(file.name))}

    assert pages == {*SCENES, *ELSEWHERE}
    assert [page for page in ELSEWHERE if page != "testing.md" and any(one.why_not for one in on_page(page))] == []
