#!/usr/bin/env python3
"""Run Retinue from a fresh clone. Needs Python 3.11 or newer, and nothing else.

    python3 dev.py demo     start the demo and print its address
    python3 dev.py test     run the tests on SQLite, PostgreSQL and MariaDB, in a few minutes
    python3 dev.py test --long      what takes long as well, the oldest SQLAlchemy, newer Pythons and Debian's own PostgreSQL
    python3 dev.py test --sqlalchemy 2.0    the tests on the oldest SQLAlchemy that is supported
    python3 dev.py bench    measure Retinue beside its peers and the bare driver; with --quick in two minutes
    python3 dev.py lint     style, format and types
    python3 dev.py docs     build the documentation site and say where it is; with --serve at an address of this machine
    python3 dev.py lock     write requirements/ after a change in a pyproject.toml; with --upgrade at the newest versions

What a command needs goes into .venv beside this file, at the versions and hashes
that requirements/ names. A second run finds it there and starts at once. The rest of the
command line is handed on: `python3 dev.py test -k cursor`, `python3 dev.py demo --help`.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import functools
import hashlib
import http.server
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
REQUIREMENTS = ROOT / "requirements"

# Where `docs` builds the site.
SITE = ROOT / "site"

# Debian's packages: each with a program, or a library, that it brings.
# MariaDB without its daemon.
MARIADB = {"mariadb-server-core": "mariadbd", "mariadb-client-core": "my_print_defaults"}
# What counts the instructions of hot calls.
VALGRIND = {"valgrind": "valgrind"}
# The browser that the tests click in, and what the program that moves the mouse (Playwright's) is linked to.
CHROMIUM = {"chromium": "chromium", "libatomic1": "libatomic.so.1"}

# How the tests run: a process for each processor, up to eight. Tests that stand beside each other stay together,
# as they share what is slow to prepare; a process that is done early takes some from the end of another's.
SIDE_BY_SIDE = ["--numprocesses=auto", "--maxprocesses=8", "--dist=worksteal"]

# What of the tests `--long` runs once more on the oldest SQLAlchemy. Who wins a race is the database's affair, every
# history and every viewer was tried on the newest one, and what a browser or a crawler sees does not depend on it.
OLDEST = (
    "not races and not machine and not kill and not modes and not leaks and not mariadb and not browser and not crawl"
)

# The Pythons that are supported beside the oldest, and what `--long` runs on each that is there: what needs no server, and
# stands on what they have changed, which is SQLite's module, annotations, the collector of garbage, and tasks.
NEWER_PYTHONS = ["3.12", "3.13"]
NEWER = (
    "not performance and not browser and (unit or (sqlite and"
    " (costs or transact or async or half_done or bulk_writes or test_pages or test_extension or fastapi or state_machine)))"
)

# Where Debian has the programs of the PostgreSQL that it ships, which is older than that of the tests; and the file that
# keeps its package from making a cluster, and from starting a daemon, as it is installed.
DEBIANS_POSTGRESQL = Path("/usr/lib/postgresql")
NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/no-cluster.conf")

# What is installed editable: the library, and the app that is made with it.
PROJECTS = [ROOT, ROOT / "demo"]

# What `lock` writes: file -> what it takes from the two pyproject.toml. "test" comes first: the
# others are held to its versions, as they share its environment.
BOTH = ["pyproject.toml", "demo/pyproject.toml", "--group=build"]
LOCKS = {
    "test": [*BOTH, "--group=test"],
    "test-sqlalchemy-2.0": [*BOTH, "--group=test", "--group=sqlalchemy-2-0"],
    "app": [*BOTH, "--constraint=requirements/test.txt"],
    "bench": ["--group=bench", "--constraint=requirements/test.txt"],
    "lint": ["--group=lint", "--constraint=requirements/test.txt"],
    "docs": [*BOTH, "--extra=fastapi", "--group=docs", "--constraint=requirements/test.txt"],
    "uv": ["--group=uv"],
}


class Environment:
    """A virtual environment beside this file, with the Python that runs this file or another one."""

    def __init__(self, name: str, made_by: str = sys.executable) -> None:
        self.path = ROOT / name
        self.made_by = made_by
        self.bin = self.path / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / "python"

    def install(self, *names: str) -> None:
        """Install the requirements/ files of these *names*, and both projects, editable."""
        self._create()
        missing = [name for name in names if not self._stamp(name).is_current()]
        if not missing:
            return
        print(f"dev.py: installing {' and '.join(missing)} into {self.path.name}", flush=True)
        files = [f"--requirement={REQUIREMENTS / name}.txt" for name in missing]
        self._pip_install("--require-hashes", *files)
        self._pip_install("--no-deps", "--no-build-isolation", *(f"--editable={folder}" for folder in PROJECTS))
        for name in missing:
            self._stamp(name).write()

    def uv(self) -> Path | None:
        """Return uv, which installs several times faster than pip, or None if it cannot be had."""
        uv = self.bin / "uv"
        if not shutil.which(uv):
            argv = [*self._pip(), "--require-hashes", f"--requirement={REQUIREMENTS / 'uv.txt'}"]
            subprocess.run(argv, cwd=ROOT, check=False, stderr=subprocess.DEVNULL)
        return uv if shutil.which(uv) else None

    def run(self, *argv: str) -> bool:
        """Run a program of this environment; return whether it succeeded."""
        print("dev.py:", *argv, flush=True)
        return subprocess.run([self.bin / argv[0], *argv[1:]], cwd=ROOT, check=False, env=self._env()).returncode == 0

    def become(self, *argv: str) -> None:
        """Hand the process over to a program of this environment."""
        program = str(self.bin / argv[0])
        if os.name == "nt":  # exec would give the prompt back while the program still runs
            raise SystemExit(subprocess.call([program, *argv[1:]], env=self._env()))
        os.execve(program, [program, *argv[1:]], self._env())

    def _env(self) -> dict[str, str]:
        # As if it were activated: some programs look for Python on the PATH.
        path = os.pathsep.join([str(self.bin), os.environ.get("PATH", os.defpath)])
        # Modules are compiled once, not by every process of the tests. They are kept in the environment, so that
        # is no reason not to where PYTHONDONTWRITEBYTECODE keeps the folders of the sources clean.
        others = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {
            **others,
            "PATH": path,
            "VIRTUAL_ENV": str(self.path),
            "PYTHONPYCACHEPREFIX": str(self.path / "compiled"),
        }

    def _create(self) -> None:
        made_here = self._stamp()
        if made_here.is_current() and shutil.which(self.python):
            return
        try:
            run(self.made_by, "-m", "venv", "--clear", str(self.path))
        except subprocess.CalledProcessError:  # Debian splits venv off from Python
            apt_install({f"python{sys.version_info.major}.{sys.version_info.minor}-venv": None})
            run(self.made_by, "-m", "venv", "--clear", str(self.path))
        made_here.write()

    def _pip(self) -> list[str]:
        return [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]

    def _pip_install(self, *arguments: str) -> None:
        if uv := self.uv():
            argv = [str(uv), "pip", "install", "--quiet", "--compile-bytecode", "--python", str(self.python)]
            if subprocess.run([*argv, *arguments], cwd=ROOT, check=False, env=self._env()).returncode == 0:
                return
            print("dev.py: uv could not; trying pip", flush=True)
        run(*self._pip(), *arguments)

    def _stamp(self, name: str = "") -> Stamp:
        return Stamp(self.path, name)


class Stamp:
    """A note in an environment that says what was installed there."""

    def __init__(self, path: Path, name: str) -> None:
        self.file = path / f".installed-{name or 'python'}"
        said = f"{ROOT}\n{sys.version}".encode()  # a moved clone or another Python starts anew
        if name:
            files = [REQUIREMENTS / f"{name}.txt", *(folder / "pyproject.toml" for folder in PROJECTS)]
            said += b"".join(file.read_bytes() for file in files)
        self.text = hashlib.sha256(said).hexdigest()

    def is_current(self) -> bool:
        """Tell whether the same was installed before."""
        return self.file.exists() and self.file.read_text() == self.text

    def write(self) -> None:
        """Note that it is installed."""
        self.file.write_text(self.text)


def run(*argv: str) -> None:
    """Run a program; raise `subprocess.CalledProcessError` if it fails."""
    subprocess.run(argv, cwd=ROOT, check=True)


def have_a_home() -> None:
    """Where the user has no home directory that can be written, let .home beside this file be it for what is started."""
    try:
        home = Path.home()
    except RuntimeError:  # no HOME, and nobody whom the system knows
        home = Path()
    if os.name == "nt" or (home.is_absolute() and os.access(home, os.W_OK)):
        return
    here = ROOT / ".home"
    here.mkdir(mode=0o700, exist_ok=True)
    print(f"dev.py: there is no home directory that can be written; caches and data go to {here}", flush=True)
    os.environ["HOME"] = str(here)


def is_there(what: str) -> bool:
    """Tell whether a program, or a library, is on this machine."""
    if ".so." in what:
        try:
            ctypes.CDLL(what)
        except OSError:
            return False
        return True
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    return shutil.which(what, path=places) is not None


def python_of(version: str) -> str | None:
    """Return the path of a Python of this *version*, or None if there is none."""
    try:
        done = subprocess.run(
            [f"python{version}", "-c", "import sys; print(sys.executable)"],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "PYENV_VERSION": version},  # by which pyenv's `python3.13` becomes that one
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None


def may_install() -> bool:
    """Tell whether this is root on Debian or Ubuntu."""
    return os.name != "nt" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def debians_postgresql() -> list[Path]:
    """Return the folders with programs of Debian's own PostgreSQL, which is installed if there is none and it may be."""
    if may_install() and not any(DEBIANS_POSTGRESQL.glob("*/bin/postgres")):
        NO_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
        NO_CLUSTER.write_text("create_main_cluster = false\n")
        try:
            apt_install({"postgresql": None})
        finally:
            NO_CLUSTER.unlink()
    return sorted(program.parent for program in DEBIANS_POSTGRESQL.glob("*/bin/postgres"))


