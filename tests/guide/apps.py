"""The apps that the guide moves: what happened to them before, and what anybody can see of it, before and after."""

from __future__ import annotations

from typing import NamedTuple

from tests.guide.steps import Block, blocks

#: Twelve people; everybody follows three others, at times of their own, and the last one themselves as well.
PEOPLE = ["ada", "ben", "cleo", "dan", "eve", "fay", "gus", "hal", "ivy", "jon", "kim", "zed"]
CROWD = f"""\
from datetime import datetime, timedelta, timezone
people = {PEOPLE!r}
start = datetime(2024, 5, 1, 12, 30, 15, 250000, tzinfo=timezone.utc)
pairs = [(who, (who + step) % 12, start + timedelta(hours=37 * who + 11 * step)) for who in range(12) for step in (1, 2, 5)]
"""


#: Somebody without a script: they press the button on a page that does what *verb* says, and are back there.
PRESS = """\
import re
def press(client, page, verb):
    html = client.get(page).text
    (form,) = [one for one in re.findall("(?s)<form.*?</form>", html) if f'/{verb}"' in one]
    (action,) = re.findall(f'formaction="([^"]+/{verb})"', form)
    fields = dict(re.findall('type="hidden" name="([^"]+)" value="([^"]*)"', form))
    answer = client.post(action, data=fields, headers={"Origin": "http://localhost"}, follow_redirects=True)
    assert (answer.status_code, answer.request.path) == (200, page), answer.text
    return answer.text
"""


class App(NamedTuple):
    """An app, and the part of the guide that is about it."""

    name: str
    page: str
    #: The heading of the part; empty for the guide itself, up to what comes after its steps.
    section: str

    #: Python that makes its first revision, its people, and who follows whom.
    past: str
    #: Python that prints what people see of that, as JSON; `moved` says whether the guide has been followed.
    facts: str
    #: The older table, with its columns for who follows, whom, and since when.
    old: tuple[str, ...]
    #: The table of the `FollowMixin` model.
    new: str
    #: The table of the users.
    users: str

    #: Python that deletes the user ada, as a stranger to follows would.
    delete: str
    #: The commands that go back, and once more; with Flask-Migrate then one that finds nothing to do.
    down: str = "flask db downgrade"
    up: tuple[str, ...] = ("flask db upgrade", "flask db migrate")

    def steps(self) -> list[Block]:
        """Return what the guide says to do with this app, in order."""
        if not self.section:
            return blocks(self.page, before="7. What to check")
        own = blocks(self.page, self.section)
        if any(step.language == "sh" and "pip" not in step.code for step in own):
            return own
        # Commands, and the lines of env.py, are those of the guide.
        (place,) = [number for number, step in enumerate(own) if "*" in step.file]
        env, generate, _revision, run = blocks("existing-app.md", "4. The migration")
        return [*own[:place], env, generate, own[place], run, *own[place + 1 :]]


#: What Flask-Migrate has written for `env.py` since 4.0.5 is what its template has; before, in short, this.
OLDER_ENV = """\
import logging
from alembic import context
from flask import current_app

config = context.config
logger = logging.getLogger('alembic.env')


def get_engine():
    return current_app.extensions['migrate'].db.engine


def get_metadata():
    return current_app.extensions['migrate'].db.metadata


def run_migrations_online():
    # this callback is used to prevent an auto-migration from being generated
    def process_revision_directives(context, revision, directives):
        if getattr(config.cmd_opts, 'autogenerate', False):
            script = directives[0]
            if script.upgrade_ops.is_empty():
                directives[:] = []
                logger.info('No changes in schema detected.')

    connectable = get_engine()

    with connectable.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=get_metadata(),
            process_revision_directives=process_revision_directives,
            **current_app.extensions['migrate'].configure_args
        )

        with context.begin_transaction():
            context.run_migrations()


run_migrations_online()
"""

_DELETE = """\
from {module} import app, db
from {models} import User
with app.app_context():
    db.session.delete(db.session.query(User).filter_by(username="ada").one())
    db.session.commit()
    db.engine.dispose()
"""

