"""
The errors of the graph as HTTP answers, in the shape of FastAPI's own: ``{"detail": ...}``.

What the one who asked can put right, or has to live with, is an answer. What only the application's developer can is
none, and stays a 500: `MappingError`, `ModelMissingError`, `NoSessionError`, `AsyncSessionError`, `NotWritableError`,
`HalfDoneError`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from retinue import (
    BlockedError,
    InvalidCursor,
    InvalidLimit,
    InvalidUserError,
    LimitError,
    NotVisibleError,
    RetinueError,
    SelfFollowError,
    UnknownUserError,
)


class ErrorOut(BaseModel):
    """Why there is no other answer."""

    detail: str


#: One answer to three errors: nobody can tell whether there is no such user, or one who blocks them, or one whose list is
#: not for them.
NOT_FOUND: Final = "There is nobody here whom you may see."

_DESCRIPTIONS: Final[Mapping[int, str]] = {
    401: "Nobody is logged in.",
    403: "One can follow, mute or block others, but not oneself.",
    404: "There is no such user, or nothing that the viewer may see.",
    409: "Somebody was there before.",
    429: "A limit is reached; `Retry-After` says when to try again, where time helps.",
}


def add_error_handlers(app: FastAPI) -> None:
    """
    Let *app* answer the errors of the graph.

    ===============================================  ===================================
    `SelfFollowError`                                403
    `UnknownUserError`, `NotVisibleError`,           404, each with the same words: who is
    `BlockedError`                                   blocked cannot tell it from an id that nobody has
    `InvalidUserError`, `InvalidCursor`,             422, as FastAPI's own
    `InvalidLimit`
    `LimitError`                                     429, with ``Retry-After`` where time helps
    ===============================================  ===================================

    401 is for `somebody()`. A transaction is not rolled back here: the application's session dependency hears of the
    error before.
    """
    for error in _ANSWERS:
        app.add_exception_handler(error, _answer)


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """
    Return what the ``responses=`` of a route, a router or an app says of these *statuses* in OpenAPI.

    Args:
        statuses: Of 401, 403, 404, 409 and 429; none: 401, 403, 404 and 429, all that a verb may answer. FastAPI itself says
            422 of whatever has arguments.

    Raises:
        KeyError: One is another status.
    """
    return {
        status: {"model": ErrorOut, "description": _DESCRIPTIONS[status]} for status in statuses or (401, 403, 404, 429)
    }


def _not_oneself(_error: SelfFollowError) -> JSONResponse:
    return _said(403, _DESCRIPTIONS[403])


def _not_found(_error: RetinueError) -> JSONResponse:
    return _said(404, NOT_FOUND)


def _invalid_user(error: InvalidUserError) -> JSONResponse:
    return _invalid("invalid_user", [], str(error))


def _invalid_cursor(_error: InvalidCursor) -> JSONResponse:
    return _invalid(
        "invalid_cursor", ["query", "cursor"], "A cursor is for the list, and for the viewer, that it came with."
    )


def _invalid_limit(error: InvalidLimit) -> JSONResponse:
    return _invalid("invalid_limit", ["query", "limit"], f"A page has 1 to {error.highest} rows.")


def _limit_reached(error: LimitError) -> JSONResponse:
    headers = {}
    if error.retry_at is not None:
        seconds = (error.retry_at - datetime.now(UTC)).total_seconds()
        headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    return _said(429, f"{error.limit} is reached.", headers)


_ANSWERS: Final[dict[type[RetinueError], Any]] = {
    SelfFollowError: _not_oneself,
    UnknownUserError: _not_found,
    NotVisibleError: _not_found,
    BlockedError: _not_found,
    InvalidUserError: _invalid_user,
    InvalidCursor: _invalid_cursor,
    InvalidLimit: _invalid_limit,
    LimitError: _limit_reached,
}


async def _answer(_request: Request, error: Exception) -> JSONResponse:
    answer: JSONResponse = next(_ANSWERS[cls] for cls in type(error).__mro__ if cls in _ANSWERS)(error)
    return answer


def _said(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, headers)


def _invalid(kind: str, place: list[str], text: str) -> JSONResponse:
    """Return what FastAPI says of an argument that is no such thing."""
    return JSONResponse({"detail": [{"type": kind, "loc": place, "msg": text}]}, 422)
