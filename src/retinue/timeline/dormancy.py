"""Who is dormant: not there for a while, by an attribute of the user or else by what they posted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, literal_column, or_, select, true
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import EngineRules
from retinue.errors import MappingError
from retinue.lists.filters import Filter, register
from retinue.models import in_utc
from retinue.schema import Schema
from retinue.values import Only
from retinue.work.building import people


def is_dormant(schema: Schema, engine: EngineRules, key: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether the user *key* was not there since *quiet_since*; who never was, was not."""
    (users,) = people(schema, "quiet").values()
    last, posts = schema.flag("last_active", users), schema.posts
    if last is not None:
        last = in_utc(last)
        quiet = or_(last.is_(None), last < bindparam("quiet_since", type_=last.type))
        found = select(users.c[schema.key.key]).where(users.c[schema.key.key] == key, quiet)
        return found.scalar_subquery().is_not(None)
    if posts is None:
        return true()
    rows = posts.table.alias("posts")
    time = in_utc(rows.c[posts.time.key])
    posted = select(rows.c[posts.key.key]).where(
        rows.c[posts.author.key] == key, time >= bindparam("quiet_since", type_=time.type)
    )
    return engine.no_row(posted.limit(literal_column("1")))


def _parameters(schema: Schema, at: datetime) -> Mapping[str, Any]:
    return {"quiet_since": at - schema.settings.dormant_after}


def _refuse_unmapped(schema: Schema) -> None:
    if "last_active" not in schema.flags and schema.posts is None:
        user = schema.user.__name__
        message = f"who is dormant, nothing says: Settings(last_active='last_seen_at') on {user}, or declare_posts(...)"
        raise MappingError(message)


register(Only.DORMANT, Filter(is_dormant, _parameters, _refuse_unmapped))
