"""
The graph: every verb and every read of who follows whom, on the caller's session.

It decides nothing: what each method means stands here, how it is done in the room that it hands over to.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypedDict, TypeVar, Unpack, overload

from sqlalchemy import ColumnElement, Row
from sqlalchemy.orm import Session, scoped_session

from retinue import arguments, relationships
from retinue.discovery import suggestions
from retinue.effects import counts as stored_counts
from retinue.lists import history, kinds, notifications, people, visibility
from retinue.lists.columns import Columns
from retinue.schema import schema_of
from retinue.settings import PAGE_DEFAULT
from retinue.timeline import home, readers
from retinue.values import (
    ALL,
    BlockedPerson,
    Counts,
    Everything,
    Expired,
    HistoryEntry,
    Key,
    MutedPerson,
    Notice,
    Only,
    Outcome,
    Page,
    Person,
    Relationship,
    Sort,
    Suggestion,
)
from retinue.verbs import expiry, follows, requests, safety
from retinue.work import Work, session_of

U = TypeVar("U")

#: Who looks: a user or the key of one, None for somebody not logged in, or `ALL`.
Viewer: TypeAlias = U | Key | Everything | None


class Place(TypedDict, Generic[U], total=False):
    """Which part of a list, and who looks at it."""

    viewer: Viewer[U]
    limit: int
    cursor: str | None


class Look(Place[U], total=False):
    """And how they look at it."""

    search: str | None
    sort: Sort
    only: Only | None


class Graph(Generic[U]):
    """
    Who follows whom, on the caller's session.

    Adds to the caller's transaction; never commits, never rolls back. Wherever a
    method takes a user, it takes an instance (also an expired one) or its primary
    key. Work that the session holds back is flushed first, as before any query.

    A verb that fails half-way (a lock is not given in time, say) has to be rolled back: until then, verbs and COMMIT
    raise `HalfDoneError`. On a connection in AUTOCOMMIT verbs raise `NotWritableError`.

    Args:
        session: A session, or a ``scoped_session``. For an ``AsyncSession`` there is `AsyncGraph`.
        user_class: The class with `FollowerMixin`.

    Raises:
        MappingError: *user_class* is not a user class; or a column of your own on one of the models in which the
            library writes by itself needs a value and has no default.
        ModelMissingError: It has no `FollowMixin` class.
        AsyncSessionError: *session* is an async one.
        TypeError: *session* is not a session.
    """

    __slots__ = ("_schema", "_session")

    def __init__(self, session: Session | scoped_session[Any], user_class: type[U]) -> None:
        self._schema = schema_of(user_class)
        self._schema.refuse_unusable()
        self._session = session_of(session, user_class)

    def follow(self, follower: U | Key, followed: U | Key) -> Outcome:
        """
        Make *follower* follow *followed*, or ask to where *followed* approves their followers.

        Following twice is not an error: the second call changes nothing. A request
        that is pending when *followed* no longer approves becomes an edge.

        Cost on PostgreSQL: one statement, whatever is declared; two where somebody else is just changing the same
        users; and where it takes the place of a request, one more for that, and one for its notification. Elsewhere: one insert, and two updates where counts are kept
        (one on SQLite); history and notifications cost one insert each where they are declared, home timelines one
        update, requests, blocks or limits a select, on MariaDB with an insert for the guards, limits one select (two more
        on MariaDB). If nothing changed, one select or insert. For a user who was never counted it is up
        to four statements more. Where columns of your own have defaults that Python makes, PostgreSQL does
        one thing after the other as well; and where such a default or a constraint of your own may refuse what
        follows from an edge, a savepoint (two statements) keeps the verb whole.

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
        return follows.follow(Work(self._session, self._schema), follower, followed)

    def unfollow(self, follower: U | Key, followed: U | Key) -> bool:
        """
        End that *follower* follows *followed*, or asks to; nothing happens if they do not.

        Cost: on PostgreSQL as `follow()`. Elsewhere one delete, and two updates where counts are kept (one on SQLite);
        where there are requests, a select and one delete more, on MariaDB with an insert for the guards, and one for
        the notification of a request that was withdrawn; where history is kept, one insert; where home
        timelines are, one delete. If nothing changed, one select more than that delete, or instead of it. One after the
        other it is, too, where the session has loaded the row.

        Returns:
            Whether an edge or a pending request was there.

        Raises:
            SelfFollowError, InvalidUserError, UnknownUserError: As in `follow()`.
        """
        return follows.unfollow(Work(self._session, self._schema), follower, followed)

    def remove_follower(self, user: U | Key, follower: U | Key) -> bool:
        """
        End that *follower* follows *user*, at the wish of *user*, who does not block them.

        As `unfollow()`, but announced as `FollowerRemoved`. A pending request stays, and nothing is spent on
        requests.
        """
        return follows.remove_follower(Work(self._session, self._schema), user, follower)

    def is_following(self, follower: U | Key, followed: U | Key) -> bool:
        """
        Return whether *follower* follows *followed*; False for a user without a key. One select.

        Raises:
            InvalidUserError: One is neither a user nor a possible key.
        """
        return relationships.follows(Work(self._session, self._schema), follower, followed)

    def accept(self, user: U | Key, requester: U | Key) -> bool:
        """
        Let *requester*, who has asked to, follow *user*.

        Nobody can accept for *user* by asking twice. Limits do not hold it up: a
        pending request was counted already. Cost: one insert for the guards (none on SQLite), one delete, one insert,
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
        return requests.accept(Work(self._session, self._schema), user, requester)

    def reject(self, user: U | Key, requester: U | Key) -> bool:
        """
        Answer no to *requester*, who has asked to follow *user*.

        With ``Settings(request_cooldown=...)`` they cannot ask again at once. Cost:
        one insert for the guards (none on SQLite) and one delete, or one update where there is a cool-down;
        one insert where history is kept, one delete where there are notifications.

        Returns and raises as `accept()`, but for `MappingError`.
        """
        return requests.reject(Work(self._session, self._schema), user, requester)

    def accept_all(self, user: U | Key) -> int:
        """
        Let everybody who has asked to follow *user*; return how many did.

        No request goes without its edge. Cost: one guard, one select that finds nobody any more, and for each
        1,000 requests one select, the deletion of the requests, the insert of the edges and a select of those
        that are there, up to four statements where counts are kept, one for history, three for notifications and
        one for home timelines. Where columns of your own have defaults that Python makes, one select more for the edges.

        Raises:
            InvalidUserError, UnknownUserError, ModelMissingError, MappingError: As `accept()`.
            sqlalchemy.exc.IntegrityError, RuntimeError: As `accept()`.
        """
        return requests.accept_all(Work(self._session, self._schema), user)

    def reject_all(self, user: U | Key) -> int:
        """
        Answer no to everybody who has asked to follow *user*; return how many had.

        Cost: one guard, one select that finds nobody any more, and for each 1,000 requests one select, one delete or
        update, one insert where history is kept, and one delete where there are notifications.

        Raises:
            InvalidUserError, UnknownUserError, ModelMissingError: As `accept()`.
        """
        return requests.reject_all(Work(self._session, self._schema), user)

    def unlock(self, user: U | Key) -> int:
        """
        Make *user* public: they no longer approve who follows them, and who has asked to does.

        All in the caller's transaction; a request that somebody makes just now becomes
        an edge as well, and is never left pending. Return how many requests were
        accepted. Cost: that of `accept_all()`, one select that locks the user, one update,
        and one select more if the user is not loaded.

        Raises:
            InvalidUserError, UnknownUserError, ModelMissingError: As `accept()`.
            MappingError: The user class has no attribute that says who approves (`Settings.locked`),
                or it can only be read; or as `accept()`.
            sqlalchemy.exc.IntegrityError, RuntimeError: As `accept()`.
        """
        return requests.unlock(Work(self._session, self._schema), user)

    def block(self, blocker: U | Key, blocked: U | Key, until: datetime | None = None) -> bool:
        """
        Keep *blocker* and *blocked* apart: neither follows the other, nor can, nor can ask to.

        Edges and requests between them go, and notifications. *blocked* is not told.
        A block that is there gets the new *until*.

        Cost: on PostgreSQL as `follow()`. Elsewhere two inserts (guards, block; on SQLite the block alone), one select each
        for two edges and two requests, one delete and what follows from a change for each that was there, one update
        that remembers them, two deletes where there are notifications; a block that
        was there, one select and one update. One after the other it is, too, where the session has loaded one of the edges.

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
        return safety.block(Work(self._session, self._schema), blocker, blocked, until)

    def unblock(self, blocker: U | Key, blocked: U | Key, restore: bool = False) -> bool:
        """
        End the block of *blocked* by *blocker*; nothing happens if there is none.

        With *restore*, and within ``Settings(restore_window=...)`` since the block
        began (also if it has ended by itself since), what it cut comes back as it was
        before: edges with their time, requests. But nothing comes back beside a block
        the other way; and where one who was followed, or asked, approves their
        followers now, *blocker* asks again.

        Cost: one insert for the guards (none on SQLite), one select, one delete; up to four inserts for what comes
        back, one delete for each edge among it where there are requests, and what follows from all of it.

        Returns:
            Whether a block was ended.

        Raises:
            SelfFollowError, InvalidUserError, UnknownUserError, ModelMissingError: As `block()`.
            MappingError, sqlalchemy.exc.IntegrityError: As `follow()`, where it restores.
        """
        return safety.unblock(Work(self._session, self._schema), blocker, blocked, restore)

    def mute(self, muter: U | Key, muted: U | Key, until: datetime | None = None, notifications: bool = True) -> bool:
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
        return safety.mute(Work(self._session, self._schema), muter, muted, until, notifications)

    def unmute(self, muter: U | Key, muted: U | Key) -> bool:
        """
        End the mute of *muted* by *muter*; nothing happens if there is none. One select and one delete.

        Returns:
            Whether a mute was ended.

        Raises:
            SelfFollowError, InvalidUserError, UnknownUserError, ModelMissingError: As `mute()`.
        """
        return safety.unmute(Work(self._session, self._schema), muter, muted)

    def expire(self) -> Expired:
        """
        Delete what has ended, of everybody: expired requests, timed blocks and mutes, history past its retention.

        Home timelines are no longer kept ready for those who were not active within
        ``Settings(timeline_kept=...)``. None of it counts for anything any more, so this
        only saves room: run it now and then, in a transaction of its own. A block stays
        as long as it can be restored. What was told of an expired request goes with it. One delete
        for each kind that is declared (of history: if it has a retention), one more where requests expire and there are notifications, and for
        timelines one delete and one update more.

        Returns:
            How many rows went, of each kind.
        """
        return expiry.expire(Work(self._session, self._schema))

    def relationships(self, viewer: U | Key | None, users: Iterable[U | Key]) -> dict[Key, Relationship]:
        """
        Return how *viewer* and each of *users* stand, by the users' keys. One select.

        A viewer of None (not logged in) and users that do not exist stand in no
        relationship.

        Raises:
            InvalidUserError: One is neither a user nor a possible key, or has no key yet.
            ValueError: *users* are more than 1,000.
        """
        return relationships.between(Work(self._session, self._schema), viewer, users)

    def counts(self, users: Iterable[U | Key]) -> dict[Key, Counts]:
        """
        Return how many follow each of *users* and how many each follows, by their keys.

        The stored totals, whoever looks. Users that do not exist have zero. Cost: one
        select, of the count rows; it counts the edges of those of *users* who were never
        counted. Where no `FollowCountMixin` class is declared, it counts everybody's.

        Raises:
            InvalidUserError: One is neither a user nor a possible key, or has no key yet.
            ValueError: *users* are more than 1,000.
        """
        work = Work(self._session, self._schema).read()
        return stored_counts.read(work, work.keys(users))

    @overload
    def requests(self, user: U | Key, *, columns: None = None, **place: Unpack[Place[U]]) -> Page[Person[U]]: ...
    @overload
    def requests(self, user: U | Key, *, columns: Columns, **place: Unpack[Place[U]]) -> Page[Person[Row[Any]]]: ...
    def requests(
        self,
        user: U | Key,
        *,
        viewer: Viewer[U] = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[Person[Any]]:
        """
        Return a page of those who ask to follow *user*, newest first. One select.

        For *user* alone: any other viewer gets `NotVisibleError`. Else as `followers()`.

        Raises:
            ModelMissingError: No model with `FollowRequestMixin` is declared.
        """
        work = Work(self._session, self._schema)
        return people.page(work, kinds.OWN["requests"], user, viewer, limit, cursor, columns)

    @overload
    def sent_requests(self, user: U | Key, *, columns: None = None, **place: Unpack[Place[U]]) -> Page[Person[U]]: ...
    @overload
    def sent_requests(
        self, user: U | Key, *, columns: Columns, **place: Unpack[Place[U]]
    ) -> Page[Person[Row[Any]]]: ...
    def sent_requests(
        self,
        user: U | Key,
        *,
        viewer: Viewer[U] = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[Person[Any]]:
        """Return a page of those whom *user* asks to follow; else as `requests()`."""
        work = Work(self._session, self._schema)
        return people.page(work, kinds.OWN["sent_requests"], user, viewer, limit, cursor, columns)

    @overload
    def blocks(self, user: U | Key, *, columns: None = None, **place: Unpack[Place[U]]) -> Page[BlockedPerson[U]]: ...
    @overload
    def blocks(
        self, user: U | Key, *, columns: Columns, **place: Unpack[Place[U]]
    ) -> Page[BlockedPerson[Row[Any]]]: ...
    def blocks(
        self,
        user: U | Key,
        *,
        viewer: Viewer[U] = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[BlockedPerson[Any]]:
        """
        Return a page of those whom *user* blocks, newest first, with the end of each block; else as `requests()`.

        Raises:
            ModelMissingError: No model with `BlockMixin` is declared.
        """
        work = Work(self._session, self._schema)
        return people.page(work, kinds.OWN["blocks"], user, viewer, limit, cursor, columns)

    @overload
    def mutes(self, user: U | Key, *, columns: None = None, **place: Unpack[Place[U]]) -> Page[MutedPerson[U]]: ...
    @overload
    def mutes(self, user: U | Key, *, columns: Columns, **place: Unpack[Place[U]]) -> Page[MutedPerson[Row[Any]]]: ...
    def mutes(
        self,
        user: U | Key,
        *,
        viewer: Viewer[U] = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[MutedPerson[Any]]:
        """
        Return a page of those whom *user* mutes, newest first, with the end and extent of each; else as `requests()`.

        Raises:
            ModelMissingError: No model with `MuteMixin` is declared.
        """
        work = Work(self._session, self._schema)
        return people.page(work, kinds.OWN["mutes"], user, viewer, limit, cursor, columns)

    @overload
    def followers(self, user: U | Key, *, columns: None = None, **place: Unpack[Look[U]]) -> Page[Person[U]]: ...
    @overload
    def followers(self, user: U | Key, *, columns: Columns, **place: Unpack[Look[U]]) -> Page[Person[Row[Any]]]: ...
    def followers(
        self,
        user: U | Key,
        *,
        viewer: Viewer[U] = ALL,
        search: str | None = None,
        sort: Sort = Sort.NEWEST,
        only: Only | None = None,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[Person[Any]]:
        """
        Return a page of those who follow *user*, newest first, as *viewer* may see them.

        What stays on the list is neither repeated nor left out between pages, while
        others follow and unfollow. A row whose transaction commits late may appear
        behind a place already passed; by name, so may a user who is renamed. Rows that
        the viewer may not see are left out before the page is cut: it is never short.

        One select, at any depth, for any viewer.

        Args:
            user: Whose followers.
            viewer: Who looks: a user, None for somebody not logged in, or `ALL`.
            search: What their names start with, in capital or small letters; empty or None: anything.
                What no name can start with finds nobody, as do more than 255 characters.
            sort: What the list goes by; equal names by key.
            only: Whom to show: one `Only`, or several joined by ``|``, all of which must be true. ``MUTUAL``
                and ``NOT_FOLLOWED_BACK`` tell of both lists, so who may not see one of them may
                not see that; ``DORMANT`` is for the owner and trusted code.
            limit: Rows, 1 to 100.
            cursor: `Page.next` or `Page.prev` of this list, searched, sorted and filtered as now; None for
                the first page.
            columns: Attributes of the user class, such as ``(User.id, User.username)``, where those are enough:
                `Person.user` is then a frozen row that has just these, whatever else a user would bring along. A page
                takes a third of the time, and no session is behind it. Cursors are the same.

        Raises:
            InvalidUserError: *user* or *viewer* is neither a user nor a possible key.
            InvalidCursor: *cursor* is of another list, user, viewer, search, sort or filter, or altered.
            NotVisibleError: *viewer* may not see this list.
            MappingError: ``Settings(name=...)`` does not say what a user's name is, or nothing says when they
                were last there; or *columns* are not attributes of the user class, each another one.
            ValueError: *limit* is outside its range; *search*, *sort* or *only* is nothing of the kind.
        """
        view = arguments.view(search, sort, only)
        work = Work(self._session, self._schema)
        return people.page(work, kinds.FOLLOWERS, user, viewer, limit, cursor, columns, view)

    @overload
    def following(self, user: U | Key, *, columns: None = None, **place: Unpack[Look[U]]) -> Page[Person[U]]: ...
    @overload
    def following(self, user: U | Key, *, columns: Columns, **place: Unpack[Look[U]]) -> Page[Person[Row[Any]]]: ...
    def following(
        self,
        user: U | Key,
        *,
        viewer: Viewer[U] = ALL,
        search: str | None = None,
        sort: Sort = Sort.NEWEST,
        only: Only | None = None,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[Person[Any]]:
        """Return a page of those whom *user* follows, newest first; else as `followers()`."""
        view = arguments.view(search, sort, only)
        work = Work(self._session, self._schema)
        return people.page(work, kinds.FOLLOWING, user, viewer, limit, cursor, columns, view)

    @overload
    def mutuals(self, user: U | Key, *, columns: None = None, **place: Unpack[Place[U]]) -> Page[Person[U]]: ...
    @overload
    def mutuals(self, user: U | Key, *, columns: Columns, **place: Unpack[Place[U]]) -> Page[Person[Row[Any]]]: ...
    def mutuals(
        self,
        user: U | Key,
        *,
        viewer: Viewer[U] = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[Person[Any]]:
        """
        Return a page of those whom *user* follows and who follow *user*; else as `followers()`.

        It is `following()` with ``only=Only.MUTUAL``. `Person.since` is when *user* began to follow them, and the list goes by it.
        """
        view, work = arguments.view(None, Sort.NEWEST, Only.MUTUAL), Work(self._session, self._schema)
        return people.page(work, kinds.FOLLOWING, user, viewer, limit, cursor, columns, view)

    @overload
    def followers_you_know(
        self,
        viewer: U | Key,
        user: U | Key,
        *,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: None = None,
    ) -> Page[Person[U]]: ...
    @overload
    def followers_you_know(
        self, viewer: U | Key, user: U | Key, *, columns: Columns, limit: int = PAGE_DEFAULT, cursor: str | None = None
    ) -> Page[Person[Row[Any]]]: ...
    def followers_you_know(
        self,
        viewer: U | Key,
        user: U | Key,
        *,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[Person[Any]]:
        """
        Return a page of those who follow *user* and whom *viewer* follows, with ``Page.total``.

        `Person.since` is when *viewer* began to follow them, and the list goes by it: what
        is read is bounded by the shorter of the two lists. Else as `followers()`.
        """
        work = Work(self._session, self._schema)
        return people.page(work, kinds.KNOWN_FOLLOWERS, user, viewer, limit, cursor, columns)

    def history(
        self, follower: U | Key, followed: U | Key, *, limit: int = PAGE_DEFAULT, cursor: str | None = None
    ) -> Page[HistoryEntry]:
        """
        Return a page of what happened to the edge from *follower* to *followed*, newest first. Three selects.

        For trusted code. It goes on answering when a user was deleted; but if their key
        was given to a new user, only what happened to the new one is told.

        Raises:
            InvalidUserError: One is neither a user nor a possible key.
            InvalidCursor: *cursor* is of another list, or altered.
            ModelMissingError: No model with `FollowEventMixin` is declared.
            ValueError: *limit* is outside its range.
        """
        return history.page(Work(self._session, self._schema), follower, followed, limit, cursor)

    def erase_history(self, user: U | Key) -> int:
        """
        Forget everything that *user* did, and that was done to them; return how many rows that was. One delete.

        For who asks to be forgotten. What counts against ``max_follows_per_day`` is
        forgotten with it.

        Raises:
            InvalidUserError: *user* is neither a user nor a possible key.
            ModelMissingError: No model with `FollowEventMixin` is declared.
        """
        return history.erase(Work(self._session, self._schema), user)

    @overload
    def notifications(
        self, user: U | Key, *, columns: None = None, unread: bool = False, **place: Unpack[Place[U]]
    ) -> Page[Notice[U]]: ...
    @overload
    def notifications(
        self, user: U | Key, *, columns: Columns, unread: bool = False, **place: Unpack[Place[U]]
    ) -> Page[Notice[Row[Any]]]: ...
    def notifications(
        self,
        user: U | Key,
        *,
        unread: bool = False,
        viewer: Viewer[U] = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[Notice[Any]]:
        """
        Return a page of what *user* is told: who follows them, asks to, or said yes; newest first. One select.

        What several did is several rows; what one did several times within
        ``Settings(notify_again_after=...)`` is one. Whom *user* muted with their
        notifications, or blocks, made none. That somebody asks to follow stands here as long as
        it waits for an answer: accepted, it says that they follow, and is read; withdrawn, rejected
        or expired, it is gone. Asked again, it is told again, whatever that setting says.

        Args:
            user: Who is told.
            unread: Only what they have not read.
            viewer: Who looks: *user*, or `ALL`.
            limit: Rows, 1 to 100.
            cursor: `Page.next` or `Page.prev` of this list; None for the first page.
            columns: As in `followers()`, for `Notice.user`.

        Raises:
            InvalidUserError: *user* or *viewer* is neither a user nor a possible key.
            InvalidCursor: *cursor* is of another list, user or viewer, or altered.
            NotVisibleError: *viewer* is somebody else.
            MappingError: *columns* are not attributes of the user class, each another one.
            ModelMissingError: No model with `NotificationMixin` is declared.
            ValueError: *limit* is outside its range.
        """
        work = Work(self._session, self._schema)
        return notifications.page(work, user, viewer, limit, cursor, columns, unread=unread)

    def unread_notifications(self, user: U | Key) -> int:
        """
        Return how many notifications *user* has not read. One select.

        As the owner sees them: what inactive users did is left out.

        Raises:
            InvalidUserError: *user* is neither a user nor a possible key.
            ModelMissingError: No model with `NotificationMixin` is declared.
        """
        return notifications.unread_of(Work(self._session, self._schema), user)

    def mark_read(self, user: U | Key, ids: Iterable[int] | None = None) -> int:
        """
        Note that *user* has read the notifications *ids*, or all; return how many were unread. One update.

        Ids of others' notifications do nothing.

        Raises:
            InvalidUserError: *user* is neither a user nor a possible key.
            ValueError: One of *ids* is not a number that a notification has, or they are more than 1,000.
            ModelMissingError: No model with `NotificationMixin` is declared.
        """
        return notifications.mark(Work(self._session, self._schema), user, ids)

    def visible_to(self, viewer: Viewer[U], entity: Any = None, *, blocked: bool = False) -> ColumnElement[bool]:
        """
        Return the condition that holds for every user of whom *viewer* may know. No statement.

        It is for selects of the application's own, about the user class itself or joined
        to it: a search, a directory, posts with their authors::

            select(User).where(User.username == "ann", graph.visible_to(viewer))

        Left out are inactive users, and those who block the viewer or are blocked by
        them: the same as on the graph's own lists. The viewer always sees themselves. It
        holds for the moment at which it is made: make it anew for each request.

        It is about the rows that a statement selects of *entity*, and never adds them: a
        statement without them is refused with SQLAlchemy's `CompileError`, such as one
        that has an alias of the user class and no more (``joinedload()`` makes one).

        Args:
            viewer: Who looks: a user, None for somebody not logged in, or `ALL`.
            entity: Whom it is about: the user class unless said otherwise, a subclass
                of it, or an alias of one, as `aliased()` makes it.
            blocked: Keep those whom the viewer blocks, also if they block back: for the
                address of a page on which a block can be taken back. So nobody learns
                from what is missing there whether they are blocked, too.

        Raises:
            InvalidUserError: *viewer* is neither a user nor a possible key.
            MappingError: *entity* is neither the user class, a subclass, nor an alias.
        """
        return visibility.visible_to(Work(self._session, self._schema), viewer, entity, blocked=blocked)

    @overload
    def suggestions(self, user: U | Key, limit: int = PAGE_DEFAULT, *, columns: None = None) -> list[Suggestion[U]]: ...
    @overload
    def suggestions(
        self, user: U | Key, limit: int = PAGE_DEFAULT, *, columns: Columns
    ) -> list[Suggestion[Row[Any]]]: ...
    def suggestions(
        self, user: U | Key, limit: int = PAGE_DEFAULT, *, columns: Columns | None = None
    ) -> list[Suggestion[Any]]:
        """
        Return whom *user* may want to follow, the strongest case first, each with a reason.

        Never themselves; nobody whom they follow, have asked, mute or dismissed, nobody who
        rejected them within ``Settings(request_cooldown=...)``, nobody across a block, nobody
        inactive, and nobody whose ``discoverable`` is false.

        Read are the edges of the 50 whom *user* followed last and of the 50 who followed
        *user* last, of each the newest 100: 10,000 at most, whatever anybody's number of
        followers, and nothing older has a say. Who has fewer than 20 on both lists is told
        whom up to 100 strangers follow as well (those with the least and the greatest keys):
        about 12,000. Whoever hides whom they follow, or shows it to others only, has no say.

        The score of v, where n is how many of somebody's edges are read::

            sum over z that follow v:                     w(z) x 10 / (10 + n(z))
            if v is among the user's 100 last followers:  b + b x 10 / (10 + n(v))

        with w = 1 for those whom the user follows, 0.75 for their followers, 1.75 for both
        and 0.02 for strangers; and b = 3 (1 + m) / (3 + f), where f is how many of the 100
        there are, and m how many of them the user follows: their habit of following back. The
        second half of that line counts where v's edges are read. Equal scores go by key. Shared neighbours that count the less
        the more they follow are those of Adamic and Adar (2003), in the stronger form of Zhou,
        Lu and Zhang's resource allocation (2009), damped for short lists; followers' lists beside
        followees' are from Brzozowski and Romero (2011), following back from Lou, Tang and
        Hopcroft (2013). docs/discovery.md compares it with others.

        `Suggestion.known` names up to three whom *user* follows and who follow the suggested,
        among the 100; nobody if the suggested shows their followers to nobody or to followers only.

        Cost: four selects; one more for who has fewer than 20 in all; one or two for who has
        nobody to be suggested.

        Args:
            user: For whom.
            limit: Suggestions at most, 1 to 100. There may be fewer, or none.
            columns: As in `followers()`, for `Suggestion.user` and `Suggestion.known`.

        Raises:
            InvalidUserError: *user* is neither a user nor a possible key.
            MappingError: *columns* are not attributes of the user class, each another one.
            ValueError: *limit* is outside its range.
        """
        return suggestions.suggestions(Work(self._session, self._schema), user, limit, columns)

    def suggested_keys(self, user: U | Key, limit: int = PAGE_DEFAULT) -> list[Suggestion[Key]]:
        """Return the same as `suggestions()`, with keys in the place of users: one select less, for a job or a cache."""
        return suggestions.suggested_keys(Work(self._session, self._schema), user, limit)

    def dismiss(self, user: U | Key, suggested: U | Key) -> bool:
        """
        Let *suggested* never be suggested to *user* again. One insert; one select more if they were dismissed already.

        Nobody is told. Who is dismissed can be followed all the same.

        Returns:
            Whether they were not dismissed before.

        Raises:
            SelfFollowError: Both are the same user.
            InvalidUserError: One is neither a user nor a possible key.
            UnknownUserError: One is a key that no user has.
            ModelMissingError: No model with `DismissedSuggestionMixin` is declared.
            MappingError: A column of your own on the model needs a value and has no default.
        """
        return suggestions.dismiss(Work(self._session, self._schema), user, suggested)

    def undismiss(self, user: U | Key, suggested: U | Key) -> bool:
        """
        Let *suggested* be suggested to *user* again. One delete; one select more if they were not dismissed.

        Returns:
            Whether they were dismissed.

        Raises:
            SelfFollowError, InvalidUserError, UnknownUserError, ModelMissingError: As `dismiss()`.
        """
        return suggestions.undismiss(Work(self._session, self._schema), user, suggested)

    def home_timeline(
        self,
        user: U | Key,
        *,
        viewer: Viewer[U] = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[Any]:
        """
        Return a page of the posts of those whom *user* follows, and of *user*, newest first.

        The items are objects of the class given to `declare_posts()`. Left out are posts
        whose time is over, of authors whom *user* mutes, and of inactive ones (but for *user*
        themselves); of those who block *user* or are blocked there are none, as no edge stands across a
        block. The page is never short because of that. A post that is committed late
        may appear behind a place already passed.

        One select, at any depth, with the posts' authors where the class has a
        relationship to them. What it reads is bounded by how many *user* follows, not by how much they
        posted (but for deep pages on MariaDB): see ``docs/timeline.md``.

        Args:
            user: Whose timeline. It is for them alone.
            viewer: Who looks: *user*, or `ALL`.
            limit: Posts, 1 to 100.
            cursor: `Page.next` or `Page.prev` of this list; None for the first page.
            columns: Attributes of the posts, and of the user class for their authors, such as ``(Post.id, Post.text,
                User.username)``: the items are then frozen rows of these, as in `followers()`.

        Raises:
            InvalidUserError: *user* or *viewer* is neither a user nor a possible key.
            InvalidCursor: *cursor* is of another list, user or viewer, or altered.
            MappingError: *columns* are not attributes of one of the two classes, each of another name.
            ModelMissingError: `declare_posts()` was not called.
            NotVisibleError: *viewer* is somebody else.
            ValueError: *limit* is outside its range.
        """
        work = Work(self._session, self._schema)
        return home.home_timeline(work, user, viewer=viewer, limit=limit, cursor=cursor, columns=columns)

    def mark_active(self, user: U | Key) -> bool:
        """
        Note that *user* is here: a home timeline is kept ready for them, for ``Settings(timeline_kept=...)``.

        Call it when they log in, or with every page that they open: within an hour of
        the last time it costs one select and writes nothing. Else one update; for
        somebody new one select and one insert, and `TimelineWork` is told.

        Returns:
            Whether a timeline is kept from now on that was not before.

        Raises:
            InvalidUserError: *user* is neither a user nor a possible key.
            UnknownUserError: It is a key that no user has.
            ModelMissingError: No model with `TimelineEntryMixin` is declared.
        """
        return readers.mark_active(Work(self._session, self._schema), user)

    def note_posts(self, posts: Iterable[Any]) -> None:
        """
        Note that *posts* were made: only for those that the session did not see.

        What `session.add()` and ``session.execute(insert(Post), ...)`` bring is noted
        by itself; what raw SQL and ``bulk_insert_mappings()`` bring is not. One select, one insert.

        Args:
            posts: Posts or their keys, at most 1,000.

        Raises:
            InvalidUserError: One is neither a post nor a possible key of one.
            ValueError: They are more than 1,000.
            ModelMissingError: No model with `TimelineEntryMixin` is declared.
        """
        return readers.note_posts(Work(self._session, self._schema), posts)
