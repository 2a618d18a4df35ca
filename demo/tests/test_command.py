"""`python -m retinue_demo` from the outside: the command line, the files it keeps, and the running server."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.cookiejar import CookieJar
from importlib.metadata import packages_distributions
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest

from retinue_demo import places
from retinue_demo.__main__ import main
from retinue_demo.places import Size
from retinue_demo.progress import progress
from retinue_demo.server import CannotStartError, listen

REPOSITORY = Path(__file__).resolve().parents[2]

Start = Callable[..., "Demo"]


class Demo:
    """The running command."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "retinue_demo", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_DATA_HOME": str(home)},
        )
        assert self.process.stdout
        self.said = ""
        while not (address := re.search(r"http://\S+", self.said)):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            self.said += line
        self.address = address[0].rstrip("/")

    def stop(self, how: int = signal.SIGTERM) -> tuple[int, str]:
        """Stop it as *how* does; return its exit code and its log."""
        self.process.send_signal(how)
        _, log = self.process.communicate(timeout=20)
        return self.process.returncode, log


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Give what starts the command, with a home of its own; all is stopped at the end."""
    started: list[Demo] = []
    # Tests that run in the background of a shell have Ctrl+C switched off, and so would the command.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)

    def run(*arguments: str) -> Demo:
        started.append(Demo(tmp_path, *arguments))
        return started[-1]

    yield run
    for demo in started:
        if demo.process.poll() is None:
            demo.process.kill()
            demo.process.communicate()
    signal.signal(signal.SIGINT, handler)


def browse(browser: OpenerDirector, address: str, **fields: str) -> tuple[str, str]:
    """Open *address*, with *fields* as a form; return where that led, and what stands there."""
    with browser.open(address, urlencode(fields).encode() if fields else None, timeout=20) as response:
        return response.url, response.read().decode()


def token(page: str) -> str:
    """Return the token of a page's forms."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def test_from_the_command_to_a_follow(start: Start, tmp_path: Path) -> None:
    """The command makes a community, somebody logs in, follows, and is still known after a new start."""
    demo = start("--port", "0", "--users", "25")
    assert "Made a community of 25 people" in demo.said
    browser = build_opener(HTTPCookieProcessor(CookieJar()))

    said = re.search(r"Log in as (\w+) with the password (\S+), or sign up", demo.said)
    assert said
    url, page = browse(browser, f"{demo.address}/login")
    url, page = browse(browser, url, csrf_token=token(page), username=said[1], password=said[2])
    assert url == f"{demo.address}/"
    (other, *_) = re.findall(r'action="(/@\w+)/follow"', page)
    url, page = browse(browser, f"{demo.address}{other}/follow", csrf_token=token(page), next=other)
    assert url == f"{demo.address}{other}"
    assert f'action="{other}/unfollow"' in page

    code, log = demo.stop()
    assert code == 0
    lines = log.splitlines()
    assert len(lines) == 5, log
    assert all(re.match(r"\d\d:\d\d:\d\d (GET|POST) /\S* \d{3}, \d+ statements, ", line) for line in lines)
    again = start("--port", "0", "--users", "25")
    assert "The community of 25 people is in" in again.said
    port = re.sub(r"\D", "", again.address.rpartition(":")[2])
    _, page = browse(browser, f"http://127.0.0.1:{port}{other}")
    assert f'action="{other}/unfollow"' in page
    assert again.stop(signal.SIGINT)[0] == 0
    assert sorted(path.name for path in (tmp_path / "retinue").iterdir()) == ["community-25.sqlite3", "secret-key"]


