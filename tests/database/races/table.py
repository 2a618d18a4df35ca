"""
The table of races: what happens side by side, what there was before, and what must hold then.

What must hold is the same everywhere: counters equal rows, a block wins, nothing is about somebody who has gone, what
there is is what happened and what was told; and results, events and end are those of one of the orders in which the
actions may have happened. So a row says what is done, and where an engine may ask for another try.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

from retinue import Settings
from tests.database.graph_models import MANY, ONE
from tests.database.models_private import declare
from tests.database.private_models import ANY
from tests.database.races.actions import (
    A,
    Action,
    B,
    C,
    D,
    E,
    F,
    accept,
    accept_all,
    add_row,
    add_rows,
    all_of,
    block,
    bring,
    choose,
    clear,
    delete_row,
    follow,
    leave,
    leave_by_name,
    leave_in_bulk,
    load,
    mark_read,
    mute,
    never_mind,
    put,
    reject,
    reject_all,
    remove_follower,
    there,
    unblock,
    unfollow,
    unlock,
    unmute,
)
from tests.database.races.exact import COMMIT
from tests.database.races.scenes import Draw, again, at_most, one_of, perhaps, some

#: How many follows the limits allow.
ALLOWED = 5

#: The graphs of the table: what they have decides who waits for whom.
GRAPHS = {
    "1 slot": ONE,
    "16 slots": MANY,
    "private": ANY,
    "limit": declare(Settings(max_following=ALLOWED, max_following_ratio=0)),
    "limit a day": declare(Settings(max_follows_per_day=ALLOWED)),
    "limit of requests": declare(Settings(max_pending_requests=ALLOWED)),
    "limits": declare(Settings(max_following=2, max_following_ratio=1, max_follows_per_day=3, max_pending_requests=1)),
}

#: Follows and their counts alone: how these are kept makes other races.
COUNTED = ("1 slot", "16 slots")

ENGINES = frozenset({"sqlite", "postgresql", "mariadb"})
MARIADB = frozenset({"mariadb"})

#: Many, beside one.
STAR, FANS = A, "BCDEFGHIJKLMNOPQ"


@dataclass(frozen=True)
class Storm:
    """Many sessions that act at once, several times over with other people."""

    title: str
    beside: Sequence[Action | Draw]
    before: Sequence[Action | Draw] = ()
    people: str = "AB"
    graphs: tuple[str, ...] = ("private",)
    #: Where somebody may have to try again. Elsewhere nobody meets an error of the database.
    retries: frozenset[str] = frozenset()
    #: How often in every run, and how often in a long one.
    scenes: tuple[int, int] = (2, 30)
    #: The `Follow` rows that each session has loaded before.
    loads: tuple[tuple[str, str], ...] = ()
    engines: frozenset[str] = ENGINES
    #: Whether it is played at other isolation levels as well.
    at_levels: bool = False


@dataclass(frozen=True)
class Exact:
    """Two sessions: the first stops before a statement, or its COMMIT; the second does what it can; the first goes on."""

    title: str
    first: Action
    #: The statement before which it stops, by its name.
    stops: str
    second: Action
    before: Sequence[Action] = ()
    people: str = "AB"
    graphs: tuple[str, ...] = ("private",)
    retries: frozenset[str] = frozenset()
    at_levels: bool = False


@dataclass(frozen=True)
class Wandering:
    """Eight sessions that do one thing after the other, in transactions of one to *most* actions of `transact()`."""

    title: str
    actions: Sequence[Action]
    most: int = 1
    graphs: tuple[str, ...] = ("private",)


# --- Follows -------------------------------------------------------------------------------------

_THERE = list(combinations("ABCD", 2))
_BACK = [(b, a) for a, b in reversed(_THERE)]

_FOLLOWS = [
    Storm("many make one follow", [follow(A, B)] * 8, graphs=COUNTED),
    Storm("many make one follow again", [follow(A, B)] * 8, [follow(A, B), unfollow(A, B)], graphs=COUNTED),
    Storm("many end one follow", [unfollow(A, B)] * 8, [follow(A, B)], graphs=COUNTED),
    Storm("two follow each other", [follow(A, B), follow(B, A)], graphs=COUNTED, scenes=(4, 30)),
    Storm("two leave each other", [unfollow(A, B), unfollow(B, A)], [follow(A, B), follow(B, A)], graphs=COUNTED),
    Storm(
        "two follow each other again",
        [follow(A, B), follow(B, A)],
        [follow(A, B), follow(B, A), unfollow(A, B), unfollow(B, A)],
        graphs=COUNTED,
    ),
    Storm(
        "two are the first of whom somebody is counted by",
        [follow(B, A), follow(C, A)],
        people="ABC",
        graphs=COUNTED,
    ),
    Storm(
        "many follow a star whom nobody has counted",
        [follow(fan, STAR) for fan in FANS],
        people=STAR + FANS,
        graphs=COUNTED,
        scenes=(1, 10),
    ),
    Storm(
        "many follow a star, and as many leave",
        [follow(fan, STAR) for fan in FANS[8:]] + [unfollow(fan, STAR) for fan in FANS[:8]],
        [follow(fan, STAR) for fan in FANS[:8]],
        people=STAR + FANS,
        graphs=COUNTED,
        scenes=(1, 10),
    ),
    Storm(
        "one edge is made and ended",
        [follow(A, B), unfollow(A, B)] * 4,
        graphs=COUNTED,
        retries=ENGINES,
        scenes=(4, 60),
    ),
    Storm(
        "transactions of several verbs in opposite order",
        [all_of(*(follow(*pair) for pair in pairs)) for pairs in (_THERE, _BACK, _THERE[::-1], _BACK[::-1])],
        people="ABCD",
        graphs=COUNTED,
        retries=ENGINES,
    ),
    Storm(
        "the first follower rolls back",
        [never_mind(follow(A, B)), follow(A, B), follow(A, B), never_mind(follow(A, B))],
        graphs=COUNTED,
        retries=ENGINES,
        scenes=(3, 30),
    ),
    Exact("a follow beside another of the same star", follow(A, B), COMMIT, follow(C, B), people="ABC", graphs=COUNTED),
    Exact("a follow beside the same", follow(A, B), COMMIT, follow(A, B), graphs=COUNTED),
    Exact("a follow beside its end", follow(A, B), COMMIT, unfollow(A, B), graphs=COUNTED),
    Exact("the end of a follow, twice", unfollow(A, B), COMMIT, unfollow(A, B), [follow(A, B)], graphs=COUNTED),
    Exact(
        "a follow beside one back", follow(A, B), COMMIT, follow(B, A), [follow(A, B), unfollow(A, B)], graphs=COUNTED
    ),
]

# --- Users who were never counted ----------------------------------------------------------------

_UNCOUNTED = [
    Storm(
        "a star with edges but no counts is followed and left",
        [
            unfollow(B, A),
            follow(F, A),
            unfollow(C, A),
            follow("G", A),
            unfollow(A, B),
            follow(A, D),
        ],
        [there((B, A), (C, A), (D, A), (E, A), (A, B), (A, C))],
        people="ABCDEFG",
        graphs=COUNTED,
        retries=ENGINES,
        scenes=(2, 20),
    ),
    Storm(
        "somebody with edges but no counts beside the deletion of a follower",
        [leave(B), follow(C, A), unfollow(A, E)],
        [there((B, A), (A, B), (D, A), (A, E), (B, E))],
        people="ABCDE",
        graphs=COUNTED,
        retries=ENGINES,
        scenes=(2, 20),
        at_levels=True,
    ),
    Exact(
        "a first count after a deletion that the snapshot does not show",
        follow(A, B),
        "insert_edge",
        leave(C),
        [there((C, B), (B, C), (D, B))],
        people="ABCD",
        graphs=COUNTED,
        retries=MARIADB,
        at_levels=True,
    ),
    Exact(
        "a first count waits for a deletion",
        leave(C),
        COMMIT,
        follow(A, B),
        [there((C, B), (B, C), (D, B))],
        people="ABCD",
        graphs=COUNTED,
        retries=ENGINES,
    ),
]

# --- Users who go --------------------------------------------------------------------------------

_STAR_AND_FANS = [
    there((F, "G"), (A, "G")),
    *(follow(*pair) for pair in [(B, A), (C, A), (A, B), (A, D)]),
]

_GONE: list[Storm | Exact] = [
    *(
        Storm(
            f"{how(A).name}() beside follows",
            [how(A), unfollow(B, A), follow(E, A), unfollow(A, D), follow(A, "H"), follow("G", A)],
            _STAR_AND_FANS,
            people="ABCDEFGH",
            graphs=COUNTED,
            retries=ENGINES,
            scenes=(2, 20),
            at_levels=how is leave,
        )
        for how in (leave, leave_in_bulk)
    ),
    *(
        Storm(
            f"two who know the same people, {how(A).name}()",
            [how(A), how(B), unfollow(C, A)],
            [follow(A, B), follow(B, A)]
            + [follow(fan, star) for star in (A, B) for fan in "CDEFGH"]
            + [follow(A, C), follow(B, C)],
            people="ABCDEFGH",
            graphs=COUNTED,
            retries=ENGINES,
            scenes=(2, 20),
        )
        for how in (leave, leave_in_bulk)
    ),
    *(
        Storm(
            f"some are deleted twice by a statement about the {what}, while others follow them",
            [
                leave_by_name(A, B, C, table=what == "table"),
                leave_by_name(B, C, D, table=what == "table"),
                follow(E, B),
                follow(C, F),
                add_rows((E, D), (F, D)),
                unfollow(A, C),
            ],
            [follow(a, b) for a, b in combinations("ABCDEF", 2) if (a, b) not in [("E", "F"), (A, D)]],
            people="ABCDEF",
            graphs=COUNTED,
            retries=ENGINES,
            scenes=(2, 15),
        )
        for what in ("class", "table")
    ),
    Storm(
        "each of some users is deleted by one of two statements",
        [leave_by_name(A, B, C, D), leave_by_name(C, D, E, F)],
        [follow(*pair) for pair in [(A, B), (B, C), (C, D), (D, E), (E, F), (F, A), (A, "G"), ("G", C), ("G", E)]],
        people="ABCDEFG",
        graphs=COUNTED,
        retries=ENGINES,
        scenes=(3, 20),
    ),
    Exact(
        "somebody is followed who was deleted since the snapshot",
        all_of(follow(A, B), follow(A, C)),
        "insert_edge",
        leave(B),
        people="ABC",
        graphs=COUNTED,
        at_levels=True,
    ),
    Exact(
        "somebody becomes public who is just leaving",
        leave(B),
        COMMIT,
        unlock(B),
        [choose(B, locked=True)],
        retries=ENGINES,
    ),
    Storm(
        "deletion beside unlock()",
        [leave(B), unlock(B), unlock(A), follow(A, B), follow(B, A)],
        [choose(A, locked=True), choose(B, locked=True), follow(A, B), follow(B, A)],
        retries=ENGINES,
    ),
    Storm(
        "deletion beside anything",
        [
            leave(D),
            some(
                4,
                follow(B, D),
                follow(D, B),
                accept(A, D),
                accept(D, A),
                accept_all(A),
                accept_all(D),
                reject(A, D),
                block(C, D),
                block(D, A),
                mute(C, D),
                mute(D, C),
                unfollow(D, A),
                remove_follower(A, D),
                leave(A),
            ),
        ],
        [
            choose(A, locked=True),
            perhaps(0.5, choose(D, locked=True)),
            follow(A, D),
            follow(D, A),
            follow(B, A),
            mute(D, B),
        ],
        people="ABCD",
        retries=ENGINES,
        scenes=(6, 60),
    ),
]

# --- What the application writes through the ORM, and imports ------------------------------------

_EVERY = list(permutations("ABCDEF", 2))
_EVERY_THIRD = [follow(*pair) for pair in _EVERY[::3]]

_OTHER_WAYS = [
    Storm(
        "two delete one object, and a third leaves",
        [delete_row(A, B), unfollow(A, B), delete_row(A, B)],
        [follow(A, B)],
        graphs=COUNTED,
        retries=MARIADB,
        loads=((A, B),),
    ),
    Storm(
        "rows are added while others follow",
        [add_row(A, B), follow(A, B), add_row(A, B), follow(B, A)],
        graphs=COUNTED,
        scenes=(3, 30),
    ),
    Storm(
        "bulk statements beside verbs",
        [
            clear(C),
            load(*((a, b) for a, b in _EVERY if a in "CD")),
            follow(A, B),
            unfollow(C, E),
            clear(D),
            follow(D, C),
        ],
        _EVERY_THIRD,
        people="ABCDEF",
        graphs=COUNTED,
        retries=ENGINES,
        engines=ENGINES - MARIADB,
    ),
    Storm(
        "bulk deletions that overlap, beside verbs",
        [
            clear(A, B, C),
            clear(B, C, D, end="follower_id"),
            clear(C, D, E),
            follow(A, F),
            unfollow(B, F),
        ],
        _EVERY_THIRD,
        people="ABCDEF",
        graphs=COUNTED,
        retries=ENGINES,
    ),
    Storm(
        "imports of one graph",
        [bring(*pairs) for pairs in (_EVERY, _EVERY[::-1], _EVERY[15:] + _EVERY[:15])],
        people="ABCDEF",
        graphs=COUNTED,
    ),
    Storm(
        "an import beside verbs, where nobody is counted",
        [bring(*permutations("ABCDE", 2)), follow(F, A), follow(A, F), follow(B, A), unfollow(A, D)],
        [there((A, B), (B, C), (C, A), (A, D))],
        people="ABCDEF",
        graphs=COUNTED,
        retries=ENGINES,
    ),
    Storm(
        "an import beside deletions",
        [bring(*permutations("ABCDE", 2)), leave(A), leave(D), leave(F)],
        [there((A, B), (B, C), (F, C))],
        people="ABCDEF",
        graphs=COUNTED,
        retries=ENGINES,
    ),
]

# --- Blocks, and what users choose ---------------------------------------------------------------

_WHOEVER = [perhaps(0.7, choose(B, locked=True)), perhaps(0.3, choose(A, locked=True))]

_TWO = [*_WHOEVER, at_most(2, follow(A, B), follow(B, A), block(B, A))]

_BLOCKS = [one_of(block(A, B), block(B, A)), some(2, follow(A, B), follow(B, A), accept(B, A))]

_OTHERS = (
    accept(A, B),
    accept(B, A),
    reject(B, A),
    block(A, B),
    block(B, A),
    unblock(B, A),
    unblock(B, A, restore=True),
    unfollow(A, B),
    remove_follower(B, A),
    put(A, B),
)

_PRIVATE = [
    Storm("a block beside anything", [*_BLOCKS, some(2, *_OTHERS)], _TWO, scenes=(12, 200)),
    Storm(
        "becoming private or public beside anything",
        [
            *_BLOCKS,
            some(1, *_OTHERS),
            one_of(*(choose(who, locked=locked) for who in (A, B) for locked in (True, False))),
            one_of(unlock(A), choose(A, locked=True), unlock(B), choose(B, locked=True)),
        ],
        _TWO,
        retries=ENGINES,
        scenes=(6, 80),
    ),
    Storm(
        "answers beside a withdrawal",
        [
            unfollow(A, B),
            one_of(accept(B, A), accept(B, A), reject(B, A), remove_follower(B, A)),
            one_of(accept_all(B), reject_all(B), unlock(B)),
            some(2, follow(A, B), unfollow(A, B), accept(B, A), mute(B, A)),
        ],
        [choose(B, locked=True), perhaps(0.8, follow(A, B))],
        # Who finds nothing to remove asks there who is left, and waits for who is just changing them.
        retries=MARIADB,
        scenes=(6, 80),
    ),
    Storm(
        "an edge in the place of a request",
        [put(A, B), follow(B, A), follow(C, A), follow(B, C)],
        [choose(B, locked=True), follow(A, B)],
        people="ABC",
        scenes=(3, 40),
    ),
    Storm(
        "a block that ends gives an edge in the place of a request",
        [unblock(B, A, restore=True), follow(C, A), follow(C, B)],
        [follow(A, B), follow(B, A), block(B, A), choose(A, locked=True)],
        people="ABC",
        scenes=(3, 40),
    ),
    Storm(
        "one verb many times",
        [
            again(
                6,
                follow(A, B),
                accept(B, A),
                reject(B, A),
                accept_all(B),
                reject_all(B),
                unlock(B),
                block(A, B),
                unblock(A, B, restore=True),
                mute(A, B),
                unmute(A, B),
                unfollow(A, B),
                remove_follower(B, A),
            )
        ],
        [perhaps(0.7, choose(B, locked=True)), at_most(2, follow(A, B), follow(B, A), block(A, B))],
        scenes=(6, 60),
    ),
    Storm(
        "going public beside followers",
        [
            unlock(A),
            follow(E, A),
            follow(F, A),
            some(
                3,
                unlock(A),
                follow(B, A),
                unfollow(B, A),
                accept(A, C),
                reject(A, C),
                block(A, D),
                block(D, A),
                follow(A, D),
                reject_all(A),
            ),
        ],
        [choose(A, locked=True), *(follow(fan, A) for fan in (B, C, D))],
        people="ABCDEF",
        scenes=(4, 50),
    ),
    Storm(
        "two answer all who ask, the same people",
        [
            one_of(accept_all(A), accept_all(A), reject_all(A)),
            one_of(accept_all(B), accept_all(B), unlock(B)),
            some(
                4,
                unfollow(C, A),
                unfollow(D, B),
                follow(C, D),
                follow(D, E),
                accept_all(A),
                unlock(A),
                block(E, A),
                block(B, F),
                accept(A, F),
                remove_follower(B, F),
            ),
        ],
        [
            choose(A, locked=True),
            choose(B, locked=True),
            *(follow(fan, star) for fan in (C, D, E, F) for star in (A, B)),
            perhaps(0.5, follow(A, B)),
        ],
        people="ABCDEF",
        retries=MARIADB,
        scenes=(4, 40),
    ),
    Storm(
        "notifications beside mutes",
        [
            follow(A, B),
            unfollow(A, B),
            follow(A, B),
            some(
                2,
                follow(A, B),
                mute(B, A),
                unmute(B, A),
                accept(B, A),
                block(B, A),
                mute(B, A, notifications=False),
                follow(B, A),
                mark_read(B),
            ),
        ],
        [
            perhaps(0.3, choose(B, locked=True)),
            perhaps(0.4, follow(A, B), mark_read(B), unfollow(A, B)),
            perhaps(0.6, one_of(*[mute(B, A)] * 4, mute(B, A, notifications=False))),
        ],
        scenes=(6, 60),
    ),
    Exact("who asks, beside unlock()", follow(A, B), COMMIT, unlock(B), [choose(B, locked=True)]),
    Exact("unlock(), beside who asks", unlock(B), COMMIT, follow(A, B), [choose(B, locked=True)]),
    Exact("who asks, beside accept_all()", follow(A, B), COMMIT, accept_all(B), [choose(B, locked=True)]),
    Exact("who asks, beside a block", follow(A, B), COMMIT, block(B, A), [choose(B, locked=True)]),
    Exact("who follows, beside a block", follow(A, B), COMMIT, block(B, A)),
    Exact("a block, beside who follows", block(B, A), COMMIT, follow(A, B)),
    Exact("accept(), beside a block", accept(B, A), COMMIT, block(A, B), [choose(B, locked=True), follow(A, B)]),
    Exact(
        "accept_all(), beside a withdrawal",
        accept_all(B),
        COMMIT,
        unfollow(A, B),
        [choose(B, locked=True), follow(A, B)],
    ),
    Exact(
        "accept_all() as it lets in, beside a withdrawal",
        accept_all(B),
        "insert_agreed_edges",
        unfollow(A, B),
        [choose(B, locked=True), follow(A, B)],
    ),
    Exact(
        "a withdrawal, beside accept_all()",
        unfollow(A, B),
        COMMIT,
        accept_all(B),
        [choose(B, locked=True), follow(A, B)],
    ),
    Exact(
        "who asked follows by now, beside accept_all()",
        follow(A, B),
        "insert_edge",
        accept_all(B),
        [choose(B, locked=True), follow(A, B), choose(B, locked=False)],
    ),
    Exact(
        "accept_all(), beside who asked and follows by now",
        accept_all(B),
        "insert_agreed_edges",
        follow(A, B),
        [choose(B, locked=True), follow(A, B), choose(B, locked=False)],
    ),
    Exact("who became private is asked", follow(A, B), "insert_edge", choose(B, locked=True), retries=ENGINES),
]

# --- Limits --------------------------------------------------------------------------------------

_REACH = [follow(STAR, fan) for fan in FANS]

_LIMITS = [
    Storm(
        "one reaches for a limit many times", _REACH, people=STAR + FANS, graphs=("limit", "limit a day"), scenes=(1, 8)
    ),
    Storm(
        "one reaches for a limit of requests many times",
        _REACH,
        [choose(fan, locked=True) for fan in FANS],
        people=STAR + FANS,
        graphs=("limit of requests",),
        scenes=(1, 8),
    ),
    Storm(
        "one who has taken all back reaches for a limit again",
        _REACH,
        [do(STAR, fan) for fan in FANS[:ALLOWED] for do in (follow, unfollow)],
        people=STAR + FANS,
        graphs=("limit", "limit a day"),
        scenes=(1, 8),
    ),
    Storm(
        "one takes all back at once",
        [unfollow(STAR, fan) for fan in FANS],
        [choose(FANS[0], locked=True), *(follow(STAR, fan) for fan in FANS[:ALLOWED])],
        people=STAR + FANS,
        graphs=("limit", "limit of requests"),
        scenes=(1, 8),
    ),
    Storm(
        "limits beside anything",
        [
            some(
                5,
                *(follow(A, other) for other in (B, C, D, E)),
                unfollow(A, B),
                unfollow(A, D),
                accept(B, A),
                reject(C, A),
                follow(E, A),
                block(D, A),
            )
        ],
        [choose(B, locked=True), choose(C, locked=True), some(2, *(follow(A, other) for other in (B, C, D, E)))],
        people="ABCDE",
        graphs=("limits",),
        retries=MARIADB,
        scenes=(6, 60),
    ),
    Storm(
        "many within limits of their own ask one",
        [follow(fan, STAR) for fan in FANS],
        [choose(STAR, locked=True)],
        people=STAR + FANS,
        graphs=("limits",),
        scenes=(1, 8),
    ),
    Storm(
        "many within limits of their own follow one",
        [follow(fan, STAR) for fan in FANS],
        people=STAR + FANS,
        graphs=("limits",),
        scenes=(1, 8),
    ),
    Exact(
        "one who goes public lets in as many as asked, beside one who follows",
        unlock(A),
        COMMIT,
        follow(F, A),
        [choose(A, locked=True), *(follow(fan, A) for fan in (B, C, D, E))],
        people="ABCDEF",
        graphs=("limits",),
    ),
]

# --- All together --------------------------------------------------------------------------------

_ALL = [
    *(kind(a, b) for a, b in permutations("ABCDE", 2) for kind in (follow, follow, unfollow, remove_follower, accept)),
    *(kind(a, b) for a, b in permutations("ABCDE", 2) for kind in (reject, block, unblock, mute, unmute, put)),
    *(unblock(a, b, restore=True) for a, b in permutations("ABCDE", 2)),
    *[kind(a) for a in "ABCDE" for kind in (accept_all, reject_all, unlock)] * 4,
    *[choose(a, locked=True) for a in "ABCDE"] * 4,
]

WANDERINGS = [
    Wandering(
        "follows and unfollows",
        [kind(a, b) for a, b in permutations("ABCDEFG", 2) for kind in (follow, follow, unfollow)],
        graphs=COUNTED,
    ),
    Wandering("anything beside anything", _ALL, most=3),
]

_ROWS = [*_FOLLOWS, *_UNCOUNTED, *_GONE, *_OTHER_WAYS, *_PRIVATE, *_LIMITS]
STORMS = [row for row in _ROWS if isinstance(row, Storm)]
EXACT = [row for row in _ROWS if isinstance(row, Exact)]
