"""The graph of async code is that of sync code, awaited: method by method."""

from __future__ import annotations

import inspect

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session

from retinue import AsyncGraph, AsyncSessionError, Graph
from tests.database.models_plain import User
from tests.typing import async_graph


def test_aio_py_is_what_its_program_writes() -> None:
    """After a change in `Graph`: ``python -m tests.typing.async_graph``."""
    written = async_graph.TARGET.read_text()
    assert async_graph.whole((async_graph.PACKAGE / "graph.py").read_text(), written) == written
    assert written.count("\n") <= 420


def public(cls: type) -> list[str]:
    """Return the public names of a class, in their order."""
    return [name for name in vars(cls) if not name.startswith("_")]


def test_both_graphs_have_the_same_methods_in_the_same_order() -> None:
    """Whoever knows one knows the other."""
    assert public(AsyncGraph) == public(Graph)


@pytest.mark.parametrize("name", public(Graph))
def test_a_method_is_the_same_awaited(name: str) -> None:
    """Parameters, defaults, annotations and documentation are those of `Graph`, and a coroutine is what a call gives."""
    awaited, direct = getattr(AsyncGraph, name), getattr(Graph, name)
    assert inspect.iscoroutinefunction(awaited)
    assert inspect.signature(awaited) == inspect.signature(direct)
    assert inspect.getdoc(awaited) == inspect.getdoc(direct)


def test_each_graph_says_which_session_it_is_for() -> None:
    """The mistake that everybody makes once gets a sentence, with the line to write."""
    registry: async_scoped_session[AsyncSession] = async_scoped_session(AsyncSession, scopefunc=lambda: 1)  # type: ignore[arg-type]
    for session in (AsyncSession(), registry):
        with pytest.raises(AsyncSessionError, match=r"AsyncGraph\(session, User\)") as refused:
            Graph(session, User)  # type: ignore[arg-type]
        assert refused.value.instead == "AsyncGraph(session, User)"
        assert isinstance(AsyncGraph(session, User), AsyncGraph)
    for nothing in (AsyncSession().sync_session, None):
        with pytest.raises(TypeError, match="needs an AsyncSession"):
            AsyncGraph(nothing, User)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="needs a Session, not NoneType"):
        Graph(None, User)  # type: ignore[arg-type]
