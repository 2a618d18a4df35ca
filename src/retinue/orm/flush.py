"""
What one flush writes.

A row that the ORM inserts is certain: otherwise the insert had failed. A row that
it deletes is not: two sessions may delete the same one. So the row is deleted here
first, and the database says whether there was one to count; the ORM's own delete
then finds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import event, inspect
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapper, Session, UOWTransaction, object_session

from retinue import effects
from retinue.effects.removal import detach
from retinue.errors import NotWritableError, shown
from retinue.events import Event, Followed, Unfollowed
from retinue.models import FollowMixin, FollowRequestMixin, now
from retinue.models.ownership import GraphUser, user_class_of
from retinue.orm import posts
from retinue.orm.cascades import let_go, taken_along, takes_along, users_in
from retinue.orm.loaded import forget_rows
from retinue.orm.rows import VERBS, drop_requests, refuse_blocked, refuse_row_of
from retinue.schema import identity, schema_of
from retinue.ties import delete_edge
from retinue.values import Key
from retinue.work import Pair, Work, edge_parameters

_SLOT = "retinue.flushed"


@dataclass(slots=True)
class _Flushed:
    """What one flush did: changes to be recorded after it, and users whose rows are to be forgotten."""

    changes: dict[int, tuple[Work, list[Event]]] = field(default_factory=dict)
    gone: set[tuple[type[Any], Key]] = field(default_factory=set)
    #: Pairs whose requests are gone.
    closed: dict[int, tuple[Work, list[Pair]]] = field(default_factory=dict)

    def announce(self, work: Work, event: Event) -> None:
        _, events = self.changes.setdefault(id(work.schema), (work, []))
        events.append(event)

    def close(self, work: Work, *pairs: Pair) -> None:
        if pairs:
            _, closed = self.closed.setdefault(id(work.schema), (work, []))
            closed.extend(pairs)


def _flushed(session: Session) -> _Flushed:
    return cast("_Flushed", session.info.setdefault(_SLOT, _Flushed()))


def _work_on(row: Any, connection: Connection) -> Work:
    # A mapper event happens in a flush: there is a session.
    return Work.on(cast("Session", object_session(row)), schema_of(user_class_of(type(row))), connection)


@event.listens_for(FollowMixin, "before_insert", propagate=True)
def _inserting(_mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    refuse_blocked(_work_on(row, connection), [(row.follower_id, row.following_id)])


@event.listens_for(FollowMixin, "after_insert", propagate=True)
def _inserted(_mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    work = _work_on(row, connection)
    flushed, pair = _flushed(work.session), (row.follower_id, row.following_id)
    flushed.close(work, *drop_requests(work, [pair]))
    flushed.announce(work, Followed(*pair, row.timestamp))


@event.listens_for(FollowMixin, "before_delete", propagate=True)
def _deleting(mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    work, pair = _work_on(row, connection), cast("Pair", identity(row))
    if mapper.confirm_deleted_rows:
        return
    if work.run(delete_edge, edge_parameters(pair)).rowcount:
        _flushed(work.session).announce(work, Unfollowed(*pair, now()))
    # Else somebody else deleted it, and counted it out.


@event.listens_for(FollowMixin, "after_delete", propagate=True)
def _deleted(mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    if mapper.confirm_deleted_rows:
        work = _work_on(row, connection)
        _flushed(work.session).announce(work, Unfollowed(*cast("Pair", identity(row)), now()))


@event.listens_for(FollowMixin, "after_mapper_constructed", propagate=True)
def _expect_no_row(mapper: Mapper[Any], _cls: type[Any]) -> None:
    # `_deleting` has deleted it: the ORM must not warn that it finds nothing. A row that has versions
    # it deletes itself, and raises where the row is another version than was loaded, or gone.
    mapper.confirm_deleted_rows = mapper.version_id_col is not None


def _refuse_row(mapper: Mapper[Any], _connection: Connection, _row: Any) -> None:
    refuse_row_of(mapper.class_)


for _mixin in VERBS:
    event.listen(_mixin, "before_insert", _refuse_row, propagate=True)


@event.listens_for(FollowRequestMixin, "after_delete", propagate=True)
def _deleted_request(_mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    work = _work_on(row, connection)
    _flushed(work.session).close(work, cast("Pair", identity(row)))


@event.listens_for(GraphUser, "before_update", propagate=True)
def _updating_user(_mapper: Mapper[Any], _connection: Connection, user: Any) -> None:
    new = inspect(user).attrs[schema_of(type(user)).key_name].history.added
    if new:
        old = shown(identity(user)[0])
        what = f"{type(user).__name__} {old} cannot become {shown(new[0])}: rows of others name them by the key"
        raise NotWritableError(what, "a key that never changes, such as a number, and a column of its own for the name")


@event.listens_for(GraphUser, "before_delete", propagate=True)
def _deleting_user(_mapper: Mapper[Any], connection: Connection, user: Any) -> None:
    session, schema = cast("Session", object_session(user)), schema_of(type(user))
    (key,) = identity(user)
    gone = _flushed(session).gone
    if (schema.user, key) not in gone:  # else another row has taken the user along
        detach(Work.on(session, schema, connection), [key])
        gone.add((schema.user, key))


@event.listens_for(Mapper, "before_delete")
def _deleting_any(mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    for table in mapper.tables:
        if takes_along(table):
            _taking_along(mapper, connection, table, row)


def _taking_along(mapper: Mapper[Any], connection: Connection, table: Any, row: Any) -> None:
    """Let those go whom the database deletes with *row* of *table*."""
    session = cast("Session", object_session(row))
    both = zip(mapper.primary_key, identity(row), strict=True)
    known = {mapper.get_property_by_column(column).key: value for column, value in both}
    key = tuple([known[mapper.get_property_by_column(column).key] for column in table.primary_key])
    going = {other: set(keys) for other, keys in taken_along(connection, table, [key]).items()}
    going[table].discard(key)
    gone = _flushed(session).gone
    for schema, users in users_in(going).items():
        going[cast("Any", schema.key.table)] -= {(user,) for user in users if (schema.user, user) in gone}
    let_go(session, connection, going)
    gone.update((schema.user, user) for schema, users in users_in(going).items() for user in users)


@event.listens_for(Session, "after_flush")
def _after_flush(session: Session, _context: UOWTransaction) -> None:
    posts.flushed(session)
    flushed: _Flushed | None = session.info.get(_SLOT)
    if flushed is not None:
        for work, events in flushed.changes.values():
            effects.record(work, *events)
        flushed.changes.clear()
        # Notifications last, as the verbs do: whoever holds one waits for no count row.
        for work, pairs in flushed.closed.values():
            effects.close_requests(work, pairs)
        flushed.closed.clear()


@event.listens_for(Session, "after_flush_postexec")
def _after_flush_postexec(session: Session, _context: UOWTransaction) -> None:
    flushed: _Flushed | None = session.info.pop(_SLOT, None)
    if flushed is not None and flushed.gone:
        forget_rows(session, flushed.gone)


@event.listens_for(Session, "after_soft_rollback")
def _rolled_back(session: Session, _transaction: object) -> None:
    session.info.pop(_SLOT, None)
