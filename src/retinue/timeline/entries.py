"""Home timelines that are kept: whose they are, what is sent to them, and what of it is let go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    Delete,
    Executable,
    Table,
    Update,
    and_,
    bindparam,
    case,
    delete,
    false,
    func,
    literal_column,
    null,
    select,
    true,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from retinue.cursors import Way
from retinue.effects.changes import Possible
from retinue.engines import EngineRules, Rows
from retinue.lists.keyset import beside, in_order
from retinue.lists.kinds import FOLLOWERS
from retinue.models import Posts, TimelineEntryMixin, UTCDateTime, in_utc
from retinue.schema import Schema, Timeline
from retinue.work.building import insert_row, once, page_limit, people, user_key


def _timeline(schema: Schema) -> tuple[Timeline, Posts]:
    schema.table(TimelineEntryMixin)  # raises if there is none
    return schema.timeline, schema.posts  # type: ignore[return-value]


#: The columns of an entry.
_ENTRY: Final = ["reader_id", "timestamp", "post_id", "author_id"]


def _version() -> ColumnElement[int]:
    return bindparam("version_", type_=BigInteger)


# --- Readers -------------------------------------------------------------------------------------


@once
def reader(schema: Schema) -> Rows:
    """(version, when active, complete after) of the timeline that is kept for *user*."""
    readers = _timeline(schema)[0].readers
    return select(
        readers.c.version, readers.c.active_at, in_utc(readers.c.complete_after).label("complete_after")
    ).where(readers.c.user_id == user_key(schema, "user"))


@once
def insert_reader(schema: Schema, engine: EngineRules) -> Executable:
    """From *at* on a timeline is kept for *user*."""
    values = {"user_id": "user", "version": "version_", "active_at": "at"}
    return insert_row(schema, engine, _timeline(schema)[0].readers, values, people(schema, "user"))


@once
def touch_reader(schema: Schema) -> Update:
    """*user* was active *at* that time."""
    return _update_reader(schema).values(active_at=bindparam("at", type_=UTCDateTime))


@once
def mark_stale(schema: Schema) -> Update:
    """*user* follows somebody new: what is kept may no longer be all there is."""
    return _update_reader(schema).values(version=_version(), complete_after=None)


def mark_stale_if(schema: Schema, edge: Possible, after: Sequence[CTE]) -> CTE:
    """Return `mark_stale()` of the follower of *edge*, if it is made; locked behind the rows *after* which it comes."""
    readers = _timeline(schema)[0].readers
    behind = [select(func.count()).select_from(rows).scalar_subquery() >= literal_column("0") for rows in after]
    version = bindparam("change_id", type_=BigInteger)
    stale = _update_reader(schema, "follower").where(edge.is_made(), *behind)
    return stale.values(version=version, complete_after=null()).returning(readers.c.version).cte("stale_reader")


@once
def set_complete(schema: Schema) -> Update:
    """What is kept for *user* is all there is later than *floor*, if nothing has changed since *version*."""
    readers = _timeline(schema)[0].readers
    unchanged = (readers.c.version == _version(), readers.c.complete_after.is_(None))
    return _update_reader(schema).where(*unchanged).values(complete_after=_floor(schema))


@once
def hold_reader(schema: Schema) -> Rows:
    """Complete after when the timeline of *user* is; nothing about it changes until the transaction ends."""
    readers = _timeline(schema)[0].readers
    chosen = select(in_utc(readers.c.complete_after)).where(readers.c.user_id == user_key(schema, "user"))
    return chosen.with_for_update()


@once
def raise_floor(schema: Schema) -> Update:
    """Of what is kept for *user* only what is later than *floor* is to stay."""
    return _update_reader(schema).values(complete_after=_floor(schema))


def _update_reader(schema: Schema, user: str = "user") -> Update:
    readers = _timeline(schema)[0].readers
    return update(readers).where(readers.c.user_id == user_key(schema, user))


def _floor(schema: Schema) -> ColumnElement[Any]:
    return bindparam("floor", type_=in_utc(_timeline(schema)[1].time).type)


@once
def stale_readers(schema: Schema) -> Rows:
    """(user, version) of timelines that are to be filled, and have been since *before* that version."""
    readers = _timeline(schema)[0].readers
    return _waiting(readers, readers.c.complete_after.is_(None))


def _waiting(table: Table, condition: ColumnElement[bool]) -> Rows:
    """Return (user, version) of the rows that have waited longest."""
    before = table.c.version < bindparam("before", type_=BigInteger)
    return (
        select(table.c.user_id, table.c.version).where(condition, before).order_by(table.c.version).limit(page_limit())
    )


@once
def reset_lapsed(schema: Schema) -> Update:
    """Nothing is complete of what is kept for those who were not active since *active_before*."""
    readers = _timeline(schema)[0].readers
    return update(readers).where(_lapsed(readers)).values(complete_after=None)


@once
def delete_lapsed_entries(schema: Schema) -> Delete:
    """Nothing is kept for those who were not active since *active_before*."""
    entries, readers, _ = _timeline(schema)[0]
    return delete(entries).where(entries.c.reader_id.in_(select(readers.c.user_id).where(_lapsed(readers))))


@once
def delete_lapsed(schema: Schema) -> Delete:
    """No timeline is kept any more for those who were not active since *active_before*."""
    readers = _timeline(schema)[0].readers
    return delete(readers).where(_lapsed(readers))


def _lapsed(readers: Table) -> ColumnElement[bool]:
    return readers.c.active_at < bindparam("active_before", type_=UTCDateTime)


# --- Senders -------------------------------------------------------------------------------------


@once
def note_post(schema: Schema, engine: EngineRules) -> Executable:
    """*post* is to be sent to the followers of *author*, who has made it."""
    timeline, posts = _timeline(schema)
    senders, author = timeline.senders, user_key(schema, "author")
    posted = select(
        author.label("user_id"),
        _version().label("version"),
        posts.time.label("since"),
        false().label("merged"),
    ).where(posts.key == bindparam("post", type_=posts.key.type), posts.author == author)
    return engine.upsert(
        senders,
        posted,
        lambda new: {
            "version": new.version,
            "since": case((new.since < senders.c.since, new.since), else_=senders.c.since),
        },
        where=senders.c.merged.is_(false()),
    )


@once
def authors(schema: Schema, engine: EngineRules) -> Rows:
    """(author, key) of *posts*."""
    posts = _timeline(schema)[1]
    return select(posts.author, posts.key).where(engine.one_of(posts.key, "posts"), posts.author.is_not(None))


@once
def sender(schema: Schema) -> Rows:
    """(version, since, merged) of what *user* has posted and not all followers have."""
    senders = _timeline(schema)[0].senders
    return select(senders.c.version, in_utc(senders.c.since).label("since"), senders.c.merged).where(
        senders.c.user_id == user_key(schema, "user")
    )


@once
def merge_sender(schema: Schema) -> Update:
    """The posts of *user* are sent to nobody any more."""
    senders = _timeline(schema)[0].senders
    return update(senders).where(senders.c.user_id == user_key(schema, "user")).values(merged=True)


@once
def delete_sender(schema: Schema) -> Delete:
    """All that *user* has posted is sent, if nothing came after *version*."""
    senders = _timeline(schema)[0].senders
    return delete(senders).where(senders.c.user_id == user_key(schema, "user"), senders.c.version == _version())


@once
def waiting_senders(schema: Schema) -> Rows:
    """(user, version) of those who have posts to be sent, and have had since *before* that version."""
    senders = _timeline(schema)[0].senders
    return _waiting(senders, senders.c.merged.is_(false()))


# --- Entries -------------------------------------------------------------------------------------


@once
def count_followers(schema: Schema) -> Rows:
    """How many follow *user*, up to *limit*."""
    edge = schema.edges_by_target.c
    return _up_to_limit(select(edge.follower_id).where(edge.following_id == user_key(schema, "user")))


@once
def count_posts(schema: Schema) -> Rows:
    """How much *user* has posted since *since*, up to *limit*."""
    posts = _timeline(schema)[1]
    posted = (posts.author == user_key(schema, "user"), in_utc(posts.time) >= _since(posts))
    return _up_to_limit(select(posts.key).where(*posted))


def _up_to_limit(rows: Rows) -> Rows:
    return select(func.count()).select_from(rows.limit(page_limit()).subquery("found"))


def _since(posts: Posts) -> ColumnElement[Any]:
    return bindparam("since", type_=in_utc(posts.time).type)


@once
def next_followers(schema: Schema, engine: EngineRules, *, first: bool) -> Rows:
    """(user, since) of the next followers of *user*, oldest first, behind a place; or the first of them."""
    edges = FOLLOWERS.source(schema)
    key, time = edges.user, edges.since
    chosen = select(key, time).where(edges.owner == user_key(schema, "user"))
    chosen = chosen.where(*beside(engine, key, time, None if first else Way.ON, ascending=True))
    return chosen.order_by(*in_order(key, time, None, ascending=True)).limit(page_limit())


@once
def send(schema: Schema, engine: EngineRules) -> Executable:
    """All that *author* has posted since *since* goes to those of *users* for whom a timeline is kept."""
    return engine.insert_from(_timeline(schema)[0].entries, _ENTRY, entries_to_send(schema, engine))


@once
def entries_to_send(schema: Schema, engine: EngineRules) -> Rows:
    """The entries that `send()` inserts."""
    timeline, posts = _timeline(schema)
    readers = timeline.readers
    return (
        _entries(readers.c.user_id, posts)
        .join_from(readers, posts.table, true())
        .where(
            engine.one_of(readers.c.user_id, "users"),
            posts.author == user_key(schema, "author"),
            in_utc(posts.time) >= _since(posts),
        )
    )


@once
def keep(schema: Schema, engine: EngineRules) -> Executable:
    """*posts* are kept for *user*."""
    kept = _entries(user_key(schema, "user"), _timeline(schema)[1]).where(_kept(schema, engine))
    return engine.insert_from(_timeline(schema)[0].entries, _ENTRY, kept)


@once
def entries_to_keep(schema: Schema, engine: EngineRules) -> Rows:
    """The entries that `keep()` inserts, but for their reader."""
    return _entries(None, _timeline(schema)[1]).where(_kept(schema, engine))


def _kept(schema: Schema, engine: EngineRules) -> ColumnElement[bool]:
    return engine.one_of(_timeline(schema)[1].key, "posts")


def _entries(reader: ColumnElement[Any] | None, posts: Posts) -> Rows:
    values = (reader, posts.time, posts.key, posts.author)
    return select(*(value.label(column) for column, value in zip(_ENTRY, values, strict=True) if value is not None))


@once
def length(schema: Schema) -> Rows:
    """(how many, time of the oldest) of the newest entries of *user*, up to *limit* of them."""
    entries = _timeline(schema)[0].entries
    newest = (
        select(entries.c.timestamp)
        .where(entries.c.reader_id == user_key(schema, "user"))
        .order_by(entries.c.timestamp.desc(), entries.c.post_id.desc())
        .limit(page_limit())
        .subquery("newest")
    )
    return select(func.count(), in_utc(func.min(newest.c.timestamp))).select_from(newest)


@once
def forget(schema: Schema) -> Delete:
    """Nothing of *floor* or before is kept for *user*."""
    entries = _timeline(schema)[0].entries
    return delete(entries).where(
        entries.c.reader_id == user_key(schema, "user"), in_utc(entries.c.timestamp) <= _floor(schema)
    )


@once
def purge(schema: Schema) -> Delete:
    """Nothing that *followed* posted is kept for *follower*, who follows them no more."""
    return delete(_timeline(schema)[0].entries).where(*_of(schema, "follower", "followed"))


def purge_if(schema: Schema, edge: Possible, reader: str, author: str) -> CTE:
    """Return `purge()` of what *author* posted, for *reader*, who are parameters, if *edge* is ended."""
    return (
        delete(_timeline(schema)[0].entries).where(*_of(schema, reader, author), edge.is_made()).cte(f"purged_{reader}")
    )


def _of(schema: Schema, reader: str, author: str) -> Sequence[ColumnElement[bool]]:
    entries = _timeline(schema)[0].entries.c
    return entries.reader_id == user_key(schema, reader), entries.author_id == user_key(schema, author)


def of_unfollowed(schema: Schema, engine: EngineRules) -> ColumnElement[bool]:
    """Return whether an entry is of somebody else, whom its reader does not follow."""
    entries, edge = _timeline(schema)[0].entries.c, schema.follows.c
    follows = select(edge.follower_id).where(
        edge.follower_id == entries.reader_id, edge.following_id == entries.author_id
    )
    return and_(entries.author_id != entries.reader_id, engine.no_row(follows, one_by_one=True))


def without_post(schema: Schema, engine: EngineRules) -> ColumnElement[bool]:
    """Return whether the post of an entry is gone."""
    timeline, posts = _timeline(schema)
    return engine.no_row(select(posts.key).where(posts.key == timeline.entries.c.post_id), one_by_one=True)