LARDER = App(
    "larder",
    "existing-app.md",
    "",
    past=CROWD
    + """\
import flask_migrate
from larder import app, db
from app.models import Follow, Recipe, User
with app.app_context():
    flask_migrate.init()
    flask_migrate.migrate(message="people and recipes")
    flask_migrate.upgrade()
    rows = [User(username=name) for name in people]
    rows[0].set_password("dough")
    db.session.add_all(rows)
    db.session.flush()
    db.session.add(Recipe(title="Rye bread", author=rows[1]))
    for who, whom, since in [*pairs, (11, 11, start + timedelta(days=1)), (11, 3, start)]:
        pair = {"follower_id": rows[who].id, "following_id": rows[whom].id}
        db.session.add(Follow(**pair, timestamp=since.replace(tzinfo=None)))
    db.session.query(Follow).filter_by(follower_id=rows[11].id, following_id=rows[3].id).update({"timestamp": None})
    db.session.commit()
    db.session.remove()
    db.engine.dispose()
""",
    facts=CROWD
    + PRESS
    + """\
import json
from larder import app, db
from app.models import User
client, seen = app.test_client(), {}
for name in people[:-1]:
    seen[name] = re.findall("([0-9]+) followers", client.get(f"/user/{name}").text)
    page = client.get(f"/people/@{name}/followers" if moved else f"/followers/{name}").text
    # Who follows without a time stands where each engine has its NULLs, before.
    seen[name, "by"] = [one for one in re.findall('href="/user/([a-z]+)"', page) if one not in (name, "zed")]
    seen[name, "by"] = list(dict.fromkeys(seen[name, "by"]))
with app.app_context():
    rows = db.session.query(User).order_by(User.id).all()
    for who in rows[:4]:
        seen[who.id] = [[who.is_following(one), who.is_a_follower(one)] for one in rows if one is not who]
if moved:
    assert client.get("/user/nobody").status_code == 404
    assert "Rye bread" in client.get("/user/ben").text
    page = client.get("/people/@dan/followers").text
    assert "- Larder</title>" in page and "retinue.css" in page and "2024" in page, page
    # Who follows without a time does so longest.
    assert re.findall('href="/user/([a-z]+)"', page)[-1] == "zed", page
    client.post("/auth/login", data={"username": "ada", "password": "dough"})
    assert "4 followers" in press(client, "/user/hal", "follow")
    assert "3 followers" in press(client, "/user/hal", "unfollow")
with app.app_context():
    db.engine.dispose()
print(json.dumps({str(key): value for key, value in seen.items()}))
""",
    old=("follows", "follower_id", "following_id", "timestamp"),
    new="user_follows",
    users="users",
    delete=_DELETE.format(module="larder", models="app.models"),
)

CHIRP = App(
    "chirp",
    "existing-app-shapes.md",
    "A table of pairs, and users who follow themselves",
    past=CROWD
    + """\
import flask_migrate
from chirp import app
from app import db
from app.models import Post, User, followers
with app.app_context():
    flask_migrate.init()
    flask_migrate.migrate(message="people and posts")
    flask_migrate.upgrade()
    rows = [User(username=name) for name in people]
    db.session.add_all(rows)
    db.session.flush()
    pairs = [{"follower_id": rows[who].id, "followed_id": rows[whom].id, "since": since} for who, whom, since in pairs]
    db.session.execute(followers.insert(), pairs)
    for number, one in enumerate(rows):
        db.session.add(Post(body=f"post {number}", author=one, timestamp=start.replace(tzinfo=None, minute=number)))
    db.session.commit()
    db.session.remove()
    db.engine.dispose()
""",
    facts=CROWD
    + PRESS
    + """\
import json
from chirp import app
from app import db
client, seen = app.test_client(), {}
client.post("/login", data={"username": "dan"})
for name in people:
    page = client.get(f"/user/{name}").text
    seen[name] = re.findall("([0-9]+) followers, ([0-9]+) following", page)
    seen[name, "button"] = "Follows you" in page
    lists = [client.get(f"/user/{name}/followers?page={number}").text for number in (1, 2)]
    seen[name, "by"] = [re.findall("<li>([a-z]+)</li>|<p>([^<]+)</p>", one) for one in lists]
for number in (1, 2):
    seen["posts", number] = re.findall("<li>([^<]+)</li>|<p>([^<]+)</p>", client.get(f"/?page={number}").text)
if moved:
    assert "4 followers" in press(client, "/user/ada", "follow")
    assert "3 followers" in press(client, "/user/ada", "unfollow")
    page = client.get("/people/@ben/followers").text
    assert "ada" in page.partition('<div class="container">')[2] and page.count("retinue.css") == 1, page
    assert "/login?next=" in app.test_client().get("/people/@ben/followers").location
    with app.app_context():
        db.session.add(__import__("app.models").models.User(username="new"))
        db.session.flush()
        db.session.rollback()
with app.app_context():
    db.engine.dispose()
print(json.dumps({str(key): value for key, value in seen.items()}))
""",
    old=("followers", "follower_id", "followed_id", "since"),
    new="follow",
    users="user",
    delete=_DELETE.format(module="app", models="app.models").replace(
        "from app import app, db", "from chirp import app\nfrom app import db"
    ),
)

