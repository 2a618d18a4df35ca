"""Lists of people: a page from any place at the cost of the first, how many they are, and who is left out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import func, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from retinue.cursors import Way
from retinue.engines import EngineRules, Rows
from retinue.lists.columns import Attributes
from retinue.lists.keyset import Ends, hydrate_users
from retinue.lists.kinds import People
from retinue.lists.views import WHOLE, Look, View
from retinue.schema import Schema
from retinue.viewer import Audience, left_out, shown_to
from retinue.work.building import OPTION, once, page_limit


@once
def page_of(
    schema: Schema,
    engine: EngineRules,
    people: People,
    look: Look | None,
    attributes: Attributes | None,
    audience: Audience,
    way: Way | None,
) -> Rows:
    """
    A page of a list of people, from the given place on, as *look* has it; None: the newest first.

    (user, since, what else belongs to it); looked at, (user, since), and the name if it goes by that. Where *attributes*
    are enough, the key stands in the place of the user, and they come last.
    """
    view = View(schema, engine, people, look, way, WHOLE, page_limit(engine))
    page = view.rows(partial(shown_to, audience, schema, engine)).subquery("page")
    order, by = (("name", "user_key"), engine.by_name) if view.by_name else (("since", "user_key"), None)
    found = hydrate_users(schema, page, order, way, attributes=attributes, ascending=view.ascending, by=by)
    return found.execution_options(**{OPTION: people.name if look is None else f"{people.name}_viewed"})


@once
def left_out_of(schema: Schema, engine: EngineRules, people: People, look: Look | None, ends: Ends) -> Rows:
    """Whether somebody was left out for the owner of the stretch of a list that has those *ends*, both included."""

    def missing(key: ColumnElement[Any]) -> Sequence[ColumnElement[bool]]:
        return (left_out(schema, engine, key),)

    view = View(schema, engine, people, look, None, ends, literal_column("1"))
    # As a value, of which an engine keeps the order: of an EXISTS PostgreSQL does not, and may read the whole list.
    found = select(select(view.rows(missing).subquery("missing").c.user_key).scalar_subquery().is_not(None))
    return found if look is None else found.execution_options(**{OPTION: "left_out_of_view"})


@once
def total_of(schema: Schema, engine: EngineRules, people: People, audience: Audience) -> Rows:
    """How many rows a list has."""
    view = View(schema, engine, people, None, None, WHOLE, None)
    rows = view.rows(partial(shown_to, audience, schema, engine)).subquery("every")
    return select(func.count()).select_from(rows)
