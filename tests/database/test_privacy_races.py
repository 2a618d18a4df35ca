"""
Requests, blocks, limits and what is written down, while several sessions act at the same moment.

Each verb has a session, a connection and a transaction of its own, which has read both users
before. A verb meets no error of the database, not even one that it could have tried again;
only where users are deleted, or a transaction has several verbs, `transact()` is asked for.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from operator import methodcaller
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.orm import Session

from retinue import LimitError, Outcome, Settings, prepare_engine, transact
from tests.database.graph_models import HUNG, crowd, errors
from tests.database.models_private import PrivateModels, declare
from tests.database.private_crowd import Scene, State, Verb, audit, heard, history, job, outcome, play
from tests.database.private_models import ANY, Application, populate
from tests.database.private_writers import ask_and_answer, part_and_meet
from tests.database.test_kill import wait_until_the_server_knows
from tests.database.writers import PROCESSES
from tests.long import few_or_many

if TYPE_CHECKING:
    from tests.servers import Server

THREADS = 16

#: Gives what some people did before, and what they do at once, by chance.
Make = Callable[[random.Random, list[int]], tuple[list[Verb], list[Verb]]]

verb = methodcaller


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def engine(
    request: pytest.FixtureRequest, server: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Give a prepared engine, the same to all tests here: `populate()` empties it."""
    if request.param == "sqlite":
        url = URL.create("sqlite", database=str(tmp_path_factory.mktemp("races") / "retinue.sqlite3"))
    else:
        url = server(request.param).create_database()
    engine = create_engine(url, pool_size=20, max_overflow=20)
    yield prepare_engine(engine)
    engine.dispose()
    if request.param != "sqlite":
        server(request.param).drop_database(url)


def scenes(count: int, people: int, make: Make) -> list[Scene]:
    """Make so many scenes of so many people each, all of them others."""
    made = []
    for number in range(count):
        users = list(range(number * people + 1, (number + 1) * people + 1))
        made.append(Scene(users, *make(random.Random(number), users)))
    return made


def play_all(engine: Engine, made: list[Scene], models: PrivateModels = ANY, *, patient: bool = False) -> State:
    """Play *made*, with people of their own; return what there is in the end."""
    populate(engine, models, made[-1].users[-1])
    with crowd(engine, models, THREADS) as them:
        return play(them, models, made, patient=patient)


# --- Two users -----------------------------------------------------------------------------------


def blocks_beside_anything(chance: random.Random, users: list[int]) -> tuple[list[Verb], list[Verb]]:
    """Let two follow, ask, answer and leave each other, while one of them blocks the other."""
    a, b = chance.sample(users, 2)
    before: list[Verb] = [
        verb("choose", b, locked=chance.random() < 0.7),
        verb("choose", a, locked=chance.random() < 0.3),
        *chance.sample([verb("follow", a, b), verb("follow", b, a), verb("block", b, a)], chance.randint(0, 2)),
    ]
    others = [
        verb("accept", a, b),
        verb("accept", b, a),
        verb("reject", b, a),
        verb("block", a, b),
        verb("block", b, a),
        verb("unblock", b, a),
        verb("unblock", b, a, restore=True),
        verb("unfollow", a, b),
        verb("remove_follower", b, a),
        verb("put", a, b),
    ]
    return before, [
        chance.choice([verb("block", a, b), verb("block", b, a)]),
        *chance.sample([verb("follow", a, b), verb("follow", b, a), verb("accept", b, a)], 2),
        *chance.sample(others, 2),
    ]


@few_or_many("number", 40, 200)
def test_block_beside_anything(engine: Engine, number: int) -> None:
    """A block wins over whatever happens at the same moment, in one of the orders in which it may have happened."""
    play_all(engine, scenes(number, 2, blocks_beside_anything))


