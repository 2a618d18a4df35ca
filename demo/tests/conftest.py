"""Fixtures for the demo: a small community, and a visitor who clicks through it."""

from __future__ import annotations

import atexit
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import URL, Engine, select, update
from sqlalchemy.orm import Session

from retinue import Graph, Relationship
from retinue_demo.app import create_app
from retinue_demo.models import Follow, FollowCount, User, db
from retinue_demo.passwords import PASSWORD
from retinue_demo.people import let_find
from retinue_demo.seed import seed
from tests.databases import not_durable

PEOPLE = 60
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
KEY = "for tests alone"


@dataclass(frozen=True)
class Answer:
    """What came back for a request."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def place(self) -> str:
        """Where a redirect leads; empty for none."""
        return self.headers.get("Location", "")

    @property
    def links(self) -> list[str]:
        """Where the page's links lead."""
        return [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*)"', self.text)]

    def link(self, rel: str) -> str | None:
        """Return where the link to the ``next`` or ``prev`` page leads."""
        found = re.search(rf'rel="{rel}" href="([^"]*)"', self.text)
        return found and found[1].replace("&amp;", "&")

    @property
    def rows(self) -> list[str]:
        """The usernames of the people listed, in order."""
        return re.findall(r'<li class="retinue-person" id="user-([^"]*)"', self.text)


@dataclass
class Visitor:
    """A browser without JavaScript: it keeps cookies, and sends the token of the page it is on."""

    client: FlaskClient
    token: str = field(default="", init=False)

    def get(self, path: str) -> Answer:
        """Open a page."""
        return self._answer(self.client.get(path))

    def post(self, path: str, **fields: str) -> Answer:
        """Send a form, with the token that the last page gave."""
        return self._answer(self.client.post(path, data={"csrf_token": self.token, **fields}))

    def become(self, username: str) -> None:
        """Log in as somebody who is invented."""
        self.get("/login")
        assert self.post("/login", username=username, password=PASSWORD).status == 303
        self.get("/login")

    def _answer(self, response: object) -> Answer:
        with response as open_response:  # type: ignore[attr-defined]
            answer = Answer(
                open_response.status_code, open_response.get_data(as_text=True), dict(open_response.headers)
            )
        if found := re.search(r'name="csrf_token" value="([^"]+)"', answer.text):
            self.token = found[1]
        return answer