def apt_install(packages: dict[str, str | None]) -> None:
    """Install Debian *packages* of which nothing is there, if this is root on Debian or Ubuntu."""
    missing = [name for name, brings in packages.items() if not (brings and is_there(brings))]
    if not missing or not may_install():
        return
    print("dev.py: apt-get install", *missing, flush=True)
    for step in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
        done = subprocess.run(
            ["apt-get", "-qq", *step],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
        if done.returncode != 0:
            print(f"dev.py: apt-get {step[0]} failed", flush=True)


def demo(arguments: list[str]) -> None:
    """Start the demo."""
    environment = Environment(".venv")
    environment.install("app")
    environment.become("python", "-m", "retinue_demo", *arguments)


def test(arguments: list[str], sqlalchemy: str | None) -> None:
    """Run the tests; what cannot run on this machine is skipped with the sentence what to install."""
    environment = Environment(f".venv-{sqlalchemy}" if sqlalchemy else ".venv")
    environment.install(f"test-sqlalchemy-{sqlalchemy}" if sqlalchemy else "test")
    apt_install({**MARIADB, **VALGRIND, **CHROMIUM})
    # What comes later on the command line wins: -n 0 is one process. A debugger (--pdb) is one as well.
    side_by_side = [] if any("no:xdist" in argument for argument in arguments) else SIDE_BY_SIDE
    environment.become("python", "-m", "pytest", *side_by_side, *arguments)


def test_long(arguments: list[str]) -> None:
    """Run everything that there is to test; go on after a failure, and name at the end what failed."""
    newest, oldest = Environment(".venv"), Environment(".venv-2.0")
    newest.install("test", "docs")
    oldest.install("test-sqlalchemy-2.0")
    apt_install({**MARIADB, **VALGRIND, **CHROMIUM})
    pytest = ["python", "-m", "pytest", *SIDE_BY_SIDE]
    passed = {"everything": newest.run(*pytest, "-m", "", *arguments)}
    passed["the oldest SQLAlchemy"] = oldest.run(*pytest, "-k", OLDEST, *arguments)
    for version in NEWER_PYTHONS:
        if python := python_of(version):
            newer = Environment(f".venv-python{version}", python)
            newer.install("test")
            passed[f"Python {version}"] = newer.run(*pytest, "-k", NEWER, *arguments)
        else:
            print(f"dev.py: NOT TESTED on Python {version}: there is no python{version}", flush=True)
    folders = debians_postgresql()
    for folder in folders:
        os.environ["RETINUE_POSTGRESQL"] = str(folder)
        passed[str(folder)] = newest.run(*pytest, "-m", "not long", "-k", "database and postgresql", *arguments)
    if not folders:
        print("dev.py: NOT TESTED on Debian's own PostgreSQL: install postgresql", flush=True)
    if failed := [leg for leg, well in passed.items() if not well]:
        raise SystemExit(f"dev.py: failed: {', '.join(failed)}")


def bench(arguments: list[str]) -> None:
    """Measure Retinue, its peers and the bare driver side by side."""
    environment = Environment(".venv")
    environment.install("test", "bench")
    apt_install({**MARIADB})
    os.environ["PYTHONPATH"] = str(ROOT)  # wherever it is started: the files that are named lie there
    environment.become("python", "-m", "benchmarks", *arguments)


def lint() -> None:
    """Check style, format and types; fail if any of them does."""
    environment = Environment(".venv")
    environment.install("test", "lint")
    checks = [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy"],
        ["pyright"],
        ["python", "-m", "tests.typing.complete"],
    ]
    failed = [" ".join(check) for check in checks if not environment.run(*check)]
    if failed:
        raise SystemExit(f"dev.py: failed: {', '.join(failed)}")


def site_arguments(source: Path, site: Path, doctrees: Path) -> list[str]:
    """Return what Sphinx is told to build the pages below *source*: anything that leads nowhere is an error."""
    # From the ground up each time: what was read before would not be read again, nor its warnings seen again.
    strictly = ["--quiet", "--fresh-env", "--write-all", "--fail-on-warning", f"--doctree-dir={doctrees}"]
    return [*strictly, f"--conf-dir={ROOT / 'docs'}", str(source), str(site)]


def docs(*, serve: bool) -> None:
    """Build the documentation site."""
    environment = Environment(".venv")
    environment.install("docs")
    shutil.rmtree(SITE, ignore_errors=True)  # a page that is gone is gone from the site as well
    if not environment.run("python", "-m", "sphinx", *site_arguments(ROOT, SITE, environment.path / "doctrees")):
        raise SystemExit("dev.py: failed: the site has warnings")
    print(f"dev.py: the site is {SITE / 'index.html'}", flush=True)
    if serve:
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(SITE))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            print(f"dev.py: http://127.0.0.1:{server.server_port}/ until Ctrl+C", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                server.serve_forever()


def lock(arguments: list[str]) -> None:
    """Write requirements/*.txt: every package but our own with its version and hashes, and no index's address."""
    environment = Environment(".venv")
    environment.install()
    uv = environment.uv()
    if uv is None:
        raise SystemExit("dev.py: lock needs uv")
    how = ["--universal", "--python-version=3.11", "--fork-strategy=fewest", "--generate-hashes", *arguments]
    how.append("--no-emit-package=retinue")
    for name, what in LOCKS.items():
        said = ["--quiet", "--custom-compile-command=python3 dev.py lock", f"--output-file=requirements/{name}.txt"]
        run(str(uv), "pip", "compile", *how, *what, *said)


def main() -> None:
    """Read the command line."""
    command, *arguments = sys.argv[1:] or ["--help"]
    have_a_home()
    if command == "demo":
        demo(arguments)
    elif command == "test":
        parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--sqlalchemy", choices=["2.0"])
        which.add_argument("--long", action="store_true")
        known, arguments = parser.parse_known_args(arguments)
        if known.long:
            test_long(arguments)
        else:
            test(arguments, known.sqlalchemy)
    elif command == "bench":
        bench(arguments)
    elif command == "lint" and not arguments:
        lint()
    elif command == "docs" and arguments in ([], ["--serve"]):
        docs(serve=bool(arguments))
    elif command == "lock" and arguments in ([], ["--upgrade"]):
        lock(arguments)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - said here, as nothing else has been installed yet
        raise SystemExit("dev.py: Retinue needs Python 3.11 or newer")
    try:
        main()
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"dev.py: failed: {' '.join(error.cmd)}") from None
