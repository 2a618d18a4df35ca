"""What reaches a home timeline that is kept ready, when, and at what cost; and that no work, done or not, changes a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.orm import Session

from retinue import (
    InvalidUserError,
    Outcome,
    Settings,
)
from retinue.transfer import import_follows
from tests.database.clock import stopped_clock
from tests.database.kept_timelines import Kept, at, own_engine
from tests.database.models_timeline import declare_posting

if TYPE_CHECKING:
    from tests.servers import Server

KEPT = Kept(Settings(active="active", fan_out_most=None))
SHORT = Kept(Settings(active="active", fan_out_most=None, timeline_length=3))
FEW = Kept(Settings(active="active", fan_out_most=2))
#: A hundred followers are as many as there are people here.
HYBRID = Kept(Settings(active="active", fan_out_most=100))
PULL = declare_posting(Settings(active="active"), kept=False)


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def engine(
    request: pytest.FixtureRequest, server: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    with own_engine(request.param, server, tmp_path_factory.mktemp("fanout")) as engine:
        yield engine


# --- Who gets a post -----------------------------------------------------------------------------


def test_a_post_reaches_followers_for_whom_a_timeline_is_kept(engine: Engine) -> None:
    """And its author; nobody else, though all of them see it."""
    place = KEPT.begin(engine, 6, readers=[1, 2, 4, 5])
    place.follow((1, 5), (2, 5), (3, 5))
    place.work()
    place.post(5, 7)
    place.check(*range(1, 7))
    assert len(place.told) == 1
    place.chain(place.told.pop())
    assert {reader: place.kept(reader) for reader in range(1, 7)} == {1: [7], 2: [7], 3: [], 4: [], 5: [7], 6: []}
    assert place.size(place.senders) == 0
    place.check(*range(1, 7))


def test_posts_of_the_many_followed_are_written_to_nobody(engine: Engine) -> None:
    """With one follower more than `fan_out_most`: looked up from then on, and nothing is pending."""
    place = FEW.begin(engine, 5, readers=[1, 2, 3, 4])
    place.follow((1, 4), (2, 4))
    place.work()
    place.post(4, 1)
    place.chain(place.told.pop())
    assert (place.kept(1), place.kept(4)) == ([1], [1])
    place.follow((3, 4))
    place.work()
    place.post(4, 2)
    place.chain(place.told.pop())
    assert (place.kept(1), place.kept(2), place.kept(4)) == ([1], [1], [1])
    assert place.pending() == []
    assert place.pages(1) == place.pages(2) == [2, 1]
    place.post(4, 3)
    place.work()
    assert (place.kept(1), place.kept(4)) == ([1], [1])
    place.check(1, 2, 3, 4, 5)
    # Who follows them now is filled with what there is.
    place.act(lambda graph: graph.mark_active(5))
    place.follow((5, 4))
    place.work()
    place.post(4, 4)
    place.check(1, 2, 3, 4, 5)


def test_more_posts_than_anybody_keeps_are_not_written_one_by_one(engine: Engine) -> None:
    """As after a load: the timelines of the followers are filled anew, and nobody's posts are looked up for good."""
    place = SHORT.begin(engine, 4, readers=[1, 2, 3])
    place.follow((1, 3), (2, 3), (4, 3))
    place.work()
    place.post(3, *range(1, 21))
    place.chain(place.told.pop())
    assert place.size(place.senders) == 0
    assert len(place.told) == 4  # the author is told as well, and user 4 has nothing to fill
    place.check(1, 2, 3, 4)
    while place.told:
        place.chain(place.told.pop())
    assert place.pending() == []
    assert place.kept(1) == place.kept(2) == place.kept(3) == [20, 19, 18]
    place.check(1, 2, 3, 4)


