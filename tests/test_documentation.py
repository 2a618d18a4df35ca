"""
What the documentation shows can be typed as it stands: where nothing is installed but what it installs, it works.

A page, or one section of it, is a line in `PAGES`. Its `pip install` makes the environment, with the wheel of this clone in
the place of the clone; then its pieces of Python run one after the other, and what it types at Python's own prompt gives the
answers that are printed there. Afterwards they are in one file, `app.py`, for whoever starts it anew.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import dev
from tests.environments import Installed

#: Runs in the environment, in the order of the page; the names of its programs are those of its sessions.
TRIAL = """\
import doctest, json, sys, types
given, at_the_prompt, after, blocks = json.loads(sys.argv[1])
page = sys.modules["page"] = types.ModuleType("page")
names = vars(page)
runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
exec(given, names)
with open("app.py", "w") as file:
    file.writelines(code for language, code in blocks if language == "python")
for language, code in blocks:
    if language == "python":
        exec(compile(code, "the page", "exec"), names)
    else:
        exec(at_the_prompt, names)
        at_the_prompt = ""
        example = doctest.DocTestParser().get_doctest(code, names, "the page", None, 0)
        runner.run(example, clear_globs=False)
        names.update(example.globs)
exec(after, names)
sys.exit(runner.failures != 0)
"""


class Page(NamedTuple):
    """A page, or a section of one, that can be typed."""

    name: str

    #: The heading of the section (`##`); empty for the whole page.
    section: str = ""

    #: Packages that it takes for granted, or that `after` needs.
    beside: tuple[str, ...] = ()

    #: Python that it takes for granted.
    given: str = ""

    #: What its reader has done before they come to the prompt.
    at_the_prompt: str = ""

    #: What they would see afterwards: Python that fails if it is not so.
    after: str = ""

    def text(self) -> str:
        """Return what it says."""
        text = (dev.ROOT / self.name).read_text()
        if self.section:
            (text,) = re.findall(rf"^## {re.escape(self.section)}\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        return text

    def install(self) -> tuple[str, list[str]]:
        """Return the extras of Retinue that it installs, and the packages beside it."""
        found = re.search(r"\bpip install ([^`\n]+)", self.text())
        retinue, *packages = shlex.split(found[1]) if found else ["."]
        extras = re.fullmatch(r"[./]*(?:\bretinue)?(?:\[([a-z,]+)\])?", retinue)
        assert extras, f"{self.name} installs {retinue} first, and not Retinue"
        return extras[1] or "", [*packages, *self.beside]

    def blocks(self) -> list[tuple[str, str]]:
        """Return its pieces of Python, in order, each as a program (`python`) or a session (`pycon`)."""
        return re.findall(r"^```(python|pycon)\n(.*?)^```", self.text(), re.MULTILINE | re.DOTALL)


#: Users, and what they have about each other, as pages take them for granted.
MODELS = """\
import sys
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from retinue import BlockMixin, FollowerMixin, FollowMixin, FollowRequestMixin, MuteMixin

class Base(DeclarativeBase): pass

class User(FollowerMixin, Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64))

class Follow(FollowMixin, Base): __tablename__ = "follows"
class FollowRequest(FollowRequestMixin, Base): __tablename__ = "follow_requests"
class Block(BlockMixin, Base): __tablename__ = "blocks"
class Mute(MuteMixin, Base): __tablename__ = "mutes"

sys.modules["models"] = sys.modules["page"]
"""
#: A Starlette app on a database with these models.
STARLETTE = """
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker
from starlette.applications import Starlette
from retinue import prepare_engine

engine = prepare_engine(create_engine("sqlite:///app.sqlite3"))
Base.metadata.create_all(engine)
app, sessions, secret = Starlette(), sessionmaker(engine), "a key of thirty-two bytes or more"
with sessions.begin() as session:
    ada, ben = User(username="Ada"), User(username="Ben")
    session.add_all([ada, ben])
    ada.follow(ben)
"""
#: A Flask app on one.
FLASK = """
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy(model_class=Base)
app = Flask("page")
app.config.update(SQLALCHEMY_DATABASE_URI="sqlite://", SECRET_KEY="a key")
db.init_app(app)
with app.app_context():
    db.create_all()
    ada, ben = User(username="Ada"), User(username="Ben")
    db.session.add_all([ada, ben])
    ada.follow(ben)
    db.session.commit()
"""
#: What an admin shows then.
BROWSED = """
for address in {addresses}:
    answer = {client}.get(address)
    assert answer.status_code == 200, (address, answer.text)
assert "Ada" in answer.text
"""
#: Somebody before the app of a page, as it starts anew after the session, without a script: they press what there is to press.
BROWSER = """
import html, re
from app import app

browser = app.test_client()

def seen(answer):
    assert answer.status_code == 200, (answer.status, answer.text)
    return answer.text

def found(pattern, page):
    assert (match := re.search(pattern, page)), (pattern, page)
    return html.unescape(match[1])

def sent(form, page, **fields):
    fields.update(re.findall('name="(next)" value="([^"]*)"', page))
    return seen(browser.post(form, data=fields, headers={"Origin": "http://localhost"}, follow_redirects=True))