def somebody_changes_their_mind(chance: random.Random, users: list[int]) -> tuple[list[Verb], list[Verb]]:
    """The same, while one of them becomes private, or public without an answer to those who asked."""
    before, verbs = blocks_beside_anything(chance, users)
    chosen = chance.choice(users)
    return before, [
        *verbs[:4],
        verb("choose", chosen, locked=chance.random() < 0.5),
        chance.choice([verb("unlock", chosen), verb("choose", chosen, locked=True)]),
    ]


@few_or_many("number", 12, 40)
def test_becoming_private_or_public_beside_anything(engine: Engine, number: int) -> None:
    """Whether somebody asks or follows is decided by what the other has chosen by then, not by what was read before."""
    play_all(engine, scenes(number, 2, somebody_changes_their_mind), patient=True)


def answers_beside_withdrawals(chance: random.Random, users: list[int]) -> tuple[list[Verb], list[Verb]]:
    """Let a request be answered, withdrawn and made anew at once."""
    a, b = chance.sample(users, 2)
    before: list[Verb] = [verb("choose", b, locked=True), *[verb("follow", a, b)] * (chance.random() < 0.8)]
    answers = ["accept", "accept", "reject", "remove_follower"]
    return before, [
        verb("unfollow", a, b),
        verb(chance.choice(answers), b, a),
        verb(chance.choice(["accept_all", "reject_all", "unlock"]), b),
        *chance.sample([verb("follow", a, b), verb("unfollow", a, b), verb("accept", b, a), verb("mute", b, a)], 2),
    ]


@few_or_many("number", 15, 50)
def test_answer_beside_a_withdrawal(engine: Engine, number: int) -> None:
    """
    Who leaves while they are being accepted has either withdrawn or unfollowed: nobody follows against their will.

    On MariaDB one who answers everybody at once, beside one who follows them, may have to try again.
    """
    play_all(engine, scenes(number, 2, answers_beside_withdrawals), patient=engine.dialect.name == "mariadb")


def requests_become_edges(chance: random.Random, users: list[int]) -> tuple[list[Verb], list[Verb]]:
    """Let an edge take the place of a request, by the ORM or as a block ends, while others follow the same two."""
    a, b, c = chance.sample(users, 3)
    before: list[Verb] = [verb("choose", b, locked=True), verb("follow", a, b)]
    if chance.random() < 0.5:
        return before, [verb("put", a, b), verb("follow", b, a), verb("follow", c, a), verb("follow", b, c)]
    before = [verb("follow", a, b), verb("follow", b, a), verb("block", b, a), verb("choose", a, locked=True)]
    return before, [verb("unblock", b, a, restore=True), verb("follow", c, a), verb("follow", c, b)]


def test_an_edge_in_the_place_of_a_request(engine: Engine) -> None:
    """What was told of the request goes without holding up those who tell of something else."""
    play_all(engine, scenes(20, 3, requests_become_edges))


def everything_between_two(chance: random.Random, users: list[int]) -> tuple[list[Verb], list[Verb]]:
    """Let both do one thing many times over, as impatient fingers do."""
    a, b = users
    before: list[Verb] = [
        verb("choose", b, locked=chance.random() < 0.7),
        *chance.sample([verb("follow", a, b), verb("follow", b, a), verb("block", a, b)], chance.randint(0, 2)),
    ]
    again = chance.choice(
        [
            verb("follow", a, b),
            verb("accept", b, a),
            verb("reject", b, a),
            verb("accept_all", b),
            verb("reject_all", b),
            verb("unlock", b),
            verb("block", a, b),
            verb("unblock", a, b, restore=True),
            verb("mute", a, b),
            verb("unmute", a, b),
            verb("unfollow", a, b),
            verb("remove_follower", b, a),
        ]
    )
    return before, [again] * 6


@few_or_many("number", 12, 40)
def test_one_verb_many_times(engine: Engine, number: int) -> None:
    """Of many who do one thing at once, one has done it, and nobody meets an error."""
    play_all(engine, scenes(number, 2, everything_between_two))


# --- Many ask one --------------------------------------------------------------------------------


