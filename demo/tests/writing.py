"""What the tests of posts and timelines have in common: a post, and how two people stand."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from demo.tests.conftest import Answer, Site, Visitor
from retinue_demo.models import Post

#: How somebody who looks can stand to an author.
KINDS = ("nobody", "stranger", "follower", "asks", "blocked", "blocks", "author")


def post_of(site: Site, username: str, body: str, at: datetime | None = None) -> int:
    """Write a post as if its author had; return its number."""
    author = site.user(username).id
    with site.session() as session:
        post = Post(author_id=author, body=body, created_at=at or datetime.now(UTC))
        session.add(post)
        session.commit()
        return post.id


def viewer_of_kind(site: Site, kind: str, author: str) -> Visitor:
    """Return somebody who stands to *author* as *kind* says."""
    if kind in {"nobody", "author"}:
        return site.visitor() if kind == "nobody" else site.visitor_as(author)
    viewer = next(name for name in site.people if name != author)
    site.set(viewer, active=True, locked=False)
    site.do("unfollow", viewer, author)
    site.do("unfollow", author, viewer)
    if kind in {"follower", "asks"}:
        site.set(author, locked=kind == "asks")
        site.do("follow", viewer, author)
    elif kind == "blocked":
        site.do("block", author, viewer)
    elif kind == "blocks":
        site.do("block", viewer, author)
    return site.visitor_as(viewer)


def numbers(page: Answer) -> list[int]:
    """Return the numbers of the posts on a page, in order."""
    return [int(number) for number in re.findall(r'<article class="post" id="post-(\d+)"', page.text)]
