"""Who is suggested, why, in what order, and who never is; judged by the formula in plain Python."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from retinue import (
    FollowerMixin,
    FollowMixin,
    Graph,
    InvalidUserError,
    ModelMissingError,
    SelfFollowError,
    Settings,
    SuggestionReason,
    UnknownUserError,
)
from retinue.discovery import statements
from retinue.discovery import suggestions as discovery
from retinue.testing import audited
from tests.database.clock import Clock, stopped_clock
from tests.database.graph_models import crowd
from tests.database.models_private import declare

MODELS = declare(Settings(active="active", request_cooldown=timedelta(days=3)))

DAY = timedelta(days=1)
Pair = tuple[int, int]


@dataclass
class Place:
    """Some users, and the time."""

    session: Session
    clock: Clock

    @property
    def graph(self) -> Graph[Any]:
        return Graph(self.session, MODELS.user)

    def follow(self, *pairs: Pair) -> None:
        for pair in pairs:
            self.graph.follow(*pair)

    def put(self, *pairs: Pair) -> None:
        """Put many edges into the table, as from before there were counts."""
        rows = [{"follower_id": a, "following_id": b, "timestamp": self.clock.time} for a, b in pairs]
        if rows:
            self.session.connection().execute(insert(MODELS.follow.__table__), rows)

    def change(self, user: int, **choices: bool) -> None:
        person = self.session.get_one(MODELS.user, user)
        for name, value in choices.items():
            setattr(person, name, value)
        self.session.flush()

    def suggested(self, user: int = 1, limit: int = 20) -> list[int]:
        return [one.user.id for one in self.graph.suggestions(user, limit)]

    def reasons(self, user: int = 1) -> dict[int, SuggestionReason]:
        return {one.user.id: one.reason for one in self.graph.suggestions(user)}


pytestmark = pytest.mark.tables(MODELS.metadata)


@contextmanager
def place(engine: Engine, people: int = 8) -> Iterator[Place]:
    """Give so many users, who know nobody."""
    MODELS.metadata.create_all(engine)
    with stopped_clock() as clock, Session(engine) as session:
        session.add_all([MODELS.user(id=key) for key in range(1, people + 1)])
        session.flush()
        yield Place(session, clock)


# --- The formula ---------------------------------------------------------------------------------


def plain(edges: dict[Pair, int], people: range, user: int) -> dict[int, int]:
    """Return the points of everybody for *user*: the docstring of `suggestions()`, in plain Python."""
    near, asked, far = statements.NEAR, statements.ASKED, statements.FAR

    def newest(keys: dict[int, int], most: int) -> list[int]:
        return sorted(keys, key=lambda key: (keys[key], key), reverse=True)[:most]

    def lists(of: int, number: int) -> list[int]:
        return newest({b: at for (a, b), at in edges.items() if a == of}, number)

    followed = lists(user, near)
    fans = newest({a: at for (a, b), at in edges.items() if b == user}, near)
    friends, others = followed[:asked], fans[:asked]
    middles = {*friends, *others}
    back = 3_000_000 * (1 + len({*fans} & {*followed})) // (3 + len(fans))
    if len(followed) + len(fans) < discovery.FEW:
        ordered = sorted(people)
        middles |= {*ordered[: near // 2], *ordered[-(near // 2) :]}
    points: dict[int, int] = defaultdict(int)
    for middle in middles - {user}:
        theirs = lists(middle, far)
        worth = 1_000_000 * (middle in friends) + 750_000 * (middle in others) or 20_000
        for other in theirs:
            if other == user:
                points[middle] += back * 10 // (len(theirs) + 10)
            else:
                points[other] += worth * 10 // (len(theirs) + 10)
    for fan in fans:
        points[fan] += back
    return {who: got for who, got in points.items() if who != user and (user, who) not in edges}


@pytest.mark.parametrize(
    "seed", [0, 1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)]
)
def test_the_database_adds_up_what_the_formula_says(engine: Engine, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On random graphs with hubs and equal times, also where the samples cut: scores and order to the last digit."""
    dice = random.Random(seed)
    if seed % 2:
        monkeypatch.setattr(statements, "NEAR", 12)
        monkeypatch.setattr(statements, "ASKED", 7)
        monkeypatch.setattr(statements, "FAR", 4)
    models = declare(Settings())
    models.metadata.create_all(engine)
    people = range(1, 61)
    weights = [1 / key for key in people]
    edges: dict[Pair, int] = {}
    for _ in range(700):
        a, b = dice.choice(people), dice.choices(people, weights)[0]
        if a != b:
            edges.setdefault((a, b), dice.randrange(40))
    with stopped_clock() as clock, Session(engine) as session:
        session.add_all([models.user(id=key) for key in people])
        session.flush()
        rows = [
            {"follower_id": a, "following_id": b, "timestamp": clock.time + timedelta(minutes=at)}
            for (a, b), at in edges.items()
        ]
        session.execute(insert(models.follow.__table__), rows)
        graph = Graph(session, models.user)
        for user in people:
            expected = plain(edges, people, user)
            ranked = sorted(expected, key=lambda who: (-expected[who], who))[:30]
            found = graph.suggestions(user, 30)
            assert [(one.user.id, one.score) for one in found] == [(who, expected[who] / 1_000_000) for who in ranked]


