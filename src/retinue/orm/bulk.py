"""Statements that change many rows, as they come to a session: by the table that they change, however it is named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import CTE, Column, event
from sqlalchemy.engine import Result
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import UpdateBase

from retinue.errors import NotWritableError
from retinue.models import FollowMixin, FollowRequestMixin
from retinue.models.ownership import GraphUser
from retinue.orm import follows, parts, posts, users
from retinue.orm.cascades import takes_along
from retinue.orm.rows import VERBS, refuse_row_of
from retinue.orm.tables import Target, is_of_users, model_of
from retinue.work.building import OPTION
from retinue.work.criteria import HARMLESS

#: Tables whose rows stand for more than themselves: what they are about does not change, and they are not replaced.
_KEPT: Final[tuple[type[Any], ...]] = (GraphUser, FollowMixin, *VERBS)

_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)


@event.listens_for(Session, "do_orm_execute")
def _executing(state: ORMExecuteState) -> Result[Any] | None:
    if not (state.is_delete or state.is_insert or state.is_update) or OPTION in state.execution_options:
        return None
    statement = parts.written_by(state.statement)
    target = Target.of(statement)
    _refuse_writing_within(state, statement)
    if state.is_update:
        _refuse_new_keys(state, statement, target)
    counted = _counted(state, target)
    if counted is not None and statement is not state.statement:
        what = "a SELECT from a statement that inserts or deletes does not say which rows"
        raise NotWritableError(what, "that statement, with returning()")
    model = _model_of(state, target)
    if issubclass(model, _KEPT):
        _refuse_replacing(state, statement, model)
        if state.is_insert and target.mapper is not None:
            refuse_row_of(model)
    if counted is None:
        return None
    if parts.others_follow(state):
        # What they change, refuse, write or do instead comes first: only what is left then is run, maybe more than once.
        return parts.run_after_others(state, _executing)
    return counted(state, target)


HARMLESS.add(_executing)


def _counted(state: ORMExecuteState, target: Target) -> Callable[[ORMExecuteState, Target], Result[Any] | None] | None:
    """Return what runs a statement and counts; None for one that is the application's own."""
    model = _model_of(state, target)
    of_follows = issubclass(model, FollowMixin)
    of_requests = issubclass(model, FollowRequestMixin) and follows.has_notifications(model)
    if state.is_insert:
        if of_follows:
            return follows.insert_follows
        return posts.insert_posts if posts.posts_of(model) else None
    if not state.is_delete or not (of_follows or of_requests or is_of_users(target.table) or takes_along(target.table)):
        return None
    if isinstance(state.parameters, list):
        what = "a DELETE with several sets of parameters does not say which rows it deletes"
        raise NotWritableError(what, "one DELETE for all of them")
    if of_requests:
        return follows.delete_requests
    return follows.delete_follows if of_follows else users.delete_users


def _model_of(state: ORMExecuteState, target: Target) -> type[Any]:
    # An INSERT of entities is about the tables of all the classes that theirs inherits from.
    return target.mapper.class_ if state.is_insert and target.mapper is not None else target.model


# --- What nobody can count -----------------------------------------------------------------------


def _refuse_replacing(state: ORMExecuteState, statement: Any, model: type[Any]) -> None:
    """Refuse ``OR REPLACE``, which deletes the rows that are in its way, and an INSERT that may fail midway."""
    words = {word for text in parts.prefixes(statement) for word in _COMMENT.sub(" ", text).upper().split()}
    if "REPLACE" in words or (state.is_insert and words & {"FAIL", "ROLLBACK"}):
        what = f"{' '.join(sorted(words, reverse=True))} ends rows of {model.__name__} that nobody is told of"
        raise NotWritableError(what, "on_conflict_do_nothing()")


def _refuse_new_keys(state: ORMExecuteState, statement: Any, target: Target) -> None:
    """Refuse an UPDATE that sets the key of a row in whose place it would put another one."""
    for column in _columns_set(state, statement, target):
        model = model_of(column.table)
        if column.primary_key and issubclass(model, _KEPT):
            what = f"the key of a {model.__name__} that is in the database cannot change"
            raise NotWritableError(what, "unfollow() and follow()" if issubclass(model, FollowMixin) else "a new row")


def _columns_set(state: ORMExecuteState, statement: Any, target: Target) -> Iterator[Column[Any]]:
    names = parts.columns_set(statement)
    parameters = state.parameters or ()
    by_key = target.mapper is not None and isinstance(parameters, list)
    if not by_key or state.execution_options.get("dml_strategy") == "core_only":
        # Without values of its own it sets what its parameters are called. Of entities by key: all but that.
        names += [name for one in ([parameters] if isinstance(parameters, dict) else parameters) for name in one]
    for name in names:
        element = target.table.c.get(name) if isinstance(name, str) else name
        for part in () if element is None else visitors.iterate(element):
            if isinstance(part, Column):
                yield part


def _refuse_writing_within(state: ORMExecuteState, statement: Any) -> None:
    """Refuse a statement with a CTE that itself writes such rows: only PostgreSQL has that."""
    if state.session.get_bind(**state.bind_arguments).dialect.name != "postgresql":
        return
    for part in visitors.iterate(statement):
        if isinstance(part, CTE) and isinstance(part.element, UpdateBase):
            model = Target.of(part.element).model
            if issubclass(model, _KEPT):
                what = f"what a WITH changes of {model.__name__} is not counted"
                raise NotWritableError(what, "a statement of its own for each change")
