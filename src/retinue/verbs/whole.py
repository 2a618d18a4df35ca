"""What keeps a verb whole where a row of it may be refused half-way."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from retinue.work import Work

P = ParamSpec("P")
R = TypeVar("R")

Verb = Callable[Concatenate[Work, P], R]


def whole(*, makes_edges: bool = False) -> Callable[[Verb[P, R]], Verb[P, R]]:
    """
    Let a verb be undone, and its error be the caller's, if a row is refused after others were written.

    That can only be by what the application added: a default of Python's that raises, a unique constraint, a
    CHECK. Only where there is such a thing, the verb is a savepoint of its own: two statements more, and a
    caller who catches the error may go on and commit.

    Args:
        makes_edges: Whether it makes edges or requests after it has changed something else; else these are its first
            change, and only what follows from them may be refused too late.
    """
    attribute = "edges_refused" if makes_edges else "effects_refused"

    def keep_whole(verb: Verb[P, R]) -> Verb[P, R]:
        @wraps(verb)
        def done(work: Work, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if not getattr(work.schema, attribute):
                return verb(work, *args, **kwargs)
            with work.session.begin_nested():
                return verb(work, *args, **kwargs)

        return done

    return keep_whole