def test_a_port_that_is_taken_and_a_door_that_is_open(start: Start, tmp_path: Path) -> None:
    """The demo says that it took another port; and where others can reach it, what they can do."""
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = str(taken.getsockname()[1])
        database = f"sqlite:///{tmp_path}/here.sqlite3"
        demo = start("--host", "0.0.0.0", "--port", port, "--users", "2", "--database", database)

    assert f"Port {port} is taken, so this is port " in demo.said
    assert demo.address.startswith("http://127.0.0.1:")
    assert not demo.address.endswith(f":{port}")
    assert "Anyone who can reach this machine can sign up, or log in as any of the made-up people." in demo.said
    assert str(tmp_path / "here.sqlite3") in demo.said
    assert demo.stop()[0] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--port", "x"], "a port is a whole number from 0 to 65535, not 'x'"),
        (["--port", "65536"], "not '65536'"),
        (["--follows", "-1"], "the number of follows is a whole number from 0 to 2000000, not '-1'"),
        (["--follows", "2000001"], "not '2000001'"),
        (["--users", "20", "--follows", "191"], "20 people have room for 190 follows at most"),
        (["--users", "1"], "the number of people is a whole number from 2 to 50000, not '1'"),
        (["--users", "-5"], "not '-5'"),
        (["--users", "9" * 5000], "not '999"),
        (["--nonsense"], "unrecognized arguments"),
    ],
)
def test_a_command_line_that_makes_no_sense(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong arguments are exit code 2 and a sentence."""
    with pytest.raises(SystemExit) as ended:
        main([*arguments])

    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--database", "nonsense"], "Could not parse SQLAlchemy URL"),
        (["--database", "sqlite://"], "a database in memory cannot be shared"),
        (["--database", "sqlite:////nowhere/at/all.sqlite3"], "cannot use the database: unable to open database file"),
        (["--database", "oracle+cx_oracle://x/y"], "cx_Oracle is not installed"),
        (["--database", "nosuch://x/y"], "Can't load plugin"),
        (["--host", "no such host"], "--host no such host: no such address"),
        (["--host", "192.0.2.1"], "--host 192.0.2.1: "),
    ],
)
def test_a_start_that_cannot_be(
    arguments: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is in the way is exit code 1 and a sentence, never a traceback."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    handler = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["--users", "2", *arguments]) == 1
    finally:
        signal.signal(signal.SIGTERM, handler)

    said = capsys.readouterr().err
    assert sentence in said
    assert said.startswith("retinue_demo: ")
    assert len(said.splitlines()) == 1


def test_the_list_of_the_demo_is_all_that_it_needs() -> None:
    """The command starts where nothing is installed but what requirements/app.txt names."""
    listed = set(re.findall(r"^([a-z0-9.-]+)==", (REPOSITORY / "requirements" / "app.txt").read_text(), re.MULTILINE))
    absent = [
        module
        for module, distributions in packages_distributions().items()
        if not {re.sub(r"[-_.]+", "-", name).lower() for name in distributions} & {*listed, "retinue", "retinue-demo"}
    ]
    assert "pytest" in absent
    program = f"import sys; sys.modules.update(dict.fromkeys({absent!r})); import retinue_demo.server"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_the_key_is_made_once_and_nobody_elses_to_read(tmp_path: Path) -> None:
    """However many starts come first at once, there is one key, kept, with mode 0600."""
    folder, start, keys = tmp_path / "new" / "retinue", threading.Barrier(8), []

    def run() -> None:
        start.wait()
        keys.append(places.secret_key(folder))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(keys) == 8
    assert {*keys, places.secret_key(folder)} == {keys[0]}
    assert len(keys[0]) == 64
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    places.secret_key(folder)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("short")
    with pytest.raises(ValueError, match="is damaged"):
        places.secret_key(folder)


def test_where_things_are_kept() -> None:
    """Each system has its place for a user's data, and a chosen one wins."""
    home = Path.home()

    assert places.data_folder({"XDG_DATA_HOME": "/data"}, "linux") == Path("/data/retinue")
    assert places.data_folder({}, "linux") == home / ".local/share/retinue"
    assert places.data_folder({}, "darwin") == home / "Library/Application Support/retinue"
    assert places.data_folder({"LOCALAPPDATA": "/local"}, "win32") == Path("/local/retinue")


@pytest.mark.parametrize(
    "database",
    [
        pytest.param((), id="own file"),
        pytest.param(("--database", "sqlite:///{}/other.sqlite3"), id="named file", marks=pytest.mark.long),
    ],
)
def test_where_nothing_can_be_kept(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: tuple[str, ...]
) -> None:
    """Without a folder for data that can be written the demo starts, says where its community is, and finds it again."""
    (tmp_path / "retinue").write_text("no folder can be made where a file is")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    arguments = [argument.format(tmp_path) for argument in database]

    first = start("--port", "0", "--users", "2", *arguments)
    assert first.stop()[0] == 0
    second = start("--port", "0", "--users", "2", *arguments)

    folder = tmp_path / "temporary" / f"retinue-{os.getuid()}"
    file = tmp_path / "other.sqlite3" if database else folder / "community-2.sqlite3"
    assert re.search(r"Nothing can be kept in the usual place: .*retinue'\.\n", first.said)
    assert f"What the demo keeps is in {folder}, " in first.said
    assert re.search(rf"Made a community of 2 people, .*: {file}\n", first.said)
    assert f" in {file}" in second.said
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_among_the_temporary_files_is_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that others may enter, or that leads elsewhere, is not taken."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = places.passing_folder()
    assert places.passing_folder() == folder

    folder.chmod(0o755)
    with pytest.raises(PermissionError, match="not a folder of this user's alone"):
        places.passing_folder()

    folder.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match="not a folder of this user's alone"):
        places.passing_folder()


