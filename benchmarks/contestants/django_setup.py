"""
What the Django peers share: Django's settings, and a database for each contestant.

To import this module configures Django, which has one set of settings and of applications in a
process. Each peer's database has the other's tables too, and they are empty. django-activity-stream listens to
every deletion of whatever model: its contestant switches that on for itself, so that the other peer
does not pay for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import django
import numpy as np
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from sqlalchemy import URL

from benchmarks.contestant import Contestant
from benchmarks.contestants.loading import Column
from benchmarks.contestants.peers_loading import Filler, Moments, filling, log_writes_ahead, moments
from benchmarks.data import Data

APPLICATIONS = ("contenttypes", "auth", "friendship", "actstream", "django_posts")

if not settings.configured:
    settings.configure(
        DATABASES={DEFAULT_DB_ALIAS: {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "friendship",
            "actstream",
            "benchmarks.contestants.django_posts",
        ],
        # Tables from today's models at once, instead of their whole history.
        MIGRATION_MODULES=dict.fromkeys(APPLICATIONS),
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()

User: Any = apps.get_model("auth", "User")
Post: Any = apps.get_model("django_posts", "Post")

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound="DjangoContestant")


def on_own_database(method: Callable[Concatenate[C, P], T]) -> Callable[Concatenate[C, P], T]:
    """Run *method* with its contestant's connection as Django's default."""

    @wraps(method)
    def call(self: C, /, *arguments: P.args, **named: P.kwargs) -> T:
        if DjangoContestant.in_turn is not self:
            connections[DEFAULT_DB_ALIAS] = self.connection
            DjangoContestant.in_turn = self
        return method(self, *arguments, **named)

    return call


class DjangoContestant(Contestant):
    """A Django application with a connection that stays open, in Django's own autocommit."""

    runs_on = frozenset({"sqlite", "postgresql"})
    #: Whose connection is Django's default.
    in_turn: DjangoContestant | None = None

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        log_writes_ahead(url)
        address: dict[str, Any] = {"ENGINE": "django.db.backends.sqlite3", "NAME": url.database, "CONN_MAX_AGE": None}
        if url.get_backend_name() == "postgresql":
            host, port = url.host or url.query.get("host", ""), str(url.port or "")
            address |= {"ENGINE": "django.db.backends.postgresql", "HOST": host, "PORT": port}
            address |= {"USER": url.username or "", "PASSWORD": url.password or ""}
        connections.databases[DEFAULT_DB_ALIAS] = address
        connections.configure_settings(connections.databases)
        self.connection = connections.create_connection(DEFAULT_DB_ALIAS)
        self._make_tables()

    @on_own_database
    def _make_tables(self) -> None:
        call_command("migrate", run_syncdb=True, verbosity=0)

    def load(self, data: Data) -> None:
        """Take over the graph."""
        with filling(self.url) as filler:
            keys = np.arange(1, data.users + 1)
            filler.fill(
                "auth_user",
                id=keys,
                username=filler.text(keys, "user"),
                is_active=True,
                is_staff=False,
                is_superuser=False,
                date_joined="2026-01-01 00:00:00",
                **dict.fromkeys(("password", "first_name", "last_name", "email"), ""),
            )
            filler.restart_keys("auth_user")
            self.load_edges(filler, data)

    def load_edges(self, filler: Filler, data: Data) -> None:
        """Take over the edges."""
        raise NotImplementedError

    def load_posts(self, authors: Sequence[int], times: Sequence[int]) -> None:
        """Take over the posts."""
        with filling(self.url) as filler:
            keys = np.arange(1, len(authors) + 1)
            self.load_rows_of_posts(filler, keys, np.array(authors), moments(np.array(times)))

    def load_rows_of_posts(self, filler: Filler, keys: Column, authors: Column, times: Moments) -> None:
        """Take over the posts as rows of `Post`."""
        filler.fill("django_posts_post", id=keys, body=filler.text(keys, "post "), created=times, author_id=authors)

    def close(self) -> None:
        """Give back the connection."""
        self.connection.close()
        if DjangoContestant.in_turn is self:
            DjangoContestant.in_turn = None

    def user(self, key: int) -> Any:
        """Return a user as a request has them: loaded before, by the login or by the address."""
        return User(pk=key, username=f"user{key}")
