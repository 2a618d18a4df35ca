"""README.md shows what the demo looks like, and whoever changes that can take the pictures anew."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from demo.tests.browser.pictures import FOLDER, WINDOW, take

README = FOLDER.parent.parent / "README.md"

#: Bytes. Whoever reads README.md loads one of them.
MOST = 150_000


def assert_is_a_picture(file: Path) -> None:
    """Fail if *file* is no PNG of the size that was asked for, or is heavy."""
    content = file.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert struct.unpack(">II", content[16:24]) == (WINDOW["width"], WINDOW["height"])
    assert len(content) < MOST


def test_readme_shows_each_picture_that_there_is() -> None:
    shown = re.findall(r'(?:src|srcset)="([^"]+)"', README.read_text())

    assert {README.parent / one for one in shown} == {*FOLDER.glob("*.png")}
    for file in FOLDER.glob("*.png"):
        assert_is_a_picture(file)


@pytest.mark.long
def test_they_can_be_taken_anew(browser: Browser, tmp_path: Path) -> None:
    light, dark = take(browser, tmp_path)

    assert [light.name, dark.name] == sorted((file.name for file in FOLDER.glob("*.png")), reverse=True)
    assert_is_a_picture(light)
    assert_is_a_picture(dark)
    assert light.read_bytes() != dark.read_bytes()
