"""Many people press buttons at once, on each database: every press is answered, and what is left is right."""

from __future__ import annotations

import random
import threading

from sqlalchemy import URL, select

from demo.tests.conftest import UNTIL, Site, Visitor, by_fame, running
from retinue_demo.models import Block, Follow, FollowRequest, db
from retinue_demo.seed import seed

PRESSES = 15
VERBS = ("follow", "follow", "unfollow", "block", "unblock", "accept", "reject", "remove", "mute")


def test_a_crowd_presses_every_button(database: URL) -> None:
    """Eight browsers, five people and one who is private: no error, right counts, and nothing across a block."""
    with running(database) as site:
        with site.app.app_context():
            seed(db.session.session_factory, 8, until=UNTIL)
        people = by_fame(site)[:5]
        for name in people:
            site.set(name, active=True, locked=name == people[0])
        browsers = [site.visitor_as(people[number % len(people)]) for number in range(8)]
        answers = pressed_at_once(browsers, people)

        assert len(answers) == len(browsers) * PRESSES
        # 404: somebody who blocks has no page for the blocked; 400: oneself.
        assert set(answers) <= {303, 400, 404}
        assert answers.count(303) > len(answers) // 4
        site.assert_counts_are_right()
        assert apart_and_tied(site) == set()


def pressed_at_once(browsers: list[Visitor], people: list[str]) -> list[int]:
    """Let each browser press buttons about *people*, all at the same time; return the answers' statuses."""
    start, statuses = threading.Barrier(len(browsers)), list[int]()

    def press(number: int, visitor: Visitor) -> None:
        chance = random.Random(number)
        start.wait()
        for _ in range(PRESSES):
            statuses.append(visitor.post(f"/@{chance.choice(people)}/{chance.choice(VERBS)}").status)

    threads = [threading.Thread(target=press, args=one) for one in enumerate(browsers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def apart_and_tied(site: Site) -> set[tuple[int, int]]:
    """Return those between whom there is a block, and a follow or a request all the same."""
    with site.session() as session:
        blocks = {tuple(row) for row in session.execute(select(Block.blocker_id, Block.blocked_id))}
        tied = {
            tuple(row)
            for model in (Follow, FollowRequest)
            for row in session.execute(select(model.follower_id, model.following_id))
        }
    return {(one, other) for one, other in tied if (one, other) in blocks or (other, one) in blocks}
