"""What endpoints ask for: the session, the graph on it, who is looking, and who is looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, HTTPException, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session, col, select

from examples.sqlmodel_app.models import User
from retinue import Graph, UnknownUserError
from retinue.fastapi import graph_of, somebody


def get_session(request: Request) -> Iterator[Session]:
    """Give the session of the request. Endpoints commit; what an answer shows is not asked for again after that."""
    with Session(request.app.state.engine, expire_on_commit=False) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
GraphDep = Annotated[Graph[User], Depends(graph_of(get_session, User))]

_bearer = HTTPBearer(auto_error=False)


def digest(key: str) -> str:
    """Return what is kept of a *key*, which is long and random: nobody needs it to be slow."""
    return hashlib.sha256(key.encode()).hexdigest()


def get_viewer(
    session: SessionDep, sent: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> User | None:
    """Return who is looking; None for somebody without a key."""
    if sent is None:
        return None
    user = session.exec(select(User).where(User.key_digest == digest(sent.credentials))).first()
    if user is None:
        raise HTTPException(401, "Nobody has this key.", {"WWW-Authenticate": "Bearer"})
    return user


Viewer = Annotated[User | None, Depends(get_viewer)]
Me = Annotated[User, Depends(somebody(get_viewer))]


def seen(
    user_id: Annotated[int, Path(ge=1, le=2**31 - 1)], session: SessionDep, graph: GraphDep, viewer: Viewer
) -> User:
    """Return the user in the path; one who blocks the viewer is answered as an id that nobody has: 404."""
    may_be_seen = graph.visible_to(viewer, blocked=True)
    user = session.exec(select(User).where(col(User.id) == user_id, may_be_seen)).first()
    if user is None:
        raise UnknownUserError([user_id])
    return user


Seen = Annotated[User, Depends(seen)]
