"""Dependencies that are made of the application's own: its session, and how it finds who is looking."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Literal, TypeVar, overload

from fastapi import Depends, HTTPException
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from retinue import AsyncGraph, Graph

U = TypeVar("U")


@overload
def graph_of(
    get_session: Callable[..., AsyncIterator[AsyncSession]]
    | Callable[..., Awaitable[AsyncSession]]
    | Callable[..., AsyncSession],
    user_class: type[U],
    *,
    scope: Literal["function", "request"] | None = None,
) -> Callable[..., Awaitable[AsyncGraph[U]]]: ...


@overload
def graph_of(
    get_session: Callable[..., Iterator[Session]] | Callable[..., Session],
    user_class: type[U],
    *,
    scope: Literal["function", "request"] | None = None,
) -> Callable[..., Awaitable[Graph[U]]]: ...


def graph_of(
    get_session: Callable[..., Any],
    user_class: type[Any],
    *,
    scope: Literal["function", "request"] | None = None,
) -> Callable[..., Awaitable[Any]]:
    """
    Return a dependency that gives the graph on the session of the request. No statement.

    The session is that of *get_session*: the very one that the endpoint and other dependencies get in the same
    request, so all of them are one transaction. It is neither committed nor closed here, and
    ``app.dependency_overrides[get_session]`` holds for the graph as well::

        GraphDep = Annotated[AsyncGraph[User], Depends(graph_of(get_session, User))]

    Args:
        get_session: The application's dependency; what it yields or returns decides: a ``Session`` makes a `Graph`,
            an ``AsyncSession`` an `AsyncGraph`.
        user_class: The class with `FollowerMixin`.
        scope: The scope with which the application itself depends on *get_session*, where it says one:
            ``Depends(get_session, scope="function")``. FastAPI makes one session for each scope.

    Raises:
        MappingError, ModelMissingError, TypeError: In the request: see `Graph`.
    """
    # Named only where it is said: FastAPI before 0.121 knows no scope.
    session_of_request = Depends(get_session) if scope is None else Depends(get_session, scope=scope)

    # A coroutine function, though it awaits nothing: FastAPI would send any other to a thread.
    async def graph(session: Any = session_of_request) -> Any:
        if isinstance(session, AsyncSession):
            return AsyncGraph(session, user_class)
        return Graph(session, user_class)

    return graph


@overload
def somebody(
    get_viewer: Callable[..., Awaitable[U | None]], *, challenge: str = "Bearer"
) -> Callable[..., Awaitable[U]]: ...


@overload
def somebody(get_viewer: Callable[..., U | None], *, challenge: str = "Bearer") -> Callable[..., Awaitable[U]]: ...


def somebody(get_viewer: Callable[..., Any], *, challenge: str = "Bearer") -> Callable[..., Awaitable[Any]]:
    """
    Return a dependency that gives who is looking, and answers 401 to whoever is not logged in.

    So an application has one way to find who that is, for pages that anybody may open and for what is somebody's
    own::

        Viewer = Annotated[User | None, Depends(get_viewer)]
        Me = Annotated[User, Depends(somebody(get_viewer))]

    Args:
        get_viewer: The application's dependency: returns a user, or None for somebody who is not logged in.
        challenge: How to log in, for the header ``WWW-Authenticate``.
    """
    looking = Depends(get_viewer)

    async def known(viewer: Any = looking) -> Any:
        if viewer is None:
            raise HTTPException(401, "Log in first.", {"WWW-Authenticate": challenge})
        return viewer

    return known
