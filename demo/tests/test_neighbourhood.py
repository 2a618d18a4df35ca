"""The picture of who is around somebody: what is in it, for whom, and where everybody stands."""

from __future__ import annotations

import random
import re
from html import unescape
from itertools import combinations

import pytest
from sqlalchemy import select

from demo.tests.conftest import Answer, Site
from demo.tests.writing import KINDS, viewer_of_kind
from retinue.testing import count_statements
from retinue_demo.layout import APART_X, APART_Y, SIDE, places
from retinue_demo.models import Follow, User
from retinue_demo.neighbourhood import AROUND


def shown(page: Answer) -> list[str]:
    """Return the usernames of those in the picture, the one in the middle first."""
    return re.findall(r'<a class="node" href="/@([^"]*)"', page.text)


def told(page: Answer) -> dict[str, set[str]]:
    """Return whom each person follows, by name, as the page has it in words."""
    rows = re.findall(
        r'<li><a class="retinue-name" href="[^"]*" dir="auto">([^<]*)</a> follows ([^<]*)\.</li>', page.text
    )
    return {unescape(name): set(re.split(r", | and ", unescape(whom))) for name, whom in rows}


def open_everybody(site: Site) -> None:
    """Let everybody see everything."""
    for name in site.people:
        site.set(name, locked=False, active=True, hide_followers=False, hide_following=False)


def test_who_is_in_the_picture(site: Site, famous: str) -> None:
    """The one in the middle, and those first who follow each other; everybody by name, and with a link."""
    open_everybody(site)
    other = site.people[30]

    page = site.visitor_as(other).get(f"/@{famous}/neighbourhood")

    middle, *around = shown(page)
    mutual = set(site.names("mutuals", famous))
    assert middle == famous
    assert len(around) == len(set(around)) == AROUND
    assert mutual <= set(around) or set(around) <= mutual
    for name in around:
        assert f'href="/@{name}" aria-label="{site.user(name).name}"' in unescape(page.text)


def test_the_words_say_what_the_picture_draws(site: Site, famous: str) -> None:
    """Who follows whom, exactly as the database has it, and as many lines as pairs."""
    open_everybody(site)

    page = site.visitor().get(f"/@{famous}/neighbourhood")

    people = shown(page)
    with site.session() as session:
        found = session.execute(select(User.id, User.name).where(User.username.in_(people)))
        names = {row.id: row.name for row in found}
        rows = session.execute(select(Follow.follower_id, Follow.following_id))
        edges = [(names[a], names[b]) for a, b in rows if a in names and b in names]
    assert {(name, whom) for name, all_of_them in told(page).items() for whom in all_of_them} == set(edges)
    mutual = {frozenset(edge) for edge in edges if edge[::-1] in set(edges)}
    assert page.text.count('class="mutual') == len(mutual)
    assert page.text.count('class="single-way') == len(edges) - 2 * len(mutual)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", ["open", "locked", "hidden", "half hidden", "away"])
def test_who_sees_it(site: Site, famous: str, kind: str, state: str) -> None:
    """Who may see one of the two lists; it is a 404 for the others."""
    open_everybody(site)
    viewer = viewer_of_kind(site, kind, famous)
    site.set(
        famous,
        locked=state == "locked",
        hide_followers=state == "hidden",
        hide_following=state in {"hidden", "half hidden"},
        active=state != "away",
    )
    sees = {
        "open": {"nobody", "stranger", "follower", "asks", "author"},
        "locked": {"follower", "author"},
        "hidden": {"author"},
        "half hidden": {"nobody", "stranger", "follower", "asks", "author"},
        "away": {"author"},
    }[state]

    page = viewer.get(f"/@{famous}/neighbourhood")

    assert page.status == (200 if kind in sees else 404)
    assert bool(shown(page)) is (kind in sees)
    if state == "half hidden" and kind == "stranger":
        assert set(shown(page)[1:]) <= set(site.names("followers", famous))


