"""Questions: how users stand, how many there are, and lists of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.engine import Connection

from retinue import counters, pages, prepared
from retinue.engines import EngineRules
from retinue.errors import NotVisibleError
from retinue.graph.part import Part, U
from retinue.models import FIRST, LAST, BlockMixin, FollowRequestMixin, MuteMixin, now
from retinue.pages import Listing
from retinue.rules import Audience, ListKind, Visibility, may_see
from retinue.schema import identity
from retinue.settings import PAGE_DEFAULT
from retinue.statements import edges, lists, moment
from retinue.values import ALL, BlockedPerson, Counts, Everything, Key, MutedPerson, Page, Person, Relationship

#: How those stand who have nothing to do with each other.
_STRANGERS: Final = Relationship()


class Reads(Part[U]):
    """Questions: how users stand, how many there are, and lists of one's own."""

    __slots__ = ()

    def relationships(self, viewer: U | Key | None, users: Iterable[U | Key]) -> dict[Key, Relationship]:
        """
        Return how *viewer* and each of *users* stand, by the users' keys. One select.

        A viewer of None (not logged in) and users that do not exist stand in no
        relationship.

        Raises:
            InvalidUserError: One is neither a user nor a possible key, or has no key yet.
            ValueError: *users* are more than 1,000.
        """
        connection, engine = self._caller.read()
        keys = self._caller.keys(users, engine)
        key = None if viewer is None else self._caller.key(viewer, engine)
        if key is None or not keys:
            return dict.fromkeys(keys, _STRANGERS)
        parameters = {"viewer": key, "users": keys, **moment(self._schema, now())}
        stand: dict[Key, dict[str, Any]] = {}
        for kind, user, since in prepared.rows(connection, self._schema, edges.relationships, parameters, engine):
            how = stand.setdefault(user, {})
            how[edges.STANDINGS[kind]] = True
            if since is not None:
                how["since"] = since
        return {user: Relationship(**stand[user]) if user in stand else _STRANGERS for user in keys}

    def counts(self, users: Iterable[U | Key]) -> dict[Key, Counts]:
        """
        Return how many follow each of *users* and how many each follows, by their keys.

        The stored totals, whoever looks. Users that do not exist have zero. Cost: one
        select, of the count rows; it counts the edges of those of *users* who were never
        counted. Where no `FollowCountMixin` class is declared, it counts everybody's.

        Raises:
            InvalidUserError: One is neither a user nor a possible key, or has no key yet.
            ValueError: *users* are more than 1,000.
        """
        connection, engine = self._caller.read()
        keys = self._caller.keys(users, engine)
        return counters.read(connection, self._schema, keys)

    # --- Lists of one's own ----------------------------------------------------------------------

    def requests(
        self,
        user: U | Key,
        *,
        viewer: U | Key | Everything | None = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> Page[Person[U]]:
        """
        Return a page of those who ask to follow *user*, newest first. One select.

        For *user* alone: any other viewer gets `NotVisibleError`. Else as `followers()`.

        Raises:
            ModelMissingError: No model with `FollowRequestMixin` is declared.
        """
        self._schema.table(FollowRequestMixin)
        return self._people(lists.requests, user, viewer, limit, cursor)

    def sent_requests(
        self,
        user: U | Key,
        *,
        viewer: U | Key | Everything | None = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> Page[Person[U]]:
        """Return a page of those whom *user* asks to follow; else as `requests()`."""
        self._schema.table(FollowRequestMixin)
        return self._people(lists.sent_requests, user, viewer, limit, cursor)

    def blocks(
        self,
        user: U | Key,
        *,
        viewer: U | Key | Everything | None = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> Page[BlockedPerson[U]]:
        """
        Return a page of those whom *user* blocks, newest first, with the end of each block; else as `requests()`.

        Raises:
            ModelMissingError: No model with `BlockMixin` is declared.
        """
        self._schema.table(BlockMixin)
        return self._people(lists.blocks, user, viewer, limit, cursor, item=BlockedPerson)

    def mutes(
        self,
        user: U | Key,
        *,
        viewer: U | Key | Everything | None = ALL,
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> Page[MutedPerson[U]]:
        """
        Return a page of those whom *user* mutes, newest first, with the end and extent of each; else as `requests()`.

        Raises:
            ModelMissingError: No model with `MuteMixin` is declared.
        """
        self._schema.table(MuteMixin)
        return self._people(lists.mutes, user, viewer, limit, cursor, item=MutedPerson)

    # --- Within ----------------------------------------------------------------------------------

    def _people(
        self,
        people: Callable[..., lists.Edges],
        user: Any,
        viewer: Any,
        limit: int,
        cursor: str | None,
        *,
        kind: ListKind | None = None,
        item: Callable[..., Any] = Person,
        with_total: bool = False,
    ) -> Page[Any]:
        """Return a page of *people* of *user*; a list without a *kind* is for the user alone."""
        connection, engine = self._caller.read()
        owner, watching = self._keys(engine, user, viewer)
        audience = self._audience(connection, engine, owner, watching, kind)
        schema = self._schema
        parameters = {"user": owner, "viewer": None if watching is ALL else watching, **moment(schema, now())}
        listing = Listing(
            name=(people.__name__, owner, watching),
            statement=lambda way: lists.page_of(schema, engine, people, way, audience),
            parameters=parameters,
            item=lambda row: item(*row),
            place=lambda row: (row[1], identity(row[0])[0]),
            check=self._caller.checker(engine),
            key_type=schema.key.type.python_type,
        )
        if owner is None:
            return pages.nothing(self._caller, listing, limit, cursor)
        page, stretch = pages.read(self._caller, listing, limit, cursor)
        if with_total:
            total = connection.execute(lists.total_of(schema, engine, people, audience), parameters).scalar_one()
            page = replace(page, total=total)
        if audience is Audience.OWNER and "active" in schema.flags:
            ends = {"oldest": stretch.last or FIRST, "newest": stretch.first or LAST}
            hidden = connection.execute(lists.left_out_of(schema, engine, people), {**parameters, **ends}).scalar_one()
            page = replace(page, hidden=bool(hidden))
        return page

    def _keys(self, engine: EngineRules, user: Any, viewer: Any) -> tuple[Key | None, Key | Everything | None]:
        """Return the keys of *user* and *viewer*, who may be `ALL` or nobody."""
        watching = viewer if viewer is None or viewer is ALL else self._caller.key(viewer, engine)
        return self._caller.key(user, engine), watching

    def _audience(
        self,
        connection: Connection,
        engine: EngineRules,
        owner: Key | None,
        viewer: Key | Everything | None,
        kind: ListKind | None,
    ) -> Audience:
        """Return who looks; `NotVisibleError` if they may not see a list that tells *kind* of *owner*."""
        audience = Audience.of(viewer, owner)
        if audience in (Audience.TRUSTED, Audience.OWNER) or owner is None:
            return audience
        if kind is None:
            raise NotVisibleError(owner)
        if self._schema.blocks is None and not self._schema.flags.keys() & set(lists.HIDING):
            return audience
        parameters = {"user": owner, "viewer": viewer, **moment(self._schema, now())}
        said = connection.execute(lists.visibility(self._schema, engine), parameters).first()
        if said is not None and not may_see(kind, Visibility(*said)):
            raise NotVisibleError(owner)
        return audience
