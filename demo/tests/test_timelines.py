"""Posts in the order of time: pages that hold still, who is on them, and what they cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from demo.tests.conftest import Site, Visitor
from demo.tests.writing import numbers, post_of
from retinue.testing import count_statements

NOW = datetime.now(UTC)


def write_many(site: Site, authors: list[str], number: int = 34) -> list[int]:
    """Write posts, three of them at the same time each; return their numbers, newest first."""
    for author in authors:
        site.set(author, locked=False, active=True)
    written = [
        (NOW - timedelta(minutes=place // 3), post_of(site, authors[place % len(authors)], f"Number {place}", at))
        for place in range(number)
        for at in [NOW - timedelta(minutes=place // 3)]
    ]
    return [post for _, post in sorted(written, reverse=True)]


def walk(visitor: Visitor, path: str, rel: str, most: int) -> tuple[list[int], str]:
    """Follow the links *rel* from page to page; return the posts met, in the order of the walk, and the last page."""
    met: list[int] = []
    for _ in range(most):
        page = visitor.get(path)
        assert page.status == 200
        met += numbers(page) if rel == "next" else reversed(numbers(page))
        following = page.link(rel)
        if following is None:
            break
        path = following
    return met, path


@pytest.mark.parametrize("page", ["/", "/public", "/@{0}/posts"])
def test_every_post_is_met_once_there_and_back(site: Site, famous: str, page: str) -> None:
    """Forward to the end, with new posts coming in, and back again to the first: none twice, none left out."""
    authors = [famous] if page.startswith("/@") else [famous, *site.people[1:4]]
    expected = write_many(site, authors)
    visitor = site.visitor_as(famous)
    for author in authors[1:]:
        site.do("follow", famous, author)
    start = f"{page.format(famous)}?limit=5"

    first = visitor.get(start)
    late = post_of(site, authors[-1], "Late", NOW + timedelta(seconds=1))
    assert first.link("next")
    rest, last = walk(visitor, str(first.link("next")), "next", 200)

    met = numbers(first) + rest
    assert met[: len(expected)] == expected
    assert len(met) == len(set(met))
    assert late not in met
    back, _ = walk(visitor, last, "prev", 200)
    assert back == [*reversed(met), late]


def test_the_first_page_is_of_those_one_follows(site: Site, famous: str) -> None:
    """Whom one mutes is left out there and among everybody's, but not on their own pages; a stranger is not there."""
    followed, stranger = site.people[1], site.people[2]
    for name in (followed, stranger):
        site.set(name, locked=False, active=True)
    site.do("follow", famous, followed)
    site.do("unfollow", famous, stranger)
    post, strange = post_of(site, followed, "followed"), post_of(site, stranger, "strange")
    visitor = site.visitor_as(famous)

    assert post in numbers(visitor.get("/"))
    assert strange not in numbers(visitor.get("/"))
    assert {post, strange} <= set(numbers(visitor.get("/public")))
    assert {post, strange} <= set(numbers(site.visitor().get("/public")))

    site.do("mute", famous, followed)
    assert post not in numbers(visitor.get("/"))
    assert post not in numbers(visitor.get("/public"))
    assert post in numbers(visitor.get(f"/@{followed}"))
    site.do("unmute", famous, followed)
    assert post in numbers(visitor.get("/public"))


def test_a_newcomer_reads_how_to_begin(site: Site, famous: str) -> None:
    """Who follows nobody and wrote nothing is led to people, not left before a blank page."""
    with site.session() as session:
        me = site.user(famous).id
        session.connection().exec_driver_sql(f"DELETE FROM follows WHERE follower_id = {me}")
        session.connection().exec_driver_sql(f"DELETE FROM posts WHERE author_id = {me}")
        session.commit()

    page = site.visitor_as(famous).get("/")

    assert numbers(page) == []
    assert "The people you follow haven’t posted anything yet." in page.text
    assert "/public" in page.links
    assert 'name="body"' in page.text


@pytest.mark.parametrize("page", ["/public", "/@{0}/posts"])
@pytest.mark.parametrize(
    "place",
    ["", "x", "1", "1-", "-1-1", "1-1-1", "9" * 18 + "-1", "1-" + "9" * 11, "\N{FULLWIDTH DIGIT ONE}-1", "1 -1"],
)
def test_a_place_that_is_none(town: Site, famous: str, page: str, place: str) -> None:
    """A link that somebody has bent is a page that says so, also for who comes the other way."""
    visitor = town.visitor()
    for way in ("before", "after"):
        answer = visitor.get(f"{page.format(famous)}?{way}={place}")
        assert answer.status == 400
        assert "isn’t a place among posts" in answer.text


@pytest.mark.parametrize("place", ["0-0", "99999999999999999-9999999999", "1-1"])
def test_a_place_where_nothing_is(town: Site, place: str) -> None:
    """Before all time or after it: a page, empty or the first."""
    for way in ("before", "after"):
        assert town.visitor().get(f"/public?{way}={place}&q=x&unknown=1").status == 200


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=x", "cursor="])
def test_a_first_page_that_is_none(town: Site, famous: str, query: str) -> None:
    """The same for the first page, whose places are signed."""
    assert town.visitor_as(famous).get(f"/?{query}").status == 400


def test_a_place_in_the_timeline_of_another(town: Site, famous: str) -> None:
    """A link into somebody's first page leads nobody else anywhere."""
    link = town.visitor_as(famous).get("/?limit=1").link("next")

    assert link
    assert town.visitor_as(famous).get(link).status == 200
    assert town.visitor_as(town.people[1]).get(link).status == 400


@pytest.mark.parametrize(
    ("page", "number"), [("/?limit={1}", 10), ("/public?limit={1}", 3), ("/@{0}/posts?limit={1}", 6), ("/@{0}", 8)]
)
def test_what_a_page_of_posts_costs(site: Site, famous: str, page: str, number: int) -> None:
    """One post or a hundred, the first page or a deep one: the same few statements."""
    other = site.people[1]
    write_many(site, [other])
    site.set(other, hide_followers=False)
    site.do("follow", famous, other)
    visitor = site.visitor_as(famous)
    counted = set()

    for limit in (1, 7, 100):
        path: str | None = page.format(other, limit)
        for _ in range(3):
            if path:
                with count_statements(site.engine) as executed:
                    path = visitor.get(path).link("next")
                counted.add(len(executed))

    assert counted == {number}
