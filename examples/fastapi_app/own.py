"""What is for oneself alone: the timeline, requests, blocks, mutes, notifications, suggestions."""

from __future__ import annotations

from fastapi import APIRouter

from examples.fastapi_app.dependencies import GraphDep, Me, Seen, SessionDep
from examples.fastapi_app.models import Post
from examples.fastapi_app.people import done
from examples.fastapi_app.schemas import PostIn, PostOut, Read, UserOut
from retinue.fastapi import (
    BlockedPersonOf,
    MutedPersonOf,
    NoticeOf,
    PageOf,
    Paging,
    PersonOf,
    RelationshipOut,
    SuggestionOf,
    error_responses,
)

router = APIRouter(tags=["own"], responses=error_responses(401))


@router.post("/posts", status_code=201)
async def post(new: PostIn, me: Me, session: SessionDep) -> PostOut:
    """Post something, for those who follow one."""
    made = Post(author=me, text=new.text)
    session.add(made)
    await session.commit()
    return PostOut.model_validate(made)


@router.get("/timeline")
async def timeline(me: Me, graph: GraphDep, paging: Paging) -> PageOf[PostOut]:
    """Read what those whom one follows have posted, and oneself, newest first."""
    page = await graph.home_timeline(me, viewer=me, limit=paging.limit, cursor=paging.cursor)
    return paging.answer(page, PostOut)


@router.get("/requests")
async def requests(me: Me, graph: GraphDep, paging: Paging) -> PageOf[PersonOf[UserOut]]:
    """List who asks to follow one."""
    page = await graph.requests(me, viewer=me, limit=paging.limit, cursor=paging.cursor)
    return paging.answer(page, PersonOf[UserOut])


@router.post("/requests/{user_id}/accept", responses=error_responses(403, 404))
async def accept(user: Seen, me: Me, graph: GraphDep, session: SessionDep) -> RelationshipOut:
    """Let somebody follow one, who has asked to."""
    await graph.accept(me, user)
    return await done(session, graph, me, user)


@router.post("/requests/{user_id}/reject", responses=error_responses(403, 404))
async def reject(user: Seen, me: Me, graph: GraphDep, session: SessionDep) -> RelationshipOut:
    """Answer no to somebody who has asked to follow one."""
    await graph.reject(me, user)
    return await done(session, graph, me, user)


@router.get("/blocks")
async def blocks(me: Me, graph: GraphDep, paging: Paging) -> PageOf[BlockedPersonOf[UserOut]]:
    """List whom one blocks."""
    page = await graph.blocks(me, viewer=me, limit=paging.limit, cursor=paging.cursor)
    return paging.answer(page, BlockedPersonOf[UserOut])


@router.get("/mutes")
async def mutes(me: Me, graph: GraphDep, paging: Paging) -> PageOf[MutedPersonOf[UserOut]]:
    """List whom one mutes."""
    page = await graph.mutes(me, viewer=me, limit=paging.limit, cursor=paging.cursor)
    return paging.answer(page, MutedPersonOf[UserOut])


@router.get("/notifications")
async def notifications(me: Me, graph: GraphDep, paging: Paging, *, unread: bool = False) -> PageOf[NoticeOf[UserOut]]:
    """Read who follows one, asks to, or said yes."""
    page = await graph.notifications(me, unread=unread, viewer=me, limit=paging.limit, cursor=paging.cursor)
    return paging.answer(page, NoticeOf[UserOut])


@router.post("/notifications/read", status_code=204)
async def mark_read(read: Read, me: Me, graph: GraphDep, session: SessionDep) -> None:
    """Note that one has read some notifications, or all."""
    await graph.mark_read(me, read.ids)
    await session.commit()


@router.get("/suggestions")
async def suggestions(me: Me, graph: GraphDep) -> list[SuggestionOf[UserOut]]:
    """Show whom one may want to follow, and why."""
    found = await graph.suggestions(me)
    return [SuggestionOf[UserOut].model_validate(suggestion) for suggestion in found]