def test_a_user_without_a_home_may_name_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A home directory is asked for only where nothing else says where data belongs."""
    monkeypatch.setattr(Path, "home", lambda: pytest.fail("not asked for"))

    assert places.data_folder({"XDG_DATA_HOME": "/data"}, "linux") == Path("/data/retinue")


def test_each_size_has_a_file_of_its_own() -> None:
    """Who asks for another number of follows gets another community."""
    (first, second) = (next(places.database_urls(None, Size(5, edges), Path("/data"))) for edges in (None, 7))

    assert Path(first.database or "").name == "community-5.sqlite3"
    assert Path(second.database or "").name == "community-5-7-follows.sqlite3"


def test_a_community_of_some_size(start: Start, tmp_path: Path) -> None:
    """As many people and follows as were asked for; and a program that reads along gets no bars."""
    demo = start("--port", "0", "--users", "30", "--follows", "321")

    assert re.search(r"Made a community of 30 people, 321 follows, [1-9]\d* posts, in \d+\.\d s", demo.said)
    assert len(demo.said.splitlines()) == 3
    assert (tmp_path / "retinue" / "community-30-321-follows.sqlite3").exists()


@pytest.mark.parametrize("terminal", [True, False])
def test_bars_are_for_a_terminal(terminal: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Long work has a bar there, short work none; elsewhere there is nothing, and no row is lost."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys.stdout, "isatty", lambda: terminal)
        watch = progress()
        rows = list(watch("Follows", iter(range(50_000)), 50_000))
        assert list(watch("Posts", iter(range(10)), 10)) == list(range(10))

    assert rows == list(range(50_000))
    said = capsys.readouterr().out
    assert ("Follows" in said) is terminal
    assert ("100%" in said) is terminal
    assert "Posts" not in said


def test_a_relative_file_is_where_the_command_was_given() -> None:
    """A file named in --database is beside whoever named it; another kind of database is taken as it is."""
    (given,) = places.database_urls("sqlite:///here.sqlite3", Size(5), Path("/data"))
    (other,) = places.database_urls("postgresql://x/y", Size(5), Path("/data"))

    assert given.database == str(Path.cwd() / "here.sqlite3")
    assert other.database == "y"


def test_the_files_of_our_own_are_one_after_the_other() -> None:
    """Beside the file of an earlier version there is always room for another."""
    own = places.database_urls(None, Size(5), Path("/data"))

    names = [Path(next(own).database or "").name for _ in range(3)]
    assert names == ["community-5.sqlite3", "community-5-2.sqlite3", "community-5-3.sqlite3"]


def make_older(file: Path) -> bytes:
    """Make a community as an earlier version would have, without private profiles; return its users."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, username VARCHAR(64))")
        connection.execute("INSERT INTO users VALUES (1, 'ada')")
        connection.commit()
    return file.read_bytes()


def test_a_community_of_an_earlier_version_stays_as_it_is(start: Start, tmp_path: Path) -> None:
    """The demo says so, makes a new community beside it, and finds that one again the next time."""
    older = tmp_path / "retinue" / "community-5.sqlite3"
    before = make_older(older)

    demo = start("--port", "0", "--users", "5")

    assert f"The community in {older} was made by another version of the demo, and stays as it is." in demo.said
    newer = tmp_path / "retinue" / "community-5-2.sqlite3"
    assert re.search(rf"Made a community of 5 people.*: {newer}\n", demo.said)
    demo.stop()
    assert f"The community of 5 people is in {newer}" in start("--port", "0", "--users", "5").said
    assert older.read_bytes() == before


def test_a_database_of_an_earlier_version_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What --database names is not replaced by another: exit code 1 and a sentence, and nothing is changed."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    older = tmp_path / "mine.sqlite3"
    make_older(older)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        assert main(["--users", "5", "--database", f"sqlite:///{older}"]) == 1
    finally:
        signal.signal(signal.SIGTERM, handler)

    said = capsys.readouterr().err
    assert "was made by another version of the demo: it has a table users, and no version" in said
    assert len(said.splitlines()) == 1
    with closing(sqlite3.connect(older)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("users",)]


def test_listening_on_what_may_not_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port for the administrator alone is a sentence, too."""

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket.socket, "bind", refuse)

    with pytest.raises(CannotStartError, match="port 80 may not be used"):
        listen("127.0.0.1", 80)


@pytest.mark.skipif(os.name == "nt", reason="other systems have other rights")
def test_what_the_demo_keeps_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """The folder, and every file in it, whatever files are otherwise made like."""
    folder = tmp_path / "retinue"
    folder.mkdir(mode=0o755)
    # As an earlier version left it, or somebody who copied it.
    (folder / "community-2.sqlite3").touch(mode=0o644)
    before = os.umask(0o022)
    try:
        demo = Demo(tmp_path, "--port", "0", "--users", "2")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    demo.stop()
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