def one_goes_public(chance: random.Random, users: list[int]) -> tuple[list[Verb], list[Verb]]:
    """Let a user go public whom some have asked, while others ask, withdraw, or are blocked."""
    star, *others = chance.sample(users, len(users))
    asked, new = others[:3], others[3:]
    before: list[Verb] = [verb("choose", star, locked=True), *(verb("follow", fan, star) for fan in asked)]
    return before, [
        verb("unlock", star),
        verb("follow", new[0], star),
        verb("follow", new[1], star),
        *chance.sample(
            [
                verb("unlock", star),
                verb("follow", asked[0], star),
                verb("unfollow", asked[0], star),
                verb("accept", star, asked[1]),
                verb("reject", star, asked[1]),
                verb("block", star, asked[2]),
                verb("block", asked[2], star),
                verb("follow", star, asked[2]),
                verb("reject_all", star),
            ],
            3,
        ),
    ]


@few_or_many("number", 10, 30)
def test_going_public_beside_followers(engine: Engine, number: int) -> None:
    """Who goes public leaves no request unanswered, not even one that is made at the same moment."""
    state = play_all(engine, scenes(number, 6, one_goes_public))
    assert {followed for _, followed in state.requests} <= state.locked


def all_are_answered(chance: random.Random, users: list[int]) -> tuple[list[Verb], list[Verb]]:
    """Let two users answer all who ask them, who are the same, while these do other things."""
    one, other, *fans = chance.sample(users, len(users))
    before: list[Verb] = [verb("choose", one, locked=True), verb("choose", other, locked=True)]
    before += [verb("follow", fan, star) for fan in fans for star in (one, other)]
    before += [verb("follow", one, other)] * (chance.random() < 0.5)
    return before, [
        verb(chance.choice(["accept_all", "accept_all", "reject_all"]), one),
        verb(chance.choice(["accept_all", "accept_all", "unlock"]), other),
        *chance.sample(
            [
                verb("unfollow", fans[0], one),
                verb("unfollow", fans[1], other),
                verb("follow", fans[0], fans[1]),
                verb("follow", fans[1], fans[2]),
                verb("accept_all", one),
                verb("unlock", one),
                verb("block", fans[2], one),
                verb("block", other, fans[3]),
                verb("accept", one, fans[3]),
                verb("remove_follower", other, fans[3]),
            ],
            4,
        ),
    ]


@few_or_many("number", 8, 25)
def test_answers_to_all(engine: Engine, number: int) -> None:
    """
    Two who answer all that wait, the same people, meet neither each other nor those who withdraw.

    On MariaDB one who goes public while somebody whom they asked lets everybody in may have to try again.
    """
    play_all(engine, scenes(number, 6, all_are_answered), patient=engine.dialect.name == "mariadb")


# --- Users who go --------------------------------------------------------------------------------


def somebody_leaves(chance: random.Random, users: list[int]) -> tuple[list[Verb], list[Verb]]:
    """Let a user go while others deal with them."""
    gone, a, b, c = chance.sample(users, 4)
    before: list[Verb] = [
        verb("choose", a, locked=True),
        verb("choose", gone, locked=chance.random() < 0.5),
        verb("follow", a, gone),
        verb("follow", gone, a),
        verb("follow", b, a),
        verb("mute", gone, b),
    ]
    return before, [
        verb("leave", gone),
        *chance.sample(
            [
                verb("follow", b, gone),
                verb("follow", gone, b),
                verb("accept", a, gone),
                verb("accept", gone, a),
                verb("accept_all", a),
                verb("accept_all", gone),
                verb("unlock", gone),
                verb("unlock", a),
                verb("reject", a, gone),
                verb("block", c, gone),
                verb("block", gone, a),
                verb("mute", c, gone),
                verb("mute", gone, c),
                verb("unfollow", gone, a),
                verb("remove_follower", a, gone),
                verb("leave", a),
            ],
            4,
        ),
    ]


@few_or_many("number", 10, 30)
def test_deletion_beside_anything(engine: Engine, number: int) -> None:
    """Of a user who goes nothing is left but the history, whatever others did to them at that moment."""
    play_all(engine, scenes(number, 4, somebody_leaves), patient=True)


