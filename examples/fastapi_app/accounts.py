"""Signing up, logging in, and one's own account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.security import OAuth2PasswordRequestForm
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from examples.fastapi_app.dependencies import GraphDep, Me, SessionDep
from examples.fastapi_app.models import User
from examples.fastapi_app.schemas import Changes, OwnOut, SignUp, TokenOut, UserOut
from examples.fastapi_app.security import hashed, is_right, token_of
from retinue.fastapi import error_responses

router = APIRouter(tags=["account"])


@router.post("/users", status_code=201, responses=error_responses(409))
async def sign_up(new: SignUp, session: SessionDep) -> UserOut:
    """Make an account."""
    user = User(username=new.username, password_hash=await hashed(new.password))
    session.add(user)
    try:
        await session.commit()
    except IntegrityError:  # to look first would let two through at once
        raise HTTPException(409, "Somebody has this name.") from None
    return UserOut.model_validate(user)


@router.post("/token", responses=error_responses(401))
async def log_in(form: Annotated[OAuth2PasswordRequestForm, Depends()], session: SessionDep) -> TokenOut:
    """Log in."""
    user = None
    if form.username.isprintable():  # there are texts that a database cannot compare
        user = await session.scalar(select(User).where(User.username == form.username))
    right = await is_right(form.password, None if user is None else user.password_hash)
    if user is None or not right:
        raise HTTPException(401, "Name or password is wrong.", {"WWW-Authenticate": "Bearer"})
    return TokenOut(access_token=token_of(user.id))


@router.get("/me", responses=error_responses(401))
async def me(me: Me, graph: GraphDep) -> OwnOut:
    """Show one's own account."""
    return await _own(me, graph)


@router.patch("/me", responses=error_responses(401))
async def change_me(changes: Changes, me: Me, graph: GraphDep, session: SessionDep) -> OwnOut:
    """Change one's own account. Who goes public accepts everybody who has asked to follow."""
    asked = changes.model_dump(exclude_none=True)
    if asked.get("locked") is False:
        await graph.unlock(me)
    for name, value in asked.items():
        setattr(me, name, value)
    await session.commit()
    return await _own(me, graph)


@router.delete("/me", status_code=204, responses=error_responses(401))
async def leave(me: Me, session: SessionDep) -> None:
    """Delete one's account, and all follows, requests, blocks and posts with it; others' counts stay right."""
    await session.delete(me)
    await session.commit()


async def _own(me: User, graph: GraphDep) -> OwnOut:
    user = UserOut.model_validate(me)
    return OwnOut(
        **user.model_dump(),
        hide_followers=me.hide_followers,
        hide_following=me.hide_following,
        unread=await graph.unread_notifications(me),
    )