def test_a_hub_is_read_no_further_than_the_sample(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one who follows many, only the newest have a say."""
    monkeypatch.setattr(statements, "FAR", 3)
    models = declare(Settings())
    models.metadata.create_all(engine)
    with stopped_clock() as clock, Session(engine) as session:
        session.add_all([models.user(id=key) for key in range(1, 41)])
        graph = Graph(session, models.user)
        graph.follow(1, 2)
        for key in range(3, 23):
            clock.move(DAY)
            graph.follow(2, key)
        assert [one.user.id for one in graph.suggestions(1)] == [20, 21, 22]


# --- Reasons and evidence ------------------------------------------------------------------------


def test_each_suggestion_says_why(engine: Engine) -> None:
    with place(engine, 9) as here:
        here.follow((1, 2), (2, 3))
        here.clock.move(30 * DAY)
        here.follow((2, 4), (5, 1), (5, 6), (8, 9))
        here.clock.move(DAY)
        assert here.reasons() == {
            3: SuggestionReason.FRIENDS_OF_FRIENDS,
            4: SuggestionReason.NEW_IN_NETWORK,
            5: SuggestionReason.FOLLOWS_YOU,
            6: SuggestionReason.FOLLOWED_BY_FOLLOWERS,
            9: SuggestionReason.POPULAR,
        }
        here.clock.move(7 * DAY)
        assert here.reasons()[4] is SuggestionReason.FRIENDS_OF_FRIENDS


def test_who_is_known_is_named_newest_first(engine: Engine) -> None:
    """Three at most, and how many there are."""
    with place(engine) as here:
        for friend in (2, 3, 4, 5):
            here.clock.move(DAY)
            here.follow((1, friend), (friend, 8))
        (one,) = here.graph.suggestions(1)
        assert one.user.id == 8
        assert [friend.id for friend in one.known] == [5, 4, 3]
        assert one.known_total == 4


def test_a_newcomer_is_shown_who_is_popular(engine: Engine) -> None:
    """Though they follow nobody; whoever more people follow comes first."""
    with place(engine) as here:
        here.follow((2, 7), (3, 7), (4, 7), (2, 6), (3, 6), (4, 5))
        assert list(here.reasons().items()) == [(key, SuggestionReason.POPULAR) for key in (7, 6, 5)]


def test_nobody_is_suggested_to_nobody(engine: Engine) -> None:
    """A key that no user has, a user without a key, and one in an empty place."""
    with place(engine) as here:
        assert here.suggested() == []
        here.follow((2, 7))
        assert here.suggested() == [7]
        assert here.suggested(99) == []
        assert here.graph.suggestions(MODELS.user()) == []


# --- Who is never suggested ----------------------------------------------------------------------


def be_rejected(here: Place) -> None:
    """Let 5, who approves their followers, have rejected 1, a day ago."""
    here.change(5, locked=True)
    here.follow((1, 5))
    here.graph.reject(5, 1)
    here.clock.move(DAY)


def test_who_rejected_one_lately_is_not_suggested(engine: Engine) -> None:
    """Neither by friends nor as popular; to others they are, and the list is not the shorter for it."""
    with place(engine) as here:
        here.follow((1, 2), (1, 3), (2, 5), (3, 5), (2, 6), (5, 1), (7, 5))
        assert here.suggested(limit=1) == [5]
        be_rejected(here)
        assert here.suggested(limit=1) == [6]
        assert 5 not in here.suggested()
        here.follow((4, 2), (4, 3))
        assert 5 in here.suggested(4)


def test_what_ends_lets_them_be_suggested_again(engine: Engine) -> None:
    """A timed block and mute, a dismissal taken back, a rejection that is past the cool-down."""
    with place(engine) as here:
        here.follow((1, 2), *((2, key) for key in (3, 4, 5, 6)))
        here.graph.block(1, 3, until=here.clock.time + 4 * DAY)
        here.graph.mute(1, 4, until=here.clock.time + 4 * DAY)
        here.graph.dismiss(1, 5)
        be_rejected(here)
        assert here.suggested() == [6]
        here.clock.move(5 * DAY)
        here.graph.undismiss(1, 5)
        assert here.suggested() == [3, 4, 5, 6]


# --- What must not leak --------------------------------------------------------------------------


def test_who_is_named_is_on_the_list_that_the_reader_may_see(engine: Engine) -> None:
    """In a town of all kinds of people: a part of `followers_you_know()`, and of their own list of followed."""
    dice = random.Random(5)
    with place(engine, 16) as here:
        here.follow(*dice.sample(list(permutations(range(1, 17), 2)), 70))
        for key, choice in enumerate(("locked", "hide_followers", "hide_following", "active", "discoverable"), 3):
            here.change(key, **{choice: choice not in ("active", "discoverable")})
            here.change(key + 6, **{choice: choice not in ("active", "discoverable")})
        named = 0
        for user in range(1, 17):
            for one in here.graph.suggestions(user):
                if one.known:
                    seen = {row.user.id for row in here.graph.followers_you_know(user, one.user)}
                    assert {friend.id for friend in one.known} <= seen
                    assert one.known_total <= len(seen)
                for friend in one.known:
                    theirs = here.graph.following(friend, viewer=user, limit=100)
                    assert one.user.id in [row.user.id for row in theirs]
                    named += 1
        assert named > 20


# --- Dismissing ----------------------------------------------------------------------------------


def test_dismissing_is_idempotent(engine: Engine) -> None:
    with place(engine) as here:
        graph = here.graph
        assert graph.dismiss(1, 2) is True
        assert graph.dismiss(1, 2) is False
        assert graph.undismiss(1, 2) is True
        assert graph.undismiss(1, 2) is False
        assert graph.dismiss(1, 2) is True
        (row,) = here.session.scalars(select(MODELS.dismissal))
        assert (row.user.id, row.suggested.id, row.timestamp) == (1, 2, here.clock.time)


def test_who_is_dismissed_and_deleted_leaves_nothing(engine: Engine) -> None:
    with place(engine) as here:
        here.graph.dismiss(1, 2)
        here.graph.dismiss(2, 3)
        here.session.delete(here.session.get_one(MODELS.user, 2))
        here.session.flush()
        assert here.session.scalars(select(MODELS.dismissal)).all() == []


@pytest.mark.parametrize("verb", ["dismiss", "undismiss"])
def test_what_a_dismissal_refuses(engine: Engine, verb: str) -> None:
    """With typed errors, before the transaction is touched."""
    with place(engine) as here:
        call = getattr(here.graph, verb)
        with pytest.raises(SelfFollowError):
            call(1, 1)
        with pytest.raises(UnknownUserError):
            call(1, 99)
        with pytest.raises(UnknownUserError):
            call(99, 1)
        bad: list[object] = ["1", None, 1.5, True, 2**70, object()]
        for value in bad:
            with pytest.raises(InvalidUserError):
                call(1, value)
        assert here.graph.dismiss(1, 2)


def test_a_list_needs_a_possible_user_and_limit(engine: Engine) -> None:
    with place(engine) as here:
        bad: list[Any] = ["1", None, 1.5, True, 2**70]
        for value in bad:
            with pytest.raises(InvalidUserError):
                here.graph.suggestions(value)
        limits: list[Any] = [0, -1, 101, 10**30, "20", 2.0, True, None]
        for limit in limits:
            with pytest.raises(ValueError, match="limit"):
                here.graph.suggestions(1, limit)


# --- Owners --------------------------------------------------------------------------------------


@pytest.mark.parametrize("friends", [0, 20])
def test_each_statement_holds_to_the_owners_of_the_rows_that_it_reads(engine: Engine, friends: int) -> None:
    """Those for few friends, which ask about strangers too, and those for many; so do the verbs."""
    with place(engine, 130) as here:
        here.put(*((1, key) for key in range(2, friends + 2)))
        here.put(*((key, 129) for key in range(2, 20)), *((key, 130) for key in range(5, 120)))
        here.session.flush()
        with audited(engine):
            assert here.graph.suggestions(1)
            assert here.graph.dismiss(1, 2)
            assert here.graph.undismiss(1, 2)


# --- Other models --------------------------------------------------------------------------------


@pytest.mark.tables(None)
def test_the_two_models_alone_are_enough(engine: Engine) -> None:
    """Also with keys that are no numbers; but to dismiss takes its own model, and the error says the line."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        id: Mapped[uuid.UUID] = mapped_column(primary_key=True)

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    Base.metadata.create_all(engine)
    one, two, three = (uuid.uuid4() for _ in range(3))
    with Session(engine) as session:
        session.add_all([User(id=key) for key in (one, two, three)])
        graph = Graph(session, User)
        graph.follow(one, two)
        graph.follow(two, three)
        (found,) = graph.suggestions(one)
        assert (found.user.id, [friend.id for friend in found.known]) == (three, [two])
        for verb in (graph.dismiss, graph.undismiss):
            with pytest.raises(ModelMissingError, match="class DismissedSuggestion"):
                verb(one, three)


# --- At once -------------------------------------------------------------------------------------


def test_dismissals_at_once_make_one_row(engine: Engine) -> None:
    """Sixteen sessions dismiss the same, having read both users first: one is told that it is new, none fails."""
    MODELS.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([MODELS.user(id=key) for key in (1, 2)])
        session.commit()

    def dismiss(session: Session) -> object:
        return Graph(session, MODELS.user).dismiss(1, 2)

    with crowd(engine, MODELS, 16) as them:
        for _ in range(5):
            results = them.race([dismiss] * 16, [1, 2])
            assert sorted(map(str, results)) == ["False"] * 15 + ["True"]
            with them.sessions() as session:
                assert Graph(session, MODELS.user).undismiss(1, 2)
                session.commit()
