"""Answering those who ask to follow."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from sqlalchemy.orm.attributes import flag_modified

from retinue import guards
from retinue.effects import changes
from retinue.errors import MappingError
from retinue.events import RequestAccepted, RequestRejected
from retinue.models import FollowMixin, FollowRequestMixin, now
from retinue.schema.flags import written_by
from retinue.values import Key
from retinue.verbs import follows
from retinue.verbs import request_statements as statements
from retinue.verbs.whole import whole
from retinue.work import Pair, Work, edge_parameters, inserting
from retinue.work.building import known_users_now, moment

#: Requests that one round answers.
_CHUNK = 1_000


@whole(makes_edges=True)
def accept(work: Work, user: Any, requester: Any) -> bool:
    """See `Graph.accept()`."""
    work.schema.refuse_missing(FollowMixin)
    pair = _answer(work, user, requester)
    parameters = {**edge_parameters(pair), **moment(work.schema, now())}
    if not work.connection.execute(statements.delete_pending_request(work.schema), parameters).rowcount:
        work.refuse_unknown(pair, known_users_now)
        return False
    at = now()
    if not follows.add_edge(work, RequestAccepted(*pair, at)).done:
        asked = {"followed": pair[1], "users": [pair[0]], "at": at, **moment(work.schema, at)}
        statement = statements.followers_since(work.schema, work.engine)
        there = {key: bool(is_new) for key, is_new in work.connection.execute(statement, asked)}
        _refuse_lost(_lost(work, asked, there))
    changes.close_requests(work, [pair])
    return True


@whole()
def reject(work: Work, user: Any, requester: Any) -> bool:
    """See `Graph.reject()`."""
    pair = _answer(work, user, requester)
    at = now()
    build = statements.reject_request if work.schema.settings.request_cooldown else statements.delete_pending_request
    asked = {**edge_parameters(pair), **moment(work.schema, at)}
    if not work.run(build, asked).rowcount:
        work.refuse_unknown(pair, known_users_now)
        return False
    changes.record(work, RequestRejected(*pair, at))
    changes.close_requests(work, [pair])
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
    build = statements.reject_requests if work.schema.settings.request_cooldown else statements.delete_requests
    rejected = 0
    while followers := _pending(work, key):
        at = now()
        answered = {"followed": key, "users": followers, "now": at}
        work.run(build, answered, work.engine)
        changes.record(work, *(RequestRejected(follower, key, at) for follower in followers))
        changes.close_requests(work, [(follower, key) for follower in followers])
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
    if work.connection.execute(statements.lock_asked(work.schema), {"followed": key}).first() is None:
        work.refuse_unknown([key], known_users_now)
    person: Any = user if isinstance(user, work.schema.user) else None
    person = person or work.session.get(work.schema.user, key)
    # A number is 0: PostgreSQL takes no boolean for it.
    setattr(person, attribute, 0 if attribute in columns and "locked" in work.schema.numbers else False)
    for column in columns:
        # Written also if this session believes that it is so: another may have changed it.
        getattr(person, column)
        flag_modified(person, column)
    work.session.flush()
    guards.take(work, key)
    return _accept_all(work, key)


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
    if not guards.take(work, key):
        work.refuse_unknown([key], known_users_now)
    return key


def _pending(work: Work, user: Key) -> list[Key]:
    """Return who asks *user*, at most `_CHUNK` of them, their requests locked."""
    parameters = {"followed": user, "limit": _CHUNK, **moment(work.schema, now())}
    followers = list(work.connection.execute(statements.select_pending(work.schema), parameters).scalars())
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
        work.connection.execute(statements.delete_requests(work.schema, work.engine), parameters)
        changes.record(work, *(RequestAccepted(follower, user, at) for follower in sorted(new)), many=True)
        changes.close_requests(work, [(follower, user) for follower in followers])
        accepted += len(new)
    return accepted


def _insert_agreed(work: Work, parameters: dict[str, Any]) -> None:
    """Let those of *users* who asked *followed* follow them, unless they do or a block stands against it."""
    schema, follows = work.schema, work.schema.follows
    if not inserting.goes_by_row(schema, work.engine, follows):
        work.connection.execute(statements.insert_agreed_edges(schema, work.engine), parameters)
        return
    blocked = _blocked(work, parameters)
    users = [key for key in parameters["users"] if key not in blocked]
    inserting.insert_rows(work, follows, _edges(users, parameters))


def _followers_now(work: Work, parameters: dict[str, Any]) -> list[Key]:
    """Return those of *users* who follow *followed* since just now; see to it that nobody's request is lost."""
    statement = statements.followers_since(work.schema, work.engine)
    # An edge that was there already has another time.
    there = {key: bool(is_new) for key, is_new in work.connection.execute(statement, parameters)}
    lost = _lost(work, parameters, there)
    if lost:
        # The database says which constraint refuses them; or else they are there then.
        inserting.insert_plainly(work, work.schema.follows, _edges(lost, parameters))
        there = {key: bool(is_new) for key, is_new in work.connection.execute(statement, parameters)}
        _refuse_lost(_lost(work, parameters, there))
    return [follower for follower, is_new in there.items() if is_new]


def _lost(work: Work, parameters: dict[str, Any], there: Mapping[Key, object]) -> list[Key]:
    """
    Return those of *users* who asked *followed*, and are not *there*.

    A request beside a block goes without an edge: the block would have taken it along.
    """
    without = [key for key in parameters["users"] if key not in there]
    blocked = _blocked(work, {**parameters, "users": without}) if without else ()
    return [key for key in without if key not in blocked]


def _blocked(work: Work, parameters: dict[str, Any]) -> Container[Key]:
    """Return those of *users* whom a block keeps apart from *followed*. One select, where there are blocks."""
    if work.schema.blocks is None:
        return ()
    return set(work.connection.execute(statements.blocked_among(work.schema, work.engine), parameters).scalars())


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
