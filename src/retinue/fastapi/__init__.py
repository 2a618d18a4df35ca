"""
For FastAPI: the graph as a dependency, its values as response models, its errors as HTTP answers.

::

    GraphDep = Annotated[AsyncGraph[User], Depends(graph_of(get_session, User))]

    app = FastAPI()
    add_error_handlers(app)


    @app.get("/users/{user_id}/followers", responses=error_responses(404))
    async def followers(user_id: int, graph: GraphDep, viewer: Viewer, paging: Paging) -> PageOf[PersonOf[UserOut]]:
        page = await graph.followers(user_id, viewer=viewer, limit=paging.limit, cursor=paging.cursor)
        return paging.answer(page, PersonOf[UserOut])

Nothing here commits: where that happens is the application's choice, and docs/fastapi.md says what to know for it.
"""

from __future__ import annotations

from retinue.fastapi.dependencies import graph_of, somebody
from retinue.fastapi.errors import ErrorOut, add_error_handlers, error_responses
from retinue.fastapi.models import (
    BlockedPersonOf,
    CountsOut,
    MutedPersonOf,
    NoticeOf,
    PageOf,
    PersonOf,
    RelationshipOut,
    SuggestionOf,
)
from retinue.fastapi.paging import PageAsked, Paging

__all__ = [
    "BlockedPersonOf",
    "CountsOut",
    "ErrorOut",
    "MutedPersonOf",
    "NoticeOf",
    "PageAsked",
    "PageOf",
    "Paging",
    "PersonOf",
    "RelationshipOut",
    "SuggestionOf",
    "add_error_handlers",
    "error_responses",
    "graph_of",
    "somebody",
]
