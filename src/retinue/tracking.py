"""
What the application writes through the ORM: counted and announced like the graph's own verbs.

A row that the ORM inserts is certain: otherwise the insert had failed. A row that
it deletes is not: two sessions may delete the same one. So the row is deleted here
first, and the database says whether there was one to count; the ORM's own delete
then finds nothing. Bulk statements are made to return the rows they changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from sqlalchemy import Delete, Insert, Update, delete, event, select
from sqlalchemy.engine import Connection, IteratorResult, Result
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.orm import Mapper, ORMExecuteState, Session, UOWTransaction, class_mapper, object_session

from retinue import changes, guards, prepared, timeline
from retinue.caller import Pair, names_of
from retinue.engines import rules_of
from retinue.errors import BlockedError, NotWritableError
from retinue.events import Event, Followed, Unfollowed
from retinue.models import BlockMixin, FollowEventMixin, FollowMixin, FollowRequestMixin, Posts, now
from retinue.ownership import GraphModel, GraphUser, user_class_of
from retinue.removal import detach
from retinue.schema import Schema, identity, schema_of
from retinue.statements import OPTION, edges, requests
from retinue.values import Key

_SLOT = "retinue.flushed"

#: Users that one round of a bulk deletion takes out of the graph.
_CHUNK = 1_000

#: Models whose rows only a verb may make, and that verb.
_VERBS: dict[type[GraphModel], str] = {
    BlockMixin: "graph.block(blocker, blocked)",
    FollowRequestMixin: "graph.follow(follower, followed)",
}


@dataclass(slots=True)
class _Flushed:
    """What one flush did: changes to be recorded after it, and users whose rows are to be forgotten."""

    changes: dict[int, tuple[Schema, Connection, list[Event]]] = field(default_factory=dict)
    gone: set[tuple[type[Any], Key]] = field(default_factory=set)

    def say(self, schema: Schema, connection: Connection, happened: Event) -> None:
        _, _, said = self.changes.setdefault(id(schema), (schema, connection, []))
        said.append(happened)


def _flushed(session: Session) -> _Flushed:
    return cast("_Flushed", session.info.setdefault(_SLOT, _Flushed()))


def _of_row(row: Any) -> tuple[Session, Schema]:
    # A mapper event happens in a flush: there is a session.
    return cast("Session", object_session(row)), schema_of(user_class_of(type(row)))


def _refuse_blocked(connection: Connection, schema: Schema, pairs: Sequence[Pair]) -> None:
    """Raise `BlockedError` if two of *pairs* are blocked, and see to it that they stay as they are."""
    if not pairs:
        return
    rules = rules_of(connection)
    beside = tuple(followed for _, followed in pairs)
    guards.take(connection, schema, rules, *(follower for follower, _ in pairs), beside=beside)
    if schema.blocks is not None:
        for pair in pairs:
            if connection.execute(edges.are_blocked(schema, rules), {**names_of(pair), "now": now()}).scalar():
                raise BlockedError(*pair)


def _drop_requests(connection: Connection, schema: Schema, pairs: Sequence[Pair]) -> None:
    """
    Delete the requests of *pairs*, who follow now, and what was told of them.

    Their guards are held, so that none can be made. One delete for each pair.
    """
    if schema.requests is not None:
        run = partial(prepared.run, connection, schema, requests.delete_request)
        changes.close_requests(connection, schema, [pair for pair in pairs if run(names_of(pair)).rowcount])


# --- In a flush ----------------------------------------------------------------------------------


@event.listens_for(FollowMixin, "before_insert", propagate=True)
def _inserting(_mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    _, schema = _of_row(row)
    _refuse_blocked(connection, schema, [(row.follower_id, row.following_id)])


@event.listens_for(FollowMixin, "after_insert", propagate=True)
def _inserted(_mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    session, schema = _of_row(row)
    _drop_requests(connection, schema, [(row.follower_id, row.following_id)])
    _flushed(session).say(schema, connection, Followed(row.follower_id, row.following_id, row.timestamp))


@event.listens_for(FollowMixin, "before_delete", propagate=True)
def _deleting(_mapper: Mapper[Any], connection: Connection, row: Any) -> None:
    session, schema = _of_row(row)
    pair = cast("Pair", identity(row))
    if prepared.run(connection, schema, edges.delete_edge, names_of(pair)).rowcount:
        _flushed(session).say(schema, connection, Unfollowed(*pair, now()))
    # Else somebody else deleted it, and counted it out.


@event.listens_for(FollowMixin, "after_mapper_constructed", propagate=True)
def _expect_no_row(mapper: Mapper[Any], _cls: type[Any]) -> None:
    # `_deleting` has deleted it: the ORM must not warn that it finds nothing.
    mapper.confirm_deleted_rows = False


@event.listens_for(BlockMixin, "before_insert", propagate=True)
@event.listens_for(FollowRequestMixin, "before_insert", propagate=True)
def _refuse_row(mapper: Mapper[Any], _connection: Connection, _row: Any) -> None:
    _refuse_row_of(mapper.class_)


def _refuse_row_of(model: type[Any]) -> None:
    for mixin, verb in _VERBS.items():
        if issubclass(model, mixin):
            what = f"a {model.__name__} stands for more than its row"
            raise NotWritableError(what, verb)


@event.listens_for(GraphUser, "before_delete", propagate=True)
def _deleting_user(_mapper: Mapper[Any], connection: Connection, user: Any) -> None:
    session, schema = object_session(user), schema_of(type(user))
    (key,) = identity(user)
    detach(connection, schema, [key])
    _flushed(cast("Session", session)).gone.add((schema.user, key))


@event.listens_for(Session, "after_flush")
def _after_flush(session: Session, _context: UOWTransaction) -> None:
    _flushed_posts(session)
    flushed: _Flushed | None = session.info.get(_SLOT)
    if flushed is not None:
        for schema, connection, happened in flushed.changes.values():
            changes.record(session, connection, schema, *happened)
        flushed.changes.clear()


@event.listens_for(Session, "after_flush_postexec")
def _after_flush_postexec(session: Session, _context: UOWTransaction) -> None:
    flushed: _Flushed | None = session.info.pop(_SLOT, None)
    if flushed is not None and flushed.gone:
        _forget_rows(session, flushed.gone)


@event.listens_for(Session, "after_soft_rollback")
def _rolled_back(session: Session, _transaction: object) -> None:
    session.info.pop(_SLOT, None)


def _flushed_posts(session: Session) -> None:
    """Note the posts that were just inserted: they are to be sent to followers."""
    made: dict[type[Any], list[tuple[Key, Key]]] = {}
    for row in session.new:
        posts = _posts_kept_of(type(row))
        if posts is not None and (one := posts.author_and_key(row)):
            made.setdefault(posts.user, []).append(one)
    for user, posted in made.items():
        schema = schema_of(user)
        _note_posts(session, session.connection(bind_arguments=schema.bind), schema, posted)


def _note_posts(session: Session, connection: Connection, schema: Schema, made: Sequence[tuple[Key, Key]]) -> None:
    changes.say(session, connection, schema, *timeline.work_of(timeline.posts_made(connection, schema, made)))


def _forget_rows(session: Session, gone: Iterable[tuple[type[Any], Key]]) -> None:
    """Take the loaded rows of users that are gone out of *session*: they have gone as well."""
    gone = set(gone)
    for row in session.identity_map.values():
        if isinstance(row, GraphModel) and not isinstance(row, FollowEventMixin):
            user = schema_of(user_class_of(type(row))).user
            if any((user, key) in gone for key in _users_of(row)):
                session.expunge(row)


def _users_of(row: Any) -> Iterable[Key]:
    """Return the keys of the users whom the primary key of *row* names."""
    columns = class_mapper(type(row)).primary_key
    owners = {columns[0].table.info.get("shard_key"), columns[0].table.info.get("reverse_key")}
    return [key for column, key in zip(columns, identity(row), strict=False) if column.name in owners]


# --- In bulk -------------------------------------------------------------------------------------


class _Changed(IteratorResult[Any]):
    """The result of a bulk statement: what its caller asked for, and the number of rows."""

    rowcount: int = 0


@event.listens_for(Session, "do_orm_execute")
def _executing(state: ORMExecuteState) -> Result[Any] | None:
    if not (state.is_delete or state.is_insert or state.is_update) or OPTION in state.execution_options:
        return None
    mapper = state.bind_mapper
    if mapper is None:
        return None
    if state.is_insert:
        _refuse_row_of(mapper.class_)
    if state.is_insert and (posts := _posts_kept_of(mapper.class_)):
        return _insert_posts(state, posts, cast("Insert", state.statement))
    if issubclass(mapper.class_, FollowMixin):
        schema = schema_of(user_class_of(mapper.class_))
        if state.is_update:
            _refuse_new_key(cast("Update", state.statement))
            return None
        return _change_rows(state, schema, cast("Insert | Delete", state.statement))
    if state.is_delete and issubclass(mapper.class_, GraphUser):
        return _delete_users(state, schema_of(mapper.class_), cast("Delete", state.statement))
    return None


def _refuse_new_key(statement: Update) -> None:
    # SQLAlchemy has no public way to ask what an UPDATE sets.
    values: Any = getattr(statement, "_values", None) or dict(getattr(statement, "_ordered_values", None) or ())
    if {"follower_id", "following_id"} & {getattr(column, "key", column) for column in values}:
        what = "the key of a Follow that is in the database cannot change"
        raise NotWritableError(what, "unfollow() and follow()")


def _change_rows(state: ORMExecuteState, schema: Schema, statement: Insert | Delete) -> Result[Any]:
    """Run a bulk insert or delete of `Follow`, and count what the database says it changed."""
    connection = state.session.connection(bind_arguments=schema.bind)
    _refuse_uncountable(connection, statement)
    keys = [getattr(schema.follow, name) for name in ("follower_id", "following_id")]
    # Where a block may forbid a row, all of them go with it.
    with state.session.begin_nested() if state.is_insert and schema.blocks is not None else nullcontext():
        pairs, changed = _returning(state, statement, keys)
        if state.is_insert:
            _refuse_blocked(connection, schema, pairs)
            _drop_requests(connection, schema, pairs)
        kind, at = Followed if state.is_insert else Unfollowed, now()
        happened = [kind(follower, followed, at) for follower, followed in pairs]
        changes.record(state.session, connection, schema, *happened, told=False)
    return changed


def _returning(
    state: ORMExecuteState, statement: Insert | Delete, columns: Sequence[Any]
) -> tuple[list[Any], Result[Any]]:
    """Run a bulk statement; return *columns* of the rows that it changed, and the result that its caller gets."""
    result = state.invoke_statement(statement=statement.returning(*columns))
    names, rows = list(result.keys()), result.all()
    asked = len(names) - len(columns)
    changed = _Changed(SimpleResultMetaData(names[:asked]), iter([tuple(row[:asked]) for row in rows]))
    changed.rowcount = len(rows)
    return [tuple(row[asked:]) for row in rows], changed


def _posts_kept_of(model: type[Any]) -> Posts | None:
    """Return what *model* says of posts, if home timelines of them are kept."""
    posts: Posts | None = getattr(model, "__retinue_posts__", None)
    if posts is None or not issubclass(model, posts.model) or schema_of(posts.user).timeline is None:
        return None
    return posts


def _insert_posts(state: ORMExecuteState, posts: Posts, statement: Insert) -> Result[Any] | None:
    """Run a bulk insert of posts, and note them; where the database does not say which, that is the caller's."""
    schema = schema_of(posts.user)
    connection = state.session.connection(bind_arguments=schema.bind)
    if not connection.dialect.insert_executemany_returning:
        return None
    made, changed = _returning(state, statement, posts.attributes)
    _note_posts(state.session, connection, schema, [one for one in made if one[0] is not None])
    return changed


