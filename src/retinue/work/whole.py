"""What keeps a verb whole: all of it is done, or nothing of it is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from retinue.engines import Aftermath
from retinue.errors import RetinueError
from retinue.work import half_done
from retinue.work.work import Work

P = ParamSpec("P")
R = TypeVar("R")

Verb = Callable[Concatenate[Work, P], R]


def whole(*, makes_edges: bool = False, alone: bool = False) -> Callable[[Verb[P, R]], Verb[P, R]]:
    """
    Let nothing of a verb be committed that fails half-way: see `half_done`. No statement.

    But it is undone, and its error is the caller's, if a row is refused after others were written. That
    can only be by what the application added: a default of Python's that raises, a unique constraint, a
    CHECK. Only where there is such a thing, the verb is a savepoint of its own: two statements more, and a
    caller who catches the error may go on and commit.

    Args:
        makes_edges: Whether it makes edges or requests after it has changed something else; else these are its first
            change, and only what follows from them may be refused too late.
        alone: Whether nothing follows from what it changes.
    """
    attribute = "edges_refused" if makes_edges else "effects_refused"

    def keep_whole(verb: Verb[P, R]) -> Verb[P, R]:
        call = f"{verb.__name__}()"

        @wraps(verb)
        def done(work: Work, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if not alone and getattr(work.schema, attribute):
                return _in_savepoint(work, call, partial(verb, work, *args, **kwargs))
            try:
                return verb(work, *args, **kwargs)
            except RetinueError:
                raise  # before anything has changed
            except BaseException as error:
                _doom(work, call, error)
                raise

        return done

    return keep_whole


@contextmanager
def consequences(work: Work, call: str) -> Iterator[None]:
    """
    Run in the block a statement of the caller's, and do what follows from it: as `whole()`.

    The block says when the statement has come through: `work.changed`.
    """
    try:
        yield
    except BaseException as error:
        work.changed = work.changed or not isinstance(error, (SQLAlchemyError, RetinueError))
        if work.changed:
            _doom(work, call, error)
        raise


def _in_savepoint(work: Work, call: str, verb: Callable[[], R]) -> R:
    own: BaseException | None = None
    try:
        with work.session.begin_nested():
            try:
                return verb()
            except BaseException as error:
                own = error
                raise
    except BaseException as error:
        if error is not own:  # the savepoint itself failed
            _doom(work, call, error)
        raise


def _doom(work: Work, call: str, error: BaseException) -> None:
    connection: Connection | None = getattr(work, "connection", None)
    if connection is None or connection.closed or connection.invalidated or not work.session.is_active:
        return  # nothing has changed, or all is gone, or SQLAlchemy insists on a rollback
    if work.changed or _has_ended(work, error):
        half_done.doom(work.session, connection, call, error)


def _has_ended(work: Work, error: BaseException) -> bool:
    """Return whether the database went on without what was there before the verb, or takes COMMIT for a rollback."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    return cause is not None and work.engine.after_error(work.connection, cause) is not Aftermath.OPEN
