"""The application: ``uvicorn examples.sqlmodel_app.main:app``, on the database that ``DATABASE_URL`` names."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, HTTPException
from sqlalchemy import URL
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, create_engine

from examples.sqlmodel_app.dependencies import GraphDep, Me, Seen, SessionDep, Viewer, digest
from examples.sqlmodel_app.models import Profile, User, UserCreate, UserCreated, UserPublic, UserUpdate
from retinue import prepare_engine
from retinue.fastapi import (
    CountsOut,
    PageOf,
    Paging,
    PersonOf,
    RelationshipOut,
    add_error_handlers,
    error_responses,
)

people = APIRouter(prefix="/users", tags=["people"], responses=error_responses(401, 404))
own = APIRouter(prefix="/me", tags=["own"], responses=error_responses(401))


# --- Others ----------------------------------------------------------------------------------------


@people.post("", status_code=201, responses=error_responses(409))
def sign_up(account: UserCreate, session: SessionDep) -> UserCreated:
    """Make an account. Its key is in the answer, and nowhere else."""
    key = secrets.token_urlsafe(32)
    user = User.model_validate(account, update={"key_digest": digest(key)})
    session.add(user)
    try:
        session.commit()
    except IntegrityError:
        raise HTTPException(409, "Somebody has this name.") from None
    return UserCreated.model_validate(user, update={"key": key})


@people.get("/{user_id}")
def profile(user: Seen, viewer: Viewer, graph: GraphDep) -> Profile:
    """Show somebody's page."""
    (counts,) = graph.counts([user]).values()
    return Profile(
        user=UserPublic.model_validate(user),
        counts=CountsOut.model_validate(counts),
        relationship=None if viewer is None else stand(graph, viewer, user),
    )


@people.get("/{user_id}/followers")
def followers(user: Seen, viewer: Viewer, graph: GraphDep, paging: Paging) -> PageOf[PersonOf[UserPublic]]:
    """List who follows somebody, newest first."""
    page = graph.followers(user, viewer=viewer, limit=paging.limit, cursor=paging.cursor)
    return paging.answer(page, PersonOf[UserPublic])


@people.get("/{user_id}/following")
def following(user: Seen, viewer: Viewer, graph: GraphDep, paging: Paging) -> PageOf[PersonOf[UserPublic]]:
    """List whom somebody follows, newest first."""
    page = graph.following(user, viewer=viewer, limit=paging.limit, cursor=paging.cursor)
    return paging.answer(page, PersonOf[UserPublic])


@people.put("/{user_id}/follow", responses=error_responses(403, 429))
def follow(user: Seen, me: Me, graph: GraphDep, session: SessionDep) -> RelationshipOut:
    """Follow somebody, or ask to where they are locked."""
    graph.follow(me, user)
    session.commit()
    return stand(graph, me, user)


@people.delete("/{user_id}/follow", responses=error_responses(403))
def unfollow(user: Seen, me: Me, graph: GraphDep, session: SessionDep) -> RelationshipOut:
    """Follow somebody no longer, or take back that one asked to."""
    graph.unfollow(me, user)
    session.commit()
    return stand(graph, me, user)


@people.put("/{user_id}/block", responses=error_responses(403))
def block(user: Seen, me: Me, graph: GraphDep, session: SessionDep) -> RelationshipOut:
    """Keep somebody and oneself apart."""
    graph.block(me, user)
    session.commit()
    return stand(graph, me, user)


@people.delete("/{user_id}/block", responses=error_responses(403))
def unblock(user: Seen, me: Me, graph: GraphDep, session: SessionDep) -> RelationshipOut:
    """End a block."""
    graph.unblock(me, user)
    session.commit()
    return stand(graph, me, user)


def stand(graph: GraphDep, me: User, user: User) -> RelationshipOut:
    """Return how *me* stands with *user*."""
    (found,) = graph.relationships(me, [user]).values()
    return RelationshipOut.model_validate(found)


# --- One's own -------------------------------------------------------------------------------------


@own.get("")
def account(me: Me) -> UserPublic:
    """Show who one is."""
    return UserPublic.model_validate(me)


@own.patch("")
def change(changes: UserUpdate, me: Me, graph: GraphDep, session: SessionDep) -> UserPublic:
    """Let everybody follow, or be asked first from now on. Whoever waits when everybody may follow, does."""
    if changes.locked:
        me.locked = True
    else:
        graph.unlock(me)
    session.commit()
    return UserPublic.model_validate(me)


@own.delete("", status_code=204)
def leave(me: Me, session: SessionDep) -> None:
    """Delete one's account, and whatever it had to do with others."""
    session.delete(me)
    session.commit()


@own.get("/requests")
def requests(me: Me, graph: GraphDep, paging: Paging) -> PageOf[PersonOf[UserPublic]]:
    """List who asks to follow one."""
    page = graph.requests(me, viewer=me, limit=paging.limit, cursor=paging.cursor)
    return paging.answer(page, PersonOf[UserPublic])


@own.post("/requests/{user_id}/accept", responses=error_responses(404))
def accept(user: Seen, me: Me, graph: GraphDep, session: SessionDep) -> RelationshipOut:
    """Let somebody follow who asked to."""
    graph.accept(me, user)
    session.commit()
    return stand(graph, me, user)


@own.post("/requests/{user_id}/reject", responses=error_responses(404))
def reject(user: Seen, me: Me, graph: GraphDep, session: SessionDep) -> RelationshipOut:
    """Do not let somebody follow who asked to."""
    graph.reject(me, user)
    session.commit()
    return stand(graph, me, user)


# --- The application -------------------------------------------------------------------------------


def make_app(database: str | URL) -> FastAPI:
    """Return the application on a database, such as ``postgresql+psycopg://localhost/app``."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.engine = prepare_engine(create_engine(database))
        # So that it starts by one command: an application that lives has migrations.
        SQLModel.metadata.create_all(app.state.engine)
        yield
        app.state.engine.dispose()

    app = FastAPI(title="Followers", lifespan=lifespan)
    add_error_handlers(app)
    app.include_router(people)
    app.include_router(own)
    return app


app = make_app(os.environ.get("DATABASE_URL", "sqlite:///sqlmodel_app.sqlite3"))
