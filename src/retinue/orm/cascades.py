"""
Rows that the database deletes along with others, by foreign keys of the application's own.

No statement names them, so they are looked for before: users leave the graph, and follows are counted out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import ForeignKeyConstraint, Table, and_, bindparam, select, tuple_
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import FromClause

from retinue import effects
from retinue.effects.removal import detach
from retinue.engines import engine_of
from retinue.events import Unfollowed
from retinue.models import FollowMixin, now
from retinue.models.ownership import user_class_of
from retinue.orm import deleting
from retinue.orm.tables import is_of_users, model_of
from retinue.schema import Schema, schema_of
from retinue.values import Key
from retinue.work import Work
from retinue.work.building import OPTION

#: Rows that one statement is about.
CHUNK: Final = 1_000

#: Primary keys of rows of several tables.
Rows = Mapping[Table, set[tuple[Any, ...]]]

#: Whether anybody goes with rows of a table, while its metadata had so many. Not how: that would keep the table alive.
_known: Final[WeakKeyDictionary[Table, tuple[int, bool]]] = WeakKeyDictionary()


def takes_along(table: FromClause) -> bool:
    """Return whether users or follows go with rows of *table*: with those of most tables nobody does."""
    if not isinstance(table, Table):
        return False
    tables, (seen, known) = len(table.metadata.tables), _known.get(table, (0, False))
    if seen != tables:
        known = bool(cascades_from(table))
        _known[table] = tables, known
    return known


def cascades_from(table: Table) -> Sequence[ForeignKeyConstraint]:
    """Return the foreign keys by which the database deletes users or follows along with rows of *table*."""
    found: list[ForeignKeyConstraint] = []
    waiting = [one for one in table.metadata.tables.values() if is_of_users(one) or _is_of_follows(one)]
    while waiting:
        below = waiting.pop()
        for constraint in below.foreign_key_constraints:
            # That follows go with their own two users is what leaving the graph is about.
            known = _is_of_follows(below) and set(constraint.column_keys) <= {"follower_id", "following_id"}
            if (constraint.ondelete or "").upper() == "CASCADE" and not known and constraint not in found:
                found.append(constraint)
                waiting.append(constraint.referred_table)
    return found if any(constraint.referred_table is table for constraint in found) else ()


def taken_along(connection: Connection, table: Table, keys: Iterable[tuple[Any, ...]]) -> Rows:
    """Return the rows of *keys* of *table*, and those that the database deletes with them, which are locked."""
    gone = {table: set(keys)}
    waiting = [(table, gone[table])]
    cascades = cascades_from(table) if engine_of(connection).cascades(connection) else ()
    while waiting:
        above, these = waiting.pop()
        for constraint in cascades:
            if constraint.referred_table is above and these:
                found = _below(connection, constraint, these) - gone.setdefault(constraint.table, set())
                gone[constraint.table] |= found
                waiting.append((constraint.table, found))
    return gone


def users_in(rows: Rows) -> dict[Schema, set[Key]]:
    """Return the users among *rows*, by their graph."""
    return {schema_of(model_of(table)): {key for (key,) in keys} for table, keys in rows.items() if is_of_users(table)}


def let_go(session: Session, connection: Connection, rows: Rows) -> None:
    """Take *rows*, which are about to go, out of their graphs: the follows first, then the users."""
    for table, pairs in rows.items():
        if _is_of_follows(table):
            schema = schema_of(user_class_of(model_of(table)))
            _unfollow(Work.on(session, schema, connection), pairs)
    for schema, users in users_in(rows).items():
        for some in chunks(users):
            detach(Work.on(session, schema, connection), some)


def chunks(keys: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield *keys* ascending, so many at once as one statement is about."""
    every = sorted(keys)
    for start in range(0, len(every), CHUNK):
        yield every[start : start + CHUNK]


def _unfollow(work: Work, pairs: Iterable[tuple[Any, ...]]) -> None:
    at = now()
    for some in chunks(pairs):
        work.run(deleting.delete_edges, {"pairs": some, "followers": [follower for follower, _ in some]}, work.engine)
        effects.record(work, *(Unfollowed(follower, followed, at) for follower, followed in some), silent=True)


def _below(
    connection: Connection, constraint: ForeignKeyConstraint, keys: Iterable[tuple[Any, ...]]
) -> set[tuple[Any, ...]]:
    """Return the keys of the rows that refer by *constraint* to those of *keys*, and lock them."""
    upper, lower = constraint.referred_table.alias("above"), constraint.table.alias("below")
    pairs = [lower.c[part.parent.key] == upper.c[part.column.key] for part in constraint.elements]
    found = select(*lower.primary_key).join_from(upper, lower, and_(*pairs)).with_for_update()
    key = tuple(upper.primary_key)
    if len(key) == 1:
        within, given = (
            engine_of(connection).one_of(key[0], "keys"),
            [[one for (one,) in some] for some in chunks(keys)],
        )
    else:
        within, given = tuple_(*key).in_(bindparam("keys", expanding=True)), list(chunks(keys))
    statement = found.where(within).execution_options(**{OPTION: "taken_along"})
    return {tuple(row) for some in given for row in connection.execute(statement, {"keys": some})}


def _is_of_follows(table: FromClause) -> bool:
    return issubclass(model_of(table), FollowMixin)