def _refuse_uncountable(connection: Connection, statement: Insert | Delete) -> None:
    """Refuse what no engine can say the effect of."""
    insert = isinstance(statement, Insert)
    dialect = connection.dialect
    returns = dialect.insert_executemany_returning if insert else dialect.delete_returning
    if not returns:
        what = f"{dialect.name} does not say which rows a bulk statement changed"
        raise NotWritableError(what, "session.add_all()" if insert else "session.delete()")
    clause = getattr(statement, "_post_values_clause", None)
    if clause is not None and not type(clause).__name__.endswith("DoNothing"):
        what = "an upsert does not say which rows are new, so they cannot be counted"
        raise NotWritableError(what, "on_conflict_do_nothing()")


def _delete_users(state: ORMExecuteState, schema: Schema, statement: Delete) -> Result[Any]:
    """
    Run a bulk delete of users: first out of the graph, then out of the table.

    Its criteria are evaluated once. They may speak of followers, which are gone by
    the time the users are deleted.
    """
    session = state.session
    key = getattr(schema.user, schema.key_name)
    doomed = select(key).order_by(key).with_for_update().execution_options(**{OPTION: "doomed_users"})
    if statement.whereclause is not None:
        doomed = doomed.where(statement.whereclause)
    entity = cast("Mapper[Any]", state.bind_mapper).class_
    ids = list(session.execute(doomed, state.parameters or {}).scalars())
    asked = [column["expr"] for column in statement.returning_column_descriptions]
    connection = session.connection(bind_arguments=schema.bind)
    names: list[str] = []
    rows: list[Any] = []
    count = 0
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        detach(connection, schema, chunk)
        remove: Any = delete(entity).where(key.in_(chunk))
        if asked:
            remove = remove.returning(*asked)
        result: Any = state.invoke_statement(statement=remove, params={})
        if asked:
            names = list(result.keys())
            rows += [tuple(row) for row in result]
        count += len(rows) if asked else result.rowcount
    _forget_rows(session, [(schema.user, user) for user in ids])
    changed = _Changed(SimpleResultMetaData(names), iter(rows))
    changed.rowcount = len(rows) if asked else count
    return changed
