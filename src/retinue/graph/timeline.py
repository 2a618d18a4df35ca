"""The home timeline."""

from __future__ import annotations

from typing import Any

from retinue import pages
from retinue.graph.part import U
from retinue.graph.reads import Reads
from retinue.keys import key_checker
from retinue.models import LAST, aware, now, values_of
from retinue.pages import Listing
from retinue.settings import PAGE_DEFAULT
from retinue.statements import moment
from retinue.statements.kept import kept_timeline
from retinue.statements.timeline import home_timeline
from retinue.values import ALL, Everything, Key, Page


class Timeline(Reads[U]):
    """What a user sees first: the newest posts of those whom they follow, and their own."""

    __slots__ = ()

    def home_timeline(
        self,
        user: U | Key,
        *,
        viewer: U | Key | Everything | None = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> Page[Any]:
        """
        Return a page of the posts of those whom *user* follows, and of *user*, newest first.

        The items are rows of the class given to `declare_posts()`. Left out are posts
        whose time is over, of authors whom *user* mutes, and of inactive ones (but for *user*
        themselves); of those who block *user* or are blocked there are none, as no edge stands across a
        block. The page is never short because of that. A post that is committed late
        may appear behind a place already passed.

        One select, at any depth, with the posts' authors where the class has a
        relationship to them. What it reads is bounded by how many *user* follows, not by how much they
        posted (but for deep pages on MariaDB): see ``docs/timeline.md``.

        Args:
            user: Whose timeline. It is for them alone.
            viewer: Who looks: *user*, or `ALL`.
            limit: Posts, 1 to 100.
            cursor: `Page.next` or `Page.prev` of this list; None for the first page.

        Raises:
            InvalidUserError: *user* or *viewer* is neither a user nor a possible key.
            InvalidCursor: *cursor* is of another list, user or viewer, or altered.
            ModelMissingError: `declare_posts()` was not called.
            NotVisibleError: *viewer* is somebody else.
            ValueError: *limit* is outside its range.
        """
        schema = self._schema
        posts = schema.declared_posts()
        connection, engine = self._caller.read()
        owner, watching = self._keys(engine, user, viewer)
        self._audience(connection, engine, owner, watching, None)
        at = now()
        build = home_timeline if schema.timeline is None else kept_timeline
        listing = Listing(
            name=("home_timeline", owner, watching),
            statement=lambda way: build(schema, engine, way),
            parameters={"user": owner, "seen_at": at, "last": LAST, **moment(schema, at)},
            item=lambda row: row[0],
            place=lambda row: (aware(row[2]), row[1]),
            check=key_checker(posts.key.type, engine),
            key_type=values_of(posts.key),
        )
        if owner is None:
            return pages.nothing(self._caller, listing, limit, cursor)
        return pages.read(self._caller, listing, limit, cursor)[0]
