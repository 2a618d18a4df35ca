"""Answering those who ask to follow."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from sqlalchemy import Delete, Executable, Update, bindparam, case, delete, select, union_all, update
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue import effects, guards, ties
from retinue.engines import EngineRules, Rows
from retinue.errors import MappingError, UnknownUserError
from retinue.events import RequestAccepted, RequestRejected
from retinue.models import FollowMixin, FollowRequestMixin, UTCDateTime, now
from retinue.schema import Schema
from retinue.schema.flags import written_by
from retinue.ties import BLOCK, FOLLOW, REQUEST, not_blocked, not_ended, pending
from retinue.values import Key
from retinue.verbs import follows
from retinue.work import Pair, Work, inserting
from retinue.work.building import CompoundRows, moment, once, page_limit, user_key
from retinue.work.whole import whole

#: Requests that one round answers.
_CHUNK = 1_000


@whole(makes_edges=True)
def accept(work: Work, user: Any, requester: Any) -> bool:
    """See `Graph.accept()`."""
    work.schema.refuse_missing(FollowMixin)
    pair = _answer(work, user, requester)
    if not ties.end(work, REQUEST, pair, at=now()):
        work.refuse_unknown(pair)
        return False
    at = now()
    if not follows.add_edge(work, RequestAccepted(*pair, at)).done:
        asked = {"followed": pair[1], "users": [pair[0]], "at": at, **moment(work.schema, at)}
        _refuse_lost(_lost(work, asked, _followers_since(work, asked)))
    effects.close_requests(work, [pair])
    return True


@whole()
def reject(work: Work, user: Any, requester: Any) -> bool:
    """See `Graph.reject()`."""
    pair = _answer(work, user, requester)
    at = now()
    if work.schema.settings.request_cooldown:
        # The row stays, so that it is known when.
        rejected = ties.change(work, REQUEST, pair, "reject_request", {"rejected_at": at}, at=at)
    else:
        rejected = ties.end(work, REQUEST, pair, at=at)
    if not rejected:
        work.refuse_unknown(pair)
        return False
    effects.record(work, RequestRejected(*pair, at))
    effects.close_requests(work, [pair])
    return True


@whole(makes_edges=True)
def accept_all(work: Work, user: Any) -> int:
    """See `Graph.accept_all()`."""
    work.schema.refuse_missing(FollowMixin)
    key = _answer_all(work, user)
    return _accept_all(work, key)


@whole()
def reject_all(work: Work, user: Any) -> int:
    """See `Graph.reject_all()`."""
    key = _answer_all(work, user)
    build = reject_requests if work.schema.settings.request_cooldown else delete_requests
    rejected = 0
    while followers := _pending(work, key):
        at = now()
        answered = {"followed": key, "users": followers, "now": at}
        work.run(build, answered, work.engine)
        effects.record(work, *(RequestRejected(follower, key, at) for follower in followers))
        effects.close_requests(work, [(follower, key) for follower in followers])
        rejected += len(followers)
    return rejected


@whole(makes_edges=True)
def unlock(work: Work, user: Any) -> int:
    """See `Graph.unlock()`."""
    work.schema.refuse_missing(FollowMixin)
    work.schema.table(FollowRequestMixin)
    attribute, columns = _says_locked(work)
    key = work.write_of(user)
    # The user first, then the guard: others hold theirs in that order. Who is just asking to follow is waited for.
    if not work.rows(lock_asked, {"followed": key}):
        work.refuse_unknown([key])
    person = user if isinstance(user, work.schema.user) else _found(work, key)
    # A number is 0: PostgreSQL takes no boolean for it.
    setattr(person, attribute, 0 if attribute in columns and "locked" in work.schema.numbers else False)
    for column in columns:
        # Written also if this session believes that it is so: another may have changed it.
        getattr(person, column)
        flag_modified(person, column)
    work.flush()
    guards.take(work, key)
    return _accept_all(work, key)


def _found(work: Work, key: Key) -> Any:
    """Return the user with *key*, whose row is locked: as they are now, where an older snapshot may not know them."""
    now: Any = {"key_share": True, "of": work.schema.user} if work.engine.keeps_snapshot else None
    found = work.session.get(work.schema.user, key, with_for_update=now)
    if found is None:
        raise UnknownUserError([key])  # criteria of the session's own hide them
    return found


def _says_locked(work: Work) -> tuple[str, Sequence[str]]:
    """Return the attribute that says who approves, and those with columns that are written with it."""
    user, attribute = work.schema.user, work.schema.flags.get("locked")
    if attribute is None:
        message = f"{user.__name__} has no attribute that says who approves: see Settings(locked=...)"
        raise MappingError(message)
    columns = written_by(user, attribute)
    if columns is None:
        message = f"{user.__name__}.{attribute} can only be read: change what it is made of, then accept_all()"
        raise MappingError(message)
    return attribute, columns


def _answer(work: Work, user: Any, requester: Any) -> Pair:
    work.schema.table(FollowRequestMixin)
    pair = work.write(requester, user)
    guards.take(work, *pair)
    for model in (work.schema.follow, work.schema.models[FollowRequestMixin]):
        work.refresh(model, pair)
    return pair


def _answer_all(work: Work, user: Any) -> Key:
    work.schema.table(FollowRequestMixin)
    key = work.write_of(user)
    if not guards.take(work, key) or work.engine.one_writer:
        work.refuse_unknown([key])
    return key


def _pending(work: Work, user: Key) -> list[Key]:
    """Return who asks *user*, at most `_CHUNK` of them, their requests locked."""
    parameters = {"followed": user, "limit": _CHUNK, **moment(work.schema, now())}
    followers = [key for (key,) in work.rows(select_pending, parameters)]
    for follower in followers:
        work.refresh(work.schema.models[FollowRequestMixin], (follower, user))
    return followers


def _accept_all(work: Work, user: Key) -> int:
    accepted = 0
    while followers := _pending(work, user):
        at = now()
        parameters = {"followed": user, "users": followers, "at": at, **moment(work.schema, at)}
        _insert_agreed(work, parameters)
        new = _followers_now(work, parameters)
        work.run(delete_requests, parameters, work.engine)
        effects.record(work, *(RequestAccepted(follower, user, at) for follower in sorted(new)), bulk=True)
        effects.close_requests(work, [(follower, user) for follower in followers])
        accepted += len(new)
    return accepted


def _insert_agreed(work: Work, parameters: dict[str, Any]) -> None:
    """Let those of *users* who asked *followed* follow them, unless they do or a block stands against it."""
    schema, follows = work.schema, work.schema.follows
    if not inserting.goes_by_row(schema, work.engine, follows):
        work.run(insert_agreed_edges, parameters, work.engine)
        return
    blocked = _blocked(work, parameters)
    users = [key for key in parameters["users"] if key not in blocked]
    inserting.insert_rows(work, follows, _edges(users, parameters))


def _followers_now(work: Work, parameters: dict[str, Any]) -> list[Key]:
    """Return those of *users* who follow *followed* since just now; see to it that nobody's request is lost."""
    # An edge that was there already has another time.
    present = _followers_since(work, parameters)
    lost = _lost(work, parameters, present)
    if lost:
        # The database says which constraint refuses them; or else they are there then.
        inserting.insert_plainly(work, work.schema.follows, _edges(lost, parameters))
        present = _followers_since(work, parameters)
        _refuse_lost(_lost(work, parameters, present))
    return [follower for follower, is_new in present.items() if is_new]


