"""Where the demo keeps what has to outlive it: the community, and the key that signs cookies."""

from __future__ import annotations

import os
import secrets
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import URL, make_url

_KEY_CHARACTERS = 64


class Size(NamedTuple):
    """How large a new community is to be."""

    people: int
    #: Follows in all; None: as many as come of so many people.
    edges: int | None = None

    @property
    def file_name(self) -> str:
        """What the file of such a community is called, without its ending."""
        return f"community-{self.people}" + ("" if self.edges is None else f"-{self.edges}-follows")


def data_folder(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """
    Return the folder for data of this user and this program, which may not exist yet.

    Raises:
        RuntimeError: It is below the home directory, and the user has none.
    """
    if chosen := environment.get("XDG_DATA_HOME"):
        return Path(chosen) / "retinue"
    home = Path.home()
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA", home / "AppData" / "Local")) / "retinue"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "retinue"
    return home / ".local" / "share" / "retinue"


def passing_folder() -> Path:
    """
    Return a folder among the temporary files that is this user's alone; made on the first call.

    Raises:
        OSError: There can be none, or somebody else made one of its name.
    """
    user = f"-{os.getuid()}" if sys.platform != "win32" else ""  # where each user has temporary files of their own
    folder = Path(tempfile.gettempdir()) / f"retinue{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    private = stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & 0o077
    if sys.platform != "win32" and not (private and found.st_uid == os.getuid()):
        message = f"{folder} is not a folder of this user's alone"
        raise PermissionError(message)
    return folder


def database_urls(given: str | None, size: Size, folder: Path) -> Iterator[URL]:
    """
    Yield the addresses at which the database may be, to be tried in order.

    One that was *given* is the only one. Else they are files in *folder*, without an
    end: where one was left by another version of the demo, the next one is for this.

    Raises:
        sqlalchemy.exc.ArgumentError: *given* is no address.
        ValueError: It is a database that one connection has to itself.
    """
    if given is not None:
        yield _checked(make_url(given))
        return
    for number in count(1):
        name = f"{size.file_name}.sqlite3" if number == 1 else f"{size.file_name}-{number}.sqlite3"
        yield URL.create("sqlite", database=str(folder / name))


def _checked(url: URL) -> URL:
    if url.get_backend_name() != "sqlite" or url.query.get("uri"):
        return url
    if url.database in (None, "", ":memory:"):
        message = "a database in memory cannot be shared by several requests; name a file: sqlite:///demo.sqlite3"
        raise ValueError(message)
    return url.set(database=str(Path(url.database or "").absolute()))


def secret_key(folder: Path) -> str:
    """Return the key kept in *folder*, both its owner's alone; made on the first call."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(PermissionError):  # of a folder that somebody else made
        folder.chmod(0o700)
    path = folder / "secret-key"
    if not path.exists():
        _write_once(path, secrets.token_hex(_KEY_CHARACTERS // 2))
    path.chmod(0o600)
    key = path.read_text(encoding="ascii")
    if len(key) != _KEY_CHARACTERS:
        message = f"{path} is damaged; delete it, and a new key is made"
        raise ValueError(message)
    return key


def keep_to_owner(database: Path) -> None:
    """Let nobody but its owner read an SQLite *database*, and what SQLite has made beside it, if they are there."""
    for path in database.parent.glob(f"{database.name}*"):
        path.chmod(0o600)


def _write_once(path: Path, text: str) -> None:
    """Make *path* with *text* in it at once; whoever came first wins, and nobody sees half of it."""
    handle, draft = tempfile.mkstemp(dir=path.parent, text=True)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
