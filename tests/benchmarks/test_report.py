"""What the benchmark found, as figures and as tables for the terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import amounts, report
from benchmarks.growth import Curve, curves
from benchmarks.results import Figure, Row, Run, Stated, load, peers, run_here, save


def row(
    operation: str = "is_following",
    edges: int = 100_000,
    *,
    floor: float = 100.0,
    ratio: float = 1.4,
    goal: float | None = 1.5,
    stated: tuple[Stated, ...] = (),
    database: str = "postgresql",
) -> Row:
    figures = (
        Figure("floor", floor, 2 * floor),
        Figure("Retinue", floor * ratio, 300, ratio, ratio - 0.1, ratio + 0.1),
        Figure("lesson", floor * 28, 9_000, 28, 27, 29),
    )
    return Row(operation, database, edges, figures, goal, stated=stated)


THROUGHPUT = Row(
    "16 connections",
    "postgresql",
    100_000,
    (Figure("floor", 9_000, 8_000), Figure("Retinue", 6_300, 6_000, 0.7), Figure("lesson", 90, 80, 0.01)),
    0.66,
    throughput=True,
)
STORAGE = Row("storage", "postgresql", 100_000, (), stated=(Stated("bytes per edge", 1.25, 1.2), Stated("bytes", 150)))


# --- Numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("microseconds", "words"),
    [
        (4.4, "4.40 µs"),
        (67, "67.0 µs"),
        (999.7, "1,000 µs"),
        (1_234, "1.23 ms"),
        (31_400, "31.4 ms"),
        (2.07e6, "2.07 s"),
    ],
)
def test_a_time_has_a_fitting_unit_and_three_figures(microseconds: float, words: str) -> None:
    assert amounts.duration(microseconds) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0, "0"), (0.0123, "0.0123"), (1.234, "1.23"), (99.96, "100"), (14_900, "14,900")]
)
def test_a_number_has_three_figures(value: float, words: str) -> None:
    assert amounts.three_figures(value) == words


def test_a_figure_is_written_with_the_unit_of_its_row() -> None:
    in_bytes = Row("storage", "sqlite", 1, (), unit="bytes")

    assert amounts.amount(1_500, row()) == "1.50 ms"
    assert amounts.amount(1_500, THROUGHPUT) == "1,500/s"
    assert amounts.amount(136, in_bytes) == "136 bytes"


def test_sizes_are_written_as_people_say_them() -> None:
    assert [amounts.edges(number) for number in (100_000, 2_000_000, 1_768_135, 2_500_000)] == [
        "100,000 edges",
        "2 million edges",
        "1,768,135 edges",
        "2.5 million edges",
    ]


# --- Rows and runs --------------------------------------------------------------------------------


def test_a_time_may_not_pass_its_goal_and_a_throughput_has_to_reach_it() -> None:
    goals = [row(ratio=ratio).ratio_goal for ratio in (1.4, 1.5, 1.6)]
    assert [goal and goal.reached for goal in goals] == [True, True, False]
    assert row(goal=None).ratio_goal is None
    goal = THROUGHPUT.ratio_goal
    assert goal
    assert (goal.goal, goal.at_least, goal.reached) == (0.66, True, True)


def test_a_peer_is_a_multiple_of_retinue_also_where_more_is_better() -> None:
    assert row().over_retinue("lesson") == pytest.approx(20)
    assert THROUGHPUT.over_retinue("lesson") == pytest.approx(70)
    assert row().over_retinue("somebody else") is None
    assert peers([row(), THROUGHPUT]) == ["lesson"]


def test_a_run_is_saved_and_loaded_as_it_was(tmp_path: Path) -> None:
    run = run_here([row(), THROUGHPUT, STORAGE], {"postgresql": "17.2"})

    save(run, tmp_path / "run.json")

    assert load([tmp_path / "run.json"]) == run
    assert set(run.machine) == {"measured on", "processor", "memory", "system"}
    assert {"Python", "SQLite", "SQLAlchemy"} <= set(run.versions)
    assert run.versions["postgresql"] == "17.2"
    assert json.loads((tmp_path / "run.json").read_text())["rows"][0]["operation"] == "is_following"


def test_a_later_run_replaces_the_same_rows_and_adds_the_others(tmp_path: Path) -> None:
    save(Run((row(ratio=1.9), row("unfollow")), {"memory": "1 GiB"}, {"Python": "3.11"}), tmp_path / "1.json")
    save(Run((row(ratio=1.2), row(edges=5)), {"memory": "2 GiB"}, {"SQLite": "3.40"}), tmp_path / "2.json")

    run = load([tmp_path / "1.json", tmp_path / "2.json"])

    assert run.rows == (row(ratio=1.2), row("unfollow"), row(edges=5))
    assert run.machine == {"memory": "2 GiB"}
    assert run.versions == {"Python": "3.11", "SQLite": "3.40"}


# --- How it grows ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("power", "words"),
    [(-0.5, "falls"), (0, "flat"), (0.07, "logarithmic"), (0.5, "square root"), (1, "linear"), (2, "above linear")],
)
def test_growth_is_put_into_words(power: float, words: str) -> None:
    curve = Curve("x", "Retinue", tuple((size, 5.0 * size**power) for size in (10**5, 2 * 10**6, 2 * 10**7)))

    assert curve.power == pytest.approx(power)
    assert curve.words == words


def test_a_real_logarithm_is_called_one() -> None:
    points = ((100_000, 11.51), (2_000_000, 14.51), (20_000_000, 16.81))

    assert Curve("x", "Retinue", points).words == "logarithmic"


def test_only_what_was_timed_at_two_sizes_has_a_curve() -> None:
    found = curves([row(), row(edges=2_000_000, floor=110), row("unfollow"), THROUGHPUT, STORAGE])

    assert [(curve.operation, curve.competitor) for curve in found] == [
        ("is_following", "floor"),
        ("is_following", "Retinue"),
        ("is_following", "lesson"),
    ]
    assert found[0].points == ((100_000, 100.0), (2_000_000, 110.0))


# --- The table and the page -----------------------------------------------------------------------


def cells(line: str) -> list[str]:
    return re.findall(r"\S+(?: \S+)*", line)


def test_the_table_for_the_terminal_has_its_columns_one_below_the_other() -> None:
    text = report.text([row(), row("relationships", ratio=12.5)])

    title, _, heads, more_heads, first, second = text.splitlines()
    assert title == "PostgreSQL, 100,000 edges (peers: how many times as long as Retinue)"
    assert cells(heads) == ["operation", "floor", "Retinue", "ratio", "goal", "reached", "lesson"]
    assert cells(first) == ["is_following", "100 µs", "140 µs", "1.40 (1.30 to 1.50)", "≤ 1.5", "yes", "20"]
    assert cells(second)[3:] == ["12 (12 to 13)", "≤ 1.5", "no", "2.24"]
    assert len({len(line) for line in (heads, first, second)}) == 1
    assert len(more_heads) == first.index(")") + 1


def test_loads_have_a_table_with_a_line_for_each_competitor_and_what_is_stated_follows() -> None:
    _, loads, goals, stated = report.text([THROUGHPUT, STORAGE]).split("\n\n")

    assert [cells(line) for line in loads.splitlines()[2:]] == [
        ["16 connections", "floor", "9,000/s", "-", "-", "-"],
        ["16 connections", "Retinue", "6,300/s", "0.70", "≥ 0.66", "yes"],
        ["16 connections", "lesson", "90.0/s", "0.01", "-", "-"],
    ]
    assert cells(goals.splitlines()[2]) == ["storage", "bytes per edge", "1.25", "≤ 1.2", "no"]
    assert cells(stated.splitlines()[2]) == ["storage", "bytes", "150"]


def test_a_row_is_printed_as_it_is_found() -> None:
    lines = report.in_words(row(stated=(Stated("ahead by", 7.5, 8, at_least=True), Stated("x", 3)))).splitlines()

    assert [cells(line) for line in lines] == [
        ["is_following, PostgreSQL (goal 1.5)"],
        ["floor", "100 µs", "p99", "200 µs", "-"],
        ["Retinue", "140 µs", "p99", "300 µs", "1.40 (1.30 to 1.50)"],
        ["lesson", "2.80 ms", "p99", "9.00 ms", "28 (27 to 29)"],
        ["ahead by: 7.50", "≥ 8 no"],
        ["x: 3.00"],
    ]


def test_the_command_prints_the_tables_of_saved_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    save(Run((row(),), {}, {}), tmp_path / "run.json")
    monkeypatch.setattr("sys.argv", ["report", str(tmp_path / "run.json")])

    report.main()

    assert capsys.readouterr().out.startswith("PostgreSQL, 100,000 edges")