def _followers_since(work: Work, parameters: dict[str, Any]) -> dict[Key, bool]:
    """Return those of *users* who follow *followed*, and whether just since *at*."""
    return {key: bool(is_new) for key, is_new in work.rows(followers_since, parameters, work.engine)}


def _lost(work: Work, parameters: dict[str, Any], present: Mapping[Key, object]) -> list[Key]:
    """
    Return those of *users* who asked *followed*, and are not *present*.

    A request beside a block goes without an edge: the block would have taken it along.
    """
    without = [key for key in parameters["users"] if key not in present]
    blocked = _blocked(work, {**parameters, "users": without}) if without else ()
    return [key for key in without if key not in blocked]


def _blocked(work: Work, parameters: dict[str, Any]) -> Container[Key]:
    """Return those of *users* whom a block keeps apart from *followed*. One select, where there are blocks."""
    if not BLOCK.is_declared(work.schema):
        return ()
    return {key for (key,) in work.rows(blocked_among, parameters, work.engine)}


def _refuse_lost(lost: Sequence[Key]) -> None:
    if lost:
        message = (
            f"the database did not insert the edge of {len(lost)} request(s), such as that of user {lost[0]!r}:"
            " by a trigger of your own? Nobody's request goes without its edge"
        )
        raise RuntimeError(message)


