"""The dependencies are made of the application's own, and behave as those do."""

# Types of closures cannot be strings.

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from retinue import AsyncGraph, Graph
from retinue.fastapi import graph_of, somebody
from tests.fastapi.client import asked
from tests.fastapi.small_apps import User


def yield_session() -> Iterator[Session]:
    with Session() as session:
        yield session


def return_session() -> Session:
    return Session()


async def yield_async_session() -> AsyncIterator[AsyncSession]:
    async with AsyncSession() as session:
        yield session


async def return_async_session() -> AsyncSession:
    return AsyncSession()


@pytest.mark.parametrize(
    ("get_session", "kind"),
    [
        (yield_session, Graph),
        (return_session, Graph),
        (yield_async_session, AsyncGraph),
        (return_async_session, AsyncGraph),
    ],
)
def test_the_graph_is_that_of_the_requests_session(get_session: Any, kind: type[Any]) -> None:
    """Of the kind that the session has, and on the very session that the endpoint has."""
    app = FastAPI()
    get_graph: Any = graph_of(get_session, User)

    @app.get("/")
    def compare(graph: Annotated[Any, Depends(get_graph)], session: Annotated[Any, Depends(get_session)]) -> bool:
        return type(graph) is kind and graph._session is session

    assert asked(app, "/").json() is True


def test_what_overrides_the_session_overrides_that_of_the_graph() -> None:
    """A test of an application gives a session of its own, and the graph works on it."""
    app = FastAPI()
    given = Session()

    @app.get("/")
    def compare(graph: Annotated[Graph[Any], Depends(graph_of(yield_session, User))]) -> bool:
        return graph._session is given

    assert asked(app, "/").json() is False
    app.dependency_overrides[yield_session] = lambda: given
    assert asked(app, "/").json() is True


def test_a_scope_is_that_of_the_applications_own_dependency() -> None:
    """One session for both, where the application ends its sessions before the answer goes."""
    app = FastAPI()
    made: list[str] = []

    def get_session() -> Iterator[Session]:
        made.append("session")
        yield Session()

    get_graph = graph_of(get_session, User, scope="function")

    @app.get("/")
    def compare(
        graph: Annotated[Any, Depends(get_graph)], session: Annotated[Any, Depends(get_session, scope="function")]
    ) -> bool:
        return graph._session is session

    assert asked(app, "/").json() is True
    assert made == ["session"]


def test_who_is_looking_or_401() -> None:
    """As the application's own dependency says, with the challenge that it names."""
    app = FastAPI()

    async def get_viewer(name: str | None = None) -> str | None:
        return name

    @app.get("/")
    def greet(name: Annotated[str, Depends(somebody(get_viewer, challenge="Cookie"))]) -> str:
        return name

    assert asked(app, "/?name=ann").json() == "ann"
    refused = asked(app, "/")
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Cookie")
    assert refused.json() == {"detail": "Log in first."}
