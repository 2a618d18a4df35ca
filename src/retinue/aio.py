"""
The graph of async code: `Graph`, on an ``AsyncSession``.

It decides nothing and repeats nothing: each method awaits that of `Graph`, in the session's ``run_sync()``. They are
written by ``python -m tests.typing.async_graph``, after a change in `Graph`; their documentation is that of `Graph`.
"""
# ruff: noqa: D102 - `_documented` gives each method its docstring
# Which of its overloads a method of `Graph` is, the twin has told already:
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, Unpack, overload

from sqlalchemy import ColumnElement, Row

from retinue.graph import Graph, Look, Place, Viewer
from retinue.lists.columns import Columns
from retinue.settings import PAGE_DEFAULT
from retinue.values import (
    ALL,
    BlockedPerson,
    Counts,
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
from retinue.work import async_session_of

if TYPE_CHECKING:
    # At run time this would ask for greenlet, which an application without async does not have.
    from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session

U = TypeVar("U")
P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound="type[AsyncGraph[Any]]")


def _documented(cls: C) -> C:
    """Give each method the docstring of that of `Graph`."""
    for name, method in vars(cls).items():
        if not name.startswith("_"):
            method.__doc__ = getattr(Graph, name).__doc__
    return cls


@_documented
class AsyncGraph(Generic[U]):
    """
    Who follows whom, on the caller's async session: `Graph`, whose every method is awaited.

    Each has the name, arguments, result, errors and statements of that of `Graph`, and its documentation, which
    is attached when this is imported: ``help(AsyncGraph.follow)`` shows it. What a method returns is loaded: to read it
    needs no ``await``. As one session, it is for one task at a time.

    A task that is cancelled within a method has the connection closed: nothing is committed, and the session has to be
    rolled back or closed.

    Args:
        session: An ``AsyncSession``, or an ``async_scoped_session``.
        user_class: The class with `FollowerMixin`.

    Raises:
        MappingError, ModelMissingError: As `Graph`.
        TypeError: *session* is not an async session.
    """

    __slots__ = ("_graph", "_session")

    def __init__(self, session: AsyncSession | async_scoped_session[Any], user_class: type[U]) -> None:
        self._session = async_session_of(session)
        self._graph: Any = Graph(self._session.sync_session, user_class)

    async def _run(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._session.run_sync(lambda _session: method(*args, **kwargs))

    # --- Written by tests/typing/async_graph.py --------------------------------------------------

    async def follow(self, follower: U | Key, followed: U | Key) -> Outcome:
        return await self._run(self._graph.follow, follower, followed)

    async def unfollow(self, follower: U | Key, followed: U | Key) -> bool:
        return await self._run(self._graph.unfollow, follower, followed)

    async def remove_follower(self, user: U | Key, follower: U | Key) -> bool:
        return await self._run(self._graph.remove_follower, user, follower)

    async def is_following(self, follower: U | Key, followed: U | Key) -> bool:
        return await self._run(self._graph.is_following, follower, followed)

    async def accept(self, user: U | Key, requester: U | Key) -> bool:
        return await self._run(self._graph.accept, user, requester)

    async def reject(self, user: U | Key, requester: U | Key) -> bool:
        return await self._run(self._graph.reject, user, requester)

    async def accept_all(self, user: U | Key) -> int:
        return await self._run(self._graph.accept_all, user)

    async def reject_all(self, user: U | Key) -> int:
        return await self._run(self._graph.reject_all, user)

    async def unlock(self, user: U | Key) -> int:
        return await self._run(self._graph.unlock, user)

    async def block(self, blocker: U | Key, blocked: U | Key, until: datetime | None = None) -> bool:
        return await self._run(self._graph.block, blocker, blocked, until)

    async def unblock(self, blocker: U | Key, blocked: U | Key, restore: bool = False) -> bool:
        return await self._run(self._graph.unblock, blocker, blocked, restore)

    async def mute(
        self, muter: U | Key, muted: U | Key, until: datetime | None = None, notifications: bool = True
    ) -> bool:
        return await self._run(self._graph.mute, muter, muted, until, notifications)

    async def unmute(self, muter: U | Key, muted: U | Key) -> bool:
        return await self._run(self._graph.unmute, muter, muted)

    async def expire(self) -> Expired:
        return await self._run(self._graph.expire)

    async def relationships(self, viewer: U | Key | None, users: Iterable[U | Key]) -> dict[Key, Relationship]:
        return await self._run(self._graph.relationships, viewer, users)

    async def counts(self, users: Iterable[U | Key]) -> dict[Key, Counts]:
        return await self._run(self._graph.counts, users)

    @overload
    async def requests(self, user: U | Key, *, columns: None = None, **place: Unpack[Place[U]]) -> Page[Person[U]]: ...

    @overload
    async def requests(
        self, user: U | Key, *, columns: Columns, **place: Unpack[Place[U]]
    ) -> Page[Person[Row[Any]]]: ...

    async def requests(
        self,
        user: U | Key,
        *,
        viewer: Viewer[U] = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[Person[Any]]:
        return await self._run(self._graph.requests, user, viewer=viewer, limit=limit, cursor=cursor, columns=columns)

    @overload
    async def sent_requests(
        self, user: U | Key, *, columns: None = None, **place: Unpack[Place[U]]
    ) -> Page[Person[U]]: ...

    @overload
    async def sent_requests(
        self, user: U | Key, *, columns: Columns, **place: Unpack[Place[U]]
    ) -> Page[Person[Row[Any]]]: ...

    async def sent_requests(
        self,
        user: U | Key,
        *,
        viewer: Viewer[U] = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[Person[Any]]:
        return await self._run(
            self._graph.sent_requests, user, viewer=viewer, limit=limit, cursor=cursor, columns=columns
        )

    @overload
    async def blocks(
        self, user: U | Key, *, columns: None = None, **place: Unpack[Place[U]]
    ) -> Page[BlockedPerson[U]]: ...

    @overload
    async def blocks(
        self, user: U | Key, *, columns: Columns, **place: Unpack[Place[U]]
    ) -> Page[BlockedPerson[Row[Any]]]: ...

    async def blocks(
        self,
        user: U | Key,
        *,
        viewer: Viewer[U] = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[BlockedPerson[Any]]:
        return await self._run(self._graph.blocks, user, viewer=viewer, limit=limit, cursor=cursor, columns=columns)

    @overload
    async def mutes(
        self, user: U | Key, *, columns: None = None, **place: Unpack[Place[U]]
    ) -> Page[MutedPerson[U]]: ...

    @overload
    async def mutes(
        self, user: U | Key, *, columns: Columns, **place: Unpack[Place[U]]
    ) -> Page[MutedPerson[Row[Any]]]: ...

    async def mutes(
        self,
        user: U | Key,
        *,
        viewer: Viewer[U] = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[MutedPerson[Any]]:
        return await self._run(self._graph.mutes, user, viewer=viewer, limit=limit, cursor=cursor, columns=columns)

    @overload
    async def followers(self, user: U | Key, *, columns: None = None, **place: Unpack[Look[U]]) -> Page[Person[U]]: ...

    @overload
    async def followers(
        self, user: U | Key, *, columns: Columns, **place: Unpack[Look[U]]
    ) -> Page[Person[Row[Any]]]: ...

    async def followers(
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
        return await self._run(
            self._graph.followers,
            user,
            viewer=viewer,
            search=search,
            sort=sort,
            only=only,
            limit=limit,
            cursor=cursor,
            columns=columns,
        )

    @overload
    async def following(self, user: U | Key, *, columns: None = None, **place: Unpack[Look[U]]) -> Page[Person[U]]: ...

    @overload
    async def following(
        self, user: U | Key, *, columns: Columns, **place: Unpack[Look[U]]
    ) -> Page[Person[Row[Any]]]: ...

    async def following(
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
        return await self._run(
            self._graph.following,
            user,
            viewer=viewer,
            search=search,
            sort=sort,
            only=only,
            limit=limit,
            cursor=cursor,
            columns=columns,
        )

    @overload
    async def mutuals(self, user: U | Key, *, columns: None = None, **place: Unpack[Place[U]]) -> Page[Person[U]]: ...

    @overload
    async def mutuals(
        self, user: U | Key, *, columns: Columns, **place: Unpack[Place[U]]
    ) -> Page[Person[Row[Any]]]: ...

    async def mutuals(
        self,
        user: U | Key,
        *,
        viewer: Viewer[U] = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[Person[Any]]:
        return await self._run(self._graph.mutuals, user, viewer=viewer, limit=limit, cursor=cursor, columns=columns)

    @overload
    async def followers_you_know(
        self,
        viewer: U | Key,
        user: U | Key,
        *,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: None = None,
    ) -> Page[Person[U]]: ...

    @overload
    async def followers_you_know(
        self, viewer: U | Key, user: U | Key, *, columns: Columns, limit: int = PAGE_DEFAULT, cursor: str | None = None
    ) -> Page[Person[Row[Any]]]: ...

    async def followers_you_know(
        self,
        viewer: U | Key,
        user: U | Key,
        *,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[Person[Any]]:
        return await self._run(
            self._graph.followers_you_know, viewer, user, limit=limit, cursor=cursor, columns=columns
        )

    async def history(
        self, follower: U | Key, followed: U | Key, *, limit: int = PAGE_DEFAULT, cursor: str | None = None
    ) -> Page[HistoryEntry]:
        return await self._run(self._graph.history, follower, followed, limit=limit, cursor=cursor)

    async def erase_history(self, user: U | Key) -> int:
        return await self._run(self._graph.erase_history, user)

    @overload
    async def notifications(
        self, user: U | Key, *, columns: None = None, unread: bool = False, **place: Unpack[Place[U]]
    ) -> Page[Notice[U]]: ...

    @overload
    async def notifications(
        self, user: U | Key, *, columns: Columns, unread: bool = False, **place: Unpack[Place[U]]
    ) -> Page[Notice[Row[Any]]]: ...

    async def notifications(
        self,
        user: U | Key,
        *,
        unread: bool = False,
        viewer: Viewer[U] = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[Notice[Any]]:
        return await self._run(
            self._graph.notifications, user, unread=unread, viewer=viewer, limit=limit, cursor=cursor, columns=columns
        )

    async def unread_notifications(self, user: U | Key) -> int:
        return await self._run(self._graph.unread_notifications, user)

    async def mark_read(self, user: U | Key, ids: Iterable[int] | None = None) -> int:
        return await self._run(self._graph.mark_read, user, ids)

    async def visible_to(self, viewer: Viewer[U], entity: Any = None, *, blocked: bool = False) -> ColumnElement[bool]:
        return await self._run(self._graph.visible_to, viewer, entity, blocked=blocked)

    @overload
    async def suggestions(
        self, user: U | Key, limit: int = PAGE_DEFAULT, *, columns: None = None
    ) -> list[Suggestion[U]]: ...

    @overload
    async def suggestions(
        self, user: U | Key, limit: int = PAGE_DEFAULT, *, columns: Columns
    ) -> list[Suggestion[Row[Any]]]: ...

    async def suggestions(
        self, user: U | Key, limit: int = PAGE_DEFAULT, *, columns: Columns | None = None
    ) -> list[Suggestion[Any]]:
        return await self._run(self._graph.suggestions, user, limit, columns=columns)

    async def suggested_keys(self, user: U | Key, limit: int = PAGE_DEFAULT) -> list[Suggestion[Key]]:
        return await self._run(self._graph.suggested_keys, user, limit)

    async def dismiss(self, user: U | Key, suggested: U | Key) -> bool:
        return await self._run(self._graph.dismiss, user, suggested)

    async def undismiss(self, user: U | Key, suggested: U | Key) -> bool:
        return await self._run(self._graph.undismiss, user, suggested)

    async def home_timeline(
        self,
        user: U | Key,
        *,
        viewer: Viewer[U] = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
        columns: Columns | None = None,
    ) -> Page[Any]:
        return await self._run(
            self._graph.home_timeline, user, viewer=viewer, limit=limit, cursor=cursor, columns=columns
        )

    async def mark_active(self, user: U | Key) -> bool:
        return await self._run(self._graph.mark_active, user)

    async def note_posts(self, posts: Iterable[Any]) -> None:
        await self._run(self._graph.note_posts, posts)
