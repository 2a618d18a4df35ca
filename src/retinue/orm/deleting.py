"""The statements that delete rows by their keys, and say whether any is left."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Delete, Table, bindparam, delete, func, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import EngineRules, Rows
from retinue.models import FollowRequestMixin
from retinue.schema import Schema
from retinue.work.building import once


@once
def rows_of(schema: Schema, engine: EngineRules, key: Column[Any]) -> Rows:
    """Those of *keys* that there are, locked."""
    del schema
    return select(key).where(engine.one_of(key, "keys")).order_by(key).with_for_update()


@once
def delete_rows(schema: Schema, engine: EngineRules, key: Column[Any]) -> Delete:
    """The rows of *keys* go."""
    del schema
    return delete(key.table).where(engine.one_of(key, "keys"))


@once
def edges_left(schema: Schema, engine: EngineRules) -> Rows:
    """How many edges of *pairs*, each of one of *followers*, there are."""
    return select(func.count()).where(*_pairs(schema.follows, engine))


@once
def requests_left(schema: Schema, engine: EngineRules) -> Rows:
    """How many requests of *pairs*, each of one of *followers*, there are."""
    return select(func.count()).where(*_pairs(schema.table(FollowRequestMixin), engine))


@once
def delete_edges(schema: Schema, engine: EngineRules) -> Delete:
    """Of *pairs*, each of one of *followers*, none is there any more."""
    return delete(schema.follows).where(*_pairs(schema.follows, engine))


def _pairs(table: Table, engine: EngineRules) -> tuple[ColumnElement[bool], ...]:
    row = table.c
    pairs = tuple_(row.follower_id, row.following_id).in_(bindparam("pairs", expanding=True))
    return engine.one_of(row.follower_id, "followers"), pairs
