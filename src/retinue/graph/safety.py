"""Blocks and mutes."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.engine import Connection

from retinue import guards, prepared, rules
from retinue.caller import Pair, names_of
from retinue.engines import EngineRules
from retinue.events import (
    Blocked,
    Event,
    FollowerRemoved,
    FollowRestored,
    Muted,
    Unblocked,
    Unfollowed,
    Unmuted,
)
from retinue.graph.edges import Edges
from retinue.graph.part import U
from retinue.graph.whole import whole
from retinue.models import BlockMixin, FollowMixin, FollowRequestMixin, MuteMixin, now
from retinue.statements import edges, moment, records, requests
from retinue.statements import safety as statements
from retinue.values import Key


class Safety(Edges[U]):
    """Blocks and mutes."""

    __slots__ = ()

    @whole()
    def block(self, blocker: U | Key, blocked: U | Key, until: datetime | None = None) -> bool:
        """
        Keep *blocker* and *blocked* apart: neither follows the other, nor can, nor can ask to.

        Edges and requests between them go, and notifications. *blocked* is not told.
        A block that is there gets the new *until*.

        Cost: two inserts (guards, block), one select each for two edges and two requests,
        one delete and what follows from a change for each that was there, one update
        that remembers them, two deletes where there are notifications; a block that
        was there, one select and one update.

        Args:
            blocker: Who blocks.
            blocked: Whom.
            until: When it ends by itself (aware); None: never.

        Returns:
            Whether *blocked* was not blocked before.

        Raises:
            SelfFollowError: Both are the same user.
            InvalidUserError: One is neither a user nor a possible key.
            UnknownUserError: One is a key that no user has.
            ModelMissingError: No model with `BlockMixin` is declared.
            ValueError: *until* is naive or not in the future.
        """
        self._schema.table(BlockMixin)
        at = now()
        until = rules.end_of(until, at)
        connection, engine, pair = self._caller.write(blocker, blocked)
        self._hold(connection, engine, pair)
        who = _names(pair)
        period = {**who, "at": at, "until_": until}
        if not self._caller.insert(connection, engine, statements.insert_block, period, pair):
            before = self._block_of(connection, engine, pair)
            if not _ended(before.until, at):
                if before.until != until:
                    prepared.run(connection, self._schema, statements.prolong_block, {**who, "until_": until})
                return False
            prepared.run(connection, self._schema, statements.renew_block, period)
        self._cut(connection, pair, at)
        self._record(connection, Blocked(*pair, at, until))
        return True

    @whole(makes_edges=True)
    def unblock(self, blocker: U | Key, blocked: U | Key, restore: bool = False) -> bool:
        """
        End the block of *blocked* by *blocker*; nothing happens if there is none.

        With *restore*, and within ``Settings(restore_window=...)`` since the block
        began (also if it has ended by itself since), what it cut comes back as it was
        before: edges with their time, requests. But nothing comes back beside a block
        the other way; and where one who was followed, or asked, approves their
        followers now, *blocker* asks again.

        Cost: one insert for the guards, one select, one delete; up to four inserts for what comes
        back, and what follows from each.

        Returns:
            Whether a block was ended.

        Raises:
            SelfFollowError, InvalidUserError, UnknownUserError, ModelMissingError: As `block()`.
            MappingError, sqlalchemy.exc.IntegrityError: As `follow()`, where it restores.
        """
        self._schema.table(BlockMixin)
        if restore:
            self._schema.refuse_missing(FollowMixin)
        connection, engine, pair = self._caller.write(blocker, blocked)
        self._hold(connection, engine, pair)
        who = _names(pair)
        at = now()
        row = connection.execute(statements.select_block(self._schema), who).first()
        if row is None:
            self._caller.refuse_unknown(connection, engine, pair, edges.known_users_now)
            return False
        connection.execute(statements.delete_block(self._schema), who)
        before = _Block(*row)
        live = not _ended(before.until, at)
        if live:
            self._record(connection, Unblocked(*pair, at))
        if restore and before.timestamp > at - self._schema.settings.restore_window:
            self._restore(connection, engine, pair, before, at)
        return live

    def mute(
        self,
        muter: U | Key,
        muted: U | Key,
        until: datetime | None = None,
        notifications: bool = True,
    ) -> bool:
        """
        Let *muter* hear no more of *muted*, who is not told; nothing else changes between them.

        A mute that is there gets the new *until* and *notifications*. Cost: one
        insert; if *muted* is muted already, one select and one update more.

        Args:
            muter: Who mutes.
            muted: Whom.
            until: When it ends by itself (aware); None: never.
            notifications: Whether notifications of what *muted* does are left out as well.

        Returns:
            Whether *muted* was not muted before.

        Raises:
            SelfFollowError, InvalidUserError, UnknownUserError, ValueError: As `block()`.
            ModelMissingError: No model with `MuteMixin` is declared.
            MappingError: A column of your own on the model needs a value and has no default.
        """
        self._schema.refuse_missing(MuteMixin)
        at = now()
        until = rules.end_of(until, at)
        connection, engine, pair = self._caller.write(muter, muted)
        terms = {"muter": pair[0], "muted": pair[1], "until_": until, "notifications_": bool(notifications)}
        while not (new := self._caller.insert(connection, engine, statements.insert_mute, {**terms, "at": at}, pair)):
            row = connection.execute(statements.select_mute(self._schema), terms).first()
            if row is None:  # gone since: then it is new after all
                self._caller.refuse_unknown(connection, engine, pair)
                continue
            self._caller.refresh(self._schema.models[MuteMixin], pair)
            new = _ended(row[0], at)
            build = statements.renew_mute if new else statements.change_mute
            prepared.run(connection, self._schema, build, {**terms, "at": at} if new else terms)
            break
        if new:
            self._record(connection, Muted(*pair, at, until, bool(notifications)))
        return new

    def unmute(self, muter: U | Key, muted: U | Key) -> bool:
        """
        End the mute of *muted* by *muter*; nothing happens if there is none. One select and one delete.

        Returns:
            Whether a mute was ended.

        Raises:
            SelfFollowError, InvalidUserError, UnknownUserError, ModelMissingError: As `mute()`.
        """
        self._schema.table(MuteMixin)
        connection, engine, pair = self._caller.write(muter, muted)
        who, at = {"muter": pair[0], "muted": pair[1]}, now()
        row = connection.execute(statements.select_mute(self._schema), who).first()
        if row is None:
            self._caller.refuse_unknown(connection, engine, pair)
            return False
        connection.execute(statements.delete_mute(self._schema), who)
        self._caller.refresh(self._schema.models[MuteMixin], pair)
        if _ended(row[0], at):
            return False
        self._record(connection, Unmuted(*pair, at))
        return True

    # --- Within ----------------------------------------------------------------------------------

    def _hold(self, connection: Connection, engine: EngineRules, pair: Pair) -> None:
        """Hold the guards of both; what this session has loaded of them may be of the time before."""
        guards.take(connection, self._schema, engine, *pair)
        for edge in (pair, (pair[1], pair[0])):
            self._caller.refresh(self._schema.follow, edge)
        self._caller.refresh(self._schema.models[BlockMixin], pair)

    def _block_of(self, connection: Connection, engine: EngineRules, pair: Pair) -> _Block:
        """Return the block that an insert met; where it met none, one of its users is not there."""
        rows = connection.execute(statements.select_block(self._schema), _names(pair)).all()
        if not rows:
            self._caller.refuse_unknown(connection, engine, pair)
        return _Block(*rows[0])

    def _cut(self, connection: Connection, pair: Pair, at: datetime) -> None:
        """End what is between the two, and remember since when it was."""
        back = (pair[1], pair[0])
        cut = {
            "cut_following_": self._cut_edge(connection, pair),
            "cut_followed_by_": self._cut_edge(connection, back),
            "cut_requested_": self._cut_request(connection, pair, at),
            "cut_requested_by_": self._cut_request(connection, back, at),
        }
        if any(cut.values()):
            who = _names(pair)
            prepared.run(connection, self._schema, statements.remember_cut, {**who, **cut})
        happened: list[Event] = []
        if cut["cut_following_"]:
            happened.append(Unfollowed(*pair, at))
        if cut["cut_followed_by_"]:
            happened.append(FollowerRemoved(*back, at))
        self._record(connection, *happened)
        if self._schema.notifications is not None:
            for recipient, actor in (pair, back):
                parameters = {"recipient": recipient, "actor": actor}
                connection.execute(records.delete_notifications_between(self._schema), parameters)

    def _cut_edge(self, connection: Connection, pair: Pair) -> datetime | None:
        since: datetime | None = connection.execute(edges.select_edge(self._schema), names_of(pair)).scalar()
        if since is not None or self._caller.loaded(self._schema.follow, pair) is not None:
            self._delete(connection, pair)
        return since

    def _cut_request(self, connection: Connection, pair: Pair, at: datetime) -> datetime | None:
        if self._schema.requests is None:
            return None
        parameters = {**names_of(pair), **moment(self._schema, at)}
        asked: datetime | None = connection.execute(requests.select_request(self._schema), parameters).scalar()
        if asked is not None:
            connection.execute(requests.delete_request(self._schema), names_of(pair))
            self._caller.refresh(self._schema.models[FollowRequestMixin], pair)
        return asked

    def _restore(self, connection: Connection, engine: EngineRules, pair: Pair, cut: _Block, at: datetime) -> None:
        back = (pair[1], pair[0])
        # That the blocker wants to be followed again is all the consent it needs.
        if cut.followed_by is not None and self._insert(connection, engine, back, cut.followed_by, agreed=True):
            self._restored(connection, back, at)
        # A request that was cut may find that its user is public by now: then it is an edge, made now.
        for who, since in (
            (pair, cut.following),
            (pair, cut.requested and at),
            (back, cut.requested_by and at),
        ):
            if since is None:
                continue
            if self._insert(connection, engine, who, since):
                self._restored(connection, who, at)
            elif self._schema.requests is not None:
                self._request(connection, engine, who, at)

    def _restored(self, connection: Connection, pair: Pair, at: datetime) -> None:
        if self._schema.requests is not None:
            # One that was made since, after the block had ended by itself.
            self._drop_request(connection, pair)
        self._record(connection, FollowRestored(*pair, at))


class _Block(NamedTuple):
    """A block, and since when there was what it cut."""

    timestamp: datetime
    until: datetime | None
    following: datetime | None
    followed_by: datetime | None
    requested: datetime | None
    requested_by: datetime | None


def _ended(until: datetime | None, at: datetime) -> bool:
    return until is not None and until <= at


def _names(pair: Pair) -> dict[str, Key]:
    return {"blocker": pair[0], "blocked": pair[1]}
