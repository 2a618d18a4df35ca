"""Others: their pages, their lists, and what one can do to them. Each verb may be repeated."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select

from examples.fastapi_app.dependencies import GraphDep, Me, Seen, SessionDep, Viewer
from examples.fastapi_app.models import User
from examples.fastapi_app.schemas import ProfileOut, UserOut
from retinue import Sort
from retinue.fastapi import CountsOut, PageOf, Paging, PersonOf, RelationshipOut, error_responses

router = APIRouter(prefix="/users", tags=["people"], responses=error_responses(401, 404))

Search = Annotated[str | None, Query(pattern=r"^[a-z0-9_]{0,30}$", description="What names begin with.")]


@router.get("")
async def find(session: SessionDep, graph: GraphDep, viewer: Viewer, search: Search = None) -> list[UserOut]:
    """Find people by the beginning of their names: the first 20."""
    may_be_seen = await graph.visible_to(viewer)
    named = select(User).where(User.username.startswith(search or "", autoescape=True), may_be_seen)
    people = await session.scalars(named.order_by(User.username).limit(20))
    return [UserOut.model_validate(user) for user in people]


@router.get("/{user_id}")
async def profile(user: Seen, viewer: Viewer, graph: GraphDep) -> ProfileOut:
    """Show somebody's page."""
    counts = await graph.counts([user])
    relationship = None if viewer is None else await stand(graph, viewer, user)
    return ProfileOut(
        user=UserOut.model_validate(user), counts=CountsOut.model_validate(counts[user.id]), relationship=relationship
    )


@router.get("/{user_id}/followers")
async def followers(
    user: Seen, viewer: Viewer, graph: GraphDep, paging: Paging, search: Search = None, sort: Sort = Sort.NEWEST
) -> PageOf[PersonOf[UserOut]]:
    """List who follows somebody."""
    page = await graph.followers(
        user, viewer=viewer, search=search, sort=sort, limit=paging.limit, cursor=paging.cursor
    )
    return paging.answer(page, PersonOf[UserOut])


@router.get("/{user_id}/following")
async def following(
    user: Seen, viewer: Viewer, graph: GraphDep, paging: Paging, search: Search = None, sort: Sort = Sort.NEWEST
) -> PageOf[PersonOf[UserOut]]:
    """List whom somebody follows."""
    page = await graph.following(
        user, viewer=viewer, search=search, sort=sort, limit=paging.limit, cursor=paging.cursor
    )
    return paging.answer(page, PersonOf[UserOut])


@router.get("/{user_id}/followers_you_know")
async def followers_you_know(user: Seen, me: Me, graph: GraphDep, paging: Paging) -> PageOf[PersonOf[UserOut]]:
    """List who follows somebody, of those whom one follows."""
    page = await graph.followers_you_know(me, user, limit=paging.limit, cursor=paging.cursor)
    return paging.answer(page, PersonOf[UserOut])


@router.post("/{user_id}/follow", responses=error_responses(403, 429))
async def follow(user: Seen, me: Me, graph: GraphDep, session: SessionDep) -> RelationshipOut:
    """Follow somebody, or ask to where they approve their followers."""
    await graph.follow(me, user)
    return await done(session, graph, me, user)


@router.post("/{user_id}/unfollow", responses=error_responses(403))
async def unfollow(user: Seen, me: Me, graph: GraphDep, session: SessionDep) -> RelationshipOut:
    """Follow somebody no longer, or take back that one asked to."""
    await graph.unfollow(me, user)
    return await done(session, graph, me, user)


@router.post("/{user_id}/remove_from_followers", responses=error_responses(403))
async def remove_from_followers(user: Seen, me: Me, graph: GraphDep, session: SessionDep) -> RelationshipOut:
    """Let somebody follow one no longer, without a block."""
    await graph.remove_follower(me, user)
    return await done(session, graph, me, user)


@router.post("/{user_id}/block", responses=error_responses(403))
async def block(user: Seen, me: Me, graph: GraphDep, session: SessionDep) -> RelationshipOut:
    """Keep somebody and oneself apart."""
    await graph.block(me, user)
    return await done(session, graph, me, user)


@router.post("/{user_id}/unblock", responses=error_responses(403))
async def unblock(user: Seen, me: Me, graph: GraphDep, session: SessionDep) -> RelationshipOut:
    """End a block."""
    await graph.unblock(me, user)
    return await done(session, graph, me, user)


@router.post("/{user_id}/mute", responses=error_responses(403))
async def mute(
    user: Seen, me: Me, graph: GraphDep, session: SessionDep, *, notifications: bool = True
) -> RelationshipOut:
    """Hear no more of somebody."""
    await graph.mute(me, user, notifications=notifications)
    return await done(session, graph, me, user)


@router.post("/{user_id}/unmute", responses=error_responses(403))
async def unmute(user: Seen, me: Me, graph: GraphDep, session: SessionDep) -> RelationshipOut:
    """End a mute."""
    await graph.unmute(me, user)
    return await done(session, graph, me, user)


async def done(session: SessionDep, graph: GraphDep, me: User, user: User) -> RelationshipOut:
    """Commit, before anybody hears that it is done; return how the two stand now."""
    await session.commit()
    return await stand(graph, me, user)


async def stand(graph: GraphDep, me: User, user: User) -> RelationshipOut:
    """Return how *me* stands with *user*."""
    found = await graph.relationships(me, [user])
    return RelationshipOut.model_validate(found[user.id])
