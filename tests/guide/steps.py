"""What the guide says to do, read from its pages, and an app to do it to: its lines are the tests' lines."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import URL, Engine, MetaData, NullPool, Table, create_engine, select

from retinue.models.times import aware

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"

#: Forks the processes of the apps. It has imported what they need, which takes much longer than what they do.
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    [
        "aiosqlite",
        "alembic.autogenerate",
        "alembic.command",
        "alembic.config",
        "fastapi",
        "flask_jwt_extended",
        "flask_login",
        "flask_migrate",
        "flask_sqlalchemy",
        "httpx",
        "retinue.fastapi",
        "retinue.flask",
        __name__,
    ]
)

#: Runs commands one after the other, each as if it were typed.
TYPED = """\
import json, sys
for program, *arguments in json.loads(sys.argv[1]):
    if program == "flask":
        from flask.cli import cli
        cli.main(args=arguments, prog_name="flask", standalone_mode=False)
    else:
        from alembic.config import main
        main(argv=arguments, prog="alembic")
"""


class Block(NamedTuple):
    """A piece of code of the guide."""

    #: The file that it is about; empty for what is typed into a shell, or into a file that is no step.
    file: str
    language: str
    code: str


def blocks(page: str, section: str = "", before: str = "") -> list[Block]:
    """Return the code of a *page*, of one *section* (`##`) of it, or of what stands *before* a section; in order."""
    text = (DOCS / page).read_text()
    if section:
        (text,) = re.findall(rf"^## {re.escape(section)}\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if before:
        text, found, _ = text.partition(f"\n## {before}\n")
        assert found, f"{page} has no section {before!r}"
    found_blocks = re.findall(r"(?:\*\*`([^`]+)`\*\*\n\n)?^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [Block(*one) for one in found_blocks]


def change(path: Path, difference: str) -> None:
    """Change a file as *difference* says; each of its pieces must fit in exactly one place."""
    content = path.read_text()
    for piece in re.split(r"^@@\n", difference, flags=re.MULTILINE):
        lines = piece.splitlines(keepends=True)
        old = "".join(line[1:] or "\n" for line in lines if line[0] in " -\n")
        new = "".join(line[1:] or "\n" for line in lines if line[0] in " +\n")
        assert content.count(old) == 1, f"{path.name} has {content.count(old)} times:\n{old}"
        content = content.replace(old, new)
    path.write_text(content)


def execute(code: str, arguments: list[str], folder: Path, environment: dict[str, str], said: Path) -> None:
    """Run Python as a process of its own does, in a *folder*; what it says goes into a file."""
    os.chdir(folder)
    os.environ.update(environment)
    with said.open("w") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    sys.argv[1:] = arguments
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True  # a file that changes twice in a second would run as it was before
    exec(compile(code, "<typed>", "exec"), {"__name__": "__main__"})


class Project:
    """A copy of an app, on a database of its own."""

    def __init__(self, app: str, folder: Path, database: URL) -> None:
        self.folder = folder / app
        shutil.copytree(HERE / app, self.folder, ignore=shutil.ignore_patterns("__pycache__"))
        self.database = database
        self.environment = {"DATABASE_URL": self._url(), "FLASK_APP": app}

    def _url(self) -> str:
        drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "mysql": "mysql+asyncmy"}
        url = self.database
        if self.folder.name == "sparrow":
            url = url.set(drivername=drivers[url.get_backend_name().replace("mariadb", "mysql")])
        return url.render_as_string(hide_password=False)

    @property
    def engine(self) -> Engine:
        """An engine on its database, which holds no connection."""
        return create_engine(self.database, poolclass=NullPool)

    def run(self, code: str, *arguments: str) -> str:
        """Run Python there; return what it said."""
        said = self.folder.with_name("said.txt")
        process = SERVER.Process(target=execute, args=(code, [*arguments], self.folder, self.environment, said))
        process.start()
        process.join()
        assert process.exitcode == 0, said.read_text()
        return said.read_text()

    def asked(self, code: str) -> Any:
        """Run Python there that prints JSON as its last line; return that."""
        return json.loads(self.run(code).strip().splitlines()[-1])

    def type(self, *lines: str) -> str:
        """Type *lines* into a shell; return what was said."""
        commands = [shlex.split(line) for line in lines if not line.startswith("pip ")]
        return self.run(TYPED, json.dumps(commands)) if commands else ""

    def follow(self, *steps: Block) -> str:
        """Do what the guide says; return what was said."""
        said = ""
        for step in steps:
            if step.language == "sh":
                said += self.type(*step.code.splitlines())
            elif step.language == "diff":
                (path,) = self.folder.glob(step.file)
                change(path, step.code)
            elif step.file:
                path = self.folder / step.file
                if "*" in step.file:  # what is generated has these lines
                    (path,) = self.folder.glob(step.file)
                    assert step.code in path.read_text(), path.read_text()
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                assert not path.exists()
                path.write_text(step.code)
        return said

    def edges(self, table: str, follower: str, followed: str, timestamp: str = "") -> list[tuple[Any, ...]]:
        """Return who follows whom, and since when, of a table as the database has it; nobody follows themselves."""
        engine = self.engine
        names = [follower, followed, *([timestamp] if timestamp else [])]
        columns = Table(table, MetaData(), autoload_with=engine).c
        with engine.connect() as connection:
            found = connection.execute(select(*(columns[name] for name in names))).all()
        return sorted(
            (who, whom, *(None if time is None else aware(time) for time in times))
            for who, whom, *times in found
            if who != whom
        )

    def counts(self, *tables: str) -> list[int]:
        """Return how many rows these tables have."""
        with self.engine.connect() as connection:
            return [connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in tables]