# --- Limits --------------------------------------------------------------------------------------

ALLOWED = 5
FEW = declare(Settings(max_following=ALLOWED, max_following_ratio=0))
A_DAY = declare(Settings(max_follows_per_day=ALLOWED))
PENDING = declare(Settings(max_pending_requests=ALLOWED))
EACH = declare(Settings(max_following=2, max_following_ratio=1, max_follows_per_day=3, max_pending_requests=1))


@pytest.mark.parametrize("models", [FEW, A_DAY, PENDING], ids=["following", "a day", "pending"])
def test_limit_that_many_reach_for(engine: Engine, models: PrivateModels) -> None:
    """Of one user's follows at once just so many succeed as may; all others are told of the limit."""
    asks = models is PENDING
    me, *others = populate(engine, models, THREADS + 1, locked=range(2, THREADS + 2) if asks else ())
    with crowd(engine, models, THREADS) as them:
        results = them.race([job(models, verb("follow", me, other)) for other in others], [me, *others])
        done = Outcome.REQUESTED if asks else Outcome.FOLLOWED
        assert Counter(results) == {done: ALLOWED, LimitError: THREADS - ALLOWED}
        # What was taken back makes room again, but not in the day's count.
        them.race([job(models, verb("unfollow", me, other)) for other in others], [me])
        results = them.race([job(models, verb("follow", me, other)) for other in others], [me, *others])
        room = 0 if models is A_DAY else ALLOWED
        assert Counter(results) == Counter({done: room, LimitError: THREADS - room})
    state = audit(engine, models)
    assert len(state.edges | state.requests) == room


def somebody_reaches_limits(chance: random.Random, users: list[int]) -> tuple[list[Verb], list[Verb]]:
    """Let one follow and leave several, while others answer and follow them."""
    me, *others = users
    before: list[Verb] = [verb("choose", other, locked=True) for other in others[:2]]
    before += [verb("follow", me, other) for other in chance.sample(others, 2)]
    verbs = [verb("follow", me, other) for other in others]
    verbs += [verb("unfollow", me, chance.choice(others)), verb("accept", others[0], me), verb("reject", others[1], me)]
    verbs += [verb("follow", others[3], me), verb("block", others[2], me)]
    return before, chance.sample(verbs, 5)


@few_or_many("number", 10, 30)
def test_limits_beside_anything(engine: Engine, number: int) -> None:
    """
    What counts against a limit is what there was in one of the orders in which it may have happened.

    On MariaDB one who is counted by others while they reach for a limit may have to try again.
    """
    play_all(engine, scenes(number, 5, somebody_reaches_limits), EACH, patient=engine.dialect.name == "mariadb")


def test_limits_of_many(engine: Engine) -> None:
    """Many who follow the same few at once, each within limits of their own, do not meet."""
    fans = populate(engine, EACH, THREADS + 2, locked=[THREADS])
    stars = fans[THREADS - 1 : THREADS + 1]
    fans = [fan for fan in fans if fan not in stars]
    with crowd(engine, EACH, THREADS) as them:
        for star, done in zip(stars, (Outcome.REQUESTED, Outcome.FOLLOWED), strict=True):
            results = them.race([job(EACH, verb("follow", fan, star)) for fan in fans], stars)
            assert Counter(results) == {done: THREADS}
        assert them.race([job(EACH, verb("unlock", stars[0]))], stars) == [THREADS]
    assert audit(engine, EACH).edges == {(fan, star) for fan in fans for star in stars}


# --- What is written down ------------------------------------------------------------------------


def what_is_told(chance: random.Random, users: list[int]) -> tuple[list[Verb], list[Verb]]:
    """Let one follow and leave another again and again, who has read of it, or does not want to hear of it."""
    a, b = chance.sample(users, 2)
    before: list[Verb] = [verb("choose", b, locked=chance.random() < 0.3)]
    before += [verb("follow", a, b), verb("mark_read", b), verb("unfollow", a, b)] * (chance.random() < 0.4)
    before += [verb("mute", b, a, notifications=chance.random() < 0.8)] * (chance.random() < 0.6)
    others = [verb("follow", a, b), verb("mute", b, a), verb("unmute", b, a), verb("accept", b, a), verb("block", b, a)]
    others += [verb("mute", b, a, notifications=False), verb("follow", b, a), verb("mark_read", b)]
    return before, [verb("follow", a, b), verb("unfollow", a, b), verb("follow", a, b), *chance.sample(others, 2)]


