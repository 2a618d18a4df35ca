"""Adding to count rows, one user after the other, many at a time or of a whole table; and making those that are not there."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import Executable, Integer, and_, func, literal_column, or_, select, true
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.effects.changes import Selected, as_sent
from retinue.effects.counts import rows
from retinue.engines import Rows
from retinue.schema import Schema
from retinue.values import Counts, Key
from retinue.work import Pair, Work, inserting

#: How many more followers, and how many more followed.
Delta: TypeAlias = tuple[int, int]

#: What is added to whom.
More: TypeAlias = tuple[Key, Delta]


def add(work: Work, more: Sequence[More]) -> None:
    """Add *more* to the rows of users, ascending: one statement each, up to four more for one without a row."""
    for user, delta in more:
        _add(work, user, delta)


def add_to_both(work: Work, pair: Pair, edges: int) -> None:
    """
    Add so many *edges* (1 or -1) of a *pair* to the rows of both, where writers come one at a time and there is one slot.

    One statement; up to four more for each without a row.
    """
    both = {"follower": pair[0], "followed": pair[1]}
    number = work.run(rows.add_to_both, both, edges).rowcount
    if number == len(pair):
        return
    there = number and work.run(rows.first_slot, {"user": pair[0]}).first()
    for user, delta in ((pair[0], (0, edges)), (pair[1], (edges, 0))):
        if not number or (user == pair[0]) is not bool(there):
            _start(work, _parameters(work.schema, user, delta))


def start(work: Work, more: Sequence[More]) -> None:
    """As `add()`, where it is known that the first user has no row."""
    (user, delta), *others = more
    _start(work, _parameters(work.schema, user, delta))
    for user, delta in others:
        _add(work, user, delta)


def add_to_many(work: Work, more: Sequence[More]) -> None:
    """
    As `add()`, in one select of those who were never counted, and one statement for all to whom the same is added.

    Adds to slot 0 alone.
    """
    table = rows.count_rows(work.schema)
    found = work.rows(rows.uncounted, {"users": [user for user, _ in more]}, work.engine)
    # What the edges say, the new ones too: such a row is not added to, but made.
    counted = {user: (followers, following) for user, followers, following in found}
    for delta, alike in groupby(more, key=itemgetter(1)):
        # Who is neither counted nor has a row has joined after this transaction's snapshot: these edges are theirs.
        theirs = (max(delta[0], 0), max(delta[1], 0))
        numbers = [(user, 0, *counted.get(user, theirs)) for user, _ in alike]
        fresh = [dict(zip(rows.COLUMNS, one, strict=True)) for one in numbers]
        if work.schema.own_of(table).by_python:
            each = rows.add_or_insert_each(work.schema, work.engine, delta)
            inserting.insert_rows(work, table, fresh, each)
        else:
            parameters = {"more_followers": delta[0], "more_following": delta[1]}
            work.execute(rows.add_or_insert(work.schema, work.engine, fresh), parameters)
            inserting.refuse_collisions(work, table, fresh)


def _add(work: Work, user: Key, delta: Delta) -> None:
    parameters, less = _parameters(work.schema, user, delta), min(delta) < 0
    if not work.engine.locks_missing_rows:
        if not work.run(rows.add_to_count, parameters, work.engine, less).rowcount:
            _start(work, parameters)
        return
    try:
        result = work.insert_row(rows.add_to_count, parameters, less)
    except IntegrityError as error:
        if work.engine.names_no_user(error):
            return  # deleted in this transaction, or waiting to be: there is nothing to count for
        raise
    if work.engine.inserted(result):
        _correct(work, user, parameters["slot_"], delta)


def _parameters(schema: Schema, user: Key, delta: Delta) -> dict[str, Any]:
    return {"user": user, "slot_": slot(schema, delta), "more_followers": delta[0], "more_following": delta[1]}


def slot(schema: Schema, delta: Delta) -> int:
    """
    Return one of the slots that a user's counts are spread over: any for a new follower.

    Whom one follows oneself is counted in slot 0: there is no crowd about it, and a follower's first
    touch of another slot would cost them a row.
    """
    slots = schema.settings.counter_slots
    return random.randrange(slots) if slots > 1 and delta[0] else 0  # noqa: S311 - spreads load, hides nothing


def _start(work: Work, parameters: dict[str, Any]) -> None:
    """Give the user the row that was not there: the delta beside slot 0, or slot 0 itself, with what the edges say."""
    schema, engine, table = work.schema, work.engine, rows.count_rows(work.schema)

    def inserted(whole: Executable, selected: Executable, *beside: Any) -> int:
        return inserting.insert_selected(work, table, whole, selected, parameters, *beside)

    if parameters["slot_"]:
        numbers = (parameters["slot_"], parameters["more_followers"], parameters["more_following"])
        same = dict(zip(rows.COLUMNS[1:], numbers, strict=True))
        each = rows.add_to_slots(schema, engine)
        if inserted(rows.add_slot(schema, engine), rows.first_slot(schema), same, each):
            return
    if not inserted(rows.insert_counted(schema, engine), rows.counted_row(schema)):
        # Somebody has made slot 0 just now, who did not see the edge.
        work.run(rows.add_to_count, {**parameters, "slot_": 0}, work.engine, True)


def _correct(work: Work, user: Key, in_slot: int, delta: Delta) -> None:
    """Correct the row that has just been inserted, and is locked: slot 0 holds what the edges say."""
    counted = _first_count(work, user, delta)
    beside = delta if in_slot else (0, 0)
    parameters = {
        "user": user,
        "slot_": 0,
        "set_followers": counted.followers - beside[0],
        "set_following": counted.following - beside[1],
    }
    if in_slot:
        work.insert_row(rows.insert_count, parameters)
    else:
        work.run(rows.set_count, parameters)


def count_edges(work: Work, user: Key) -> Counts:
    """Return what the edges of *user* say, as this transaction sees them. One statement."""
    return Counts(*work.rows(rows.count_edges, {"user": user})[0])


def _first_count(work: Work, user: Key, delta: Delta) -> Counts:
    """
    Return what the edges of *user* say, whose count row was not there. One statement; mostly.

    Whoever commits an edge makes the row as well, so there are none to be seen but one's own, or those from before
    anybody counted: or, in an older snapshot, those of somebody who had the key before. Only the edges as they are now
    tell these apart. Who is just adding one waits for the row, which is held here: so nobody is waited for, and where
    one is locked, the snapshot has to do.
    """
    seen = count_edges(work, user)
    if seen == Counts(*delta):
        return seen
    try:
        return Counts(*work.rows(rows.count_edges_unlocked, {"user": user})[0])
    except OperationalError as error:
        if not work.engine.found_locked(work.connection, error):
            raise
        return seen


# --- Many edges, as a statement reads them -------------------------------------------------------


def add_selected(work: Work, edges: int, selected: Selected) -> None:
    """
    Add *edges* (1 or -1) for each change of *selected*. Two statements; one more for rows that have to say more.

    Count rows are added to, or made if they are not there, by one statement. One that was
    made then says only what was added, but may have to say more: the edges that were
    there before anybody counted. So all that say exactly what was added are compared
    with the edges. That is exact although others change edges meanwhile: who has committed
    a change has made the row, and who has not waits for it.
    """
    schema, table = work.schema, rows.count_rows(work.schema)
    own = schema.own_of(table)
    if own.per_row or (own.unique and work.engine.hides_collisions):
        inserting.insert_rows(work, table, _values(edges, selected), rows.add_to_slots(schema, work.engine))
    else:
        people, slot = selected.users.c, literal_column("0", Integer)
        columns = (people.person, slot, people.more_followers, people.more_following)
        more = select(*(one.label(name) for name, one in zip(rows.COLUMNS, columns, strict=True))).where(true())
        selected.run(work, "add_counts", rows.upsert_counts(schema, work.engine, more, less=edges < 0))
    wrong = [row._asdict() for row in selected.run(work, "miscounted", _miscounted(schema, selected.users))]
    if wrong:
        work.run_each(rows.set_count, wrong)


def _values(edges: int, selected: Selected) -> list[dict[str, Any]]:
    changes = selected.values()
    followers, following = Counter(one.followed for one in changes), Counter(one.follower for one in changes)
    return [
        dict(zip(rows.COLUMNS, (user, 0, followers[user] * edges, following[user] * edges), strict=True))
        for user in sorted(followers.keys() | following.keys())
    ]


def _miscounted(schema: Schema, users: FromClause) -> Rows:
    """Return the rows that say what was added, and should say more; as parameters of `rows.set_count()`."""
    counts = rows.count_rows(schema)
    people, row, other = users.c, counts.c, counts.alias("other_slots").c

    def uncounted(edges: FromClause, end: str, counted: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return how many edges have the person at their *end*, less those that other slots have *counted*."""
        found = select(func.count()).select_from(edges).where(edges.c[end] == people.person).scalar_subquery()
        beside = select(func.coalesce(func.sum(counted), 0)).where(other.user_id == people.person, other.slot != 0)
        return found - beside.scalar_subquery()

    followers = uncounted(schema.edges_by_target.alias("incoming"), "following_id", other.followers)
    following = uncounted(schema.follows.alias("outgoing"), "follower_id", other.following)
    wrong: Rows = as_sent(
        select(
            people.person.label("user"),
            literal_column("0", Integer).label("slot_"),
            followers.label("set_followers"),
            following.label("set_following"),
        )
        .join_from(users, counts, and_(row.user_id == people.person, row.slot == 0))
        .where(
            row.followers == people.more_followers,
            row.following == people.more_following,
            or_(row.followers != followers, row.following != following),
        )
    )
    return wrong
