"""
The home timeline: the newest posts of those whom one follows, and one's own.

Nobody knows beforehand which of two ways is short: to go through everybody's newest
posts until a page of them is by those one follows, or to ask for the newest of each of
them. So the statement looks a little way down the first, which fills the page of who
follows many or busy people; then a longer way; and only then asks for each author. All
three are in it, and the later ones run only if those before did not fill the page. How
far a look goes, and when one pays, each engine says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_, select, union
from sqlalchemy.orm import MANYTOONE, class_mapper, joinedload
from sqlalchemy.sql.selectable import Subquery

from retinue.cursors import Way
from retinue.engines import EngineRules, Rows
from retinue.lists.columns import Attributes
from retinue.lists.keyset import beside, hydrate, in_order
from retinue.models import Posts, in_utc
from retinue.schema import Schema
from retinue.settings import PAGE_MOST
from retinue.timeline.newest import Authors, Conditions, Feed, Of, newest_of
from retinue.viewer import Context, Row, shown
from retinue.work.building import once, page_limit, whichever_user
from retinue.work.criteria import found_by_key

#: The ways of a relationship to bring its object that cost a statement for each row, or an error.
_LAZY = ("select", "raise", "raise_on_sql", True)


@once
def all_posted(schema: Schema, engine: EngineRules) -> Rows:
    """
    (key, time) of the newest posts of those whom *user* follows and of *user*; more than a page of them.

    Also what *user* would not see just now, as that may change.
    """
    feed = _feed("feed", schema.declared_posts(), None, _anything, _anything, schema.settings.timeline_length + 1)
    edge, user = schema.follows.alias("followed"), whichever_user(schema, engine, "user")
    authors = Authors(edge.c.following_id, edge.c.follower_id == user, (), own=user)
    return newest(schema, engine, feed, authors)


@once
def home_timeline(schema: Schema, engine: EngineRules, attributes: Attributes | None, way: Way | None) -> Rows:
    """
    A page of (post, its time) of those whom *user* follows and of *user*, newest first; else as `with_posts()`.

    The page comes first, from the indexes; its posts are joined to what is left, with their authors.
    """
    feed = feed_of(schema, engine, way)
    page = newest(schema, engine, feed, followed(schema, engine)).subquery("page")
    return with_posts(schema, page, way, attributes)


# --- Whose posts, and which ----------------------------------------------------------------------


def followed(schema: Schema, engine: EngineRules) -> Authors:
    """Return *user*, and those whom *user* follows and is shown in a timeline."""
    edge, user = schema.follows.alias("followed"), whichever_user(schema, engine, "user")
    author = edge.c.following_id
    conditions = shown(Row(schema, engine, author, user), Context.TIMELINE)
    return Authors(author, edge.c.follower_id == user, conditions, own=user)


def feed_of(
    schema: Schema,
    engine: EngineRules,
    way: Way | None,
    keep: Callable[[Of], Conditions] | None = None,
    *,
    name: str = "feed",
) -> Feed:
    """Return the posts beside the cursor's place that have not ended by the time *now*, and that *keep* says."""
    posts = schema.declared_posts()
    key = class_mapper(posts.model).get_property_by_column(posts.key).key

    def lasting(of: Of) -> Conditions:
        passing = found_by_key(schema, posts.model, key, of(posts.key))
        if posts.until is None:
            return passing
        until = in_utc(of(posts.until))
        return (*passing, or_(until.is_(None), until > bindparam("seen_at", type_=until.type)))

    def kept(of: Of) -> Conditions:
        return (*beside(engine, of(posts.key), of(posts.time), way), *lasting(of), *(keep(of) if keep else ()))

    return _feed(name, posts, way, kept, lasting, PAGE_MOST + 1)


def _anything(_of: Of) -> Conditions:
    return ()


def _feed(
    name: str,
    posts: Posts,
    way: Way | None,
    keep: Callable[[Of], Conditions],
    lasting: Callable[[Of], Conditions],
    longest: int,
) -> Feed:
    return Feed(
        name=name,
        table=posts.table,
        key=posts.key,
        author=posts.author,
        time=posts.time,
        keep=keep,
        lasting=lasting,
        order=lambda key, time: in_order(key, time, way),
        forward=way is None or way.forward,
        utc=in_utc,
        limit=page_limit(),
        longest=longest,
    )


# --- The page ------------------------------------------------------------------------------------


def newest(
    schema: Schema, engine: EngineRules, feed: Feed, authors: Authors, *, gate: ColumnElement[bool] | None = None
) -> Rows:
    """
    Return a page of (key, time): the newest of *feed* by *authors*; none where the *gate* is closed.

    Whatever a look finds is on the page, or behind it: so its rows and those of the merge are put together.
    """
    parts = newest_of(engine).found(feed, authors, gate, looks=_can_look(schema.declared_posts()))
    page = union(*(select(part.c.key, part.c.time) for part in parts)).subquery("found")
    return select(page.c.key, page.c.time).order_by(*feed.order(page.c.key, page.c.time)).limit(feed.limit)


def _can_look(posts: Posts) -> bool:
    """Return whether an index has all posts by their time: without one, each look would sort them all."""
    return any(next(iter(index.columns), None) is posts.time for index in posts.table.indexes)


# --- The posts -----------------------------------------------------------------------------------


def with_posts(schema: Schema, page: Subquery, way: Way | None, attributes: Attributes | None) -> Rows:
    """
    Return (post, time) for a *page* of keys and times; its author comes with it, unless mapped to.

    Where *attributes* are enough, of posts and their authors: (key, time, the attributes).
    """
    posts = schema.declared_posts()
    model: Any = posts.model
    mapper = class_mapper(model)
    key = getattr(model, mapper.get_property_by_column(posts.key).key)
    found = hydrate(model, key, page, ("time", "key"), way, attributes=attributes)
    if attributes is None:
        for name in _authors_of(schema, posts):
            found = found.options(joinedload(getattr(model, name)))
    elif attributes.are_of(schema.user):
        author = getattr(model, mapper.get_property_by_column(posts.author).key)
        found = found.join(schema.user, author == getattr(schema.user, schema.key_name))
    return found


def _authors_of(schema: Schema, posts: Posts) -> list[str]:
    """Return the relationships of the posts to their author that do not come along by themselves."""
    return [
        relation.key
        for relation in class_mapper(posts.model).relationships
        if relation.direction is MANYTOONE
        and relation.local_columns == {posts.author}
        and issubclass(relation.mapper.class_, schema.user)
        and relation.lazy in _LAZY
    ]
