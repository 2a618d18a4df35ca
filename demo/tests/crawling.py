"""A visitor who follows every link and sends every form, and notes what should not be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from demo.tests.conftest import Site
from demo.tests.judging import Secrets, faults
from demo.tests.reading import Form, Reading
from retinue_demo.passwords import PASSWORD

#: Pages of one kind that are opened: a list goes on and on.
OF_A_KIND = 6
PAGES_MOST = 250


@dataclass
class Crawler:
    """Somebody, by username, or nobody; and everything that was wrong with what they were answered."""

    site: Site
    username: str | None
    secrets: Secrets
    faults: list[str] = field(default_factory=list)
    client: FlaskClient = field(init=False)
    token: str = field(init=False, default="")
    _self: object = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Come in."""
        self.come()

    def come(self) -> None:
        """Come in anew, with no cookie of before."""
        self.client, secrets = self.site.app.test_client(), self.secrets
        # Whoever is not logged in yet is kept from nothing.
        self.secrets = Secrets()
        self.ask("GET", "/login")
        if self.username:
            assert self.send("/login", [("username", self.username), ("password", PASSWORD)]).status_code == 303
            self.ask("GET", "/login")
        self.secrets = secrets
        self._self = self._who()

    def stay(self) -> None:
        """Be the same person still, whatever the last form did."""
        if self._who() != self._self:
            self.come()

    def ask(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send a request, and judge the answer."""
        response = self.client.open(path, method=method, **options)
        text = response.get_data(as_text=True)
        sent = "" if "data" not in options else f" {str(options['data'])[:200]}"
        self.faults += [
            f"{self.username} {method} {path[:200]}{sent}: {one}" for one in faults(path, response, self.secrets)
        ]
        if found := re.search(r'name="csrf_token" value="([^"]+)"', text):
            self.token = found[1]
        return response

    def send(self, path: str, fields: Iterable[tuple[str, str]]) -> TestResponse:
        """Send a form with these *fields*, and the token that this person has."""
        given = [(name, value) for name, value in fields if name != "csrf_token"]
        body = [*given, ("csrf_token", self.token)]
        grouped: dict[str, list[str]] = {}
        for name, value in body:
            grouped.setdefault(name, []).append(value)
        return self.ask("POST", path, data=grouped)

    def crawl(self, starts: Iterable[str]) -> tuple[set[str], list[Form]]:
        """Follow links from *starts* on; return the pages that were opened, and each kind of form that is on them."""
        todo, seen, kinds = list(starts), set[str](), Counter[str]()
        forms: dict[tuple[Any, ...], Form] = {}
        # What one has named comes first, and what was found early: breadth before depth.
        for path in todo:
            kind = _kind(path)
            if path in seen or len(seen) >= PAGES_MOST or kinds[kind] >= OF_A_KIND:
                continue
            seen.add(path)
            kinds[kind] += 1
            response = self.ask("GET", path)
            if response.headers.get("Location"):
                todo.append(response.headers["Location"])
            if response.mimetype != "text/html":
                continue
            reading = Reading(path, response.get_data(as_text=True))
            todo += [link for link in reading.links if link.startswith("/")]
            self.faults += [f"{self.username} {path}: links to {link}" for link in reading.links if not _is_here(link)]
            for form in reading.forms:
                forms.setdefault((form.method, _kind(form.action), *form.names), form)
        return seen, list(forms.values())

    def _who(self) -> object:
        with self.client.session_transaction() as session:
            return session.get("_user_id")


def _kind(path: str) -> str:
    """Return what a page is, whoever it is about and wherever in its list."""
    parts = urlsplit(path)
    names = sorted(name for name, _ in parse_qsl(parts.query))
    return re.sub(r"/@\w+|\d+", "*", parts.path) + "?" + "&".join(names)


def _is_here(link: str) -> bool:
    parts = urlsplit(link)
    return not parts.scheme and not parts.netloc
