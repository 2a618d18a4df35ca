"""Follow and unfollow."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

from sqlalchemy.engine import Connection, CursorResult

from retinue import changes, guards, limits, prepared
from retinue.caller import Pair, names_of
from retinue.engines import EngineRules
from retinue.errors import BlockedError, LimitError, UnknownUserError
from retinue.events import Followed, FollowerRemoved, RequestAccepted, Requested, Unfollowed
from retinue.graph.part import Part, U
from retinue.graph.whole import whole
from retinue.models import FollowMixin, FollowRequestMixin, now
from retinue.statements import edges, moment, requests, together
from retinue.values import Key, Outcome


class Edges(Part[U]):
    """Follow and unfollow."""

    __slots__ = ()

    @whole()
    def follow(self, follower: U | Key, followed: U | Key) -> Outcome:
        """
        Make *follower* follow *followed*, or ask to where *followed* approves their followers.

        Following twice is not an error: the second call changes nothing. A request
        that is pending when *followed* no longer approves becomes an edge.

        Cost: one insert, and two updates where counts are kept (up to four more statements
        for a user who was never counted); if nothing changed, one insert and at most
        one select. Where they are declared, history and notifications cost one insert
        each, requests, blocks or limits a select and an insert for the guards,
        limits one select (two more on MariaDB); and nothing is inserted then but the
        guards if a limit is reached. All that follows from the edge goes with its insert
        on PostgreSQL, in one statement, and the guards with the select; but not where
        columns of your own have defaults that Python makes. Where such a default or a constraint
        of your own may refuse what follows from an edge, a savepoint (two statements) keeps the verb whole.

        Returns:
            `Outcome.FOLLOWED`, `Outcome.REQUESTED`, or the falsy `Outcome.UNCHANGED`.

        Raises:
            SelfFollowError: Both are the same user.
            InvalidUserError: One is neither a user nor a possible key.
            UnknownUserError: One is a key that no user has.
            BlockedError: One of the two blocks the other.
            LimitError: *follower* has reached a limit of `Settings`, or was rejected lately.
            ModelMissingError: *followed* approves, and no model with `FollowRequestMixin`
                or, for a limit, `FollowEventMixin` is declared.
            MappingError: A column of your own on `Follow` needs a value and has no default.
            sqlalchemy.exc.IntegrityError: A constraint of your own refuses a row; nothing has changed.
        """
        self._schema.refuse_missing(FollowMixin)
        connection, engine, pair = self._caller.write(follower, followed)
        if self._schema.guards is None and "locked" not in self._schema.flags:
            return self._follow_freely(connection, engine, pair)
        return self._follow_by_the_rules(connection, engine, pair, now())

    @whole()
    def unfollow(self, follower: U | Key, followed: U | Key) -> bool:
        """
        End that *follower* follows *followed*, or asks to; nothing happens if they do not.

        Cost: one delete, and two updates where counts are kept; if nothing changed, one
        delete and one select. Where there are requests, a select, a guard and one delete
        more, and one for the notification of a request that was withdrawn; where history is kept, one insert. On PostgreSQL those go together, as in `follow()`.

        Returns:
            Whether an edge or a pending request was there.

        Raises:
            SelfFollowError, InvalidUserError, UnknownUserError: As in `follow()`.
        """
        return self._remove(follower, followed, Unfollowed)

    @whole()
    def remove_follower(self, user: U | Key, follower: U | Key) -> bool:
        """
        End that *follower* follows *user*, at the wish of *user*, who does not block them.

        As `unfollow()`, but announced as `FollowerRemoved`; a pending request stays.
        """
        return self._remove(follower, user, FollowerRemoved)

    def is_following(self, follower: U | Key, followed: U | Key) -> bool:
        """
        Return whether *follower* follows *followed*; False for a user without a key. One select.

        Raises:
            InvalidUserError: One is neither a user nor a possible key.
        """
        connection, engine = self._caller.read()
        pair = (self._caller.key(follower, engine), self._caller.key(followed, engine))
        if None in pair:
            return False
        return self._edge_exists(connection, cast("Pair", pair))

    # --- Within ----------------------------------------------------------------------------------

    def _follow_freely(self, connection: Connection, engine: EngineRules, pair: Pair) -> Outcome:
        """Follow where nothing can stand against it but an edge that is there."""
        added = self._add(connection, engine, Followed(*pair, now()))
        if added.done:
            return Outcome.FOLLOWED
        # The edge was there, so its users are; only where it is not, somebody may be missing.
        if not (engine.unknown_user_fails or added.was_there or self._edge_exists(connection, pair)):
            self._caller.refuse_unknown(connection, engine, pair)
        return Outcome.UNCHANGED

    def _follow_by_the_rules(self, connection: Connection, engine: EngineRules, pair: Pair, at: datetime) -> Outcome:
        """
        Follow or ask, whichever *followed* wants.

        The insert itself has the last word on that, and on blocks; where it makes no
        row, we ask why. Should the answer be "nothing", it was changed just before:
        then again.
        """
        version = limits.seen(connection, self._schema, engine, pair[0])
        before = guards.ask_and_take(connection, self._schema, engine, pair, edges.before_follow, at)
        if before.enough:
            return Outcome.UNCHANGED
        asks, asked = before.both, before.asked
        limit = limits.reached(connection, self._schema, engine, pair[0], at, before=version, taking=before.waits)
        while True:
            reached = limit.by(asks=asks)
            if reached is None and asks and self._request(connection, engine, pair, at):
                return Outcome.REQUESTED
            if reached is None and not asks:
                added = self._add(connection, engine, Followed(*pair, at))
                if added.done and asked:
                    self._drop_request(connection, pair)
                if added.done or added.was_there:
                    return Outcome.FOLLOWED if added.done else Outcome.UNCHANGED
            standing = self._standing(connection, engine, pair, at)
            if standing.edge is not None:
                return Outcome.UNCHANGED
            if standing.blocked:
                raise BlockedError(*pair)
            if standing.locked and standing.asked is not None:
                return self._ask_again(connection, pair, at, standing, reached)
            if reached is not None:
                raise reached
            if standing.locked and not asks:
                self._schema.table(FollowRequestMixin)  # raises if there is none
                guards.take(connection, self._schema, engine, pair[1])
            asks, asked = standing.locked, standing.asked is not None

    def _request(self, connection: Connection, engine: EngineRules, pair: Pair, at: datetime) -> bool:
        """Insert a request, unless something stands against it; return whether it is new."""
        parameters = {**names_of(pair), "at": at, "now": at}
        if not self._caller.insert(connection, engine, requests.insert_request, parameters, pair):
            return False
        self._record(connection, Requested(*pair, at))
        return True

    def _drop_request(self, connection: Connection, pair: Pair) -> None:
        """Delete a request, pending or not, and what was told of it."""
        if connection.execute(requests.delete_request(self._schema), names_of(pair)).rowcount:
            changes.close_requests(connection, self._schema, [pair])
        self._caller.refresh(self._schema.models[FollowRequestMixin], pair)

    def _ask_again(
        self, connection: Connection, pair: Pair, at: datetime, standing: _Standing, reached: LimitError | None
    ) -> Outcome:
        """Leave a pending request as it is; renew one that has expired, or was rejected long enough ago."""
        settings = self._schema.settings
        expiry, cooldown = settings.request_expiry, settings.request_cooldown or timedelta()
        asked, rejected = cast("datetime", standing.asked), standing.rejected
        if rejected is None and (expiry is None or asked > at - expiry):
            return Outcome.UNCHANGED
        if reached is not None:
            raise reached
        if rejected is not None and rejected > at - cooldown:
            raise LimitError("request_cooldown", 0, 1, rejected + cooldown)
        parameters = {**names_of(pair), "at": at, "rejected_before": at - cooldown, **moment(self._schema, at)}
        prepared.run(connection, self._schema, requests.renew_request, parameters)
        self._caller.refresh(self._schema.models[FollowRequestMixin], pair)
        self._record(connection, Requested(*pair, at))
        return Outcome.REQUESTED

    def _standing(self, connection: Connection, engine: EngineRules, pair: Pair, at: datetime) -> _Standing:
        """Return how the two stand now; `UnknownUserError` if one does not exist."""
        statement = edges.standing(self._schema, engine)
        rows = {
            row[0]: row[1:] for row in connection.execute(statement, {**names_of(pair), **moment(self._schema, at)})
        }
        unknown = [key for key in pair if key not in rows]
        if unknown:
            raise UnknownUserError(unknown)
        return _Standing(*rows[pair[1]])

    def _add(self, connection: Connection, engine: EngineRules, event: Followed) -> changes.Changed:
        """Insert the edge of *event*, unless something stands against it, and write down what follows."""
        agreed = isinstance(event, RequestAccepted)
        pair = (event.follower_id, event.followed_id)
        if not together.is_possible(self._schema, engine):
            done = self._insert(connection, engine, pair, event.at, agreed=agreed)
            if done:
                self._record(connection, event)
            return changes.Changed(done)
        build = edges.insert_agreed_edge if agreed else edges.insert_edge
        added = changes.change_edge(self._caller.session, connection, self._schema, engine, build, event)
        self._caller.refresh(self._schema.follow, pair)
        return added

    def _insert(
        self, connection: Connection, engine: EngineRules, pair: Pair, at: datetime, *, agreed: bool = False
    ) -> bool:
        """Insert an edge since *at*, unless something stands against it; return whether it is new."""
        build = edges.insert_agreed_edge if agreed else edges.insert_edge
        parameters = {**names_of(pair), "at": at, "now": now()}
        inserted = self._caller.insert(connection, engine, build, parameters, pair)
        # A row of this pair that the session has loaded may be of an edge that somebody has replaced.
        self._caller.refresh(self._schema.follow, pair)
        return inserted

    def _edge_exists(self, connection: Connection, pair: Pair) -> bool:
        return prepared.run(connection, self._schema, edges.is_following, names_of(pair)).first() is not None

    def _remove(self, follower: U | Key, followed: U | Key, kind: type[Unfollowed | FollowerRemoved]) -> bool:
        connection, engine, pair = self._caller.write(follower, followed)
        withdrawn = kind is Unfollowed and self._withdraw(connection, engine, pair)
        if self._end(connection, engine, kind(*pair, now())):
            return True
        if not withdrawn:
            # Who holds a guard has locked both users before all else.
            guarded = kind is Unfollowed and self._schema.requests is not None
            ask = edges.known_users_now if guarded else edges.known_users
            self._caller.refuse_unknown(connection, engine, pair, ask)
        return withdrawn

    def _withdraw(self, connection: Connection, engine: EngineRules, pair: Pair) -> bool:
        """
        Delete a pending request; return whether there was one.

        Before the edge is looked for: who accepts it deletes the request first as
        well, so that one of the two finds what the other left.
        """
        if self._schema.requests is None:
            return False
        # Whoever answers all requests at once holds the guard of the followed alone.
        at = now()
        guards.ask_and_take(connection, self._schema, engine, pair, edges.before_unfollow, at)
        parameters = {**names_of(pair), **moment(self._schema, at)}
        gone = connection.execute(requests.delete_pending_request(self._schema), parameters).rowcount
        if gone:
            changes.close_requests(connection, self._schema, [pair])
        self._caller.refresh(self._schema.models[FollowRequestMixin], pair)
        return bool(gone)

    def _end(self, connection: Connection, engine: EngineRules, event: Unfollowed | FollowerRemoved) -> bool:
        """Delete the edge of *event*, if there is one, and write down what follows; return whether there was one."""
        pair = (event.follower_id, event.followed_id)
        if self._caller.loaded(self._schema.follow, pair) is None and together.is_possible(self._schema, engine):
            session, build = self._caller.session, edges.delete_edge
            return changes.change_edge(session, connection, self._schema, engine, build, event).done
        gone = self._delete(connection, pair)
        if gone:
            self._record(connection, event)
        return gone

    def _delete(self, connection: Connection, pair: Pair) -> bool:
        """Delete an edge; return whether there was one."""
        row = self._caller.loaded(self._schema.follow, pair)
        if row is None:
            return bool(prepared.run(connection, self._schema, edges.delete_edge, names_of(pair)).rowcount)
        statement = edges.delete_loaded_edge(self._schema)
        gone = cast("CursorResult[Any]", self._caller.session.execute(statement, names_of(pair))).rowcount
        if not gone:
            self._caller.session.expire(row)  # another session has deleted it
        return bool(gone)


class _Standing(NamedTuple):
    """How two users stand, as `statements.edges.standing` says."""

    locked: bool
    edge: datetime | None
    asked: datetime | None
    rejected: datetime | None
    blocked: bool
