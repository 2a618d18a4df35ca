"""
Suggestions on the floor, by the formula that `Graph.suggestions()` documents.

On PostgreSQL it is one statement, and another for the names of whom one knows. The others answer a small
statement sooner than they group ten thousand rows, so there each list is one, and Python adds up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

#: Runs a statement and returns its rows.
Rows: TypeAlias = Callable[[str, Any], list[Any]]
#: Returns whom each of some users follows: the newest few.
Lists: TypeAlias = Callable[[Rows, Iterable[int]], dict[int, list[int]]]

#: How many of either list are known, how many of these are asked, and how many each answers with.
NEAR, ASKED, FAR = 100, 50, 100
#: Who has fewer neighbours hears of strangers.
FEW = 20
#: What an edge is worth, by who made it, in millionths; and how many edges halve it.
FOLLOWED, FOLLOWER, STRANGER, BACK, HALF = 1_000_000, 750_000, 20_000, 3_000_000, 10
SUGGESTED = 20

# --- PostgreSQL ------------------------------------------------------------------------------------

_RANKED = f"""
WITH near AS MATERIALIZED (
    SELECT 0 AS kind, key, row_number() OVER () AS place FROM (SELECT followed AS key FROM follows
        WHERE follower = %(user)s ORDER BY at DESC, followed DESC LIMIT {NEAR}) newest_followed
    UNION ALL SELECT 1, key, row_number() OVER () FROM (SELECT follower AS key FROM follows
        WHERE followed = %(user)s ORDER BY at DESC, follower DESC LIMIT {NEAR}) newest_followers
), known AS MATERIALIZED (
    SELECT count(*) AS neighbours, ({BACK} * (1 + count(*) FILTER (WHERE kind = 1 AND key IN (
        SELECT key FROM near WHERE kind = 0))) / (3 + count(*) FILTER (WHERE kind = 1)))::integer AS back FROM near
), middles AS MATERIALIZED (
    SELECT key, sum(CASE kind WHEN 0 THEN {FOLLOWED} ELSE {FOLLOWER} END)::integer AS worth
        FROM near WHERE place <= {ASKED} GROUP BY key
    UNION ALL SELECT id, {STRANGER} FROM ((SELECT id FROM users ORDER BY id LIMIT {NEAR // 2})
        UNION (SELECT id FROM users ORDER BY id DESC LIMIT {NEAR // 2})) ends
        WHERE (SELECT neighbours FROM known) < {FEW} AND id <> %(user)s AND id NOT IN (SELECT key FROM near)
), votes AS (
    SELECT CASE other WHEN %(user)s THEN middles.key ELSE other END AS key,
        CASE other WHEN %(user)s THEN back ELSE worth END * {HALF} / (number + {HALF}) AS points
    FROM known CROSS JOIN middles CROSS JOIN LATERAL (SELECT followed AS other, (count(*) OVER ())::integer AS number FROM (
        SELECT followed FROM follows WHERE follower = middles.key ORDER BY at DESC, followed DESC LIMIT {FAR}) newest) theirs
    UNION ALL SELECT key, back FROM near CROSS JOIN known WHERE kind = 1
), best AS (
    SELECT key, points FROM (SELECT key, sum(points) AS points FROM votes GROUP BY key) candidates
    WHERE key <> %(user)s
        AND NOT EXISTS (SELECT 1 FROM follows WHERE follower = %(user)s AND followed = candidates.key)
    ORDER BY points DESC, key LIMIT {SUGGESTED}
)
SELECT best.key, name, points FROM best JOIN users ON id = best.key ORDER BY points DESC, best.key
"""
_WITNESSES = f"""
SELECT e.followed, e.at, u.id, u.name FROM (SELECT followed AS key, at FROM follows WHERE follower = %(user)s
    ORDER BY at DESC, followed DESC LIMIT {NEAR}) friends
JOIN follows e ON e.follower = friends.key AND e.followed = ANY(%(chosen)s) JOIN users u ON u.id = e.follower
ORDER BY friends.at DESC, friends.key DESC
"""


def in_one_statement(rows: Rows, user: int) -> list[int]:
    """Return whom *user* may want to follow: ranked by the database, and then who knows them."""
    chosen = [key for key, _, _ in rows(_RANKED, {"user": user})]
    rows(_WITNESSES, {"user": user, "chosen": chosen})
    return chosen


# --- SQLite and MariaDB --------------------------------------------------------------------------------------

_FOLLOWED = f"SELECT followed FROM follows WHERE follower = ? ORDER BY at DESC, followed DESC LIMIT {NEAR}"
_FOLLOWERS = f"SELECT follower FROM follows WHERE followed = ? ORDER BY at DESC, follower DESC LIMIT {NEAR}"
_ENDS = (
    f"SELECT id FROM (SELECT id FROM users ORDER BY id LIMIT {NEAR // 2}) least"
    f" UNION SELECT id FROM (SELECT id FROM users ORDER BY id DESC LIMIT {NEAR // 2}) greatest"
)
_ALL = "SELECT followed FROM follows WHERE follower = ?"


def one_by_one(rows: Rows, users: Iterable[int]) -> dict[int, list[int]]:
    """Each list is a statement of its own: there is no server to go to."""
    return {user: [key for (key,) in rows(_FOLLOWED, (user,))] for user in users}


def all_at_once(rows: Rows, users: Iterable[int]) -> dict[int, list[int]]:
    """All lists in one statement: one way to the server and back."""
    lists: dict[int, list[int]] = {user: [] for user in users}
    newest = "(SELECT {0}, followed FROM follows WHERE follower = {0} ORDER BY at DESC, followed DESC LIMIT {1})"
    for user, key in rows(" UNION ALL ".join([newest.format(user, FAR) for user in lists]), ()):
        lists[user].append(key)
    return lists


def list_by_list(rows: Rows, lists: Lists, user: int) -> list[int]:
    """Return whom *user* may want to follow: the database reads the lists, and Python adds up."""
    followed, followers = ([key for (key,) in rows(statement, (user,))] for statement in (_FOLLOWED, _FOLLOWERS))
    back = BACK * (1 + len({*followed} & {*followers})) // (3 + len(followers))
    points = _points(rows, lists, user, _middles(rows, user, followed, followers), back)
    for fan in followers:
        points[fan] += back
    for (key,) in [(user,), *rows(_ALL, (user,))]:
        points.pop(key, None)
    chosen = sorted(points, key=lambda key: (-points[key], key))[:SUGGESTED]
    _names(rows, chosen, followed)
    return chosen


def _middles(rows: Rows, user: int, followed: Sequence[int], followers: Sequence[int]) -> dict[int, int]:
    """Return whose lists are read, and what their edges are worth."""
    worth: defaultdict[int, int] = defaultdict(int)
    for key in followed[:ASKED]:
        worth[key] += FOLLOWED
    for key in followers[:ASKED]:
        worth[key] += FOLLOWER
    if len(followed) + len(followers) < FEW:
        for (key,) in rows(_ENDS, ()):
            if key != user and key not in worth:
                worth[key] = STRANGER
    return worth


def _points(rows: Rows, lists: Lists, user: int, middles: dict[int, int], back: int) -> defaultdict[int, int]:
    points: defaultdict[int, int] = defaultdict(int)
    for middle, theirs in lists(rows, middles).items():
        each = middles[middle] * HALF // (len(theirs) + HALF)
        for key in theirs:
            points[key] += each
        if user in theirs:
            points[middle] += back * HALF // (len(theirs) + HALF)
    return points


def _names(rows: Rows, chosen: Sequence[int], followed: Sequence[int]) -> None:
    """Fetch who of those *followed* follows whom of those *chosen*, since when, and all their names."""
    if not chosen:
        return
    # Nobody has the key 0.
    friends, others = (",".join(map(str, keys)) for keys in ([0, *followed], chosen))
    rows(
        "SELECT e.followed, e.at, u.id, u.name FROM follows e JOIN users u ON u.id = e.follower"
        f" WHERE e.follower IN ({friends}) AND e.followed IN ({others})",
        (),
    )
    rows(f"SELECT id, name FROM users WHERE id IN ({others})", ())
