"""Home timelines that are written when somebody posts, so that a page is one range of rows."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Table
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from retinue.errors import MappingError
from retinue.models.columns import attribute, completes, named, user_column, user_table
from retinue.models.ownership import GraphModel, key_column_of, user_class_of
from retinue.models.posts import Posts
from retinue.models.times import UTCDateTime


class TimelineEntryMixin(GraphModel):
    """
    One post on the home timeline of *reader*, who follows its author: written by fan-out, and never the only truth.

    Whether it is shown is decided when it is read: the edge, mutes and the post itself
    have the last word. Needs `declare_posts()` before it.
    """

    __retinue_effect__: ClassVar[str | None] = "retinue.timeline.changes:TIMELINES"

    #: The key of the user whose timeline it is.
    reader_id: declared_attr[Any] = attribute(user_column)

    @attribute
    def timestamp(cls) -> Mapped[Any]:
        """When the post was made: a copy, of the same type."""
        return mapped_column(_posts_of(cls).time.type, primary_key=True)

    @attribute
    def post_id(cls) -> Mapped[Any]:
        """The key of the post, with which the row goes."""
        key = _posts_of(cls).key
        return mapped_column(key.type, ForeignKey(key, ondelete="CASCADE"), primary_key=True, autoincrement=False)

    @attribute
    def author_id(cls) -> Mapped[Any]:
        """The key of who posted it: a copy."""
        # Not a foreign key: the row goes with its post, and an index for this alone would cost every fan-out.
        return mapped_column(key_column_of(_posts_of(cls).user).type, nullable=False)


def _posts_of(model: Any) -> Posts:
    posts: Posts | None = vars(user_class_of(model)).get("__retinue_posts__")
    if posts is None:
        raise MappingError(f"{model.__name__} does not know what users post: call declare_posts() before it")
    return posts


def readers_of(entries: Table) -> Table:
    """Return the table of those for whom *entries* are kept."""
    return entries.metadata.tables[entries.info["readers"]]


def senders_of(entries: Table) -> Table:
    """Return the table of those whose posts are not all among *entries*."""
    return entries.metadata.tables[entries.info["senders"]]


@completes(TimelineEntryMixin, key=("reader_id", "timestamp", "post_id"))
def _complete_entries(table: Table, user: type[Any]) -> None:
    time = table.c.timestamp.type
    readers = user_table(
        user,
        f"{table.name}_readers",
        # Changes whenever what is kept may no longer be all there is.
        Column("version", BigInteger, nullable=False),
        Column("active_at", UTCDateTime, nullable=False),
        # All posts later than this are among the entries; NULL: not yet.
        Column("complete_after", time),
    )
    senders = user_table(
        user,
        f"{table.name}_senders",
        # Changes with every post, so that nobody takes a new one for sent.
        Column("version", BigInteger, nullable=False),
        # The time of the oldest post that is not sent.
        Column("since", time, nullable=False),
        # Nothing is sent at all, as there are too many followers: a page asks for the posts themselves.
        Column("merged", Boolean, nullable=False),
    )
    # By name, as a migration tool writes `info` down.
    table.info.update(shard_key="reader_id", readers=readers.key, senders=senders.key)
    # For the foreign key: a post that is deleted must find its rows.
    Index(named("ix", table, "post"), table.c.post_id)
