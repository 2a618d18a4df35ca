"""The community that the demo invents, and how it comes into the database."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from retinue import Graph
from retinue.demo import seed as seeding
from retinue.demo.community import AGE, invent_follows, invent_members
from retinue.demo.models import Follow, User, db
from retinue.demo.people import USERNAME
from retinue.demo.portraits import portrait, sky
from retinue.demo.seed import seed
from tests.flask.conftest import UNTIL, file_url, running


def test_the_same_number_gives_the_same_community() -> None:
    """Whoever starts the demo meets the same people, who follow each other since the same times."""
    members = invent_members(400, UNTIL)

    assert invent_members(400, UNTIL) == members
    assert list(invent_follows(members, UNTIL)) == list(invent_follows(members, UNTIL))
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
