"""What the two projects of this repository put into their wheels."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

REPOSITORY = Path(__file__).resolve().parent.parent


def wheel_of(project: Path, folder: Path) -> dict[str, str]:
    """Build the wheel of a *project* in *folder*; return its files by their names, with their texts."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=project, capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def sources(package: Path) -> set[str]:
    """Return the names of a package's files as a wheel should have them."""
    files = (file for file in package.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {str(file.relative_to(package.parent)) for file in files}


def test_the_library_is_the_library_alone(tmp_path: Path) -> None:
    """Every file of the package, with templates and all, no command, and nothing of the demo."""
    files = wheel_of(REPOSITORY, tmp_path)

    package = {name for name in files if ".dist-info/" not in name}
    assert package == sources(REPOSITORY / "src" / "retinue")
    assert {"retinue/py.typed", "retinue/flask/templates/retinue/_buttons.html"} <= package
    about = {name.partition("/")[2]: text for name, text in files.items() if name not in package}
    assert sorted(about) == ["METADATA", "RECORD", "WHEEL", "licenses/LICENSE"]  # entry points would be one more
    extras = {line for line in about["METADATA"].splitlines() if line.startswith("Provides-Extra: ")}
    assert extras == {f"Provides-Extra: {name}" for name in ("async", "flask", "mysql", "postgres")}


def test_the_demo_has_all_that_it_needs(tmp_path: Path) -> None:
    """Its pages, pictures, style sheets and migrations; its tests stay where they are."""
    files = wheel_of(REPOSITORY / "demo", tmp_path)

    package = {name for name in files if ".dist-info/" not in name}
    assert package == sources(REPOSITORY / "demo" / "src" / "retinue_demo")
    assert {"templates/layout.html", "static/demo.css", "migrations/alembic.ini"} <= {
        name.partition("/")[2] for name in package
    }
