"""
What hides users from a session: criteria that the application adds to its selects, for soft deletion or tenants.

They come from listeners for ``do_orm_execute``, which see what is run by the session, and act on each entity that a
statement selects. So where there are such listeners, whoever is to be shown is asked for as an entity, before a page is
cut: by a subquery for one user, which is all that the statement has more. What verbs decide is never run by the session.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from retinue.schema import Schema

#: The listeners of the library itself, which add no criteria.
HARMLESS: Final[set[Callable[..., Any]]] = set()


def may_hide(session: Session) -> bool:
    """Return whether *session* has listeners that may add criteria. No statement."""
    return not HARMLESS.issuperset(session.dispatch.do_orm_execute)


def passing(schema: Schema, key: ColumnElement[Any]) -> Sequence[ColumnElement[bool]]:
    """Return the condition that nothing hides the user *key*; none where nothing can."""
    return found_by_key(schema, schema.user, schema.key_name, key)


def found_by_key(schema: Schema, model: Any, attribute: str, key: ColumnElement[Any]) -> Sequence[ColumnElement[bool]]:
    """As `passing()`, of the row of *model* whose *attribute*, its primary key, is *key*."""
    if not schema.hides:
        return ()
    there = getattr(model, attribute)
    return (select(there).where(there == key).correlate_except(model).scalar_subquery().is_not(None),)
