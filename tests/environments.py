"""
Environments with the wheel of this clone, and nothing that it does not ask for: what somebody has who installs it.

`empty_environment("flask", "flask-login")` is a virtual environment with the wheel, its extra `flask`, Flask-Login, and
what these need, at the versions and hashes of `requirements/test.txt`. It is made once for all processes of a run, so
it is for running programs, not for changing.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

import dev


class Distributions(NamedTuple):
    """What would be released: the files that an index serves."""

    wheel: Path
    sdist: Path


class Installed:
    """An environment with the wheel and what it asks for, as its user has it."""

    def __init__(self, folder: Path) -> None:
        self.python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"

    def run(self, *arguments: str, at: Path) -> str:
        """Run its Python in the folder *at*, where this clone is out of reach; return what was printed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [str(self.python), *arguments], cwd=at, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def build(project: Path, folder: Path, *targets: str) -> list[Path]:
    """Build the *targets* of a *project* (wheel, sdist) in an empty *folder*; return the files in that order."""
    for target in targets:
        command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
        subprocess.run(command, cwd=project, capture_output=True, check=True)
    return [next(folder.glob("*.whl" if target == "wheel" else "*.tar.gz")) for target in targets]


@contextmanager
def only_one(folder: Path) -> Iterator[bool]:
    """Let one process at a time make *folder*; say whether it is still to be made."""
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = Path(f"{folder}.done")
        yield not done.exists()
        done.touch()


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that all processes of this run have."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def distributions(shared_folder: Path) -> Distributions:
    """Give the wheel and the sdist of this clone, built once in a run."""
    folder = shared_folder / "distributions"
    with only_one(folder) as to_be_made:
        if to_be_made:
            build(dev.ROOT, folder, "wheel", "sdist")
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Distributions(wheel, sdist)


@pytest.fixture(scope="session")
def empty_environment(shared_folder: Path, distributions: Distributions) -> Callable[..., Installed]:
    """Give what makes an environment with the wheel, with some of its *extras*, and *packages* beside it."""

    def get(extras: str, *packages: str) -> Installed:
        uv = dev.Environment(sys.prefix).uv()
        if uv is None:
            pytest.skip("an environment is made by uv, and there is none for this machine")
        folder = shared_folder / f"with-{'-'.join([extras, *packages]) or 'nothing'}"
        with only_one(folder) as to_be_made:
            if to_be_made:
                subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
                _install(uv, folder, f"retinue[{extras}] @ {distributions.wheel.as_uri()}", *packages)
        return Installed(folder)

    return get


def _install(uv: Path, folder: Path, *what: str) -> None:
    command = [str(uv), "pip", "install", "--quiet", f"--python={folder}"]
    command += [f"--constraint={dev.REQUIREMENTS / 'test.txt'}", *what]
    # What the tests themselves were installed from is still here, as a rule: no need to ask anybody.
    if subprocess.run([*command, "--offline"], capture_output=True, check=False).returncode != 0:
        subprocess.run(command, check=True)
