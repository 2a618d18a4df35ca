"""The demo's lists searched, sorted and filtered, and its chart of one's own followers."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from sqlalchemy import select

from demo.tests.conftest import Site
from demo.tests.test_pages import walk
from retinue import Only, Sort
from retinue_demo.growth import BOTTOM, LINES, TOP_EDGE, chart_of
from retinue_demo.models import User


def names_of(site: Site, usernames: list[str]) -> list[str]:
    """Return the names of those users, in that order."""
    with site.session() as session:
        names = {user.username: user.name for user in session.scalars(select(User))}
    return [names[username] for username in usernames]


@pytest.mark.parametrize("kind", ["followers", "following"])
def test_a_list_is_searched_sorted_and_filtered_by_its_form(site: Site, famous: str, kind: str) -> None:
    """Every page link keeps what the form says, both ways; the form shows it."""
    visitor = site.visitor_as(famous)
    with site.session() as session:
        user = session.scalars(select(User).where(User.username == famous)).one()
        read = getattr(user.graph, kind)
        by_name = [p.user.username for p in read(user, viewer=user, sort=Sort.NAME, limit=100)]
        letter = names_of(site, by_name)[len(by_name) // 2][0]
        searched = [p.user.username for p in read(user, viewer=user, sort=Sort.NAME, search=letter, limit=100)]
        mutual = [p.user.username for p in read(user, viewer=user, only=Only.MUTUAL, limit=100)]
        lonely = [
            p.user.username for p in read(user, viewer=user, sort=Sort.OLDEST, only=Only.NOT_FOLLOWED_BACK, limit=100)
        ]
    assert names_of(site, by_name) == sorted(names_of(site, by_name), key=str.lower)
    assert len(by_name) > len(searched) > 0

    for query, expected in {
        "sort=name": by_name,
        f"sort=name&q={letter.lower()}": searched,
        "show=mutual": mutual,
        "show=not_followed_back&sort=oldest": lonely,
    }.items():
        onward = list(walk(visitor, f"/@{famous}/{kind}?limit=3&{query}", "next"))
        assert [row for page in onward for row in page.rows] == expected
        backward = list(walk(visitor, onward[-1].link("prev"), "prev"))
        assert [row for page in reversed(backward) for row in page.rows] == expected[
            : len(expected) - len(onward[-1].rows)
        ]
    page = visitor.get(f"/@{famous}/{kind}?sort=name&q={letter}&show=mutual")
    assert f'value="{letter}"' in page.text
    assert re.findall(r'<option value="([^"]*)" selected', page.text) == ["name", "mutual"]


def test_any_word_of_a_name_finds_somebody_in_every_list(site: Site, famous: str) -> None:
    """The family name, without its accents, in a list as among all people; and a new name at once, in the place of the old."""
    other = next(name for name in site.people if name != famous and not site.is_following(name, famous))
    fan = site.visitor_as(other)
    fan.post(f"/@{famous}/follow")
    fan.post("/settings/profile", name="Mária Ann Őrségi", bio="", circle="")
    visitor = site.visitor_as(famous)

    for search in ("orsegi", "Őrs", "ann o", "maria", other):
        assert visitor.get(f"/@{famous}/followers?q={search}").rows == [other], search
        assert other in visitor.get(f"/people?q={search}").rows
    fan.post("/settings/profile", name="Ben", bio="", circle="")
    assert visitor.get(f"/@{famous}/followers?q=orsegi").rows == []
    assert other in visitor.get(f"/@{famous}/followers?q=ben").rows


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("sort=nonsense", 400), ("show=dormant", 400), ("sort=", 400), ("show=1", 400), ("q=%00", 200),
        ("q=%25", 200), ("q=%27%22%3C", 200), ("q=" + "x" * 5000, 200), ("q=%ED%A0%80", 200), ("sort=name&cursor=x", 400),
    ],
)  # fmt: skip
def test_a_form_that_somebody_wrote_themselves_is_no_error_of_ours(
    site: Site, famous: str, query: str, status: int
) -> None:
    """What no menu offers is refused; whatever is searched for is only text."""
    page = site.visitor_as(famous).get(f"/@{famous}/followers?{query}")

    assert page.status == status
    assert "<</" not in page.text


def test_who_may_not_see_both_lists_may_not_compare_them(site: Site, famous: str) -> None:
    """The filter is private as soon as one of the lists is."""
    site.set(famous, hide_following=True)
    visitor = site.visitor()

    assert visitor.get(f"/@{famous}/followers?q=a").status == 200
    assert visitor.get(f"/@{famous}/followers?show=mutual").status == 404
    assert site.visitor_as(famous).get(f"/@{famous}/followers?show=mutual").status == 200


def test_the_chart_is_ones_own_and_says_in_words_what_it_draws(site: Site, famous: str) -> None:
    """A picture with a text, and the same numbers as a table; another time by a link; nobody else's."""
    assert site.visitor().get("/growth").status == 303
    visitor = site.visitor_as(famous)
    other = next(name for name in site.people if name != famous and not site.is_following(name, famous))
    fan = site.visitor_as(other)
    fan.post(f"/@{famous}/follow")

    page = visitor.get("/growth?days=7")

    assert page.status == 200
    assert re.search(r'role="img" aria-label="From [\d,]+ to [\d,]+ followers? in 7 days"', page.text)
    rows = re.findall(r'<th scope="row">.*?</th><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td>', page.text)
    assert len(rows) == 7
    assert rows[0][:3] == ("1", "0", "+1")
    assert page.rows[:1] == [other]
    # The menu in the bar leads to one's own; the page itself only if it is about oneself.
    assert "/growth" in visitor.get(f"/@{famous}").text.partition("<main")[2]
    assert "/growth" not in fan.get(f"/@{famous}").text.partition("<main")[2]
    for days in ("0", "8", "-7", "x", "999999999999"):
        assert visitor.get(f"/growth?days={days}").status == 400


@pytest.mark.parametrize("totals", [[5], [0, 0, 0], [1, 3, 2], [10, 9, 8, 7], [999_983, 1_000_017, 12], [0, 1]])
def test_the_line_of_the_chart_stays_in_the_picture(totals: list[int]) -> None:
    """Between the lowest and the highest of some round numbers, also where nothing changes."""
    chart = chart_of(totals)
    heights = [float(point.split(",")[1]) for point in chart.line.split()]
    marks = [tick.total for tick in chart.ticks]

    assert len(heights) == len(totals)
    assert all(TOP_EDGE <= height <= BOTTOM for height in heights)
    assert sorted(range(len(totals)), key=lambda n: -heights[n]) == sorted(range(len(totals)), key=lambda n: totals[n])
    assert 2 <= len(marks) <= LINES
    assert marks[0] <= min(totals)
    assert max(totals) <= marks[-1]
    assert len({high - low for low, high in pairwise(marks)}) == 1


def test_a_year_is_told_by_the_days_of_change(site: Site, famous: str) -> None:
    """A table of 365 rows, most of them empty, would be longer than the rest of the page."""
    page = site.visitor_as(famous).get("/growth?days=365")

    rows = re.findall(r'<th scope="row">.*?</th><td>(.*?)</td><td>(.*?)</td>', page.text)
    assert rows
    assert ("0", "0") not in rows
    assert "Days with changes" in page.text
