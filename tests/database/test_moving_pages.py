"""Pages that are read while others follow and leave."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from retinue import transact
from tests.database.graph_models import HUNG, ONE, Pair, crowd, populate

#: Whose list it is, how many people there are, and how often the list is read.
STAR, PEOPLE, WALKS = 1, 61, 4

Read = Callable[..., tuple[list[int], str | None, str | None]]

pytestmark = pytest.mark.tables(ONE.metadata)


def walk(read: Read) -> tuple[list[int], list[int]]:
    """Read a list to its end, and from there back to its beginning; return who was on it, both times."""
    there, older, newer = read(None)
    while older:
        back, older, newer = read(older)
        there += back
    back = list(back)
    while newer:
        more, _, newer = read(newer)
        back += more
    return there, back


@pytest.mark.parametrize("side", ["followers", "following"])
def test_a_list_is_read_whole_while_others_come_and_go(engine: Engine, side: str) -> None:
    """From the first page to the last, nobody who stayed is left out, and nobody at all is repeated."""
    people = populate(engine, ONE, PEOPLE)[1:]
    stay, come_and_go = set(people[::2]), people[1::2]
    stirring, done = threading.Barrier(3), threading.Event()

    def pair(user: int) -> Pair:
        return (user, STAR) if side == "followers" else (STAR, user)

    with crowd(engine, ONE, 3) as them:

        def begin(session: Session) -> None:
            for user in people:
                ONE.graph(session).follow(*pair(user))

        def read(cursor: str | None) -> tuple[list[int], str | None, str | None]:
            with them.sessions() as session:  # each page is a request of its own
                page = getattr(ONE.graph(session), side)(STAR, limit=4, cursor=cursor)
                return [person.user.id for person in page], page.next, page.prev

        def look(_: Session) -> None:
            try:
                stirring.wait(HUNG)
                for _walk in range(WALKS):
                    there, back = walk(read)
                    assert stay <= set(there) <= set(people)
                    assert len(set(there)) == len(there)
                    # On the way back it may meet again who left and came anew, and only those.
                    assert stay <= set(back)
                    assert {user for user, times in Counter(back).items() if times > 1} <= set(come_and_go)
            finally:
                done.set()

        def stir(users: Sequence[int]) -> Callable[[Session], None]:
            def run(_: Session) -> None:
                for number, user in enumerate(itertools.cycle(users)):
                    transact(them.sessions, them.unfollow(pair(user)))
                    transact(them.sessions, them.follow(pair(user)))
                    if number == 0:
                        stirring.wait(HUNG)
                    if done.is_set():
                        return

            return run

        transact(them.sessions, begin)
        them.race([look, stir(come_and_go[::2]), stir(come_and_go[1::2])])
        assert len(them.audit(counted=[STAR, *stay])) == PEOPLE - 1