@few_or_many("number", 12, 40)
def test_notifications_beside_mutes(engine: Engine, number: int) -> None:
    """Who follows and leaves all the time is told once, and not at all to whom mutes or blocks them."""
    play_all(engine, scenes(number, 2, what_is_told))


# --- All together --------------------------------------------------------------------------------


def test_anything_beside_anything(engine: Engine) -> None:
    """Whatever eight sessions do to five users in transactions of several verbs, all that must hold does."""
    users = populate(engine, ANY, 5)

    def wander(seed: int) -> Callable[[Session], None]:
        chance = random.Random(seed)
        plan = [[some_verb(chance, users) for _ in range(chance.choice([1, 1, 2, 3]))] for _ in range(15)]

        def run(_session: Session) -> None:
            for verbs in plan:
                transact(them.sessions, read_and(verbs))

        return run

    def read_and(verbs: list[Verb]) -> Callable[[Session], None]:
        def work(session: Session) -> None:
            held = [session.get(ANY.user, user) for user in users]
            for one in verbs:
                outcome(one, Application(session, ANY))
            del held

        return work

    with crowd(engine, ANY, 8) as them, heard(ANY) as events:
        assert errors(them.race([wander(seed) for seed in range(8)])) == []
    audit(engine, ANY)
    assert events == Counter(kind for kind, _ in history(engine, ANY))


def some_verb(chance: random.Random, users: list[int]) -> Verb:
    """Return a verb about some of *users*."""
    a, b = chance.sample(users, 2)
    names = ["follow", "unfollow", "remove_follower", "accept", "reject", "block", "unblock", "mute", "unmute", "put"]
    return chance.choice(
        [
            *[verb(name, a, b) for name in names],
            verb("follow", a, b),
            verb("unblock", a, b, restore=True),
            verb("choose", a, locked=True),
            *[verb(name, a) for name in ("accept_all", "reject_all", "unlock")],
        ]
    )


def test_killed_writers_leave_nothing_half_done(engine: Engine) -> None:
    """However often they are killed: a block has cut all or nothing, and all who ask are let in or none."""
    populate(engine, ANY, 10)
    pairs = [(1, 2), (3, 4), (5, 6), (3, 7)]
    url = engine.url.render_as_string(hide_password=False)
    chance = random.Random(1)
    with Session(engine) as session:
        for a, b in pairs:
            Application(session, ANY).follow(a, b)
            Application(session, ANY).follow(b, a)
        session.commit()
    star, fans = 8, [2, 4, 6, 7, 9, 10]
    for _ in range(3):
        started = [PROCESSES.Event() for _ in range(2)]
        writers = [
            PROCESSES.Process(target=part_and_meet, args=(started[0], url, pairs)),
            PROCESSES.Process(target=ask_and_answer, args=(started[1], url, star, fans)),
        ]
        for writer in writers:
            writer.start()
        for begun in started:
            assert begun.wait(HUNG)
        time.sleep(chance.uniform(0, 0.05))
        for writer in writers:
            assert writer.is_alive()
            writer.kill()
            writer.join(HUNG)
        wait_until_the_server_knows(engine)
        state = audit(engine, ANY)
        for a, b in pairs:
            assert len({(a, b), (b, a)} & state.edges) == (0 if (a, b) in state.blocks else 2)
        all_of_them = {(fan, star) for fan in fans}
        asking, following = all_of_them & state.requests, all_of_them & state.edges
        assert (asking, following) in [(all_of_them, set()), (set(), all_of_them), (set(), set())]
        assert star in state.locked or not asking