def _edges(followers: Sequence[Key], parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the edges from *followers* to *followed* since *at*, as rows."""
    return [
        {"follower_id": follower, "following_id": parameters["followed"], "timestamp": parameters["at"]}
        for follower in followers
    ]


# --- Statements ----------------------------------------------------------------------------------


@once
def lock_asked(schema: Schema) -> Rows:
    """The row of *followed*, locked: whoever is asking to follow them is waited for, and waits."""
    return select(schema.key).where(schema.key == user_key(schema, "followed")).with_for_update(key_share=True)


@once
def select_pending(schema: Schema) -> Rows:
    """Who asks *followed*: at most *limit*, locked. No place on the list is passed over."""
    rows = REQUEST.by_target(schema)
    return (
        select(rows.c.follower_id)
        .where(rows.c.following_id == user_key(schema, "followed"), pending(schema, rows))
        .order_by(rows.c.follower_id)
        .limit(page_limit())
        .with_for_update()
    )


@once
def insert_agreed_edges(schema: Schema, engine: EngineRules) -> Executable:
    """Those of *users* who asked *followed* follow them since *at*, unless they do already."""
    rows = REQUEST.table(schema)
    asked = select(rows.c.follower_id, rows.c.following_id, bindparam("at", type_=UTCDateTime)).where(
        *_from_some(schema, engine, rows), not_blocked(schema, engine, rows.c.follower_id, rows.c.following_id)
    )
    return engine.insert_from(schema.follows, list(FOLLOW.row), asked)


@once
def followers_since(schema: Schema, engine: EngineRules) -> Rows:
    """(user, whether just since *at*) for those of *users* who follow *followed*."""
    edges = schema.edges_by_target
    since = case((edges.c.timestamp == bindparam("at", type_=UTCDateTime), 1), else_=0)
    return engine.current(select(edges.c.follower_id, since).where(*_from_some(schema, engine, edges)))


@once
def blocked_among(schema: Schema, engine: EngineRules) -> CompoundRows:
    """Those of *users* whom a block keeps apart from *followed* now."""
    followed, out, back = user_key(schema, "followed"), BLOCK.table(schema), BLOCK.by_target(schema)
    outgoing = select(out.c.blocked_id.label("user")).where(out.c.blocker_id == followed, not_ended(out))
    incoming = select(back.c.blocker_id.label("user")).where(back.c.blocked_id == followed, not_ended(back))
    kept_away = (
        outgoing.where(engine.one_of(out.c.blocked_id, "users")),
        incoming.where(engine.one_of(back.c.blocker_id, "users")),
    )
    return union_all(*(select(engine.current(side).subquery()) for side in kept_away))


@once
def delete_requests(schema: Schema, engine: EngineRules) -> Delete:
    """Those of *users* who asked *followed* ask no longer."""
    rows = REQUEST.table(schema)
    return delete(rows).where(*_from_some(schema, engine, rows))


@once
def reject_requests(schema: Schema, engine: EngineRules) -> Update:
    """*followed* says no to those of *users* who asked, at the time *now*."""
    rows, time = REQUEST.table(schema), bindparam("now", type_=UTCDateTime)
    return update(rows).where(*_from_some(schema, engine, rows)).values(rejected_at=time)


def _from_some(schema: Schema, engine: EngineRules, rows: FromClause) -> Sequence[ColumnElement[bool]]:
    """Return the conditions for those of *rows* that lead from *users* to *followed*."""
    return rows.c.following_id == user_key(schema, "followed"), engine.one_of(rows.c.follower_id, "users")
