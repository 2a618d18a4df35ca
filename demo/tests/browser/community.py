"""A community in which every page has something to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from demo.tests.addresses import addresses
from demo.tests.conftest import Site
from retinue_demo.models import Post, User


@dataclass(frozen=True)
class Cast:
    """Who is who, by username."""

    #: Private, well known, with requests and news, whom they block and mute; the others as they see them.
    me: str
    followed: str
    stranger: str
    private: str
    asked: str
    asking: str
    blocked: str
    muted: str
    hiding: str

    @property
    def others(self) -> list[str]:
        """Everybody but `me`."""
        return [name for role, name in vars(self).items() if role != "me"]


def enliven(site: Site) -> Cast:
    """Let people do to each other whatever they can; return who is who."""
    # In the middle of the community: the famous are followed by almost everybody.
    people = [name for name in site.people if site.user(name).active]
    me, *rest = people[4:]
    site.set(me, locked=True)
    cast = Cast(me, *rest[: len(Cast.__dataclass_fields__) - 1])
    for name in cast.others:
        site.set(name, locked=name in {cast.private, cast.asked}, hide_followers=name == cast.hiding)
        for who, whom in ((me, name), (name, me)):
            site.do("unfollow", who, whom)
    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    site.do("follow", me, cast.followed)
    site.do("follow", me, cast.asked)
    site.do("follow", cast.asking, me)
    site.do("block", me, cast.blocked)
    site.do("mute", me, cast.muted, until=in_an_hour)
    with site.session() as session:
        for name in (me, cast.followed):
            body = "A post with an address, https://example.org/a/long/one/that/does/not/end?soon=1, and\ntwo lines."
            session.add(Post(author_id=site.user(name).id, body=body, created_at=datetime.now(UTC)))
        session.commit()
    for name in rest[len(cast.others) :][:6]:
        site.do("unfollow", name, me)
        site.do("follow", name, me)
        site.do("accept", me, name)
    return cast


def _pages_about(site: Site, username: str) -> list[str]:
    """Return the address of every page, about that user where it is about one."""
    with site.session() as session:
        post = session.scalars(select(Post.id).join(User).where(User.username == username)).first()
    parts = {"username": [username], "slug": [username], "number": [str(post)]}
    # What is saved to a file is no page, nor what a script asks for.
    no_page = (".json", "/state", "/notifications/unread")
    return [address for address in addresses(site.app, "GET", parts) if not address.endswith(no_page)]


def pages(site: Site, cast: Cast, *, rows: int | None = None) -> list[str]:
    """Return the address of every page, once for `cast.me` and some for others; lists with that many *rows*."""
    own = _pages_about(site, cast.me)
    others = [f"/@{name}" for name in cast.others]
    lists = [address for address in _pages_about(site, cast.followed) if address.startswith(("/@", "/posts"))]
    hidden = [f"/@{cast.hiding}/followers", f"/@{cast.private}/following"]
    wrong = ["/nothing_here", "/people?limit=0", f"/@{cast.stranger}/follow"]
    found = dict.fromkeys([*own, *others, *lists, *hidden, *wrong])
    if rows is None:
        return list(found)
    return [
        f"{address}{'&' if '?' in address else '?'}limit={rows}" if address not in wrong else address
        for address in found
    ]
