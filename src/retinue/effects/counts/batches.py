"""
The counts of many edges at once.

Count rows are added to, or made if they are not there, by one statement. One that was
made then says only what was added, but may have to say more: the edges that were
there before anybody counted. So all that say exactly what was added are compared
with the edges. That is exact although others change edges meanwhile: who has committed
a change has made the row, and who has not waits for it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Integer, and_, func, literal_column, or_, select, true
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.effects.changes import Selected, as_sent
from retinue.effects.counts import rows
from retinue.engines import Rows
from retinue.schema import Schema
from retinue.work import Work, inserting


def add(work: Work, edges: int, selected: Selected) -> None:
    """Add *edges* (1 or -1) for each change of *selected*. Two statements; one more for rows that have to say more."""
    schema, table = work.schema, rows.count_rows(work.schema)
    own = schema.own_of(table)
    if own.per_row or (own.unique and work.engine.hides_collisions):
        inserting.insert_rows(work, table, _values(edges, selected), rows.add_to_slots(schema, work.engine))
    else:
        people, slot = selected.users.c, literal_column("0", Integer)
        columns = (people.person, slot, people.more_followers, people.more_following)
        more = select(*(one.label(name) for name, one in zip(rows.COLUMNS, columns, strict=True))).where(true())
        selected.run(work, "add_counts", rows.upsert_counts(schema, work.engine, more))
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
