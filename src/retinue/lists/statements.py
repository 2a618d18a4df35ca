"""
Lists of people: a page from any place at the cost of the first, and what is told once beside it, all in one statement.

Whether the viewer may see the list at all, how many it has and whether somebody is left out is the statement's head: one
row, to which the page is joined if there is one. So a list that may not be seen is told from one that is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import CTE, Integer, Subquery, func, literal_column, null, select, true
from sqlalchemy.sql.elements import ColumnElement

from retinue.cursors import Way
from retinue.engines import EngineRules, Rows
from retinue.lists.columns import Attributes
from retinue.lists.keyset import beside, hydrate_users, in_order
from retinue.lists.kinds import People
from retinue.lists.views import Look, View
from retinue.schema import Schema
from retinue.viewer import Admission, leaves_out, left_out, shown_to, visibility
from retinue.work.building import OPTION, once, page_limit
from retinue.work.criteria import passing


@once
def page_of(
    schema: Schema,
    engine: EngineRules,
    people: People,
    look: Look | None,
    attributes: Attributes | None,
    admission: Admission,
    way: Way | None,
) -> Rows:
    """
    A page of a list of people, from the given place on, as *look* has it; None: the newest first.

    (user, since, what else belongs to it); looked at, (user, since), and the name if it goes by that. Where *attributes*
    are enough, the key stands in the place of the user, and they come last. Behind all that the head, if `has_head()`.
    """
    shown, every = partial(shown_to, admission.audience, schema, engine), None
    view = View(schema, engine, people, look, way)
    if people.counted:
        every = engine.materialized(View(schema, engine, people, look, None).rows(shown, None), "every")
        page = _part_of(engine, every, way)
    else:
        page = view.rows(shown, page_limit(engine)).subquery("page")
    head = _head(schema, engine, people, admission, view, every)
    order, by = (("name", "user_key"), engine.by_name) if view.by_name else (("since", "user_key"), None)
    how = {"attributes": attributes, "head": head, "ascending": view.ascending, "by": by}
    found = hydrate_users(schema, page, order, way, **how)
    return found.execution_options(**{OPTION: people.name if look is None else f"{people.name}_viewed"})


def _part_of(engine: EngineRules, every: CTE, way: Way | None) -> Subquery:
    key, since = every.c.user_key, every.c.since
    rows = select(*every.c).where(*beside(engine, key, since, way)).order_by(*in_order(key, since, way))
    return rows.limit(page_limit(engine)).subquery("page")


# --- The head ------------------------------------------------------------------------------------


def has_head(schema: Schema, engine: EngineRules, people: People, admission: Admission) -> bool:
    """Return whether a page of *people* has anything to tell beside its rows."""
    return people.counted or admission.lists is not None or leaves_out(schema, engine, admission.audience)


def _head(
    schema: Schema,
    engine: EngineRules,
    people: People,
    admission: Admission,
    view: View,
    every: CTE | None,
) -> Subquery | None:
    if not has_head(schema, engine, people, admission):
        return None
    head: Any = select(true().label("may_see"))
    if admission.lists is not None:
        head = visibility(schema, engine, admission)
    total: ColumnElement[Any] = null() if every is None else select(func.count()).select_from(every).scalar_subquery()
    hidden: ColumnElement[Any] = literal_column("0", Integer)
    if leaves_out(schema, engine, admission.audience):
        hidden = _number_left_out(schema, engine, view)
    found: Subquery = head.add_columns(total.label("total"), hidden.label("hidden")).subquery("head")
    return found


def _number_left_out(schema: Schema, engine: EngineRules, view: View) -> ColumnElement[int]:
    """
    Return how many are left out for the owner among as many rows of the list, from the place on, as the page has.

    If none of them is, these are the page. If one is, the page reaches beyond it.
    """

    def there(key: ColumnElement[Any]) -> Sequence[ColumnElement[bool]]:
        return passing(schema, key)

    rows = view.rows(there, page_limit(engine, "shown")).subquery("near")
    gone = select(func.count()).select_from(rows).where(left_out(schema, engine, rows.c.user_key))
    return gone.scalar_subquery()
