"""The statements of an export: all edges, in batches, and their number."""

from __future__ import annotations

from sqlalchemy import func, or_, select

from retinue.engines import Rows
from retinue.schema import Schema
from retinue.work.building import once, page_limit, user_key


@once
def edges_after(schema: Schema, *, started: bool) -> Rows:
    """(follower, followed, since) in the order of the two keys; if *started*, after the edge of *follower* and *followed*."""
    edge = schema.follows.c
    rows = select(edge.follower_id, edge.following_id, edge.timestamp)
    rows = rows.order_by(edge.follower_id, edge.following_id).limit(page_limit())
    if not started:
        return rows
    follower, followed = user_key(schema, "follower"), user_key(schema, "followed")
    # With the first condition every engine starts at the right place of the index.
    return rows.where(edge.follower_id >= follower, or_(edge.follower_id > follower, edge.following_id > followed))


@once
def number_of_edges(schema: Schema) -> Rows:
    """How many edges there are."""
    return select(func.count()).select_from(schema.follows)