def followers(page):
    return re.findall('<b data-retinue-followers="([^"]*)">([0-9]*)</b>', page)
"""
#: In that of the README.
VISITED = (
    BROWSER
    + """
stranger = seen(browser.get("/"))
for address in found('href="([^"]*[.]css[^"]*)"', stranger), found('src="([^"]*[.]js[^"]*)"', stranger):
    assert seen(browser.get(address)), address
page = seen(browser.get(found('<a class="retinue-button" href="([^"]*)"', stranger), follow_redirects=True))
page = sent(found('<form method="post" action="(/login[^"]*)"', page), page, username="Sutton")
assert "You are Sutton" in page and followers(page) == [("Sutton", "0"), ("Daniel Bates", "0")], page
page = sent(found('formaction="([^"]*/follow)"', page), page)
assert "You follow Daniel Bates." in page and followers(page) == [("Sutton", "0"), ("Daniel Bates", "1")], page
(sutton, daniel) = re.findall('<h2><a href="([^"]*)"', page)
assert "Sutton" in found('(?s)(<ul class="retinue-people">.*)', seen(browser.get(daniel + "/followers")))
page = sent(found('formaction="([^"]*/unfollow)"', page), page)
assert followers(page) == [("Sutton", "0"), ("Daniel Bates", "0")], page
"""
)

#: In that of the tutorial: somebody new asks who is private, who says yes.
ASKED = (
    BROWSER
    + """
def logged_in(name):
    return sent(found('<form method="post" action="(/login[^"]*)"', seen(browser.get("/"))), "", username=name)

page = logged_in("eve")
assert followers(page) == [("ann", "0"), ("bob", "1"), ("daniel", "1"), ("eve", "0")], page
assert browser.get("/people/@daniel/followers").status_code == 404
sent("/people/@daniel/follow", page)
page = logged_in("daniel")
requests = seen(browser.get(found('<a href="([^"]*)">Who asked', page)))
assert "@eve" in requests and "@ann" not in requests, requests
sent(found('formaction="([^"]*/accept)"', requests), requests)
assert ("daniel", "2") in followers(seen(browser.get("/")))
assert "eve" in seen(browser.get("/people/@daniel/followers"))
"""
)

PAGES = [
    Page(
        "README.md",
        at_the_prompt="app.app_context().push()",
        after=VISITED,
    ),
    Page(
        "docs/tutorial.md",
        at_the_prompt="app.app_context().push()",
        after=ASKED,
    ),
    Page(
        "docs/fastapi.md",
        beside=("httpx",),
        after="""\
async def visit():
    async with lifespan(app), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        for name in ("sutton", "daniel"):
            assert (await client.post("/users", params={"username": name})).status_code == 201
        followed = await client.post("/users/2/follow", headers={"X-User": "1"})
        assert followed.json()["following"] is True, followed.text
        page = await client.get("/users/2/followers")
        assert [item["user"]["username"] for item in page.json()["items"]] == ["sutton"], page.text
asyncio.run(visit())
asyncio.run(test_nobody_follows_themselves())
""",
    ),
    Page("docs/sqlmodel.md"),
    Page(
        "docs/async.md",
        after="""\
import sqlite3
with sqlite3.connect("app.sqlite3") as connection:
    assert connection.execute("SELECT follower_id, following_id FROM follows ORDER BY 1").fetchall() == [(1, 2), (2, 1)]
connection.close()
""",
    ),
    Page(
        "docs/admin.md",
        "sqladmin",
        beside=("httpx",),
        given=MODELS + STARLETTE,
        after="from starlette.testclient import TestClient"
        + BROWSED.format(client="TestClient(app)", addresses=["/admin/follow/list", "/admin/user/list"]),
    ),
    Page(
        "docs/admin.md",
        "starlette-admin",
        beside=("httpx",),
        given=MODELS + STARLETTE,
        after="from starlette.testclient import TestClient"
        + BROWSED.format(client="TestClient(app)", addresses=["/admin/follow/list", "/admin/user/list"]),
    ),
    Page(
        "docs/admin.md",
        "Flask-Admin",
        given=MODELS + FLASK,
        after=BROWSED.format(client="app.test_client()", addresses=["/admin/follow/", "/admin/user/"]),
    ),
]


def _parameter(page: Page) -> Any:
    # An environment takes some seconds, so every run has one: that of the page which everybody reads.
    marks = [] if page.name == "README.md" else [pytest.mark.long]
    return pytest.param(page, id=f"{page.name} {page.section}".strip(), marks=marks)


@pytest.mark.parametrize("page", [_parameter(page) for page in PAGES])
def test_a_page_does_what_it_says(page: Page, tmp_path: Path, empty_environment: Callable[..., Installed]) -> None:
    """Word for word."""
    extras, packages = page.install()
    blocks = page.blocks()
    assert blocks

    environment = empty_environment(extras, *packages)

    environment.run("-c", TRIAL, json.dumps([page.given, page.at_the_prompt, page.after, blocks]), at=tmp_path)