def test_whom_one_may_not_see_is_not_in_it(site: Site, famous: str) -> None:
    """Who blocks the viewer, whom the viewer blocks, and who takes a break."""
    open_everybody(site)
    viewer = site.people[30]
    blocks, blocked, away = [name for name in site.names("mutuals", famous) if name != viewer][:3]
    visitor = site.visitor_as(viewer)
    before = shown(visitor.get(f"/@{famous}/neighbourhood"))
    assert {blocks, blocked, away} <= set(before)
    site.do("block", blocks, viewer)
    site.do("block", viewer, blocked)
    site.set(away, active=False)

    page = visitor.get(f"/@{famous}/neighbourhood")

    assert {blocks, blocked, away}.isdisjoint(shown(page))
    assert not any(site.user(name).name in unescape(page.text) for name in (blocks, blocked, away))


def test_who_follows_whom_is_told_only_if_a_list_of_the_two_says_so(site: Site, famous: str) -> None:
    """Between two who both keep to themselves there is no line but for those who may see their lists."""
    open_everybody(site)
    viewer = site.people[30]
    one, other = [name for name in site.names("mutuals", famous) if name != viewer][:2]
    for name in (one, other):
        site.do("unfollow", viewer, name)
    site.do("follow", one, other)
    names = site.user(one).name, site.user(other).name

    def tells(username: str) -> bool:
        return names[1] in told(site.visitor_as(username).get(f"/@{famous}/neighbourhood")).get(names[0], set())

    assert tells(viewer)
    site.set(one, hide_following=True)
    assert tells(viewer)
    site.set(other, hide_followers=True)
    assert not tells(viewer)
    assert tells(one)
    assert tells(other)
    site.set(other, hide_followers=False, locked=True)
    assert not tells(viewer)
    site.set(other, locked=False)
    site.do("follow", viewer, other)
    site.set(other, locked=True)
    assert tells(viewer)


def test_names_are_text_in_the_picture(site: Site, famous: str) -> None:
    """A name is no markup, neither in the picture nor in words; and one without letters is a name."""
    open_everybody(site)
    evil = "<script>alert(1)</script>' onload='x"
    first, second = site.names("mutuals", famous)[:2]
    site.set(first, name=evil)
    site.set(second, name=" ")

    page = site.visitor_as(famous).get(f"/@{famous}/neighbourhood")

    assert page.status == 200
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text
    assert second in shown(page)


def test_somebody_alone(site: Site, famous: str) -> None:
    """Who follows nobody and is followed by nobody has a page that says so."""
    with site.session() as session:
        session.connection().exec_driver_sql("DELETE FROM follows")
        session.commit()

    page = site.visitor_as(famous).get(f"/@{famous}/neighbourhood")

    assert page.status == 200
    assert "There’s nobody in your network yet." in page.text


def test_a_picture_costs_thirteen_statements_at_most(site: Site, famous: str) -> None:
    """For whoever looks at whomever."""
    for viewer in (site.visitor(), site.visitor_as(famous), site.visitor_as(site.people[20])):
        for username in site.people[:8]:
            with count_statements(site.engine) as executed:
                viewer.get(f"/@{username}/neighbourhood")
            assert 4 <= len(executed) <= 13


@pytest.mark.parametrize("number", [1, 2, 3, 10, 25])
@pytest.mark.parametrize("density", [0, 0.1, 0.5, 1])
def test_nobody_stands_on_another(number: int, density: float) -> None:
    """All are in the picture, apart from each other, and in the same places each time."""
    chance = random.Random(f"{number} {density}")
    ties = [pair for pair in combinations(range(number), 2) if chance.random() < density]

    at = places(number, ties)

    assert at == places(number, ties)
    assert at[0] == complex(SIDE / 2, SIDE / 2)
    assert all(0 < point.real < SIDE and 0 < point.imag < SIDE for point in at)
    for one, other in combinations(at, 2):
        way = one - other
        # Half a portrait is the least; the most of them have all the room there is.
        assert abs(way.real) > 0.8 * APART_X or abs(way.imag) > 0.8 * APART_Y


def test_who_belongs_together_stands_together() -> None:
    """Two circles of people who follow each other are two heaps in the picture."""
    circles = range(1, 9), range(9, 17)
    ties = [pair for circle in circles for pair in combinations(circle, 2)]

    at = places(17, ties)

    def mean(pairs: list[tuple[int, int]]) -> float:
        return sum(abs(at[one] - at[other]) for one, other in pairs) / len(pairs)

    across = [(one, other) for one in circles[0] for other in circles[1]]
    assert mean(ties) < 0.75 * mean(across)
