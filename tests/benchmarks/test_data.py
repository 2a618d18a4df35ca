"""The graphs that the benchmark runs on."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.data import Data, generate, main, read
from benchmarks.properties import reciprocity


def edges_of(data: Data) -> list[tuple[int, int]]:
    return list(zip(data.followers.tolist(), data.followed.tolist(), strict=True))


@pytest.mark.parametrize("edges", [100, 101, 350, 5_000, 60_000])
def test_a_made_graph_has_just_so_many_edges_of_the_promised_kind(edges: int) -> None:
    data = generate(edges)

    made = edges_of(data)
    assert len(made) == len(set(made)) == len(data.times) == edges
    assert all(1 <= follower <= data.users and 1 <= followed <= data.users for follower, followed in made)
    assert [edge for edge in made if edge[0] == edge[1]] == []
    assert all(earlier < later for earlier, later in pairwise(data.times.tolist()))
    fans = sum(followed == data.celebrity for _, followed in made)
    assert fans == max(np.bincount(data.followed)) == data.users * 93 // 100


def test_the_same_seed_makes_the_same_graph_and_another_seed_another() -> None:
    one, again, other = generate(5_000, 3), generate(5_000, 3), generate(5_000, 4)

    assert edges_of(one) == edges_of(again)
    assert one.times.tolist() == again.times.tolist()
    assert one.celebrity == again.celebrity
    assert set(edges_of(one)) != set(edges_of(other))


def test_the_order_of_edges_says_nothing_about_who_they_are_between() -> None:
    data = generate(20_000)

    first, last = data.followers[:10_000], data.followers[10_000:]

    assert abs(first.mean() - last.mean()) < data.users / 50


def test_it_has_the_readers_that_timelines_are_measured_for_and_the_shape_of_a_real_one() -> None:
    data = generate(100_000)

    following = np.bincount(data.followers)
    assert sum(450 <= many <= 551 for many in following.tolist()) >= 5
    assert 5_000 <= max(following) <= 5_001
    assert 0.4 < reciprocity(data.followers, data.followed, data.users + 1) < 0.55


def test_fewer_edges_than_it_can_make_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 100 edges are made, not 99"):
        generate(99)


@pytest.mark.parametrize("header", ["", "follower,followed,seconds\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_read_in_the_order_of_its_times(tmp_path: Path, header: str, packed: bool) -> None:
    text = header + "70,50,300\n50,70,100\n50,50,90\n90,70,100\n50,70,200\n"
    path = tmp_path / ("graph.csv.gz" if packed else "graph.csv")
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())

    data = read(path)

    # 70, 50, 90 are 1, 2, 3; 50 does not follow 50; the second 50 -> 70 came too late.
    assert edges_of(data) == [(2, 1), (3, 1), (1, 2)]
    assert data.times.tolist() == [100_000_000, 100_000_001, 300_000_000]
    assert (data.name, data.users, data.celebrity) == (path.name, 3, 1)


def test_a_file_without_times_is_read_in_an_order_that_is_always_the_same(tmp_path: Path) -> None:
    path = tmp_path / "graph.csv"
    path.write_text("".join(f"{follower},{followed}\n" for follower in range(10) for followed in range(10)))

    one, again = read(path), read(path)

    assert one.followers.tolist() == again.followers.tolist()
    assert one.followers.tolist() != sorted(one.followers.tolist())
    assert one.users == 10
    assert len(set(edges_of(one))) == 90


def test_the_command_prints_a_made_graph_beside_one_from_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "real.csv"
    path.write_text("1,2\n2,1\n1,3\n3,2\n")
    monkeypatch.setattr("sys.argv", ["data", "1000", "--graph", str(path)])

    main()

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["made,", "1,000", "edges", "real.csv"]
    assert lines[1].split() == ["users", "96", "3"]
    assert next(line.split()[-1] for line in lines if line.startswith("reciprocity ")) == "0.50"
