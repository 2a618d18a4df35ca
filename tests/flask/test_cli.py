"""``flask retinue``: what each command prints, for people and for programs, and how it ends."""

from __future__ import annotations

import gzip
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy import URL, delete, select, update
from sqlalchemy.orm import Session

from retinue import Graph
from retinue.flask import cli
from tests.flask.town_app import Follow, FollowCount, User, create_app, db

PEOPLE = ("anna", "ben", "cleo", "dora", "emil", "fritz")
PAIRS = ((2, 1), (3, 1), (4, 1), (5, 1), (1, 2), (3, 2), (2, 3))
SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
WIDE = "90"


@dataclass
class Town:
    """The application on a database of its own, with six people."""

    app: Flask
    database: URL

    def run(
        self, *arguments: str, code: int = 0, given: str | bytes | None = None, columns: str = WIDE
    ) -> tuple[str, str]:
        """Run ``flask retinue`` with these arguments; return what it says on either output. It must end with *code*."""
        done = self.app.test_cli_runner(env={"COLUMNS": columns}).invoke(args=["retinue", *arguments], input=given)
        assert done.exit_code == code, done.output
        assert "Traceback" not in done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return done.stdout, done.stderr

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run it with ``--json``; return the document."""
        out, err = self.run(*arguments, "--json", code=code)
        assert err == ""
        return json.loads(out)

    def do(self, verb: str, *users: int, **options: Any) -> None:
        """Do a verb of the graph."""
        with self.app.app_context():
            getattr(Graph(db.session, User), verb)(*users, **options)
            db.session.commit()

    def edges(self) -> set[tuple[int, int]]:
        with self.app.app_context():
            return {(a, b) for a, b in db.session.execute(select(Follow.follower_id, Follow.following_id))}

    def execute(self, statement: Any) -> None:
        with self.app.app_context(), Session(db.engine) as session:
            session.execute(statement)
            session.commit()


@pytest.fixture
def town(database: URL) -> Iterator[Town]:
    app = create_app(database)
    with app.app_context():
        db.create_all()
        db.session.add_all(User(id=key, username=name, name=name.title()) for key, name in enumerate(PEOPLE, 1))
        db.session.commit()
        for pair in PAIRS:
            Graph(db.session, User).follow(*pair)
        db.session.commit()
    yield Town(app, database)
    with app.app_context():
        db.engine.dispose()


# --- Numbers -------------------------------------------------------------------------------------


def test_stats_in_numbers(town: Town) -> None:
    """The document says what the graph says, on every engine."""
    town.execute(update(User).where(User.id == 6).values(locked=True))
    town.do("follow", 1, 6)
    town.do("block", 5, 4)
    town.do("mute", 5, 3)
    found = town.json("stats", "--top", "2")
    assert found == {
        "users": 6,
        "follows": 7,
        "mutual_follows": 4,
        "mutual_share": 0.5714,
        "requests": 1,
        "blocks": 1,
        "mutes": 1,
        "most_followed": [
            {"id": 1, "slug": "anna", "name": "Anna", "followers": 4},
            {"id": 2, "slug": "ben", "name": "Ben", "followers": 2},
        ],
        "by_followers": [
            {"least": 0, "most": 0, "users": 3},
            {"least": 1, "most": 1, "users": 1},
            {"least": 2, "most": 3, "users": 1},
            {"least": 4, "most": 7, "users": 1},
        ],
        "by_following": [
            {"least": 0, "most": 0, "users": 1},
            {"least": 1, "most": 1, "users": 3},
            {"least": 2, "most": 3, "users": 2},
        ],
    }


@SQLITE
def test_stats_are_drawn_as_wide_as_the_terminal(town: Town) -> None:
    """Side by side where there is room, else one below the other; nothing is wider than the terminal."""
    wide, _ = town.run("stats")
    assert wide.startswith("6 users, 7 follows (57% of them mutual)\n0 pending requests, 0 blocks, 0 mutes\n\n")
    lines = wide.splitlines()
    assert lines[3].split("  ")[-1] == "follow so many"
    bars = [line for line in lines if "█" in line]
    assert len(bars) == 4
    assert max(map(len, lines)) <= int(WIDE)
    # The longest bar fills its half, and half as many users have half as long a one.
    assert bars[0].count("█", 0, 46) >= 25
    assert "  4  Anna @anna (1)" in lines
    for columns in ("60", "40", "20"):
        narrow, _ = town.run("stats", columns=columns)
        assert max(len(line) for line in narrow.splitlines() if "█" in line) <= int(columns)
        assert sum("█" in line for line in narrow.splitlines()) == 7
    very_wide, _ = town.run("stats", columns="400")
    assert max(map(len, very_wide.splitlines())) <= 120


@SQLITE
def test_stats_of_nobody(town: Town) -> None:
    """Nothing is divided by nothing."""
    town.execute(delete(User))
    assert town.run("stats")[0] == "0 users, 0 follows\n0 pending requests, 0 blocks, 0 mutes\n"
    assert town.json("stats")["most_followed"] == []


@SQLITE
def test_letters_are_enough_where_there_is_nothing_else(town: Town) -> None:
    """A terminal without Unicode gets bars all the same."""
    runner = town.app.test_cli_runner(charset="ascii", env={"COLUMNS": "80"})
    done = runner.invoke(args=["retinue", "stats"])
    assert done.exit_code == 0, done.output
    assert "####" in done.stdout
    assert done.stdout.isascii()


# --- In and out ----------------------------------------------------------------------------------


def test_export_and_import(town: Town, tmp_path: Path) -> None:
    """What was exported comes back, on every engine; the second time there is nothing to add."""
    for name in ("follows.csv", "follows.csv.gz"):
        file = tmp_path / name
        out, err = town.run("export", str(file))
        assert out.startswith("7 follows written in ")
        assert err == ""
        text = gzip.decompress(file.read_bytes()).decode() if name.endswith(".gz") else file.read_text()
        assert text.splitlines()[0] == "follower,following,timestamp"
        town.execute(delete(Follow))
        assert town.edges() == set()
        out, err = town.run("import", str(file))
        assert out.startswith("7 rows: 7 follows added in ")
        assert len(out.splitlines()) == 1
        assert town.edges() == set(PAIRS)
        again = town.json("import", str(file))
        assert (again["rows"], again["added"], again["skipped"]) == (7, 0, {"duplicate": 7})
    said = town.json("export", str(tmp_path / "again.csv"))
    assert (said["file"], said["rows"]) == (str(tmp_path / "again.csv"), 7)
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "follows.csv").read_bytes()
    assert town.run("recount", "--check")[0] == "6 users: every stored count is right.\n"


@SQLITE
def test_by_standard_input_and_output(town: Town) -> None:
    """Rows alone are on standard output, words about them elsewhere."""
    for arguments in (("export",), ("export", "-")):
        out, err = town.run(*arguments)
        assert len(out.splitlines()) == 8
        assert err.startswith("7 follows written in ")
    town.execute(delete(Follow))
    assert town.run("import", "-", given=out)[0].startswith("7 rows: 7 follows added in ")
    assert town.run("import", "-", given=gzip.compress(out.encode()))[0].startswith("7 rows: 0 follows added in ")
    assert town.edges() == set(PAIRS)


@SQLITE
def test_rows_that_are_skipped(town: Town) -> None:
    """They stop nothing; their number is said by reason, and each of them if one asks."""
    rows = "4,5\n4,5\nx,1\n1,1\n1,77\n1,2,yesterday\n1\n"
    out, err = town.run("import", "-", given=rows)
    assert out.splitlines()[0].startswith("7 rows: 1 follow added in ")
    assert out.splitlines()[1:] == [
        "6 rows skipped:",
        "  1  malformed row",
        "  1  invalid key",
        "  1  invalid timestamp",
        "  1  self-follow",
        "  1  unknown user",
        "  1  duplicate",
    ]
    assert err == ""
    _, err = town.run("import", "-", "--skipped", given=rows)
    assert len(err.splitlines()) == 7
    assert err.splitlines()[4] == "row 5: unknown user: no user has the key 77"
    assert town.run("import", "-", "--header", given="a,b\n4,6\n")[0].startswith("1 row: 1 follow added in ")
    _, err = town.run("import", "-", given="following,follower\n1,2\n", code=1)
    assert err.startswith("Error: ")
    assert "following" in err


@SQLITE
def test_files_that_cannot_be(town: Town, tmp_path: Path) -> None:
    """Each gets a sentence; what the command line says wrong is 2, what fails later 1."""
    assert "does not exist" in town.run("import", str(tmp_path / "nowhere.csv"), code=2)[1]
    assert "directory" in town.run("import", str(tmp_path), code=2)[1]
    assert "directory" in town.run("export", str(tmp_path), code=2)[1]
    assert "No such file or directory" in town.run("export", str(tmp_path / "nowhere" / "x.csv"), code=1)[1]
    damaged = tmp_path / "damaged.gz"
    damaged.write_bytes(gzip.compress(b"1,2\n" * 1000)[:-5])
    assert "ends too early" in town.run("import", str(damaged), code=1)[1]
    assert "rows themselves" in town.run("export", "--json", code=2)[1]
    for wrong in (("import",), ("stats", "--top", "0"), ("show",), ("nothing",), ("show", "anna", "--limit", "many")):
        assert town.run(*wrong, code=2)[1].startswith("Usage: ")


# --- Repair --------------------------------------------------------------------------------------


def test_doctor(town: Town) -> None:
    """What was planted is named with its keys and its remedy, and goes; cron sees it by the exit code."""
    assert town.run("doctor")[0] == "All is well.\n"
    assert town.run("doctor", "--repair")[0] == "All is well.\n"
    assert town.json("doctor") == {"healthy": True, "found": [], "left": []}
    town.do("block", 5, 6)
    town.execute(update(FollowCount).where(FollowCount.user_id == 1).values(followers=9))
    with town.app.app_context(), db.engine.begin() as connection:
        values = {"follower_id": 6, "following_id": 5, "timestamp": datetime.now(UTC)}
        connection.execute(Follow.__table__.insert().values(values))
    out, _ = town.run("doctor", code=1)
    assert "error: follows: edge beside block (1)\n  6 5\n  Let the doctor repair it: the block wins" in out
    assert "error: follow_counts: wrong count (" in out
    assert out.count("`flask retinue doctor --repair` does it.") == out.count("error: ")
    found = town.json("doctor", code=1)
    assert found["healthy"] is False
    assert found["found"] == found["left"]
    edge = next(one for one in found["found"] if one["what"] == "edge_beside_block")
    assert (edge["where"], edge["how_many"], edge["examples"]) == ("follows", 1, [[6, 5]])
    assert (edge["severity"], edge["repairable"], edge["ddl"]) == ("error", True, None)
    out, _ = town.run("doctor", "--repair")
    assert out.startswith("Repaired:\n")
    assert out.endswith("All is well now.\n")
    assert town.json("doctor", "--repair") == {"healthy": True, "found": [], "left": []}
    assert (6, 5) not in town.edges()


def test_doctor_prints_what_others_have_to_run(town: Town) -> None:
    """The statement that makes what is missing; --repair leaves it, and the exit code says so."""
    index = next(one for one in Follow.__table__.indexes if str(one.name).endswith("_following"))
    with town.app.app_context():
        index.drop(db.engine)
    for options in ((), ("--repair",)):
        out, _ = town.run("doctor", *options, code=1)
        assert out.startswith("warning: follows: missing index (1)\n")
        assert "    CREATE INDEX ix_follows_following ON follows" in out
        assert "does it." not in out


@SQLITE
def test_doctor_that_cannot_look_says_so_by_another_code(town: Town) -> None:
    """Cron tells a database that is away from one in which something is wrong."""
    with town.app.app_context():
        db.drop_all()
        with db.engine.begin() as connection:
            connection.exec_driver_sql("CREATE VIEW follows AS SELECT 1")
            for table in db.metadata.sorted_tables:
                if table.name != "follows":
                    connection.exec_driver_sql(f'CREATE TABLE "{table.name}" (id INTEGER)')
    _, err = town.run("doctor", code=2)
    assert err.startswith("Error: ")
    assert town.run("doctor", "--unknown", code=2)[1]


def test_recount(town: Town) -> None:
    """Checking finds what is wrong and leaves it, with exit code 1; the other puts it right."""
    with town.app.app_context():
        stored = db.session.execute(select(FollowCount.user_id, FollowCount.slot).where(FollowCount.slot == 0)).all()
    assert stored
    row = (FollowCount.user_id == 2, FollowCount.slot == 0)
    town.execute(update(FollowCount).where(*row).values(followers=FollowCount.followers + 5))
    out, _ = town.run("recount", "--check", code=1)
    assert out == (
        "6 users: the counts of 1 are wrong, by 5 at most.\n  2: 7 followers instead of 2, 2 following instead of 2\n"
    ).replace("of 1 are", "of 1 is")
    found = town.json("recount", "--check", code=1)
    assert (found["users"], found["wrong"], found["corrected"], found["biggest_difference"]) == (6, 1, 0, 5)
    assert found["first_wrong"] == [
        {"user": 2, "stored": {"followers": 7, "following": 2}, "counted": {"followers": 2, "following": 2}}
    ]
    assert town.json("recount", "--check", "--after", "2")["users"] == 4
    out, _ = town.run("recount")
    assert out.startswith("6 users: the counts of 1 were wrong, by 5 at most. Now they are right.\n")
    assert town.json("recount", "--check")["wrong"] == 0
    town.execute(delete(FollowCount))
    found = town.json("recount")
    assert (found["wrong"], found["corrected"], found["uncounted"]) == (0, 0, 5)
    town.execute(delete(FollowCount))
    out, _ = town.run("recount")
    assert out.endswith("5 users had never been counted, and have stored counts now.\n")


@SQLITE
def test_many_who_are_wrong_are_not_all_named(town: Town) -> None:
    with town.app.app_context():
        db.session.add_all(User(id=key, username=f"u{key}", name="x") for key in range(10, 50))
        db.session.commit()
        db.session.add_all(FollowCount(user_id=key, slot=0, followers=1, following=0) for key in range(10, 50))
        db.session.commit()
    out, _ = town.run("recount", "--check", code=1)
    assert len(out.splitlines()) == 22
    assert out.splitlines()[-1] == "  ... and 20 more"
    assert len(town.json("recount", "--check", code=1)["first_wrong"]) == 20
    assert (
        town.run("recount", "--after", "nobody", code=1)[1]
        == "Error: 'nobody' is not a user: a key here is a whole number.\n"
    )


def test_expire(town: Town) -> None:
    """What has ended goes, and nothing else."""
    town.execute(update(User).where(User.id == 6).values(locked=True))
    old = datetime.now(UTC) - timedelta(days=90)
    town.do("follow", 1, 6)
    town.do("follow", 2, 6)
    for mute, until in ((2, None), (3, 1), (4, 1)):
        town.do("mute", 1, mute, until=until and datetime.now(UTC) + timedelta(hours=1))
    requests, mutes = db.metadata.tables["follow_requests"], db.metadata.tables["mutes"]
    town.execute(update(requests).where(requests.c.follower_id == 1).values(timestamp=old))
    town.execute(update(mutes).where(mutes.c.muted_id == 3).values(until=old))
    assert town.run("expire")[0] == "Deleted 1 request, 1 mute.\n"
    assert town.run("expire")[0] == "Nothing has ended since the last time.\n"
    town.execute(update(mutes).where(mutes.c.muted_id == 4).values(until=old))
    assert town.json("expire") == {"requests": 0, "blocks": 0, "mutes": 1, "history": 0, "timelines": 0}


# --- One user ------------------------------------------------------------------------------------


def test_show(town: Town) -> None:
    """By key or by name; everything about them that an operator may need."""
    town.execute(update(User).where(User.id == 1).values(locked=True))
    until = datetime(2199, 1, 2, 3, 4, tzinfo=UTC)
    town.do("follow", 6, 1)
    town.do("block", 1, 3, until=until)
    town.do("mute", 1, 5, notifications=False)
    found = town.json("show", "1", "--limit", "2")
    assert found == town.json("show", "anna", "--limit", "2") == town.json("show", "@anna", "--limit", "2")
    assert {name: found[name] for name in ("id", "slug", "name", "counts", "flags")} == {
        "id": 1,
        "slug": "anna",
        "name": "Anna",
        "counts": {"followers": 3, "following": 1},
        "flags": {"active": True, "locked": True},
    }
    assert [row["id"] for row in found["followers"]["items"]] == [5, 4]
    assert (found["followers"]["more"], found["following"]["more"]) == (True, False)
    assert [row["slug"] for row in found["requests"]["items"]] == ["fritz"]
    assert found["sent_requests"] == {"items": [], "more": False}
    assert [(row["id"], row["until"]) for row in found["blocks"]["items"]] == [(3, until.isoformat())]
    assert [(row["id"], row["until"], row["notifications"]) for row in found["mutes"]["items"]] == [(5, None, False)]
    out, err = town.run("show", "anna", "--limit", "2")
    lines = out.splitlines()
    assert lines[:4] == ["Anna @anna (1)", "3 followers, 1 following", "approves followers", ""]
    assert err == ""
    titles = [line for line in lines[4:] if line and not line.startswith(" ")]
    assert titles == ["newest followers", "followed last", "ask to follow them", "they block", "they mute"]
    assert lines.count("  ... and more") == 1
    assert any(line.endswith(" UTC  Cleo @cleo (3), until 2199-01-02 03:04 UTC") for line in lines)


@SQLITE
def test_a_name_that_looks_like_a_key(town: Town) -> None:
    """The key goes before; with an @ it is the name."""
    town.execute(update(User).where(User.id == 6).values(username="2", active=False))
    assert town.json("show", "2")["slug"] == "ben"
    assert town.json("show", "@2")["id"] == 6
    assert town.run("show", "@2")[0].splitlines()[2] == "not active"


@SQLITE
def test_nobody_and_hostile_names(town: Town) -> None:
    """A sentence, and nothing that a terminal would obey."""
    for said in ("nobody", "@", "77", str(10**40), "-1", "a" * 5000, "%00", "\x1b[31m", "é", "' OR 1=1 --"):
        arguments = ("show", "--", said)
        out, err = town.run(*arguments, code=1)
        assert out == ""
        assert err.startswith("Error: There is no user ")
        assert "\x1b" not in err
    town.execute(update(User).where(User.id == 1).values(name="\x1b[2J\r\nAnna"))
    assert town.run("show", "anna")[0].splitlines()[0] == "?[2J??Anna @anna (1)"
    assert town.json("show", "anna")["name"] == "\x1b[2J\r\nAnna"


# --- What all of them promise --------------------------------------------------------------------


@SQLITE
def test_help_says_the_exit_codes(town: Town) -> None:
    """Each command explains itself, and has --json."""
    group = town.app.cli.commands["retinue"]
    assert isinstance(group, AppGroup)
    assert sorted(group.commands) == ["doctor", "expire", "export", "import", "recount", "show", "stats"]
    for name, command in group.commands.items():
        assert isinstance(command, click.Command)
        out, _ = town.run(name, "--help")
        assert "Exit codes: 0 done" in out
        assert "--json" in out
        page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert all(f"`{option}" in page for option in parameter.opts), parameter.opts
        assert f"flask retinue {name}" in page


@SQLITE
def test_a_database_that_refuses_gets_a_sentence(town: Town) -> None:
    """Not a traceback."""
    with town.app.app_context():
        db.drop_all()
    for arguments in (("stats",), ("recount",), ("export",), ("expire",), ("show", "1")):
        _, err = town.run(*arguments, code=1)
        assert err.splitlines()[0].startswith("Error: The database refuses: no such table: ")
        assert "flask db upgrade" in err


def test_without_the_extension_it_says_so() -> None:
    """A command that is there and an extension that is not."""
    app = Flask("bare")
    cli.init_app(app)
    done = app.test_cli_runner().invoke(args=["retinue", "stats"])
    assert done.exit_code == 1
    assert "Retinue is not on this Flask app" in done.stderr


@SQLITE
def test_as_a_process_of_its_own(town: Town, tmp_path: Path) -> None:
    """By the real command: the bar is drawn on a terminal's standard error and nowhere else."""
    flask = shutil.which("flask", path=Path(sys.executable).parent)
    assert flask
    app = Path(__file__).with_name("town_app.py")
    environment = {**os.environ, "DATABASE": str(town.database), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [flask, "--app", str(app), "retinue"]

    def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *arguments], env=environment, text=True, check=False, timeout=60, **options)

    done = run("stats", capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("6 users, 7 follows")
    assert run("show", "nobody", capture_output=True).returncode == 1
    assert run("show", capture_output=True).returncode == 2
    file = tmp_path / "follows.csv"
    ours, theirs = pty.openpty()
    done = run("export", str(file), stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    drawn = os.read(ours, 10_000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert done.stdout.startswith("7 follows written in ")
    assert "Exporting" in drawn
    assert "100%" in drawn
    assert drawn.endswith("\r\x1b[K")
    done = run("import", str(file), capture_output=True)
    assert done.stderr == ""
