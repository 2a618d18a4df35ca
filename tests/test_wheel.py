"""What the two projects of this repository would release: what is in it, what it says of itself, and that it works."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.metadata import Metadata
from trove_classifiers import classifiers

import dev
from tests.environments import Distributions, Installed, build

#: Two users and a follow, as every program below has them.
MODELS = """\
import sys
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from retinue import FollowerMixin, FollowMixin, prepare_engine

class Base(DeclarativeBase): pass

class User(FollowerMixin, Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)

class Follow(FollowMixin, Base):
    __tablename__ = "follows"

def follow(session):
    Base.metadata.create_all(session.connection())
    ada, ben = User(), User()
    session.add_all([ada, ben])
    ada.follow(ben)
    session.flush()
    return [(person.user.id, ben.graph.counts([ben])[2].followers) for person in ben.graph.followers(ben).items]
"""
IN_SQLITE = """
with Session(prepare_engine(create_engine("sqlite:///app.sqlite3"))) as session:
    assert follow(session) == [(1, 1)]
    session.commit()
"""
IN_ASYNC_SQLITE = """
import asyncio
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
async def main():
    async with AsyncSession(prepare_engine(create_async_engine("sqlite+aiosqlite:///app.sqlite3"))) as session:
        assert await session.run_sync(follow) == [(1, 1)]
        await session.commit()
    await session.bind.dispose()
asyncio.run(main())
"""
WITHOUT_FRAMEWORKS = """
assert not {"flask", "fastapi", "pydantic", "greenlet"} & {*sys.modules}
"""
A_DRIVER = """
assert prepare_engine(create_engine("{}://nobody@localhost/nothing")).dialect.import_dbapi().apilevel == "2.0"
"""
#: What an environment with these extras, and packages beside them, can do. The web frameworks do more in
#: tests/test_documentation.py: the apps that the pages show.
PROGRAMS: dict[str, tuple[list[str], str]] = {
    "": ([], MODELS + IN_SQLITE + WITHOUT_FRAMEWORKS),
    "async": (["aiosqlite"], MODELS + IN_ASYNC_SQLITE),
    "fastapi": (["aiosqlite"], MODELS + IN_ASYNC_SQLITE + "import fastapi"),
    "flask": ([], MODELS + IN_SQLITE + "import retinue.flask"),
    "mysql": ([], MODELS + IN_SQLITE + A_DRIVER.format("mysql+pymysql")),
    "postgres": ([], MODELS + IN_SQLITE + A_DRIVER.format("postgresql+psycopg")),
}


def wheel_of(project: Path, folder: Path) -> dict[str, bytes]:
    """Build the wheel of a *project* in *folder*; return its files by their names."""
    (wheel,) = build(project, folder, "wheel")
    return contents(wheel)


def contents(wheel: Path) -> dict[str, bytes]:
    """Return the files of a wheel by their names."""
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sources(package: Path) -> set[str]:
    """Return the names of a package's files as a wheel should have them."""
    files = (file for file in package.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {str(file.relative_to(package.parent)) for file in files}


def test_the_library_is_the_library_alone(distributions: Distributions) -> None:
    """Every file of the package, with templates and all, no command, and nothing of the demo."""
    files = contents(distributions.wheel)

    package = {name for name in files if ".dist-info/" not in name}
    assert package == sources(dev.ROOT / "src" / "retinue")
    assert {"retinue/py.typed", "retinue/flask/templates/retinue/_buttons.html"} <= package
    about = [name.partition("/")[2] for name in files if name not in package]
    assert sorted(about) == ["METADATA", "RECORD", "WHEEL", "licenses/LICENSE"]  # entry points would be one more


def test_an_index_takes_what_the_wheel_says_of_itself(distributions: Distributions) -> None:
    """Valid to the letter, with classifiers that exist, README.md as its page, and an extra for each thing to add."""
    (text,) = (text for name, text in contents(distributions.wheel).items() if name.endswith(".dist-info/METADATA"))

    about = Metadata.from_email(text, validate=True)

    assert about.name == "retinue"
    assert {*(about.classifiers or [])} <= classifiers
    assert about.description_content_type == "text/markdown"
    assert about.description == (dev.ROOT / "README.md").read_text()
    assert about.license_expression == "MIT"
    assert sorted(about.provides_extra or []) == sorted(name for name in PROGRAMS if name)


def test_the_sdist_is_the_repository(distributions: Distributions, tmp_path: Path) -> None:
    """All that a clone has, so that whoever packages it can test it; and it makes the same wheel."""
    listed = subprocess.run(
        ["git", "-c", "core.quotepath=off", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=dev.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    with tarfile.open(distributions.sdist) as archive:
        if hasattr(tarfile, "data_filter"):  # not in the first releases of Python 3.11
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()

    files = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    assert files == {*listed.stdout.splitlines(), "PKG-INFO"}
    assert wheel_of(folder, tmp_path / "again") == contents(distributions.wheel)


@pytest.mark.parametrize(
    "extras",
    [pytest.param(name, id=name or "alone", marks=[pytest.mark.long] if name else []) for name in PROGRAMS],
)
def test_it_works_where_nothing_else_is(
    extras: str, tmp_path: Path, empty_environment: Callable[..., Installed]
) -> None:
    """The wheel and what it asks for are enough."""
    packages, program = PROGRAMS[extras]

    empty_environment(extras, *packages).run("-W", "error", "-c", program, at=tmp_path)


def test_the_demo_has_all_that_it_needs(tmp_path: Path) -> None:
    """Its pages, pictures, style sheets and migrations; its tests stay where they are."""
    files = wheel_of(dev.ROOT / "demo", tmp_path)

    package = {name for name in files if ".dist-info/" not in name}
    assert package == sources(dev.ROOT / "demo" / "src" / "retinue_demo")
    assert {"templates/layout.html", "static/demo.css", "migrations/alembic.ini"} <= {
        name.partition("/")[2] for name in package
    }
