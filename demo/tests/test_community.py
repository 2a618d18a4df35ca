"""The community that the demo invents, and how it comes into the database."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import func, select

from demo.tests.conftest import UNTIL, file_url, running
from retinue import Graph
from retinue_demo import seed as seeding
from retinue_demo.community import AGE, invent_follows, invent_kept_away, invent_members, invent_posts, invent_requests
from retinue_demo.models import POST_MOST, Follow, Post, User, db
from retinue_demo.people import USERNAME
from retinue_demo.portraits import portrait, sky
from retinue_demo.posts import tidy
from retinue_demo.sayings import CIRCLES as SAYINGS
from retinue_demo.sayings import saying
from retinue_demo.seed import seed
from retinue_demo.vocabulary import CIRCLES


def test_the_same_number_gives_the_same_community() -> None:
    """Whoever starts the demo meets the same people, who follow each other since the same times."""
    members = invent_members(400, UNTIL)

    assert invent_members(400, UNTIL) == members
    assert list(invent_follows(members, UNTIL)) == list(invent_follows(members, UNTIL))
    assert list(invent_follows(members, UNTIL, 900)) == list(invent_follows(members, UNTIL, 900))
    assert invent_posts(members, [7] * 400, UNTIL) == invent_posts(members, [7] * 400, UNTIL)
    assert members[0].username == "milan_mori"


@pytest.mark.parametrize("number", [2, 3, 17, 400, 1000])
def test_every_follow_could_have_happened(number: int) -> None:
    """Nobody follows themselves or anybody twice, nor before both were there, nor in the future."""
    members = invent_members(number, UNTIL)
    follows = list(invent_follows(members, UNTIL))

    assert len({member.username for member in members}) == len(members) == number
    assert all(USERNAME.fullmatch(member.username) for member in members)
    assert all(UNTIL - AGE <= member.joined_at < UNTIL for member in members)
    assert follows
    assert len({(follower, followed) for follower, followed, _ in follows}) == len(follows)
    for follower, followed, since in follows:
        assert follower != followed
        assert max(members[follower].joined_at, members[followed].joined_at) <= since <= UNTIL


@pytest.mark.parametrize(
    ("people", "follows"), [(2, 0), (2, 1), (20, 190), (60, 5), (60, 200), (60, 1770), (400, 20_000), (3_000, 9_000)]
)
def test_as_many_follows_as_were_asked_for(people: int, follows: int) -> None:
    """Exactly, few or many; and each could have happened."""
    members = invent_members(people, UNTIL)

    made = list(invent_follows(members, UNTIL, follows))

    assert len({(follower, followed) for follower, followed, _ in made}) == len(made) == follows
    for follower, followed, since in made:
        assert follower != followed
        assert max(members[follower].joined_at, members[followed].joined_at) <= since <= UNTIL


def test_names_for_more_people_than_there_are_names() -> None:
    """Everybody's username is their own, and so is nearly everybody's name."""
    members = invent_members(25_000, UNTIL)

    assert len({member.username for member in members}) == 25_000
    assert len({member.name for member in members}) == 25_000
    assert all(USERNAME.fullmatch(member.username) for member in members)
    assert max(len(member.name) for member in members) <= 64


def test_the_graph_is_like_a_real_one() -> None:
    """A few have very many followers, many follow back, and people of one circle keep together."""
    members = invent_members(400, UNTIL)
    edges = {(follower, followed) for follower, followed, _ in invent_follows(members, UNTIL)}
    followers = Counter(followed for _, followed in edges)
    most = sorted((followers[place] for place in range(400)), reverse=True)
    same_circle = sum(members[a].circle == members[b].circle for a, b in edges) / len(edges)
    sizes = Counter(member.circle for member in members)

    assert sum(most[:40]) > 0.35 * len(edges)
    assert most[0] > 10 * most[200] > 0
    assert sum((b, a) in edges for a, b in edges) > 0.3 * len(edges)
    assert same_circle > 2 * sum((size / 400) ** 2 for size in sizes.values())


def test_whom_people_keep_away() -> None:
    """Some of the first block strangers and mute those whom they know: nobody themselves, nor before both were there."""
    members = invent_members(400, UNTIL)
    follows = list(invent_follows(members, UNTIL))
    met = {(who, whom) for who, whom, _ in (*follows, *invent_requests(members, follows, UNTIL))}

    kept_away = invent_kept_away(members, met, UNTIL)

    assert {one.blocked for one in kept_away} == {True, False}
    assert len({(one.who, one.whom) for one in kept_away}) == len(kept_away)
    for one in kept_away:
        assert one.who != one.whom
        assert max(members[one.who].joined_at, members[one.whom].joined_at) <= one.at <= UNTIL
        assert one.blocked is not bool({(one.who, one.whom), (one.whom, one.who)} & met)


def test_what_people_write() -> None:
    """Some thousand posts, each as somebody could have written it, when they were there, and none twice."""
    members = invent_members(400, UNTIL)
    followers = Counter(followed for _, followed, _ in invent_follows(members, UNTIL))

    posts = invent_posts(members, [followers[place] for place in range(400)], UNTIL)

    assert 3_000 < len(posts) < 6_000
    assert all(members[author].joined_at <= at <= UNTIL for author, _, at in posts)
    assert all(text == tidy(text) and len(text) <= POST_MOST for _, text, _ in posts)
    assert len({(author, text) for author, text, _ in posts}) == len(posts)
    assert all(one[2] <= other[2] for one, other in pairwise(posts))
    by_author = Counter(author for author, _, _ in posts)
    assert sum(number for _, number in by_author.most_common(40)) > 0.25 * len(posts)
    assert len(by_author) > 300
    # There is something to read today, and it is not all from one moment.
    today = [at for _, _, at in posts if at > UNTIL - timedelta(days=1)]
    assert len({at.hour for at in today}) > 8


def test_the_story_is_the_same_whenever_it_is_told() -> None:
    """Another end moves its times, and changes nothing else."""
    earlier, later = (
        [(author, text) for author, text, _ in sorted(invent_posts(invent_members(60, until), [3] * 60, until))]
        for until in (UNTIL, UNTIL + timedelta(hours=7, minutes=3))
    )

    assert earlier == later


def test_every_circle_has_something_to_say() -> None:
    """No sentence is left with a choice in it that was not made."""
    chance = random.Random(1)

    assert SAYINGS.keys() == CIRCLES.keys()
    for circle in CIRCLES:
        said = [saying(circle, chance) for _ in range(500)]
        assert not any(sign in text for text in said for sign in "{}|")
        assert len(set(said)) > 250


T = TypeVar("T")


def test_long_work_is_watched(tmp_path: Path) -> None:
    """Each part says how much it has to do, and that is what it does; the database has what was asked for."""
    parts: list[tuple[str, int, int]] = []

    def watch(what: str, rows: Iterable[T], length: int, /) -> Iterator[T]:
        number = 0
        for row in rows:
            number += 1
            yield row
        parts.append((what, length, number))

    with running(file_url(tmp_path / "demo.sqlite3")) as site, site.app.app_context():
        found = seed(db.session.session_factory, 60, until=UNTIL, follows=700, watch=watch)

        with db.session.session_factory() as session:
            assert session.scalar(select(func.count()).select_from(Follow)) == found.follows == 700
            assert session.scalar(select(func.count()).select_from(Post)) == found.posts > 0
    assert {"Follows", "Posts", "History", "Who follows whom"} <= {what for what, _, _ in parts}
    assert all(length == number for _, length, number in parts)


def test_a_database_is_filled_once(tmp_path: Path) -> None:
    """The second start finds the people of the first, whatever number it asks for."""
    with running(file_url(tmp_path / "demo.sqlite3")) as site, site.app.app_context():
        first = seed(db.session.session_factory, 30, until=UNTIL)
        second = seed(db.session.session_factory, 50, until=UNTIL)

        assert (first.people, first.made) == (30, True)
        assert (second.people, second.follows, second.made) == (30, 0, False)
        with db.session.session_factory() as session:
            users = session.scalars(select(User)).all()
            counts = Graph(session, User).counts(users)
            rows = Counter(session.scalars(select(Follow.following_id)))
            assert {key: count.followers for key, count in counts.items()} == {user.id: rows[user.id] for user in users}
            assert sum(rows.values()) == first.follows


def test_two_starts_at_once_make_one_community(tmp_path: Path) -> None:
    """Two processes that find the same empty database do not stumble over each other."""
    with running(file_url(tmp_path / "demo.sqlite3")) as site, site.app.app_context():
        factory, start, found = db.session.session_factory, threading.Barrier(3), []

        def run() -> None:
            start.wait()
            with site.app.app_context():
                found.append(seed(factory, 40, until=UNTIL))

        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(one.made for one in found) == [False, False, True]
        assert {one.people for one in found} == {40}


def test_a_start_that_is_stopped_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a community is never there: what was begun is undone, and the next start begins anew."""

    def stop(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    with running(file_url(tmp_path / "demo.sqlite3")) as site, site.app.app_context():
        with monkeypatch.context() as patched:
            patched.setattr(seeding, "_notifications", stop)
            with pytest.raises(KeyboardInterrupt):
                seed(db.session.session_factory, 20, until=UNTIL)

        with db.session.session_factory() as session:
            assert session.scalar(select(func.count()).select_from(User)) == 0
        assert seed(db.session.session_factory, 20, until=UNTIL).made


def test_a_picture_belongs_to_a_name() -> None:
    """The same name always has the same face and sky, other names mostly others; both are plain SVG."""
    names = [member.username for member in invent_members(200, UNTIL)]

    assert portrait("ada") == portrait("ada")
    assert len({portrait(name) for name in names}) > 190
    for picture in (portrait("ada"), sky("ada")):
        assert picture.startswith("<svg ")
        assert "style=" not in picture
        assert len(picture) < 3_000
