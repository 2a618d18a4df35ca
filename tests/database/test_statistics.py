"""Numbers about a graph as a whole are what counting by hand says, on every engine."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from retinue import Settings
from retinue.insight import DegreeBand, Statistics, statistics
from retinue.models import now
from retinue.testing import make_users
from tests.database.models_plain import UncountedBase, UncountedFollow, UncountedUser
from tests.database.models_private import PrivateModels, declare

MODELS = declare(Settings(request_expiry=timedelta(days=10)))
PEOPLE = 40


def bands(numbers: list[int]) -> tuple[DegreeBand, ...]:
    """Count by hand who has 0, 1, 2 to 3, 4 to 7 ..."""
    found = [DegreeBand(0, 0, numbers.count(0))]
    least = 1
    while least <= max(numbers):
        found.append(DegreeBand(least, least * 2 - 1, sum(least <= number < least * 2 for number in numbers)))
        least *= 2
    return tuple(found)


def fill(session: Session, models: PrivateModels) -> set[tuple[int, int]]:
    """Make people with a heavy-tailed graph, by raw SQL: no count row knows of it."""
    models.metadata.create_all(session.connection())
    make_users(session, models.user, PEOPLE)
    session.flush()
    chance = random.Random(11)
    pairs = set()
    for _ in range(400):
        a, b = chance.randint(1, PEOPLE), min(int(chance.paretovariate(0.7)), PEOPLE)
        if a != b:
            pairs.add((a, b))
    rows = [{"follower_id": a, "following_id": b, "timestamp": now()} for a, b in pairs]
    session.connection().execute(insert(models.follow.__table__), rows)
    return pairs


pytestmark = pytest.mark.tables(MODELS.metadata)


def test_they_are_what_counting_by_hand_says(engine: Engine) -> None:
    """What has ended counts for nothing; who has no edge is in the band of nobody."""
    at, day = now(), timedelta(days=1)
    with Session(engine) as session:
        pairs = fill(session, MODELS)
        for model, other, ends in ((MODELS.block, "blocker_id blocked_id", 3), (MODELS.mute, "muter_id muted_id", 4)):
            one, two = other.split()
            rows = [
                {one: 1, two: 2 + number, "timestamp": at - day, "until": (None, at + day, at - day / 2)[number % 3]}
                for number in range(3 * ends)
            ]
            session.execute(insert(model.__table__), rows)
        requests = [
            {"follower_id": 3 + number, "following_id": 1, "timestamp": at - age, "rejected_at": rejected}
            for number, (age, rejected) in enumerate(((day, None), (5 * day, None), (20 * day, None), (day, at)))
        ]
        session.execute(insert(MODELS.request.__table__), requests)
        session.commit()
        found = statistics(session, MODELS.user, most_followed=5)
        followers, following = Counter(b for _, b in pairs), Counter(a for a, _ in pairs)
        assert (found.users, found.follows) == (PEOPLE, len(pairs))
        assert found.returned == sum((b, a) in pairs for a, b in pairs)
        assert found.mutual_share == found.returned / len(pairs)
        assert (found.requests, found.blocks, found.mutes) == (2, 6, 8)
        everybody = range(1, PEOPLE + 1)
        assert found.by_followers == bands([followers[user] for user in everybody])
        assert found.by_following == bands([following[user] for user in everybody])
        top = sorted(everybody, key=lambda user: (-followers[user], user))[:5]
        assert [(one.user.id, one.followers) for one in found.most_followed] == [
            (user, followers[user]) for user in top
        ]


@pytest.mark.tables(None)
def test_an_empty_graph_and_one_with_edges_alone(engine: Engine) -> None:
    """Nothing is divided by nothing; what is not declared is None, not 0."""
    UncountedBase.metadata.create_all(engine)
    with Session(engine) as session:
        nobody = (DegreeBand(0, 0, 0),)
        empty: Statistics[UncountedUser] = statistics(session, UncountedUser)
        assert empty == Statistics(0, 0, 0, None, None, None, (), nobody, nobody)
        assert empty.mutual_share == 0
        a, b = make_users(session, UncountedUser, 2)
        session.flush()
        session.execute(insert(UncountedFollow), {"follower_id": a.id, "following_id": b.id, "timestamp": now()})
        # What the session holds back counts too.
        make_users(session, UncountedUser, 1)
        found = statistics(session, UncountedUser)
        assert (found.users, found.follows, found.returned, found.mutual_share) == (3, 1, 0, 0)
        assert found.by_followers == (DegreeBand(0, 0, 2), DegreeBand(1, 1, 1))
        assert [(one.user, one.followers) for one in found.most_followed] == [(b, 1)]
        for wrong in (0, 101, True, "all"):
            with pytest.raises(ValueError, match="limit"):
                statistics(session, UncountedUser, most_followed=wrong)  # type: ignore[arg-type]
