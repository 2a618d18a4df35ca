"""Statements that change many rows, as they come to a session: by the table that they change, however it is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, cast

from sqlalchemy import CTE, Column, event
from sqlalchemy.engine import Result
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import UpdateBase

from retinue.errors import NotWritableError
from retinue.models import FollowMixin
from retinue.orm import follows, parts, posts, users
from retinue.orm.rows import VERBS, refuse_row_of
from retinue.orm.tables import Target, cascades_from, is_of_users, model_of
from retinue.ownership import GraphUser
from retinue.statements import OPTION

#: Tables whose rows stand for more than themselves: what they are about does not change, and they are not replaced.
_KEPT: Final[tuple[type[Any], ...]] = (GraphUser, FollowMixin, *VERBS)

_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)


@event.listens_for(Session, "do_orm_execute")
def _executing(state: ORMExecuteState) -> Result[Any] | None:
    if not (state.is_delete or state.is_insert or state.is_update) or OPTION in state.execution_options:
        return None
    target = Target.of(state.statement)
    _refuse_writing_within(state)
    if state.is_update:
        _refuse_new_keys(state, target)
        _refuse_replacing(state, target.model)
        return None
    if state.is_insert:
        return _insert(state, target)
    return _delete(state, target)


def _insert(state: ORMExecuteState, target: Target) -> Result[Any] | None:
    # An INSERT of entities is about the tables of all the classes that theirs inherits from.
    model = target.model if target.mapper is None else target.mapper.class_
    if model is None:
        return None
    refuse_row_of(model)
    _refuse_replacing(state, model)
    if issubclass(model, FollowMixin):
        return follows.insert_follows(state, target)
    kept = posts.posts_of(model)
    return None if kept is None else posts.insert_posts(state, target, kept)


def _delete(state: ORMExecuteState, target: Target) -> Result[Any] | None:
    model = target.model
    of_follows = model is not None and issubclass(model, FollowMixin)
    if not (of_follows or is_of_users(target.table) or cascades_from(target.table)):
        return None
    if isinstance(state.parameters, list):
        what = "a DELETE with several sets of parameters does not say which rows it deletes"
        raise NotWritableError(what, "one DELETE for all of them")
    return follows.delete_follows(state, target) if of_follows else users.delete_users(state, target)


# --- What nobody can count -----------------------------------------------------------------------


def _refuse_replacing(state: ORMExecuteState, model: type[Any] | None) -> None:
    """Refuse ``OR REPLACE``, which deletes the rows that are in its way, and an INSERT that may fail midway."""
    if model is None or not issubclass(model, _KEPT):
        return
    words = {word for text in parts.prefixes(state.statement) for word in _COMMENT.sub(" ", text).upper().split()}
    if "REPLACE" in words or (state.is_insert and words & {"FAIL", "ROLLBACK"}):
        what = f"{' '.join(sorted(words, reverse=True))} ends rows of {model.__name__} that nobody is told of"
        raise NotWritableError(what, "on_conflict_do_nothing()")


def _refuse_new_keys(state: ORMExecuteState, target: Target) -> None:
    """Refuse an UPDATE that sets the key of a row in whose place it would put another one."""
    for column in _columns_set(state, target):
        model = model_of(column.table) if column.primary_key and column.table is not None else None
        if model is not None and issubclass(model, _KEPT):
            what = f"the key of a {model.__name__} that is in the database cannot change"
            raise NotWritableError(what, "unfollow() and follow()" if issubclass(model, FollowMixin) else "a new row")


def _columns_set(state: ORMExecuteState, target: Target) -> Iterator[Column[Any]]:
    names = parts.columns_set(state.statement)
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


def _refuse_writing_within(state: ORMExecuteState) -> None:
    """Refuse a statement with a CTE that itself writes such rows: only PostgreSQL has that."""
    if state.session.get_bind(**state.bind_arguments).dialect.name != "postgresql":
        return
    for part in visitors.iterate(cast("UpdateBase", state.statement)):
        if isinstance(part, CTE) and isinstance(part.element, UpdateBase):
            model = Target.of(part.element).model
            if model is not None and issubclass(model, _KEPT):
                what = f"what a WITH changes of {model.__name__} is not counted"
                raise NotWritableError(what, "a statement of its own for each change")