def test_a_timeline_is_no_longer_than_it_may_be(engine: Engine) -> None:
    """What is older is looked up: pages go on."""
    place = SHORT.begin(engine, 3, readers=[1, 2])
    place.follow((1, 2), (1, 3))
    place.work()
    for number in range(1, 11):
        place.post(2 + number % 2, number)
        assert len(place.kept(1)) <= 3
        place.chain(place.told.pop())
        assert len(place.kept(1)) <= 3
        place.check(1, 2, limit=2)
    assert place.kept(1) == [10, 9, 8]
    place.post(3, 11, ago=9)  # late, and older than all that is kept
    place.work()
    assert len(place.kept(1)) <= 3
    place.check(1, limit=2)
    assert place.pages(1, limit=2) == [10, 9, 8, 7, 6, 5, 4, 3, 11, 2, 1]
    # A fill keeps no more either.
    place.act(lambda graph: graph.unfollow(1, 2))
    place.follow((1, 2))
    place.work()
    assert place.kept(1) == [10, 9, 8]
    place.check(1, limit=2)


def test_equal_times_do_not_make_a_timeline_longer_or_shorter(engine: Engine) -> None:
    """Of posts of one moment either all are kept or none; pages show each once."""
    place = SHORT.begin(engine, 9, readers=[1])
    place.follow(*((1, key) for key in range(2, 10)))
    place.work()
    for number in range(1, 8):
        place.post(1 + number, number, ago=number)  # all at one time
        place.work()
        place.check(1, limit=2)
        assert len(place.kept(1)) <= 3
    place.post(9, 8)
    place.work()
    assert place.kept(1) == [8]
    place.check(1, limit=2)


# --- Edges ---------------------------------------------------------------------------------------


def test_a_follow_brings_what_was_posted_before(engine: Engine) -> None:
    """At once on the page; among the entries when the work is done."""
    place = KEPT.begin(engine, 3, readers=[1])
    place.post(2, 1, 2)
    place.post(3, 3)
    place.work()
    assert place.complete_after(1) is not None
    place.follow((1, 2))
    assert place.complete_after(1) is None
    assert place.pages(1) == [2, 1]
    [unit] = place.told
    assert place.run(unit) is None
    assert place.kept(1) == [2, 1]
    assert place.complete_after(1) is not None
    assert place.pages(1) == [2, 1]


def unfollow_all(session: Session, place: Kept) -> None:
    follow = place.models.follow
    session.execute(delete(follow).where(follow.follower_id == 1, follow.following_id == 2))


LEAVING: dict[str, Callable[[Session, Kept], object]] = {
    "unfollow": lambda session, place: place.graph(session).unfollow(1, 2),
    "remove_follower": lambda session, place: place.graph(session).remove_follower(2, 1),
    "block": lambda session, place: place.graph(session).block(1, 2),
    "be blocked": lambda session, place: place.graph(session).block(2, 1),
    "delete the row": lambda session, place: session.delete(session.get_one(place.models.follow, (1, 2))),
    "delete in bulk": unfollow_all,
}


@pytest.mark.parametrize("leave", LEAVING)
def test_what_is_kept_goes_with_the_edge(engine: Engine, leave: str) -> None:
    """Of that author, for that reader: nothing else."""
    place = KEPT.begin(engine, 4, readers=[1, 2, 3])
    place.follow((1, 2), (1, 3), (3, 2), (2, 1))
    place.work()
    for author in (1, 2, 3):
        place.post(author, author, author + 10)
    place.work()
    assert (place.kept(1), place.kept(3)) == ([13, 12, 11, 3, 2, 1], [13, 12, 3, 2])
    with place.sessions.begin() as session:
        LEAVING[leave](session, place)
    assert place.kept(1) == [13, 11, 3, 1]
    assert place.kept(3) == [13, 12, 3, 2]
    assert place.kept(2) == ([12, 2] if "block" in leave else [12, 11, 2, 1])
    place.check(1, 2, 3)
    assert place.complete_after(1) is not None


@pytest.mark.parametrize("answer", ["accept", "accept_all", "unlock"])
def test_who_is_let_in_finds_what_was_posted_before(engine: Engine, answer: str) -> None:
    """However the edge comes to be."""
    place = KEPT.begin(engine, 4, readers=[1, 2, 3])
    place.act(lambda graph: graph._session.execute(update(place.models.user).values(locked=True)))
    place.post(4, 1, 2)
    place.work()
    assert {place.act(lambda graph, key=key: graph.follow(key, 4)) for key in (1, 2)} == {Outcome.REQUESTED}  # type: ignore[misc]
    assert place.pages(1) == []
    if answer == "accept":
        place.act(lambda graph: [graph.accept(4, 1), graph.accept(4, 2)])
    else:
        place.act(lambda graph: getattr(graph, answer)(4))
    place.check(1, 2, 3)
    assert place.pages(1) == [2, 1]
    for unit in list(place.told):
        place.chain(unit)
    assert (place.kept(1), place.kept(2), place.kept(3)) == ([2, 1], [2, 1], [])
    place.check(1, 2, 3)


