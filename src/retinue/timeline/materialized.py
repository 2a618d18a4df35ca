"""Home timelines that are kept ready: a page of what is kept, and of what has to be looked up beside it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, bindparam, func, select, true, union, union_all
from sqlalchemy.sql.elements import ColumnElement

from retinue.cursors import Way
from retinue.engines import EngineRules, Rows
from retinue.lists.columns import Attributes
from retinue.lists.keyset import beside, in_order
from retinue.models import in_utc
from retinue.schema import Schema, Timeline
from retinue.timeline.newest import Authors, newest_of
from retinue.timeline.searched import feed_of, followed, newest, with_posts
from retinue.work.building import once, whichever_user


@once
def kept_timeline(schema: Schema, engine: EngineRules, attributes: Attributes | None, way: Way | None) -> Rows:
    """
    The same page as `home_timeline()`, where *user* may have a timeline that is kept.

    Later than the reader is complete after, it is what is kept, with the posts of
    senders and of *user*; what is older is looked up, and only if the page goes that far.
    """
    posts, how = schema.declared_posts(), newest_of(engine)
    timeline: Timeline = schema.timeline  # type: ignore[assignment] # asked for only where there is one
    user, readers = whichever_user(schema, engine, "user"), timeline.readers
    # NULL, so that nothing is later, where nothing is complete or nothing is kept.
    complete: Any = select(in_utc(readers.c.complete_after)).where(readers.c.user_id == user).scalar_subquery()
    last = func.coalesce(complete, bindparam("last", type_=complete.type))
    feed = feed_of(schema, engine, way)
    later = feed_of(schema, engine, way, lambda of: (in_utc(of(posts.time)) > complete,), name="later")
    older = feed_of(schema, engine, way, lambda of: (in_utc(of(posts.time)) <= last,), name="older")
    mine = later.read(lambda author: author == user).limit(feed.limit)
    parts = {
        "kept": _kept(schema, engine, timeline, way, complete),
        "unsent": how.merge(later, _senders(schema, engine, timeline), true()),
        "mine": select(*list(mine.subquery().c)[:2]),
    }
    found = [how.materialized(rows, name) for name, rows in parts.items()]
    distinct = union(*(select(part.c.key, part.c.time) for part in found)).subquery("found")
    recent = how.materialized(select(distinct.c.key, distinct.c.time), "recent")
    # Towards newer posts the older ones come first.
    goes_on = select(func.count()).select_from(recent).scalar_subquery() < feed.limit
    if way is not None and not way.forward:
        goes_on = bindparam("at", type_=complete.type) <= last
    rest = newest(schema, engine, older, followed(schema, engine), gate=goes_on).subquery("rest")
    both = union_all(select(recent.c.key, recent.c.time), select(rest.c.key, rest.c.time)).subquery("both")
    page = select(both.c.key, both.c.time).order_by(*in_order(both.c.key, both.c.time, way)).limit(feed.limit)
    return with_posts(schema, page.subquery("page"), way, attributes)


def _kept(
    schema: Schema, engine: EngineRules, timeline: Timeline, way: Way | None, complete: ColumnElement[Any]
) -> Rows:
    """Return what is kept for *user*, of those whom they still follow and want to see."""
    posts, entry = schema.declared_posts(), timeline.entries.c
    time, feed = in_utc(entry.timestamp), feed_of(schema, engine, way)
    rows = posts.table.alias("post")
    of = feed.of(rows)
    # A post that is gone may have left its key to another one.
    same = and_(of(posts.key) == entry.post_id, of(posts.author) == entry.author_id, of(posts.time) == time)
    theirs = followed(schema, engine).named(entry.author_id).scalar_subquery()
    return (
        select(entry.post_id.label("key"), time.label("time"))
        .join(rows, same)
        .where(entry.reader_id == whichever_user(schema, engine, "user"), time > complete, theirs.is_not(None))
        .where(*beside(engine, entry.post_id, time, way))
        .where(*feed.lasting(of))
        .order_by(*in_order(entry.post_id, time, way))
        .limit(feed.limit)
    )


def _senders(schema: Schema, engine: EngineRules, timeline: Timeline) -> Authors:
    """Return those of whom *user* follows whose posts are not all sent."""
    sender = timeline.senders.c.user_id
    return Authors(sender, newest_of(engine).among(sender, followed(schema, engine)), ())
