"""The site, built once; and the browser of the demo's tests."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import dev
from demo.tests.browser.conftest import browser, chromium
from tests.fixtures import MISSING, REQUIRE_ALL

__all__ = ["browser", "chromium"]


def build(source: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build the pages below *source*, as `dev.py docs` does."""
    argv = [sys.executable, "-m", "sphinx", *dev.site_arguments(source, site, site / ".doctrees")]
    return subprocess.run(argv, cwd=dev.ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="package")
def sphinx() -> None:
    """See that what builds the site is there."""
    if any(find_spec(name) is None for name in ("sphinx", "furo", "myst_parser")):
        MISSING["sphinx"] = "install it: python3 dev.py docs"
        (pytest.fail if REQUIRE_ALL else pytest.skip)(f"no Sphinx: {MISSING['sphinx']}")


@pytest.fixture(scope="package")
def site(sphinx: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the site, built without a warning."""
    folder = tmp_path_factory.mktemp("site")
    done = build(dev.ROOT, folder)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return folder
