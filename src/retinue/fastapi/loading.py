"""No query while an answer is written: what a response model shows was loaded before, or is an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pydantic import ValidationError
from sqlalchemy import event, inspect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import InstanceState, ORMExecuteState, Session

from retinue import Page

#: Whether a session is kept from loading now: what is nested in a value belongs to the same one.
is_refused: ContextVar[bool] = ContextVar("retinue_loading_is_refused", default=False)


@contextmanager
def nothing_is_loaded(value: object) -> Iterator[None]:
    """
    Refuse, within the block, every query of the session to which the entities in *value* belong.

    Raises:
        sqlalchemy.exc.InvalidRequestError: An attribute that was read needed a query.
    """
    session = _session_behind(value)
    if session is None:
        yield
        return
    refused: list[InvalidRequestError] = []

    def refuse(state: ORMExecuteState) -> None:
        mapper = state.bind_mapper
        what = mapper.class_.__name__ if mapper is not None else "something"
        refused.append(
            InvalidRequestError(
                f"the answer would load {what} from the database while it is written: load it before, with the list "
                "or by refresh() (commit() makes loaded users forget: expire_on_commit=False), or leave it out of "
                "the response model"
            )
        )
        raise refused[-1]

    before = is_refused.set(True)
    event.listen(session, "do_orm_execute", refuse)
    try:
        yield
    except ValidationError:
        # Pydantic makes one of whatever an attribute raises.
        if refused:
            raise refused[0] from None
        raise
    finally:
        event.remove(session, "do_orm_execute", refuse)
        is_refused.reset(before)


def _session_behind(value: object) -> Session | None:
    """Return the session of the first entity in a value of the graph."""
    first: Any = next(iter(value.items), None) if isinstance(value, Page) else value
    for one in (first, getattr(first, "user", None)):
        state = inspect(one, raiseerr=False)
        if isinstance(state, InstanceState):
            return state.session
    return None
