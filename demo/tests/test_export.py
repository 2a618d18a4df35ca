"""The file of one's own data: whole, one's own, and nothing that is not for one's eyes."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from demo.tests.conftest import UNTIL, Site, Visitor
from retinue.testing import count_statements
from retinue_demo import export
from retinue_demo.models import FollowEvent, Post, User

LISTS = {
    "following", "followers", "requests_received", "requests_sent", "blocked", "muted", "posts", "notifications",
    "history",
}  # fmt: skip


def exported(visitor: Visitor) -> dict[str, Any]:
    """Return what the file says."""
    answer = visitor.get("/settings/export.json")
    assert answer.status == 200
    data = json.loads(answer.text)
    assert isinstance(data, dict)
    return data


def usernames(rows: list[dict[str, Any]]) -> list[str]:
    """Return who is named in *rows*, in order."""
    return [row["username"] for row in rows]


def posts_of(site: Site, username: str) -> list[str]:
    """Return what somebody has posted, the oldest first."""
    with site.session() as session:
        own = select(Post.body).where(Post.author_id == site.user(username).id)
        return list(session.scalars(own.order_by(Post.created_at, Post.id)))


@pytest.fixture
def person(site: Site, famous: str) -> str:
    """Give somebody with rows in every list."""
    others = site.people[1:40]
    for other in others:
        site.set(other, active=True, locked=False)
    site.set(famous, locked=True, bio='Ünïcode \U0001f41d "quoted" </script>')
    for other in others[:4]:
        site.do("mute", famous, other)
    for other in others[4:8]:
        site.do("block", famous, other)
    for other in others[8:12]:
        site.do("unfollow", other, famous)
        site.do("follow", other, famous)
    site.do("accept", famous, others[8])
    site.do("reject", famous, others[9])
    for other in others[12:16]:
        site.set(other, locked=True)
        site.do("unfollow", famous, other)
        site.do("follow", famous, other)
    site.do("remove_follower", famous, site.names("followers", famous)[0])
    with site.session() as session:
        key = site.user(famous).id
        session.add_all(Post(author_id=key, body=f"Post {n}", created_at=UNTIL) for n in range(5))
        session.add(Post(author_id=site.user(others[0]).id, body="Somebody else's"))
        session.commit()
    return famous


def test_the_file_is_a_download_of_all_that_is_ones_own(site: Site, person: str) -> None:
    """Each list is the graph's own, whole and in its order; the times are ISO's, in UTC."""
    visitor = site.visitor_as(person)

    answer = visitor.get("/settings/export.json")

    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="retinue-{person}.json"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    data = json.loads(answer.text)
    assert data.keys() == {"exported_at", "profile", *LISTS}
    user = site.user(person)
    assert data["profile"] == {
        "username": person, "name": user.name, "bio": user.bio, "circle": user.circle, "private": True,
        "joined_at": user.joined_at.isoformat(timespec="microseconds"), "taking_a_break": not user.active,
        "hide_followers": user.hide_followers, "hide_following": user.hide_following,
    }  # fmt: skip
    with site.session() as session:
        away = set(session.scalars(select(User.username).where(~User.active)))
    for name, kind in {
        "following": "following", "followers": "followers", "requests_received": "requests",
        "requests_sent": "sent_requests", "blocked": "blocks", "muted": "mutes",
    }.items():  # fmt: skip
        assert data[name], name
        assert usernames(data[name]) == [other for other in site.names(kind, person) if other not in away], name
    assert [post["body"] for post in data["posts"]] == posts_of(site, person)
    assert {f"Post {n}" for n in range(5)} <= {post["body"] for post in data["posts"]}
    assert data["notifications"]
    times = re.findall(r'"(?:at|since|joined_at|exported_at)": "([^"]*)"', answer.text)
    assert all(datetime.fromisoformat(time).utcoffset() == timedelta(0) for time in times)


def test_the_history_is_what_one_did_oneself(site: Site, person: str) -> None:
    """In the order of time; what others did, removals and refusals above all, is theirs to tell."""
    stranger = next(name for name in site.people[16:] if not site.is_following(person, name))
    site.set(stranger, locked=False, active=True)
    site.do("follow", person, stranger)
    site.do("remove_follower", stranger, person)
    before = exported(site.visitor_as(person))["history"]

    assert [row["at"] for row in before] == sorted(row["at"] for row in before)
    assert {row["what"] for row in before} == {
        "followed", "unfollowed", "requested", "request_accepted", "request_rejected", "follower_removed",
    }  # fmt: skip
    with site.session() as session:
        key = site.user(person).id
        others = {user.id: user.username for user in session.scalars(select(User))}
        events = session.scalars(select(FollowEvent)).all()
    own = {
        (event.kind, others[event.following_id if event.follower_id == key else event.follower_id])
        for event in events
        if (event.follower_id == key and event.kind in {"followed", "unfollowed", "requested"})
        or (event.following_id == key and event.kind in {"request_accepted", "request_rejected", "follower_removed"})
    }
    shown = {(row["what"], row["username"]) for row in before}
    blocked = set(site.names("blocks", person))
    with site.session() as session:
        away = set(session.scalars(select(User.username).where(~User.active)))
    assert shown == {one for one in own if one[1] not in blocked | away}
    assert ("follower_removed", stranger) not in shown


def test_a_page_at_a_time_gives_the_same_file(site: Site, person: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a page holds; and it is sent as it is read, by as many statements as there are pages."""
    visitor = site.visitor_as(person)
    whole = exported(visitor)
    monkeypatch.setattr(export, "ROWS", 3)

    with count_statements(site.engine) as executed:
        pieces = exported(visitor)

    assert {**pieces, "exported_at": ""} == {**whole, "exported_at": ""}
    pages = sum(len(whole[name]) // 3 + 2 for name in LISTS)
    assert len(executed) <= 3 + 2 * pages
    with visitor.client.get("/settings/export.json") as response:
        assert response.is_streamed


def test_the_same_file_for_a_few_rows_costs_little(site: Site, person: str) -> None:
    """A page of each list, and who is logged in."""
    visitor = site.visitor_as(site.people[-1])

    with count_statements(site.engine) as executed:
        exported(visitor)

    assert len(executed) <= 25


def test_nobody_hidden_is_in_the_file(site: Site, person: str) -> None:
    """Whoever blocks one, or takes a break, is in no list, nor that they do."""
    visitor = site.visitor_as(person)
    blocker = next(name for name in site.names("followers", person) if site.is_following(person, name))
    resting = next(name for name in site.names("following", person) if name != blocker)
    assert blocker in visitor.get("/settings/export.json").text

    site.do("block", blocker, person)
    site.set(resting, active=False)

    text = visitor.get("/settings/export.json").text
    for name in (blocker, resting):
        assert f'"{name}"' not in text
    assert "blocked_by" not in text
    assert "password" not in text
    assert "argon2" not in text


def test_a_file_is_ones_own_alone(site: Site, person: str) -> None:
    """There is no address with somebody else's; nobody has none; and nothing of others' lists is in it."""
    assert site.visitor().get("/settings/export.json").place == "/login?next=/settings/export.json"
    quiet = site.people[-1]

    data = exported(site.visitor_as(quiet))

    assert data["profile"]["username"] == quiet
    assert data["blocked"] == data["muted"] == []
    assert [post["body"] for post in data["posts"]] == posts_of(site, quiet)
    assert usernames(data["following"]) == [name for name in site.names("following", quiet) if site.user(name).active]
    with_query = site.visitor_as(quiet).get(f"/settings/export.json?username={person}&user=1")
    assert json.loads(with_query.text)["profile"]["username"] == quiet
    assert site.visitor_as(quiet).post("/settings/export.json").status == 405


def test_what_is_older_than_somebody_is_not_about_them(site: Site, person: str) -> None:
    """A number may be given again: neither side's history begins before they were there."""
    visitor = site.visitor_as(person)
    (latest,) = exported(visitor)["history"][-1:]
    with site.session() as session:
        end = session.scalars(select(func.max(FollowEvent.timestamp))).one()
        session.execute(
            update(User).where(User.username == latest["username"]).values(joined_at=end + timedelta(seconds=1))
        )
        session.commit()
    assert latest["username"] not in usernames(exported(visitor)["history"])

    site.set(person, joined_at=end + timedelta(seconds=1))

    assert exported(visitor)["history"] == []


def test_who_is_deleted_while_they_download_gets_a_whole_file(site: Site, person: str) -> None:
    """The rest of the lists is empty."""
    visitor = site.visitor_as(person)
    with visitor.client.get("/settings/export.json", buffered=False) as response:
        parts = response.iter_encoded()
        text = next(parts).decode()
        with site.session() as session:
            session.delete(session.get_one(User, site.user(person).id))
            session.commit()
        text += b"".join(parts).decode()

    data = json.loads(text)
    assert data["profile"]["username"] == person
    assert all(data[name] == [] for name in LISTS - {"following"})
