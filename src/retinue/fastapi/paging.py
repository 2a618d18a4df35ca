"""A page of a list: what a request asks for, and the addresses of the pages beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar, cast
from urllib.parse import quote, urlencode

from fastapi import Depends, Query, Request, Response

from retinue import Page
from retinue.fastapi.models import PageOf
from retinue.settings import PAGE_DEFAULT, PAGE_MOST

T = TypeVar("T")

#: The query parameter that holds a place in a list.
_CURSOR = "cursor"


@dataclass(frozen=True, slots=True)
class PageAsked:
    """The page for which a request asks: endpoints get one by an argument of the type `Paging`."""

    #: Rows, 1 to 100.
    limit: int
    #: The place in the list; None for the first page.
    cursor: str | None
    _request: Request
    _response: Response

    def answer(self, page: Page[Any], item: type[T]) -> PageOf[T]:
        """
        Return *page* as a response model, with addresses for cursors, and set the header ``Link`` to them. No statement.

        An address is that of this request, with the cursor of the other page and everything else in the query: it has the path,
        with the prefixes of routers and of a proxy (``root_path``), and no host, so it holds behind every proxy.

        Args:
            page: What a list of the graph returned.
            item: The response model of its items, such as ``PersonOf[UserOut]``.

        Raises:
            sqlalchemy.exc.InvalidRequestError: *item* shows what is not loaded.
            pydantic.ValidationError: It shows what the items do not have.
        """
        linked = replace(page, next=self._address(page.next), prev=self._address(page.prev))
        links = [f'<{url}>; rel="{rel}"' for rel, url in (("next", linked.next), ("prev", linked.prev)) if url]
        if links:
            self._response.headers.append("Link", ", ".join(links))
        model = cast("type[PageOf[T]]", PageOf[item])  # type: ignore[valid-type]
        # Also where the application's own model does not say `from_attributes`: FastAPI does not ask for that, either.
        return model.model_validate(linked, from_attributes=True)

    def _address(self, cursor: str | None) -> str | None:
        """Return the address of this list at *cursor*."""
        if cursor is None:
            return None
        same = [(name, value) for name, value in self._request.query_params.multi_items() if name != _CURSOR]
        return f"{_path(self._request)}?{urlencode([*same, (_CURSOR, cursor)])}"


async def _asked(
    request: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=PAGE_MOST, description="Rows on a page.")] = PAGE_DEFAULT,
    cursor: Annotated[
        str | None, Query(description="The place in the list: take the addresses of `next` and `prev` as they are.")
    ] = None,
) -> PageAsked:
    return PageAsked(limit, cursor, request, response)


#: The type of an endpoint's argument that takes ``limit`` and ``cursor`` from the query: a `PageAsked`.
Paging = Annotated[PageAsked, Depends(_asked)]


def _path(request: Request) -> str:
    """Return the path of *request* as its client wrote it: some servers leave out a proxy's prefix."""
    path, root = request.scope["path"], request.scope.get("root_path", "").rstrip("/")
    if path != root and not path.startswith(f"{root}/"):
        path = root + path
    # Two slashes would begin the name of a host.
    return ("/." if path.startswith("//") else "") + quote(path)