@dataclass
class Site:
    """The demo on a database of its own."""

    app: Flask
    #: Everybody's username, as the community began: the most followed first.
    people: list[str] = field(default_factory=list)

    def visitor(self) -> Visitor:
        """Return somebody with a browser of their own, who is not logged in."""
        return Visitor(self.app.test_client())

    def visitor_as(self, username: str) -> Visitor:
        """Return somebody who is logged in."""
        visitor = self.visitor()
        visitor.become(username)
        return visitor

    @property
    def engine(self) -> Engine:
        """The engine of the app."""
        with self.app.app_context():
            return db.engine

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Give a session beside those of the requests."""
        with self.app.app_context(), db.session.session_factory() as session:
            yield session

    def user(self, username: str) -> User:
        """Return a user, detached."""
        with self.session() as session:
            return session.scalars(select(User).where(User.username == username)).one()

    def is_following(self, follower: str, followed: str) -> bool:
        """Tell what the database says."""
        with self.session() as session:
            return Graph(session, User).is_following(self.user(follower).id, self.user(followed).id)

    def stranger_of(self, username: str) -> str:
        """Return somebody whom *username* does not follow."""
        return next(other for other in self.people if other != username and not self.is_following(username, other))

    def do(self, verb: str, *usernames: str, **arguments: Any) -> Any:
        """Do a verb of the graph, as the application's own code would; return its answer."""
        with self.session() as session:
            ids = [session.scalars(select(User.id).where(User.username == username)).one() for username in usernames]
            answer = getattr(Graph(session, User), verb)(*ids, **arguments)
            session.commit()
            return answer

    def set(self, username: str, **columns: Any) -> None:
        """Write *columns* of a user, as somebody would who knows of no graph."""
        with self.session() as session:
            session.execute(update(User).where(User.username == username).values(columns))
            if "name" in columns:
                let_find(session, session.scalars(select(User).where(User.username == username)).one())
            session.commit()

    def names(self, kind: str, username: str) -> list[str]:
        """Return the usernames on a list of the graph, whole, as trusted code sees it."""
        with self.session() as session:
            page = getattr(Graph(session, User), kind)(self.user(username).id, limit=100)
            return [person.user.username for person in page]

    def relationship(self, viewer: str, username: str) -> Relationship:
        """Return how two stand."""
        with self.session() as session:
            other = self.user(username).id
            return Graph(session, User).relationships(self.user(viewer).id, [other])[other]

    def all_rows(self) -> dict[str, list[Any]]:
        """Return everything that is in the database but the guards, which say nothing of anybody."""
        # Who is logged in, and what was tried, changes with every visit.
        apart = ("guards", "logins", "attempts")
        tables = [table for table in db.metadata.sorted_tables if not table.name.endswith(apart)]
        with self.session() as session:
            return {table.name: sorted(map(tuple, session.execute(select(table))), key=repr) for table in tables}

    def assert_counts_are_right(self) -> None:
        """Compare the kept counts with the edges."""
        with self.session() as session:
            edges = session.execute(select(Follow.follower_id, Follow.following_id)).all()
            counts = session.execute(select(FollowCount.user_id, FollowCount.followers, FollowCount.following))
            for user, followers, following in counts:
                assert followers == sum(followed == user for _, followed in edges)
                assert following == sum(follower == user for follower, _ in edges)


@cache
def _compiled_templates() -> FileSystemBytecodeCache:
    """Return where every app of this process finds a template that another one has compiled: that takes long."""
    folder = TemporaryDirectory(prefix="templates")
    atexit.register(folder.cleanup)
    return FileSystemBytecodeCache(folder.name)


@contextmanager
def running(database: URL | str, **config: Any) -> Iterator[Site]:
    """Give the demo on *database*, with *config* of its own, and let go of it afterwards."""
    site = Site(create_app(database, secret_key=KEY, config=config))
    site.app.jinja_env.bytecode_cache = _compiled_templates()
    not_durable(site.engine)
    try:
        yield site
    finally:
        site.engine.dispose()


def by_fame(site: Site) -> list[str]:
    """Return everybody's username, the most followed first."""
    with site.session() as session:
        users = session.scalars(select(User).order_by(User.id)).all()
        counts = Graph(session, User).counts(users)
        return [user.username for user in sorted(users, key=lambda user: -counts[user.id].followers)]


def file_url(path: Path) -> URL:
    """Return the address of an SQLite file."""
    return URL.create("sqlite", database=str(path))


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give the demo on a community of 60 people, for tests that change nothing."""
    path = tmp_path_factory.mktemp("community") / "community.sqlite3"
    with running(file_url(path)) as site:
        with site.app.app_context():
            seed(db.session.session_factory, PEOPLE, until=UNTIL)
        site.people = by_fame(site)
        before = site.all_rows()
        yield site
        assert site.all_rows() == before


@contextmanager
def copy_of(town: Site, path: Path) -> Iterator[Site]:
    """Give the demo on a copy of the town, in a file that is made."""
    with town.engine.connect() as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(path),))
    with running(file_url(path)) as site:
        site.people = town.people
        yield site


@pytest.fixture
def site(town: Site, tmp_path: Path) -> Iterator[Site]:
    """Give the demo on a community like the town, for tests that change it."""
    with copy_of(town, tmp_path / "demo.sqlite3") as site:
        yield site


@pytest.fixture
def famous(town: Site) -> str:
    """Give the username of the one with the most followers."""
    return town.people[0]
