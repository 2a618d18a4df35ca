"""
What the Django peers share: Django's settings, and a database for each competitor.

To import this module configures Django, which has one set of settings and of applications in a
process. Each peer's database has the other's tables too, and they are empty. Django's names are looked up when this runs:
it is installed for the benchmark alone, and has no types.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, ClassVar

import numpy as np
from sqlalchemy import URL

from benchmarks.competitor import PAGE, Peer, Shown
from benchmarks.data import Data
from benchmarks.databases import connect
from benchmarks.filling import Column, Filler, filling, moments, texts

_APPLICATIONS = ("contenttypes", "auth", "friendship", "actstream", "django_posts")

django: Any = import_module("django")
settings: Any = import_module("django.conf").settings
if not settings.configured:
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "friendship",
            "actstream",
            "benchmarks.competitors.django_posts",
        ],
        # Tables from today's models at once, instead of their whole history.
        MIGRATION_MODULES=dict.fromkeys(_APPLICATIONS),
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()

apps: Any = import_module("django.apps").apps
connections: Any = import_module("django.db").connections
models: Any = import_module("django.db.models")
User: Any = apps.get_model("auth", "User")
Post: Any = apps.get_model("django_posts", "Post")

_DEFAULT = "default"


class DjangoCompetitor(Peer):
    """A Django application with a connection that stays open, in Django's own autocommit."""

    #: Whose connection is Django's default.
    in_turn: ClassVar[DjangoCompetitor | None] = None
    #: Of its rows about follows: the attributes that are the user who follows, and the one who is followed.
    follower: ClassVar[str]
    followed: ClassVar[str]

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        connect(url).close()  # gives a file of SQLite a write-ahead log: how it commits is no part of the contest
        address: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": url.database, "CONN_MAX_AGE": None}
        if url.get_backend_name() == "postgresql":
            address |= {"ENGINE": "django.db.backends.postgresql", "HOST": url.query["host"], "USER": url.username}
        connections.databases[_DEFAULT] = address
        connections.configure_settings(connections.databases)
        self.connection = connections.create_connection(_DEFAULT)

    def operation(self, name: str) -> Callable[..., Any]:
        """Return an operation that runs with this competitor's connection as Django's default."""
        method = getattr(self, name)

        def call(*arguments: Any) -> Any:
            if DjangoCompetitor.in_turn is not self:
                connections[_DEFAULT] = self.connection
                DjangoCompetitor.in_turn = self
            return method(*arguments)

        return call

    def create(self) -> None:
        """Make the tables."""
        self.operation("migrate")()

    def migrate(self) -> None:
        """Make the tables on Django's default connection."""
        import_module("django.core.management").call_command("migrate", run_syncdb=True, verbosity=0)

    def load(self, data: Data) -> None:
        """Take over the graph."""
        with filling(self.url) as filler:
            flags: dict[str, Any] = {
                "is_active": True,
                "is_staff": False,
                "is_superuser": False,
                "date_joined": "2026-01-01 00:00:00",
            }
            empty = dict.fromkeys(("password", "first_name", "last_name", "email"), "")
            filler.users("auth_user", data.users, **flags, **empty)
            self.load_edges(filler, data)
        self.connection.close()  # a new connection knows what the tables hold

    def load_edges(self, filler: Filler, data: Data) -> None:
        """Take over the edges."""
        raise NotImplementedError

    def load_posts(self, authors: Sequence[int], times: Sequence[int], first: int = 1) -> None:
        """Take over the posts."""
        keys = np.arange(first, first + len(authors))
        with filling(self.url) as filler:
            self.load_rows_of_posts(filler, keys, np.array(authors), moments(times))
        self.connection.close()

    def load_rows_of_posts(self, filler: Filler, keys: Column, authors: Column, times: Any) -> None:
        """Take over the posts as rows of `Post`."""
        filler.fill("django_posts_post", id=keys, body=texts(keys, "post "), created=times, author_id=authors)

    def close(self) -> None:
        """Give back the connection."""
        self.connection.close()
        if DjangoCompetitor.in_turn is self:
            DjangoCompetitor.in_turn = None

    def user(self, key: int) -> Any:
        """Return a user as a request has them: loaded before, by the login or by the address."""
        return User(pk=key, username=f"user{key}")

    def followers(self, user: int) -> Any:
        """Return a query for the rows about the followers of *user*, newest first."""
        raise NotImplementedError

    def known(self, viewer: int, user: int) -> Any:
        """Return a query for the rows about those whom *viewer* follows, as far as they follow *user*; newest first."""
        raise NotImplementedError

    def page_from(self, user: int, place: int) -> list[Shown]:
        """The query, sliced."""
        return _shown(self.followers(user)[place : place + PAGE], self.follower)

    def mutuals(self, user: int) -> list[Shown]:
        """As followers one knows, without their number."""
        return _shown(self.known(user, user)[:PAGE], self.followed)

    def followers_you_know(self, viewer: int, user: int) -> tuple[int, list[Shown]]:
        """The query, counted and sliced."""
        rows = self.known(viewer, user)
        return rows.count(), _shown(rows[:PAGE], self.followed)

    def post(self, author: int, key: int) -> None:
        """A new row."""
        Post.objects.create(pk=key, author=self.user(author), body=f"post {key}")


def _shown(rows: Any, attribute: str) -> list[Shown]:
    users = (getattr(row, attribute) for row in rows)
    return [(user.pk, user.username) for user in users]
