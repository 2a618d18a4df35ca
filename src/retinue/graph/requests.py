"""Answering those who ask to follow."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.orm.attributes import flag_modified

from retinue import changes, guards, inserting, prepared
from retinue.caller import Pair, names_of
from retinue.engines import EngineRules
from retinue.errors import MappingError
from retinue.events import RequestAccepted, RequestRejected
from retinue.flags import written_by
from retinue.graph.edges import Edges
from retinue.graph.part import U
from retinue.graph.whole import whole
from retinue.models import FollowMixin, FollowRequestMixin, now
from retinue.statements import edges, moment
from retinue.statements import requests as statements
from retinue.values import Key

#: Requests that one round answers.
_CHUNK = 1_000


class Requests(Edges[U]):
    """Answering those who ask to follow."""

    __slots__ = ()

    @whole(makes_edges=True)
    def accept(self, user: U | Key, requester: U | Key) -> bool:
        """
        Let *requester*, who has asked to, follow *user*.

        Nobody can accept for *user* by asking twice. Limits do not hold it up: a
        pending request was counted already. Cost: one insert for the guards, one delete, one insert,
        and what follows from a change, and where there are notifications one delete of that of the
        request; if nothing was pending, one select instead.

        Returns:
            Whether a request was pending.

        Raises:
            SelfFollowError: Both are the same user.
            InvalidUserError: One is neither a user nor a possible key.
            UnknownUserError: One is a key that no user has.
            ModelMissingError: No model with `FollowRequestMixin` is declared.
            MappingError: A column of your own on `Follow` needs a value and has no default.
            sqlalchemy.exc.IntegrityError: A constraint of your own refuses a row; nothing has changed.
            RuntimeError: The database did not insert the edge, and gave no reason: a trigger of your own.
        """
        self._schema.refuse_missing(FollowMixin)
        connection, engine, pair = self._answer(user, requester)
        parameters = {**names_of(pair), **moment(self._schema, now())}
        if not connection.execute(statements.delete_pending_request(self._schema), parameters).rowcount:
            self._caller.refuse_unknown(connection, engine, pair, edges.known_users_now)
            return False
        at = now()
        if not self._add(connection, engine, RequestAccepted(*pair, at)).done:
            asked = {"followed": pair[1], "users": [pair[0]], "at": at, **moment(self._schema, at)}
            statement = statements.followers_since(self._schema, engine)
            there = {key: bool(is_new) for key, is_new in connection.execute(statement, asked)}
            self._refuse_lost(self._lost(connection, engine, asked, there))
        changes.close_requests(connection, self._schema, [pair])
        return True

    @whole()
    def reject(self, user: U | Key, requester: U | Key) -> bool:
        """
        Answer no to *requester*, who has asked to follow *user*.

        With ``Settings(request_cooldown=...)`` they cannot ask again at once. Cost:
        one insert for the guards and one delete, or one update where there is a cool-down;
        one insert where history is kept, one delete where there are notifications.

        Returns and raises as `accept()`, but for `MappingError`.
        """
        connection, engine, pair = self._answer(user, requester)
        at = now()
        build = (
            statements.reject_request if self._schema.settings.request_cooldown else statements.delete_pending_request
        )
        asked = {**names_of(pair), **moment(self._schema, at)}
        if not prepared.run(connection, self._schema, build, asked).rowcount:
            self._caller.refuse_unknown(connection, engine, pair, edges.known_users_now)
            return False
        self._record(connection, RequestRejected(*pair, at))
        changes.close_requests(connection, self._schema, [pair])
        return True

    @whole(makes_edges=True)
    def accept_all(self, user: U | Key) -> int:
        """
        Let everybody who has asked to follow *user*; return how many did.

        No request goes without its edge. Cost: one guard, and for each 1,000 requests one select, the deletion of the
        requests, the insert of the edges and a select of those that are there, up to four
        statements where counts are kept, one for history and three for notifications. Where columns of your own have
        defaults that Python makes, one select more for the edges.

        Raises:
            InvalidUserError, UnknownUserError, ModelMissingError, MappingError: As `accept()`.
            sqlalchemy.exc.IntegrityError, RuntimeError: As `accept()`.
        """
        self._schema.refuse_missing(FollowMixin)
        connection, engine, key = self._answer_all(user)
        return self._accept_all(connection, engine, key)

    @whole()
    def reject_all(self, user: U | Key) -> int:
        """
        Answer no to everybody who has asked to follow *user*; return how many had.

        Cost: one guard, and for each 1,000 requests one select, one delete or update,
        one insert where history is kept, and one delete where there are notifications.

        Raises:
            InvalidUserError, UnknownUserError, ModelMissingError: As `accept()`.
        """
        connection, engine, key = self._answer_all(user)
        build = statements.reject_requests if self._schema.settings.request_cooldown else statements.delete_requests
        rejected = 0
        while followers := self._pending(connection, key):
            at = now()
            answered = {"followed": key, "users": followers, "now": at}
            prepared.run(connection, self._schema, build, answered, engine)
            self._record(connection, *(RequestRejected(follower, key, at) for follower in followers))
            changes.close_requests(connection, self._schema, [(follower, key) for follower in followers])
            rejected += len(followers)
        return rejected

    @whole(makes_edges=True)
    def unlock(self, user: U | Key) -> int:
        """
        Make *user* public: they no longer approve who follows them, and who has asked to does.

        All in the caller's transaction; a request that somebody makes just now becomes
        an edge as well, and is never left pending. Return how many requests were
        accepted. Cost: that of `accept_all()`, one update of the user, and one select
        if the user is not loaded.

        Raises:
            InvalidUserError, UnknownUserError, ModelMissingError: As `accept()`.
            MappingError: The user class has no attribute that says who approves (`Settings.locked`),
                or it can only be read; or as `accept()`.
            sqlalchemy.exc.IntegrityError, RuntimeError: As `accept()`.
        """
        self._schema.refuse_missing(FollowMixin)
        self._schema.table(FollowRequestMixin)
        attribute, columns = self._says_locked()
        connection, engine, key = self._caller.write_of(user)
        # The user first, then the guard: others hold theirs in that order. Who is just asking to follow is waited for.
        if connection.execute(statements.lock_asked(self._schema), {"followed": key}).first() is None:
            self._caller.refuse_unknown(connection, engine, [key], edges.known_users_now)
        person: Any = user if isinstance(user, self._schema.user) else None
        person = person or self._caller.session.get(self._schema.user, key)
        # A number is 0: PostgreSQL takes no boolean for it.
        setattr(person, attribute, 0 if attribute in columns and "locked" in self._schema.numbers else False)
        for column in columns:
            # Written also if this session believes that it is so: another may have changed it.
            getattr(person, column)
            flag_modified(person, column)
        self._caller.session.flush()
        guards.take(connection, self._schema, engine, key)
        return self._accept_all(connection, engine, key)

    # --- Within ----------------------------------------------------------------------------------

    def _says_locked(self) -> tuple[str, Sequence[str]]:
        """Return the attribute that says who approves, and those with columns that are written with it."""
        user, attribute = self._schema.user, self._schema.flags.get("locked")
        if attribute is None:
            message = f"{user.__name__} has no attribute that says who approves: see Settings(locked=...)"
            raise MappingError(message)
        columns = written_by(user, attribute)
        if columns is None:
            message = f"{user.__name__}.{attribute} can only be read: change what it is made of, then accept_all()"
            raise MappingError(message)
        return attribute, columns

    def _answer(self, user: U | Key, requester: U | Key) -> tuple[Connection, EngineRules, Pair]:
        self._schema.table(FollowRequestMixin)
        connection, engine, pair = self._caller.write(requester, user)
        guards.take(connection, self._schema, engine, *pair)
        for model in (self._schema.follow, self._schema.models[FollowRequestMixin]):
            self._caller.refresh(model, pair)
        return connection, engine, pair

    def _answer_all(self, user: U | Key) -> tuple[Connection, EngineRules, Key]:
        self._schema.table(FollowRequestMixin)
        connection, engine, key = self._caller.write_of(user)
        if not guards.take(connection, self._schema, engine, key):
            self._caller.refuse_unknown(connection, engine, [key], edges.known_users_now)
        return connection, engine, key

    def _pending(self, connection: Connection, user: Key) -> list[Key]:
        """Return who asks *user*, at most `_CHUNK` of them, their requests locked."""
        parameters = {"followed": user, "limit": _CHUNK, **moment(self._schema, now())}
        followers = list(connection.execute(statements.select_pending(self._schema), parameters).scalars())
        for follower in followers:
            self._caller.refresh(self._schema.models[FollowRequestMixin], (follower, user))
        return followers

    def _accept_all(self, connection: Connection, engine: EngineRules, user: Key) -> int:
        accepted = 0
        while followers := self._pending(connection, user):
            at = now()
            parameters = {"followed": user, "users": followers, "at": at, **moment(self._schema, at)}
            self._insert_agreed(connection, engine, parameters)
            new = self._followers_now(connection, engine, parameters)
            connection.execute(statements.delete_requests(self._schema, engine), parameters)
            self._record(connection, *(RequestAccepted(follower, user, at) for follower in sorted(new)), many=True)
            changes.close_requests(connection, self._schema, [(follower, user) for follower in followers])
            accepted += len(new)
        return accepted

    def _insert_agreed(self, connection: Connection, engine: EngineRules, parameters: dict[str, Any]) -> None:
        """Let those of *users* who asked *followed* follow them, unless they do or a block stands against it."""
        schema, follows = self._schema, self._schema.follows
        if not inserting.goes_by_row(schema, engine, follows):
            connection.execute(statements.insert_agreed_edges(schema, engine), parameters)
            return
        blocked = self._blocked(connection, engine, parameters)
        users = [key for key in parameters["users"] if key not in blocked]
        inserting.insert_rows(connection, schema, engine, follows, _edges(users, parameters))

    def _followers_now(self, connection: Connection, engine: EngineRules, parameters: dict[str, Any]) -> list[Key]:
        """Return those of *users* who follow *followed* since just now; see to it that nobody's request is lost."""
        statement = statements.followers_since(self._schema, engine)
        # An edge that was there already has another time.
        there = {key: bool(is_new) for key, is_new in connection.execute(statement, parameters)}
        lost = self._lost(connection, engine, parameters, there)
        if lost:
            # The database says which constraint refuses them; or else they are there then.
            inserting.insert_plainly(connection, self._schema, self._schema.follows, _edges(lost, parameters))
            there = {key: bool(is_new) for key, is_new in connection.execute(statement, parameters)}
            self._refuse_lost(self._lost(connection, engine, parameters, there))
        return [follower for follower, is_new in there.items() if is_new]

    def _lost(
        self, connection: Connection, engine: EngineRules, parameters: dict[str, Any], there: Mapping[Key, object]
    ) -> list[Key]:
        """
        Return those of *users* who asked *followed*, and are not *there*.

        A request beside a block goes without an edge: the block would have taken it along.
        """
        without = [key for key in parameters["users"] if key not in there]
        blocked = self._blocked(connection, engine, {**parameters, "users": without}) if without else ()
        return [key for key in without if key not in blocked]

    def _blocked(self, connection: Connection, engine: EngineRules, parameters: dict[str, Any]) -> Container[Key]:
        """Return those of *users* whom a block keeps apart from *followed*. One select, where there are blocks."""
        if self._schema.blocks is None:
            return ()
        return set(connection.execute(statements.blocked_among(self._schema, engine), parameters).scalars())

    def _refuse_lost(self, lost: Sequence[Key]) -> None:
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