def test_a_block_that_is_taken_back_restores_the_pages(engine: Engine) -> None:
    place = KEPT.begin(engine, 2, readers=[1])
    place.follow((1, 2))
    place.work()
    place.post(2, 1)
    place.work()
    place.act(lambda graph: graph.block(2, 1))
    place.post(2, 2)
    place.work()
    assert (place.kept(1), place.pages(1)) == ([], [])
    place.act(lambda graph: graph.unblock(2, 1, restore=True))
    assert place.pages(1) == [2, 1]
    place.work()
    assert place.kept(1) == [2, 1]
    place.check(1)


def test_an_import_brings_what_was_posted_before(engine: Engine) -> None:
    """For everybody of the import for whom a timeline is kept."""
    place = KEPT.begin(engine, 6, readers=[1, 2, 3])
    place.post(4, 1, 2)
    place.post(5, 3)
    place.work()
    assert import_follows(engine, place.models.user, [(1, 4), (2, 5), (2, 4), (6, 4)]).added == 4
    assert (place.pages(1), place.pages(2), place.pages(3)) == ([2, 1], [3, 2, 1], [])
    assert len(place.pending()) == 2
    place.work()
    assert (place.kept(1), place.kept(2), place.kept(3), place.kept(6)) == ([2, 1], [3, 2, 1], [], [])
    place.check(*range(1, 7))


# --- What may hide a post ------------------------------------------------------------------------


def test_what_hides_a_post_decides_when_a_page_is_read(engine: Engine) -> None:
    """A mute, an author who is not active, a post that has ended: whatever was so when it was written."""
    place = KEPT.begin(engine, 3, readers=[1])
    place.follow((1, 2), (1, 3))
    place.work()
    place.act(lambda graph: graph.mute(1, 2))
    place.post(2, 1)
    place.post(3, 2)
    place.work()
    assert place.pages(1) == [2]
    place.act(lambda graph: graph.unmute(1, 2))
    assert place.pages(1) == [2, 1]
    place.act(lambda graph: graph._session.execute(update(place.models.user).values(active=False)))
    assert place.pages(1) == []
    place.post(2, 3)
    place.work()
    place.act(lambda graph: graph._session.execute(update(place.models.user).values(active=True)))
    assert place.pages(1) == [3, 2, 1]
    place.check(1)


def test_what_hides_a_post_decides_when_a_page_is_read_also_after_a_fill(engine: Engine) -> None:
    """What nobody was to see when the timeline was filled is there when it is to be seen."""
    place = KEPT.begin(engine, 4)
    place.follow((1, 2), (1, 3), (1, 4))
    for author in (2, 3, 4):
        place.post(author, author, author + 10)
    place.work()
    with stopped_clock() as clock:
        place.act(lambda graph: graph.mute(1, 2))
        place.act(lambda graph: graph.mute(1, 3, until=clock.time + timedelta(hours=1)))
        place.act(lambda graph: graph._session.get_one(place.models.user, 4).__setattr__("active", False))
        place.act(lambda graph: graph.mark_active(1))
        place.work()
        assert place.pages(1) == []
        place.act(lambda graph: graph.unmute(1, 2))
        assert place.pages(1) == [12, 2]
        clock.move(timedelta(hours=2))
        assert place.pages(1) == [13, 12, 3, 2]
        place.act(lambda graph: graph._session.get_one(place.models.user, 4).__setattr__("active", True))
        assert place.pages(1) == [14, 13, 12, 4, 3, 2]
        place.check(1)


# --- Posts ---------------------------------------------------------------------------------------


