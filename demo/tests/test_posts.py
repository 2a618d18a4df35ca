"""Posts: who reads them, who writes and deletes them, and what cannot be one."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from demo.tests.conftest import Site
from demo.tests.writing import KINDS, numbers, post_of, viewer_of_kind
from retinue.testing import count_statements
from retinue_demo.models import POST_MOST, Post
from retinue_demo.posts import tidy

SECRET = "For some eyes alone"

#: Who reads the posts of an author who is so.
READERS = {
    "open": {"nobody", "stranger", "follower", "asks", "author"},
    "locked": {"follower", "author"},
    "away": {"author"},
}


def count_posts(site: Site) -> int:
    """Return how many posts there are."""
    with site.session() as session:
        return session.scalars(select(func.count()).select_from(Post)).one()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("state", READERS)
@pytest.mark.parametrize("kind", KINDS)
def test_who_reads_a_post(site: Site, famous: str, kind: str, state: str) -> None:
    """By its own address, on its author's pages, among everybody's and on the first page: the same people."""
    number = post_of(site, famous, SECRET)
    viewer = viewer_of_kind(site, kind, famous)
    site.set(famous, locked=state == "locked", active=state != "away")
    reads = kind in READERS[state]

    answer = viewer.get(f"/posts/{number}")
    assert answer.status == (200 if reads else 404)
    assert (SECRET in answer.text) is reads
    for page in (f"/@{famous}", f"/@{famous}/posts", "/public"):
        assert (SECRET in viewer.get(page).text) is reads, page
    assert (SECRET in viewer.get("/").text) is (reads and kind in {"follower", "author"})


def test_a_post_that_one_may_not_read_is_as_one_that_is_not(site: Site, famous: str) -> None:
    """The two answers differ in nothing."""
    hidden = post_of(site, famous, SECRET)
    gone = post_of(site, famous, "gone")
    site.set(famous, locked=True)
    with site.session() as session:
        session.delete(session.get_one(Post, gone))
        session.commit()
    stranger = viewer_of_kind(site, "stranger", famous)

    answers = [stranger.get(f"/posts/{number}") for number in (hidden, gone, 2**31 - 1)]

    assert [answer.status for answer in answers] == [404, 404, 404]
    assert answers[0].text == answers[1].text.replace(f"/posts/{gone}", f"/posts/{hidden}")


def test_writing_a_post_and_deleting_it(site: Site, famous: str) -> None:
    """It is on the first page at once, at the top, and gone at a press of its button."""
    visitor = site.visitor_as(famous)
    visitor.get("/")
    before = count_posts(site)

    answer = visitor.post("/posts", body="  Two lines,\r\n\r\n\r\n\r\nand https://example.org/  ", next="/")

    assert (answer.status, answer.place) == (303, "/")
    page = visitor.get("/")
    assert "Your post is published." in page.text
    number = numbers(page)[0]
    with site.session() as session:
        assert session.get_one(Post, number).body == "Two lines,\n\nand https://example.org/"
    link = '<a class="retinue-inline" href="https://example.org/" rel="nofollow ugc noopener noreferrer">'
    assert f"Two lines,\n\nand {link}https://example.org/</a></p>" in page.text
    assert f'action="/posts/{number}/delete"' in page.text

    answer = visitor.post(f"/posts/{number}/delete", next="https://example.org/")

    assert (answer.status, answer.place) == (303, "/")
    assert visitor.get(f"/posts/{number}").status == 404
    assert count_posts(site) == before


@pytest.mark.parametrize("body", ["", " \r\n\t", "\u200b\u2060", "\x00\x07", "x" * (POST_MOST + 1), None])
def test_what_is_no_post_comes_back(site: Site, famous: str, body: str | None) -> None:
    """With a reason and what was written, to be mended; nothing is kept."""
    visitor = site.visitor_as(famous)
    visitor.get("/")
    before = site.all_rows()

    answer = visitor.post("/posts", **({} if body is None else {"body": body}))

    assert answer.status == 400
    assert "Your post isn’t published yet" in answer.text
    assert 'role="alert"' in answer.text
    assert "maxlength" not in answer.text.split("</textarea>")[0].rpartition("<textarea")[2]
    if body and len(body) > POST_MOST:
        assert body in answer.text
        assert "That’s 501 characters. A post can have up to 500." in answer.text
    assert site.all_rows() == before


def test_the_longest_post(site: Site, famous: str) -> None:
    """500 characters of any kind, counted after what is dropped around them."""
    visitor = site.visitor_as(famous)
    visitor.get("/")
    body = "\N{GRINNING FACE}" * POST_MOST

    assert visitor.post("/posts", body=f" {body}\r\n").status == 303

    assert body in visitor.get("/").text


HOSTILE = [
    "<script>alert(1)</script>",
    "</textarea><img src=x onerror=alert(1)>",
    "\"' autofocus onfocus=alert(1)",
    "{{ 7 * 7 }}{% include 'x' %}",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("body", HOSTILE)
def test_a_post_is_text_wherever_it_stands(site: Site, famous: str, body: str) -> None:
    """Nothing in it is markup, on any page that shows it, nor in the form that gives it back."""
    number = post_of(site, famous, body)
    visitor = site.visitor_as(famous)
    safe = body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = safe.replace('"', "&#34;").replace("'", "&#39;")

    for page in ("/", "/public", f"/@{famous}", f"/@{famous}/posts", f"/posts/{number}"):
        text = visitor.get(page).text
        assert f">{safe}</p>" in text, page
        assert not any(tag in text for tag in ("<script>", "<img", " onfocus=alert(1)>"))
    back = visitor.post("/posts", body=body + "x" * POST_MOST).text
    assert f"\n{safe}x" in back
    assert not any(tag in back for tag in ("<script>", "<img"))


def test_a_post_of_somebody_on_a_break_says_who_sees_it(site: Site, famous: str) -> None:
    """Nobody does before the break ends, and the message is no other than that."""
    visitor = site.visitor_as(famous)
    visitor.post("/settings", away="on")
    visitor.get("/")

    visitor.post("/posts", body="In peace.")

    page = visitor.get("/")
    assert "Your post is saved. Others will see it once you end your break." in page.text
    assert "Your post is published." not in page.text


def test_nobody_deletes_the_post_of_another(site: Site, famous: str) -> None:
    """Somebody else's, and one that is not there: 404, and nothing is gone; nor without logging in."""
    number = post_of(site, famous, "mine")
    other = site.visitor_as(site.people[1])
    other.get("/")
    before = site.all_rows()

    for path in (f"/posts/{number}/delete", "/posts/2147483647/delete", "/posts/2147483648/delete"):
        assert other.post(path).status == 404
    for number_of_none in ("0", "-1", "x", "9" * 4000, "1.0", "%00"):
        assert other.get(f"/posts/{number_of_none}").status == 404
        assert other.post(f"/posts/{number_of_none}/delete").status == 404
    assert f"/posts/{number}/delete" not in other.get(f"/@{famous}").text
    assert other.get(f"/posts/{number}/delete").status == 405
    stranger = site.visitor()
    stranger.get(f"/posts/{number}")
    assert stranger.post(f"/posts/{number}/delete").status in {303, 400}
    assert stranger.post("/posts", body="x").status in {303, 400}

    assert site.all_rows() == before


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a \t\n\n \n\n\nb", "a\n\nb"),
        ("a\x00\x1b[1mb\x7f\x9f", "a[1mb"),
        ("\n x \n", "x"),
        ("\u200b", ""),
        ("\N{FAMILY}\u200d\N{GIRL}", "\N{FAMILY}\u200d\N{GIRL}"),
    ],
)
def test_what_is_typed_is_tidied(typed: str, kept: str) -> None:
    """Line ends are of one kind, empty lines one at a time, and control characters none."""
    assert tidy(typed) == kept


def test_a_post_goes_with_its_author(site: Site, famous: str) -> None:
    """Who is deleted leaves no posts behind."""
    number = post_of(site, famous, "soon gone")
    with site.session() as session:
        session.delete(session.merge(site.user(famous)))
        session.commit()

    assert site.visitor().get(f"/posts/{number}").status == 404


def test_a_post_costs_four_statements(site: Site, famous: str) -> None:
    """Who looks, the post, those before it, and what one is told."""
    number = post_of(site, famous, "one of many")
    visitor = site.visitor_as(famous)

    with count_statements(site.engine) as executed:
        page = visitor.get(f"/posts/{number}")

    assert len(executed) == 4
    assert len(numbers(page)) == 5
