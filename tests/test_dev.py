"""`dev.py` finds what it needs on any machine."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

import dev


def test_a_home_directory_that_can_be_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is made, and nothing said."""
    monkeypatch.setattr(dev, "ROOT", tmp_path / "clone")
    monkeypatch.setenv("HOME", str(tmp_path))

    dev.have_a_home()

    assert os.environ["HOME"] == str(tmp_path)
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(os.name == "nt", reason="there every user has a home")
@pytest.mark.parametrize("home", ["{}/file/home", "{}/not_there", "not_absolute"])
def test_where_there_is_no_home_the_clone_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: str
) -> None:
    """Caches and the demo's data go there, nobody else may read them, and the terminal says where."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setenv("HOME", home.format(tmp_path))

    dev.have_a_home()
    dev.have_a_home()  # the second time it is a home as any other

    assert os.environ["HOME"] == str(tmp_path / ".home")
    assert stat.S_IMODE((tmp_path / ".home").stat().st_mode) == 0o700
    assert capsys.readouterr().out.count(f"go to {tmp_path}/.home") == 1


def test_what_is_there() -> None:
    """A program is found on the PATH, a library where the system looks for libraries."""
    assert dev.is_there("python3")
    assert not dev.is_there("no-such-program")
    assert not dev.is_there("libnosuchlibrary.so.1")


def test_what_is_compiled_is_kept_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for all processes of a run, and never beside the sources, also where Python is told to keep nothing."""
    (tmp_path / "module.py").touch()
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    environment = dev.Environment(".venv")
    monkeypatch.setattr(environment, "bin", Path(sys.executable).parent)

    assert environment.run("python", "-c", "import module")

    assert [file.parts[-3:-1] for file in tmp_path.rglob("module.*.pyc")] == [tmp_path.parts[-2:]]
    assert sorted(file.name for file in tmp_path.iterdir()) == [".venv", "module.py"]


def test_a_long_run_goes_on_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All there is, the oldest SQLAlchemy, each newer Python and each PostgreSQL of Debian's; each has its say."""
    programs = tmp_path / "15" / "bin"
    programs.mkdir(parents=True)
    (programs / "postgres").touch()
    ran: list[tuple[str, str]] = []

    def run(environment: dev.Environment, *argv: str) -> bool:
        ran.append((environment.path.name, argv[-2]))
        return len(ran) == 1

    monkeypatch.setattr(dev, "DEBIANS_POSTGRESQL", tmp_path)
    monkeypatch.setattr(dev, "apt_install", lambda _packages: None)
    monkeypatch.setattr(dev, "may_install", lambda: False)
    monkeypatch.setattr(dev, "python_of", {"3.12": sys.executable}.get)
    monkeypatch.setattr(dev.Environment, "install", lambda *_names: None)
    monkeypatch.setattr(dev.Environment, "run", run)
    monkeypatch.setenv("RETINUE_POSTGRESQL", "")

    with pytest.raises(SystemExit, match=f"failed: the oldest SQLAlchemy, Python 3.12, {programs}"):
        dev.test_long(["-x", "-q"])
    assert ran == [(".venv", "-x"), (".venv-2.0", "-x"), (".venv-python3.12", "-x"), (".venv", "-x")]
    assert "NOT TESTED on Python 3.13" in capsys.readouterr().out

    monkeypatch.setattr(dev, "python_of", lambda _version: None)
    monkeypatch.setattr(dev, "DEBIANS_POSTGRESQL", tmp_path / "nowhere")
    ran.clear()
    with pytest.raises(SystemExit, match=r"failed: the oldest SQLAlchemy$"):
        dev.test_long([])
    assert [before for _, before in ran] == ["-m", "-k"]
    assert "NOT TESTED on Debian's own PostgreSQL" in capsys.readouterr().out


def test_a_python_of_a_version() -> None:
    """The one that runs this is found by its version, another that is not there is not."""
    assert dev.python_of(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert dev.python_of("3.999") is None


def test_debians_postgresql_comes_without_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is installed a file says so, and no longer; whoever may not install anything is left alone."""
    no_cluster = tmp_path / "createcluster.d" / "no-cluster.conf"
    asked: list[str] = []

    def apt_install(packages: dict[str, str | None]) -> None:
        asked.extend([*packages, no_cluster.read_text()])
        (tmp_path / "15" / "bin").mkdir(parents=True)
        (tmp_path / "15" / "bin" / "postgres").touch()

    monkeypatch.setattr(dev, "DEBIANS_POSTGRESQL", tmp_path)
    monkeypatch.setattr(dev, "NO_CLUSTER", no_cluster)
    monkeypatch.setattr(dev, "apt_install", apt_install)

    monkeypatch.setattr(dev, "may_install", lambda: False)
    assert dev.debians_postgresql() == []
    monkeypatch.setattr(dev, "may_install", lambda: True)
    assert dev.debians_postgresql() == dev.debians_postgresql() == [tmp_path / "15" / "bin"]

    assert asked == ["postgresql", "create_main_cluster = false\n"]
    assert not no_cluster.exists()