def rows_of(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": number, "author_id": 1 + number % 2, "made_at": at(number)} for number in numbers]


WAYS: dict[str, Callable[[Session, Any], Any]] = {
    "add": lambda session, post: session.add_all(post(**row) for row in rows_of(4, 5)),
    "merge": lambda session, post: [session.merge(post(**row)) for row in rows_of(4, 5)],
    "many rows": lambda session, post: session.execute(insert(post), rows_of(4, 5)),
    "values": lambda session, post: [session.execute(insert(post).values(**row)) for row in rows_of(4, 5)],
    "a list of values": lambda session, post: session.execute(insert(post).values(rows_of(4, 5))),
    "returning keys": lambda session, post: sorted(
        session.execute(insert(post).returning(post.id), rows_of(4, 5)).scalars()
    ),
    "returning posts": lambda session, post: sorted(
        row.id for row in session.scalars(insert(post).returning(post), rows_of(4, 5))
    ),
    "from a select": lambda session, post: session.execute(
        insert(post).from_select(
            ["id", "author_id", "made_at"], select(post.id + 3, post.author_id, post.made_at).where(post.id.in_([1, 2]))
        )
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_post_is_noticed_however_the_session_makes_it(engine: Engine, way: str) -> None:
    """And its maker gets what they would get without timelines."""
    place = KEPT.begin(engine, 4, readers=[3, 4])
    place.follow((3, 1), (3, 2), (4, 2))
    place.put(2, 1)
    place.put(1, 2)
    with place.sessions.begin() as session:
        place.graph(session).note_posts([1, 2])
    place.work()
    with place.sessions.begin() as session:
        result = WAYS[way](session, place.models.post)
        if way.startswith("returning"):
            assert result == [4, 5]
        elif way in {"many rows", "a list of values", "from a select"}:
            assert result.rowcount == 2
    place.check(3, 4)
    assert place.size(place.senders) == 2
    for unit in list(place.told):
        place.chain(unit)
    assert place.size(place.senders) == 0
    assert {*place.kept(3)} == {1, 2, 4, 5}
    place.check(3, 4)


def test_posts_of_nobody_reach_nobody(engine: Engine) -> None:
    place = KEPT.begin(engine, 1, readers=[1])
    with place.sessions.begin() as session:
        session.add(place.models.post(id=1, author_id=None, made_at=at(1)))
        session.execute(insert(place.models.post), [{"id": 2, "author_id": None, "made_at": at(2)}])
        session.flush()
        place.graph(session).note_posts([1, 2])
    assert (list(place.told), place.size(place.senders), place.pages(1)) == ([], 0, [])


def test_posts_of_raw_sql_can_be_noted(engine: Engine) -> None:
    """By key or by instance; unknown keys are nothing."""
    place = KEPT.begin(engine, 3, readers=[3])
    place.follow((3, 1))
    place.work()
    place.put(1, 1, 2, 3)
    place.put(2, 4)
    with place.sessions.begin() as session:
        post = session.get_one(place.models.post, 3)
        place.graph(session).note_posts([1, 2, post, 4, 99, 1])
        place.graph(session).note_posts([99])
    place.check(3)
    assert len(place.told) == 2
    for unit in list(place.told):
        place.chain(unit)
    assert place.kept(3) == [3, 2, 1]
    assert place.size(place.senders) == 0
    place.check(1, 2, 3)
    with place.sessions() as session:
        for hostile in ("x", None, 1.5, True, object(), 10**30, place.models.user(id=1)):
            with pytest.raises(InvalidUserError):
                place.graph(session).note_posts([hostile])
        with pytest.raises(ValueError, match="at most 1000"):
            place.graph(session).note_posts(range(1001))
        place.graph(session).note_posts([])


def test_what_is_kept_goes_with_its_post(engine: Engine) -> None:
    """Whether the session deletes it or the database."""
    place = KEPT.begin(engine, 3, readers=[1, 3])
    place.follow((1, 2), (3, 2))
    place.work()
    place.post(2, 1, 2, 3)
    place.work()
    with place.sessions.begin() as session:
        session.delete(session.get_one(place.models.post, 1))
    assert (place.kept(1), place.kept(3)) == ([3, 2], [3, 2])
    with engine.begin() as connection:
        connection.execute(delete(place.models.post.__table__).where(place.models.post.id == 2))
    assert (place.kept(1), place.kept(3)) == ([3], [3])
    # One that is not sent yet.
    place.post(2, 4)
    with place.sessions.begin() as session:
        session.delete(session.get_one(place.models.post, 4))
    place.work()
    assert (place.kept(1), place.size(place.senders)) == ([3], 0)
    place.check(1, 3)
