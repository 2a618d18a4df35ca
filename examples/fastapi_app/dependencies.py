"""What endpoints ask for: the session, the graph on it, who is looking, and who is looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, HTTPException, Path, Request
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from examples.fastapi_app.models import User
from examples.fastapi_app.security import user_id_in
from retinue import AsyncGraph, UnknownUserError
from retinue.fastapi import graph_of, somebody


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """Give the session of the request. Endpoints commit: after ``yield`` the answer is on its way already."""
    async with request.app.state.sessions() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]
GraphDep = Annotated[AsyncGraph[User], Depends(graph_of(get_session, User))]

_bearer = OAuth2PasswordBearer(tokenUrl="token", auto_error=False)


async def get_viewer(session: SessionDep, token: Annotated[str | None, Depends(_bearer)]) -> User | None:
    """Return who is looking; None for somebody without a token."""
    if token is None:
        return None
    user_id = user_id_in(token)
    user = None if user_id is None else await session.get(User, user_id)
    if user is None:
        raise HTTPException(401, "This token is not valid any more.", {"WWW-Authenticate": "Bearer"})
    return user


Viewer = Annotated[User | None, Depends(get_viewer)]
Me = Annotated[User, Depends(somebody(get_viewer))]


async def seen(
    user_id: Annotated[int, Path(ge=1, le=2**31 - 1)], session: SessionDep, graph: GraphDep, viewer: Viewer
) -> User:
    """
    Return the user in the path, if the viewer may know of them.

    One who blocks the viewer is answered as an id that nobody has: 404. Whom the viewer blocks is there, so that the block can be ended.
    """
    may_be_seen = await graph.visible_to(viewer, blocked=True)
    user = await session.scalar(select(User).where(User.id == user_id, may_be_seen))
    if user is None:
        raise UnknownUserError([user_id])
    return user


Seen = Annotated[User, Depends(seen)]
