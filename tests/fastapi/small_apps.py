"""The same small application twice: with sync and with async sessions. Who sends the header `me` is logged in."""
# ruff: noqa: N806 - types are named as types

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, FastAPI, Header
from pydantic import BaseModel
from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from retinue import AsyncGraph, Graph, Settings, prepare_engine
from retinue.fastapi import (
    PageOf,
    Paging,
    PersonOf,
    RelationshipOut,
    add_error_handlers,
    error_responses,
    graph_of,
    somebody,
)
from tests.models import PRIVATE, declare

MODELS = declare(*PRIVATE, settings=Settings(max_pending_requests=1, max_follows_per_day=3), flags=("locked",))
User: Any = MODELS.user


class UserOut(BaseModel):
    """A user, as others see them."""

    id: int
    locked: bool


class Small(NamedTuple):
    """An application, and its dependency for sessions."""

    app: FastAPI
    get_session: Callable[..., Any]


def async_app(engine: Engine) -> Small:
    """Return the application on async sessions, on the database of *engine*, and let go of its connections at the end."""
    url = engine.url.set(drivername=f"{engine.url.get_backend_name()}+aiosqlite")
    async_engine = prepare_engine(create_async_engine(url))
    sessions = async_sessionmaker(async_engine)

    async def get_session() -> AsyncIterator[AsyncSession]:
        async with sessions() as session:
            yield session

    GraphDep = Annotated[AsyncGraph[Any], Depends(graph_of(get_session, User))]
    SessionDep = Annotated[AsyncSession, Depends(get_session)]

    async def get_viewer(session: SessionDep, me: Annotated[int | None, Header()] = None) -> Any:
        return None if me is None else await session.get(User, me)

    Viewer = Annotated[Any, Depends(get_viewer)]
    Me = Annotated[Any, Depends(somebody(get_viewer))]
    app = FastAPI(lifespan=_letting_go(async_engine))
    add_error_handlers(app)

    @app.get("/users/{user_id}/followers", responses=error_responses(404))
    async def followers(user_id: int, graph: GraphDep, viewer: Viewer, paging: Paging) -> PageOf[PersonOf[UserOut]]:
        page = await graph.followers(user_id, viewer=viewer, limit=paging.limit, cursor=paging.cursor)
        return paging.answer(page, PersonOf[UserOut])

    @app.post("/users/{user_id}/follow", responses=error_responses())
    async def follow(user_id: int, graph: GraphDep, session: SessionDep, me: Me) -> RelationshipOut:
        await graph.follow(me, user_id)
        await session.commit()
        return RelationshipOut.model_validate((await graph.relationships(me, [user_id]))[user_id])

    return Small(app, get_session)


def sync_app(engine: Engine) -> Small:
    """Return the application on sync sessions."""
    sessions = sessionmaker(engine)

    def get_session() -> Iterator[Session]:
        with sessions() as session:
            yield session

    GraphDep = Annotated[Graph[Any], Depends(graph_of(get_session, User))]
    SessionDep = Annotated[Session, Depends(get_session)]

    def get_viewer(session: SessionDep, me: Annotated[int | None, Header()] = None) -> Any:
        return None if me is None else session.get(User, me)

    Viewer = Annotated[Any, Depends(get_viewer)]
    Me = Annotated[Any, Depends(somebody(get_viewer))]
    app = FastAPI()
    add_error_handlers(app)

    @app.get("/users/{user_id}/followers", responses=error_responses(404))
    def followers(user_id: int, graph: GraphDep, viewer: Viewer, paging: Paging) -> PageOf[PersonOf[UserOut]]:
        page = graph.followers(user_id, viewer=viewer, limit=paging.limit, cursor=paging.cursor)
        return paging.answer(page, PersonOf[UserOut])

    @app.post("/users/{user_id}/follow", responses=error_responses())
    def follow(user_id: int, graph: GraphDep, session: SessionDep, me: Me) -> RelationshipOut:
        graph.follow(me, user_id)
        session.commit()
        return RelationshipOut.model_validate(graph.relationships(me, [user_id])[user_id])

    return Small(app, get_session)


def _letting_go(engine: AsyncEngine) -> Any:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await engine.dispose()

    return lifespan
