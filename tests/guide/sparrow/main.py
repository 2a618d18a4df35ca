from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from database import get_session
from models import Note, User, followers_to_followings as pairs

app = FastAPI()
Session = Annotated[AsyncSession, Depends(get_session)]


async def get_me(session: Session, x_user: Annotated[str | None, Header()] = None) -> User:
    me = await session.scalar(select(User).where(User.username == x_user))
    if me is None:
        raise HTTPException(401)
    return me


Me = Annotated[User, Depends(get_me)]


async def get_user(username: str, session: Session) -> User:
    user = await session.scalar(
        select(User).where(User.username == username).options(selectinload(User.followers), selectinload(User.followings))
    )
    if user is None:
        raise HTTPException(404)
    return user


Named = Annotated[User, Depends(get_user)]


@app.get("/users/{username}")
async def profile(user: Named, me: Me) -> dict:
    return {
        "username": user.username,
        "followers": len(user.followers),
        "following": len(user.followings),
        "is_followed": me in user.followers,
    }


@app.get("/users/{username}/followers")
async def followers(user: Named, me: Me) -> list[str]:
    return sorted(one.username for one in user.followers)


@app.post("/users/{username}/follow")
async def follow(user: Named, me: Me, session: Session) -> dict:
    if me is user:
        raise HTTPException(403)
    if me not in user.followers:
        user.followers.append(me)
    await session.commit()
    return await profile(user, me)


@app.post("/users/{username}/unfollow")
async def unfollow(user: Named, me: Me, session: Session) -> dict:
    if me in user.followers:
        user.followers.remove(me)
    await session.commit()
    return await profile(user, me)


@app.get("/feed")
async def feed(me: Me, session: Session, offset: int = 0, limit: int = 10) -> dict:
    theirs = select(pairs.c.following_id).where(pairs.c.follower_id == me.id)
    notes = select(Note).where(Note.user_id.in_(theirs))
    found = await session.scalars(notes.order_by(Note.id.desc()).offset(offset).limit(limit))
    total = await session.scalar(select(func.count()).select_from(notes.subquery()))
    return {"notes": [one.text for one in found], "total": total}
