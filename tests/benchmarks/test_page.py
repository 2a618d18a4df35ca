"""The page of the benchmark, its charts and its files of figures."""

from __future__ import annotations

import csv
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks import page
from benchmarks.charts import chart
from benchmarks.loads import LOADS
from benchmarks.operations import OPERATIONS
from benchmarks.pages import measuring as pages
from benchmarks.results import Run, Stated
from tests.benchmarks.test_report import STORAGE, THROUGHPUT, row

SIZES = (100_000, 2_000_000, 20_000_000)
REASONS = {"postgresql": {"is_following": "Because.", "unfollow": "Because."}, "sqlite": {"unfollow": "Because."}}
MISSED = "MISSED\n$missed\nEND $charts$calls$loads$growth$machine$versions"


def missed(*rows: object) -> list[str]:
    """Return the lines about missed goals."""
    text = page.page(Run(rows, {}, {}), MISSED, REASONS)  # type: ignore[arg-type]
    return text.partition("MISSED\n")[2].partition("\nEND")[0].splitlines()


def test_the_page_shows_one_size_and_the_files_have_all(tmp_path: Path) -> None:
    crowd = replace(THROUGHPUT, stated=(Stated("Retinue: p99 of a call, us", 9_000),))
    run = Run((*(row(edges=size) for size in SIZES), crowd), {"memory": "1 GiB"}, {"SQLite": "3"})

    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (folder / "soak.csv").touch()

    text = page.write(run, tmp_path).read_text()

    assert text.startswith("# ")
    assert "memory 1 GiB; SQLite 3" in text
    assert "| is_following | 1.40 (≤ 1.5) |" in text
    assert "| 16 connections | 6,300/s, p99 9.00 ms, 0.70 (≥ 0.66) |" in text
    assert "1 of 1 calls are flat or grow like a logarithm (the steepest: is_following, 1.00 times as long" in text
    assert "No goal is missed." in text
    assert "](benchmarks/postgresql.svg)" in text
    files = re.findall(r"\]\(benchmarks/(.*?)\)", text)
    assert {file.name for file in folder.iterdir()} == {"postgresql.svg", "figures.csv", "growth.csv", "soak.csv"}
    assert set(files) == {file.name for file in folder.iterdir()}
    assert "2 million edges" in (folder / "postgresql.svg").read_text()
    lines = list(csv.DictReader((folder / "figures.csv").read_text().splitlines()))
    assert [line["edges"] for line in lines if line["operation"] == "is_following"] == [
        str(size) for size in SIZES for _ in range(3)
    ]
    assert {(line["what"], line["goal"], line["reached"]) for line in lines} >= {("Retinue", "≤ 1.5", "yes")}
    assert [line["growth"] for line in csv.DictReader((folder / "growth.csv").read_text().splitlines())] == ["flat"] * 3


def test_what_was_measured_at_another_size_alone_is_on_the_page_as_well() -> None:
    run = Run((row(edges=2_000_000), row("pages", edges=100_000)), {}, {})

    assert [found.operation for found in page.shown(run, "postgresql")] == ["is_following", "pages"]


def test_a_curve_that_grows_faster_than_a_logarithm_is_named() -> None:
    rows = [row(edges=size, floor=100 * (size / 1e5) ** 0.5) for size in SIZES]

    text = page.page(Run(tuple(rows), {}, {}), "$growth$missed$charts$calls$loads$machine$versions", {})

    assert "Faster: is_following, 14 times as long, power 0.50." in text


def test_a_missed_goal_is_named_behind_the_reason_written_for_it() -> None:
    slow = row(ratio=1.8), row("unfollow", ratio=1.9), row("unfollow", ratio=1.7, database="sqlite")

    assert missed(*slow, STORAGE) == [
        "- Because. **PostgreSQL:** *is_following* 1.80 (≤ 1.5); *unfollow* 1.90 (≤ 1.5). **SQLite:** *unfollow* 1.70 (≤ 1.5).",
        "- Not explained yet. **PostgreSQL:** *storage* bytes per edge 1.25 (≤ 1.2).",
    ]
    assert "- storage, PostgreSQL: bytes per edge 1.25; bytes 150" in page.page(Run((STORAGE,), {}, {}), MISSED, {})
    assert missed(row(stated=(Stated("ahead by", 3, 8, at_least=True),))) == [
        "- Because. **PostgreSQL:** *is_following* ahead by 3.00 (≥ 8)."
    ]


def test_reasons_are_of_operations_that_there_are() -> None:
    text = (page.HERE / "reasons.toml").read_text()
    named = {name for found in page.reasons_of(tomllib.loads(text)["reason"]).values() for name in found}

    assert named <= {one.name for one in OPERATIONS} | {load.operation for load in LOADS} | pages.OPERATIONS.keys()


def test_what_an_earlier_run_left_goes(tmp_path: Path) -> None:
    page.write(Run((row(database="mariadb"),), {}, {}), tmp_path)
    page.write(Run((row(),), {}, {}), tmp_path)

    assert {file.stem for file in (tmp_path / "benchmarks").glob("*.svg")} == {"postgresql"}


def test_a_chart_is_sound_tells_what_it_shows_and_stays_on_its_paper() -> None:
    rows = [row("a & <b>"), row("quick", ratio=0.4), row("no goal", goal=None), THROUGHPUT, STORAGE]
    drawing = ET.fromstring(chart(rows, "PostgreSQL"))

    space = "{http://www.w3.org/2000/svg}"
    assert drawing.get("role") == "img"
    assert drawing.findtext(f"{space}title") == "PostgreSQL"
    assert "a & <b>: floor " in (drawing.findtext(f"{space}desc") or "")
    assert "prefers-color-scheme: dark" in (drawing.findtext(f"{space}style") or "")
    words = {"".join(text.itertext()) for text in drawing.iter(f"{space}text")}
    assert {"a & <b>", "quick", "floor", "Retinue", "lesson", "goal"} <= words
    assert not {"no goal", "16 connections", "storage"} & words
    width, height = float(drawing.get("width", 0)), float(drawing.get("height", 0))
    for element in drawing.iter():
        for name in ("x", "x1", "x2", "cx"):
            assert 0 <= float(element.get(name, 0)) <= width
        for name in ("y", "y1", "y2", "cy"):
            assert 0 <= float(element.get(name, 0)) <= height
