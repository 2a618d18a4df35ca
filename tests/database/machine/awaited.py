"""The same steps in async code: the graph is an `AsyncGraph`, and its session is async."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only

from retinue import AsyncGraph, Graph
from tests.database.machine.core import Core


class Awaited(Core):
    """Awaits each call of the graph. It is run by ``greenlet_spawn()``, on the sync side of an async engine."""

    def new_session(self, **options: Any) -> Session:
        session = AsyncSession(AsyncEngine(self.engine), **options)
        session.info[AsyncSession] = session
        return session.sync_session

    def graph_on(self, session: Session) -> Graph[Any]:
        return cast("Graph[Any]", _AwaitedGraph(AsyncGraph(session.info[AsyncSession], self.models.user)))


class _AwaitedGraph:
    """An `AsyncGraph` whose methods are called as those of a `Graph`."""

    def __init__(self, graph: AsyncGraph[Any]) -> None:
        self._graph = graph

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._graph, name)
        return lambda *args, **kwargs: await_only(method(*args, **kwargs))
