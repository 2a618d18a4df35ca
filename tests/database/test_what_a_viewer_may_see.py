"""What a viewer may see, everywhere: each answer is that of the table, for users of every kind at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from retinue import ALL, Graph, NotVisibleError, Only, Settings, Sort
from tests import models
from tests.database.truth_table import TABLE, Facts, Place, everything, meets

MODELS = models.declare(
    *models.PRIVATE,
    settings=Settings(active="active", request_cooldown=timedelta(days=3)),
    flags=tuple(models.FLAGS),
    posts=models.posts_that_end,
)
User = MODELS.user

pytestmark = pytest.mark.tables(MODELS.metadata)

NOW: Final = datetime.now(UTC)
ENDED: Final = NOW - timedelta(minutes=1)
#: Who reads; whom all follow, with the reader; who is inactive, and follows them too; and who follows them and all.
READER, STAR, AWAY, FIRST_FRIEND = 1, 2, 3, 4
#: The users of every kind, by their keys.
PEOPLE: Final[dict[int, Facts]] = dict(enumerate(everything(), 101))
#: Whom a list is long enough to suggest.
_CHUNK: Final = 90


def friends() -> dict[int, list[int]]:
    """Return whom the friends of the reader follow, each some of the people."""
    keys = list(PEOPLE)
    parts = [keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK)]
    return dict(enumerate(parts, FIRST_FRIEND))


def write(session: Session, people: dict[int, Facts], others: Iterable[int]) -> None:
    """Write *people* as the table speaks of them, with what has ended since; and *others*, of whom nothing is to be said."""
    run = session.connection().execute
    users = [{"id": key, **models.FLAGS, "active": key != AWAY} for key in others]
    users += [
        {
            "id": key,
            "locked": facts.locked,
            "active": facts.active,
            "hide_followers": facts.hides == "followers",
            "hide_following": facts.hides == "following",
            "discoverable": facts.discoverable,
        }
        for key, facts in people.items()
    ]
    run(insert(User.__table__), users)
    between: list[tuple[type[Any], int, int, dict[str, Any]]] = []
    for key, facts in people.items():
        between += [(MODELS.follow, READER, key, {})] if facts.relation == "follows" else []
        between += [(MODELS.dismissal, READER, key, {})] if facts.dismissed else []
        if facts.relation == "asked":
            between.append((MODELS.request, READER, key, {"rejected_at": None}))
        elif facts.locked and not facts.relation:
            between.append((MODELS.request, READER, key, {"rejected_at": NOW - timedelta(days=4)}))
        blocker, blocked = (key, READER) if facts.block == "user" or (not facts.block and key % 2) else (READER, key)
        between.append((MODELS.block, blocker, blocked, {"until": None if facts.block else ENDED}))
        mute = {"until": None if facts.mute else ENDED, "notifications": facts.mute != "posts"}
        between.append((MODELS.mute, READER, key, mute))
    for model in dict.fromkeys(model for model, *_ in between):
        names = [column.name for column in model.__table__.primary_key]
        rows = [
            {**dict(zip(names, pair, strict=True)), "timestamp": NOW - timedelta(days=9), **more}
            for kind, *pair, more in between
            if kind is model
        ]
        run(insert(model.__table__), rows)
    session.flush()


def follow(session: Session, pairs: Iterable[tuple[int, int]]) -> None:
    """Let *pairs* follow each other, lately."""
    rows = [{"follower_id": a, "following_id": b, "timestamp": NOW - timedelta(days=1)} for a, b in pairs]
    session.connection().execute(insert(MODELS.follow.__table__), rows)


@contextmanager
def town(engine: Engine) -> Iterator[Graph[Any]]:
    """Give the people of every kind: all follow one, and the reader has friends who follow them."""
    with Session(engine) as session:
        write(session, PEOPLE, [READER, STAR, AWAY, *friends()])
        follow(session, [(key, STAR) for key in (READER, AWAY, *PEOPLE)])
        follow(session, [(READER, key) for key in friends()])
        follow(session, [(friend, key) for friend, keys in friends().items() for key in keys])
        yield Graph(session, User)


def on(read: Callable[..., Any], *users: int, **how: Any) -> set[int]:
    """Return who is on all pages of a list."""
    found, cursor = [], None
    while True:
        page = read(*users, limit=100, cursor=cursor, **how)
        found += [getattr(item, "user", item) for item in page]
        cursor = page.next
        if cursor is None:
            keys = [user.id for user in found]
            assert len(keys) == len(set(keys))
            return set(keys)


def expected(place: Place, when: Callable[[Facts], bool] = lambda _: True) -> set[int]:
    """Return whom of the people the table says that the reader meets there, of those of whom *when* is so."""
    return {key for key, facts in PEOPLE.items() if when(facts) and meets(facts, place)}


def test_the_people_are_of_every_kind() -> None:
    """Each line of the table holds for some and not for others, and decides alone wherever it counts."""
    for cell in TABLE:
        assert {cell.holds(facts) for facts in PEOPLE.values()} == {True, False}, cell.name
        for place in cell.no - {Place.TIMELINE}:  # where a block has ended the follow already
            deciding = [[c.name for c in TABLE if place in c.no and c.holds(facts)] for facts in PEOPLE.values()]
            assert [cell.name] in deciding, (cell.name, place)


# --- Lists as a whole ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["followers", "following"])
def test_who_may_see_a_list(engine: Engine, name: str) -> None:
    """The reader of every kind of user; trusted code and its owner, each; and who is not logged in, as if a stranger."""
    with town(engine) as graph:

        def sees(key: int, viewer: Any) -> bool:
            try:
                getattr(graph, name)(key, viewer=viewer, limit=1)
            except NotVisibleError:
                return False
            return True

        place = Place[name.upper()]
        assert {key for key in PEOPLE if sees(key, READER)} == expected(place)
        for key, facts in list(PEOPLE.items())[::7]:
            assert sees(key, ALL)
            assert sees(key, key)
            stranger = Facts(active=facts.active, locked=facts.locked, hides=facts.hides)
            assert sees(key, None) is meets(stranger, place)


def test_who_follows_back_is_told_to_who_may_see_both_lists(engine: Engine) -> None:
    """And who is dormant to nobody else; whom one knows, to who may see the followers."""
    with town(engine) as graph:
        for key in list(PEOPLE)[::5]:
            both = meets(PEOPLE[key], Place.FOLLOWERS) and meets(PEOPLE[key], Place.FOLLOWING)
            for read in (graph.mutuals, lambda *a, **how: graph.followers(*a, only=Only.NOT_FOLLOWED_BACK, **how)):
                if both:
                    read(key, viewer=READER)
                else:
                    with pytest.raises(NotVisibleError):
                        read(key, viewer=READER)
            if meets(PEOPLE[key], Place.FOLLOWERS):
                graph.followers_you_know(READER, key)
            else:
                with pytest.raises(NotVisibleError):
                    graph.followers_you_know(READER, key)


# --- Rows ----------------------------------------------------------------------------------------


def test_who_is_shown_on_anothers_list(engine: Engine) -> None:
    """In whatever order; to the reader, to somebody not logged in, to trusted code; and viewers meet themselves."""
    with town(engine) as graph:
        for sort in (Sort.NEWEST, Sort.OLDEST):
            assert on(graph.followers, STAR, viewer=READER, sort=sort) == expected(Place.ROW) | {READER}
        active = {key for key, facts in PEOPLE.items() if facts.active} | {READER}
        assert on(graph.followers, STAR, viewer=None) == active
        assert on(graph.followers, STAR) == {*PEOPLE, READER, AWAY}
        assert on(graph.followers, STAR, viewer=AWAY) == active | {AWAY}
        known = on(graph.followers_you_know, READER, STAR)
        assert known == expected(Place.ROW, lambda facts: facts.relation == "follows")


def test_who_is_shown_on_ones_own_lists(engine: Engine) -> None:
    """Whom one follows, asks, blocks and mutes; that somebody is left out is told there, and to nobody else."""
    with town(engine) as graph:
        lists: dict[Callable[..., Any], Callable[[Facts], bool]] = {
            graph.following: lambda facts: facts.relation == "follows",
            graph.sent_requests: lambda facts: facts.relation == "asked",
            graph.mutes: lambda facts: bool(facts.mute),
            graph.blocks: lambda facts: facts.block == "reader",
        }
        for read, holds in lists.items():
            active = {key for key, facts in PEOPLE.items() if holds(facts) and facts.active}
            friends_too = {STAR, *friends()} if read == graph.following else set()
            assert on(read, READER, viewer=READER) == active | friends_too
            assert on(read, READER) > active | friends_too
            assert read(READER, viewer=READER, limit=100).hidden
        assert not graph.followers(STAR, viewer=READER).hidden
        assert graph.followers(STAR, viewer=STAR, limit=100).hidden


def test_who_is_visible_to_selects_of_the_application(engine: Engine) -> None:
    """And on the page on which a block is taken back."""
    with town(engine) as graph:

        def visible(viewer: Any, **how: bool) -> set[int]:
            return set(graph._session.scalars(select(User.id).where(graph.visible_to(viewer, **how))))

        others = {READER, STAR, *friends()}
        assert visible(READER) == expected(Place.ROW) | others
        assert visible(READER, blocked=True) == expected(Place.UNBLOCKING) | others
        assert visible(None) == {key for key, facts in PEOPLE.items() if facts.active} | others
        assert visible(AWAY) == visible(None) | {AWAY}
        assert visible(ALL) == {*PEOPLE, *others, AWAY}


# --- Suggestions ---------------------------------------------------------------------------------


def test_who_is_suggested(engine: Engine) -> None:
    """And whose followers are not to be seen is suggested without a name."""
    with town(engine) as graph:
        found = {one.user.id: one for one in graph.suggestions(READER, 100)}
        assert set(found) - {STAR} == expected(Place.SUGGESTION)
        for key, one in found.items():
            assert bool(one.known) is (key == STAR or meets(PEOPLE[key], Place.FOLLOWERS))


@pytest.mark.parametrize("kind", ["followed", "follower", "stranger"])
def test_whose_list_has_a_say_in_suggestions(engine: Engine, kind: str) -> None:
    """Of those whom the reader follows, of those who follow the reader, and of those who have nothing to do with either."""
    chosen = dict.fromkeys(
        Facts(facts.block, facts.relation, facts.active, facts.locked, facts.hides, facts.mute)
        for facts in PEOPLE.values()
        if facts.relation == ("follows" if kind == "followed" else "") and not (facts.block and kind == "follower")
    )
    # By the dozen, as the nearest and the first strangers are few.
    people = list(chosen)
    for start in range(0, len(people), 12):
        witnesses = dict(enumerate(people[start : start + 12], 101))
        with Session(engine) as session:
            write(session, witnesses, [READER, *(key + 100 for key in witnesses)])
            follow(session, [(key, key + 100) for key in witnesses])
            if kind == "follower":
                follow(session, [(key, READER) for key in witnesses])
            suggested = {one.user.id for one in Graph(session, User).suggestions(READER, 100)}
            told = {key for key in witnesses if key + 100 in suggested}
            assert told == {key for key, facts in witnesses.items() if meets(facts, Place.SUGGESTED_BY)}


# --- Timelines and notifications -----------------------------------------------------------------


def test_whose_posts_are_in_the_timeline(engine: Engine) -> None:
    """The reader's own are, also of one who is inactive."""
    with town(engine) as graph:
        authors = [READER, AWAY, *PEOPLE]
        rows = [{"id": key, "author_id": key, "made_at": NOW - timedelta(minutes=key)} for key in authors]
        graph._session.connection().execute(insert(MODELS.post.__table__), rows)
        assert on(graph.home_timeline, READER) == expected(Place.TIMELINE) | {READER}
        assert on(graph.home_timeline, AWAY) == {AWAY}


def test_who_makes_a_notification(engine: Engine) -> None:
    """It is neither on the page nor counted; what somebody inactive did is there when they are back."""
    with town(engine) as graph:
        able = [key for key, facts in PEOPLE.items() if not facts.block and not facts.hides]
        for key in able:
            graph.follow(key, READER)
        told = expected(Place.NOTICE).intersection(able)
        assert on(graph.notifications, READER, viewer=READER) == told
        assert graph.unread_notifications(READER) == len(told)
        later = {key for key in able if not PEOPLE[key].active and PEOPLE[key].mute != "wholly"}
        for key in later:
            graph._session.get_one(User, key).active = True
        assert on(graph.notifications, READER, viewer=READER) == told | later
