"""The lists of people that others may see: searched, sorted, filtered, or as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from retinue import pages, rules
from retinue.errors import MappingError
from retinue.graph.part import U
from retinue.graph.reads import Reads
from retinue.models import now
from retinue.pages import Listing
from retinue.rules import Audience, ListKind, View
from retinue.schema import identity
from retinue.settings import PAGE_DEFAULT, SEARCH_MOST
from retinue.statements import lists, moment, views
from retinue.statements.views import Ends, Look
from retinue.values import ALL, Everything, Key, Only, Page, Person, Sort


class Lists(Reads[U]):
    """The lists of people that others may see."""

    __slots__ = ()

    def followers(
        self,
        user: U | Key,
        *,
        viewer: U | Key | Everything | None = ALL,
        search: str | None = None,
        sort: Sort = Sort.NEWEST,
        only: Only | None = None,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> Page[Person[U]]:
        """
        Return a page of those who follow *user*, newest first, as *viewer* may see them.

        What stays on the list is neither repeated nor left out between pages, while
        others follow and unfollow. A row whose transaction commits late may appear
        behind a place already passed; by name, so may a user who is renamed. Rows that
        the viewer may not see are left out before the page is cut: it is never short.

        One select, at any depth. For a viewer other than `ALL`, one more where
        users can hide their lists, approve followers or block; for the owner, one more
        where users can be inactive.

        Args:
            user: Whose followers.
            viewer: Who looks: a user, None for somebody not logged in, or `ALL`.
            search: What their names start with, in capital or small letters; empty or None: anything.
                What no name can start with finds nobody, as do more than 255 characters.
            sort: What the list goes by; equal names by key.
            only: Whom to show: one `Only`, or several joined by ``|``, all of which must be true. ``MUTUAL``
                and ``NOT_FOLLOWED_BACK`` tell of both lists, so who may not see one of them may
                not see that; ``DORMANT`` is for the owner and trusted code.
            limit: Rows, 1 to 100.
            cursor: `Page.next` or `Page.prev` of this list, searched, sorted and filtered as now; None for
                the first page.

        Raises:
            InvalidUserError: *user* or *viewer* is neither a user nor a possible key.
            InvalidCursor: *cursor* is of another list, user, viewer, search, sort or filter, or altered.
            NotVisibleError: *viewer* may not see this list.
            MappingError: ``Settings(name=...)`` does not say what a user's name is, or nothing says when they
                were last there.
            ValueError: *limit* is outside its range; *search*, *sort* or *only* is nothing of the kind.
        """
        view = rules.view(search, sort, only)
        return self._viewed(lists.followers, user, viewer, limit, cursor, view, ListKind.FOLLOWERS)

    def following(
        self,
        user: U | Key,
        *,
        viewer: U | Key | Everything | None = ALL,
        search: str | None = None,
        sort: Sort = Sort.NEWEST,
        only: Only | None = None,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> Page[Person[U]]:
        """Return a page of those whom *user* follows, newest first; else as `followers()`."""
        view = rules.view(search, sort, only)
        return self._viewed(lists.following, user, viewer, limit, cursor, view, ListKind.FOLLOWING)

    def mutuals(
        self,
        user: U | Key,
        *,
        viewer: U | Key | Everything | None = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> Page[Person[U]]:
        """
        Return a page of those whom *user* follows and who follow *user*; else as `followers()`.

        It is `following()` with ``only=Only.MUTUAL``. `Person.since` is when *user* began to follow them, and the list goes by it.
        """
        return self.following(user, viewer=viewer, only=Only.MUTUAL, limit=limit, cursor=cursor)

    def followers_you_know(
        self, viewer: U | Key, user: U | Key, *, limit: int = PAGE_DEFAULT, cursor: str | None = None
    ) -> Page[Person[U]]:
        """
        Return a page of those who follow *user* and whom *viewer* follows, with ``Page.total``.

        `Person.since` is when *viewer* began to follow them, and the list goes by it: what
        is read is bounded by how many *viewer* follows, however many follow *user*. Else
        as `followers()`, and one select more, for the total.
        """
        return self._people(
            lists.known_followers, user, viewer, limit, cursor, kind=ListKind.FOLLOWERS, with_total=True
        )

    # --- Within ----------------------------------------------------------------------------------

    def _viewed(
        self,
        people: Callable[..., lists.Edges],
        user: Any,
        viewer: Any,
        limit: int,
        cursor: str | None,
        view: View,
        kind: ListKind,
    ) -> Page[Any]:
        """Return a page of *people* of *user*, looked at by *view*."""
        if view.plain:
            return self._people(people, user, viewer, limit, cursor, kind=kind)
        self._refuse_unmapped(view)
        schema, at = self._schema, now()
        connection, engine = self._caller.read()
        owner, watching = self._keys(engine, user, viewer)
        audience = self._audience(connection, engine, owner, watching, _told(kind, view.only))
        look = Look(bool(view.search), view.sort, view.only)
        parameters = {
            "user": owner,
            "viewer": None if watching is ALL else watching,
            "search": view.search,
            "quiet_since": views.quiet_since(schema, at),
            **moment(schema, at),
        }
        listing = Listing(
            name=(people.__name__, owner, watching, view.sort.value, view.only.value, view.search),
            statement=lambda way: views.view_of(schema, engine, people, look, way, audience),
            parameters=parameters,
            item=lambda row: Person(row[0], row[1]),
            place=lambda row: (row[2] if view.sort is Sort.NAME else row[1], identity(row[0])[0]),
            check=self._caller.checker(engine),
            key_type=schema.key.type.python_type,
            order_type=str if view.sort is Sort.NAME else datetime,
            holds=lambda name: rules.holds(name, engine),
        )
        if owner is None or len(view.search) > SEARCH_MOST or not rules.holds(view.search, engine):
            return pages.nothing(self._caller, listing, limit, cursor)
        page, stretch = pages.read(self._caller, listing, limit, cursor)
        if audience is Audience.OWNER and "active" in schema.flags:
            ends = {name: end for name, end in zip(Ends._fields, stretch, strict=True) if end is not None}
            asked = views.left_out_of_view(schema, engine, people, look, Ends(*(end is not None for end in stretch)))
            hidden = connection.execute(asked, {**parameters, **ends, "limit": 1}).scalar_one()
            page = replace(page, hidden=bool(hidden))
        return page

    def _refuse_unmapped(self, view: View) -> None:
        """Raise `MappingError` if the user class does not map what *view* asks for."""
        user = self._schema.user.__name__
        if (view.search or view.sort is Sort.NAME) and "name" not in self._schema.flags:
            message = f"to search and sort by name, say which attribute of {user} holds it: Settings(name='username')"
            raise MappingError(message)
        if Only.DORMANT in view.only and "last_active" not in self._schema.flags and self._schema.posts is None:
            message = (
                f"who is dormant, nothing says: Settings(last_active='last_seen_at') on {user}, or declare_posts(...)"
            )
            raise MappingError(message)


def _told(kind: ListKind, only: Only) -> ListKind | None:
    """Return what a list of that *kind* tells of its user, filtered; None: what is for the user alone."""
    if Only.DORMANT in only:
        return None
    compares = Only.MUTUAL in only or Only.NOT_FOLLOWED_BACK in only
    return ListKind.FOLLOWERS | ListKind.FOLLOWING if compares else kind