GAZETTE = App(
    "gazette",
    "existing-app-shapes.md",
    "A JSON API with JWT",
    past=CROWD
    + f"""\
import flask_migrate, pathlib
from gazette import app
from api import db
from api.models import Article, Profile, User, followers_assoc
with app.app_context():
    flask_migrate.init()
    pathlib.Path("migrations/env.py").write_text({OLDER_ENV!r})
    flask_migrate.migrate(message="people and articles")
    flask_migrate.upgrade()
    # The numbers of profiles are not those of their users.
    profiles = [Profile(user=User(username=name, confirmed=name != "zed")) for name in people]
    for one in reversed(profiles):
        db.session.add(one.user)
        db.session.flush()
    for one in profiles[3:] + profiles[:3]:
        db.session.add(one)
        db.session.flush()
    pairs = [{{"follower": profiles[who].id, "followed_by": profiles[whom].id}} for who, whom, _ in pairs]
    db.session.execute(followers_assoc.insert(), pairs)
    for number, one in enumerate(profiles):
        db.session.add(Article(title=f"article {{number}}", author=one, created_at=start.replace(tzinfo=None, minute=number)))
    db.session.commit()
    db.session.remove()
    db.engine.dispose()
""",
    facts=CROWD
    + """\
import json
from gazette import app
from api import db
client, seen = app.test_client(), {}
def ask(method, path, name="dan"):
    token = client.post("/api/users/login", json={"username": name}).json["token"]
    return client.open(path, method=method, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"})
for name in people:
    seen[name] = ask("GET", f"/api/profiles/{name}").json
    found = ask("GET", f"/api/profiles/{name}/followers").json
    seen[name, "by"] = [sorted(map(str, found["profiles"])), found["count"]]
for offset in (0, 2):
    seen["feed", offset] = ask("GET", f"/api/articles/feed?offset={offset}&limit=2").json
seen["stranger"] = client.get("/api/profiles/ada/followers").status_code
seen["unconfirmed"] = ask("POST", "/api/profiles/dan/follow", "zed").status_code
seen["nobody"] = ask("POST", "/api/profiles/nobody/follow").status_code
# Followed, twice, and left again.
seen["verbs"] = [ask(method, "/api/profiles/ada/follow").json for method in ("POST", "POST", "DELETE", "DELETE")]
if moved:
    assert ask("POST", "/api/profiles/dan/follow").status_code == 400
    bad = ask("GET", "/api/profiles/dan/followers?cursor=x")
    assert bad.status_code == 400 and bad.json["message"], bad.text
with app.app_context():
    db.engine.dispose()
print(json.dumps({str(key): value for key, value in seen.items()}))
""",
    old=("followers_assoc", "follower", "followed_by"),
    new="follows",
    users="users",
    delete=_DELETE.format(module="gazette", models="api.models").replace(
        "import app, db", "import app\nfrom api import db"
    ),
)

#: Alembic's own template for async engines, with what every app writes into it.
_ALEMBIC = """\
import pathlib
from alembic import command
from alembic.config import Config
command.init(Config("alembic.ini"), "migrations", template="async")
env = pathlib.Path("migrations/env.py")
own = "import os\\nfrom models import Base\\ntarget_metadata = Base.metadata\\n"
own += "config.set_main_option('sqlalchemy.url', os.environ['DATABASE_URL'].replace('%', '%%'))"
env.write_text(env.read_text().replace("target_metadata = None", own))
command.revision(Config("alembic.ini"), "people and notes", autogenerate=True)
command.upgrade(Config("alembic.ini"), "head")
"""

SPARROW = App(
    "sparrow",
    "existing-app-shapes.md",
    "FastAPI, async",
    past=_ALEMBIC
    + CROWD
    + """\
import asyncio
from database import engine
from models import Note, User, followers_to_followings
from sqlalchemy.ext.asyncio import AsyncSession
async def begin():
    async with AsyncSession(engine) as session:
        rows = [User(username=name) for name in people]
        session.add_all(rows)
        await session.flush()
        values = [{"follower_id": rows[who].id, "following_id": rows[whom].id} for who, whom, _ in pairs]
        await session.execute(followers_to_followings.insert(), values)
        for number, one in enumerate(rows):
            session.add(Note(text=f"note {number}", user_id=one.id))
            await session.flush()
        await session.commit()
    await engine.dispose()
asyncio.run(begin())
""",
    facts=CROWD
    + """\
import asyncio, httpx, json
from database import engine
from main import app
async def look():
    seen = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers={"X-User": "dan"}) as client:
        for name in people:
            seen[name] = (await client.get(f"/users/{name}")).json()
            seen[name, "by"] = (await client.get(f"/users/{name}/followers")).json()
        for offset in (0, 2):
            seen["feed", offset] = (await client.get(f"/feed?offset={offset}&limit=2")).json()
        for who in ("dan", "nobody"):
            seen[who, "followed"] = (await client.post(f"/users/{who}/follow")).status_code
        seen["stranger"] = (await client.get("/feed", headers={"X-User": "nobody"})).status_code
        seen["verbs"] = [(await client.post(f"/users/ada/{verb}")).json()["is_followed"] for verb in ("follow", "unfollow")]
    await engine.dispose()
    return seen
print(json.dumps({str(key): value for key, value in asyncio.run(look()).items()}))
""",
    old=("followers_to_followings", "follower_id", "following_id"),
    new="follows",
    users="users",
    delete="""\
import asyncio
from database import engine
from models import User
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
async def delete():
    async with AsyncSession(engine) as session:
        await session.delete(await session.scalar(select(User).where(User.username == "ada")))
        await session.commit()
    await engine.dispose()
asyncio.run(delete())
""",
    down="alembic downgrade -1",
    up=("alembic upgrade head",),
)

APPS = {app.name: app for app in (LARDER, CHIRP, GAZETTE, SPARROW)}
