"""The methods of a user class: those that tutorials write by hand, on the graph."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Self, cast

from sqlalchemy import event
from sqlalchemy.orm import (
    DynamicMapped,
    InstanceState,
    Mapper,
    Query,
    Session,
    class_mapper,
    declared_attr,
    join,
    object_session,
    relationship,
)

from retinue import orm  # noqa: F401 - what the ORM writes is counted as soon as there is a user class
from retinue.errors import MappingError, NoSessionError, NotWritableError, SelfFollowError
from retinue.events import Listeners
from retinue.graph import Graph
from retinue.models.fields import has_fields
from retinue.models.ownership import GraphUser
from retinue.models.unlisted import ENDLESS, keep_away, unlisting
from retinue.schema import Schema, follow_of, identity, schema_of
from retinue.schema.flags import about_users
from retinue.values import Key, Outcome
from retinue.work import Work

#: The lists of `Follow` rows of a user: the name, the foreign key to the user, and the user's side in a row.
_LISTS: Final = (("following", "follower_id", "follower"), ("followers", "following_id", "following"))


class FollowerMixin(GraphUser):
    """
    Makes a mapped class the user class of a graph: its users follow each other.

    Needs a `FollowMixin` class on the same declarative base. Nothing here commits:
    every method works in the transaction of the session that the user is in.
    """

    if TYPE_CHECKING:
        #: The `Follow` rows of those whom this user follows: a query, each row with both users.
        following: DynamicMapped[Any]
        #: The `Follow` rows of those who follow this user: a query, each row with both users.
        followers: DynamicMapped[Any]
    else:
        following = declared_attr(lambda cls: _rows(cls, "follower_id", "follower"))
        followers = declared_attr(lambda cls: _rows(cls, "following_id", "following"))

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Refuse a class with lists of its own; the `MappingError` says to delete them. Give it its mapper."""
        for name in ENDLESS:
            if name in vars(cls) or name in vars(cls).get("__annotations__", ()):
                message = f"{cls.__name__} has {name} of its own: delete it, as FollowerMixin brings {name}"
                raise MappingError(message)
        mapper = getattr(cls, "__mapper_cls__", Mapper)
        if isinstance(mapper, type):  # the application may have a function instead
            cast("Any", cls).__mapper_cls__ = unlisting(mapper)
        super().__init_subclass__(**arguments)

    @property
    def follows(self) -> Query[Self]:
        """The users whom this user follows, as a query of users; `NoSessionError` if the user is in no session."""
        query = _people(self, "following_id", "follower_id", "user.follow(other)", "user.unfollow(other)")
        return cast("Query[Self]", query)

    @property
    def followed_by(self) -> Query[Self]:
        """The users who follow this user, as a query of users; `NoSessionError` if the user is in no session."""
        remove = "user.graph.remove_follower(user, other)"
        query = _people(self, "follower_id", "following_id", "other.follow(user)", remove)
        return cast("Query[Self]", query)

    @property
    def graph(self) -> Graph[Self]:
        """
        The graph of this user, on the session that the user is in.

        Raises:
            NoSessionError: The user is in no session.
        """
        return Graph(_session(self), schema_of(type(self)).user)

    def follow(self, other: Self | Key) -> Outcome:
        """Follow *other*, in the caller's transaction; as `Graph.follow()`."""
        return _to_write(self, other).follow(self, other)

    def unfollow(self, other: Self | Key) -> bool:
        """Unfollow *other*, in the caller's transaction; as `Graph.unfollow()`."""
        return _to_write(self, other).unfollow(self, other)

    def is_following(self, other: Self | Key) -> bool:
        """Return whether this user follows *other*; False while either has no key. One select."""
        return _graph(self, other).is_following(self, other)

    def is_a_follower(self, other: Self | Key) -> bool:
        """Return whether *other* follows this user; False while either has no key. One select."""
        return _graph(self, other).is_following(other, self)


@event.listens_for(FollowerMixin, "instrument_class", propagate=True)
def _give_listeners(mapper: Mapper[Any], cls: type[Any]) -> None:
    if mapper.inherits is None or not issubclass(mapper.inherits.class_, FollowerMixin):
        cls.__retinue_listeners__ = Listeners()


@event.listens_for(FollowerMixin, "after_mapper_constructed", propagate=True)
def _give_lists(mapper: Mapper[Any], cls: type[Any]) -> None:
    # SQLAlchemy ignores declared attributes of a class that is mapped imperatively.
    for name, key, side in _LISTS:
        if not mapper.has_property(name):
            mapper.add_property(name, _rows(cls, key, side))
    keep_away(cls)


@event.listens_for(FollowerMixin, "expire", propagate=True, raw=True)
def _keep_key(state: InstanceState[Any], expired: Collection[str] | None) -> None:
    # An expired user still has their key, so a list of theirs needs no statement to load it.
    # A commit expires every loaded user, so this must be cheap.
    schema: Schema | None = getattr(state.class_, "__retinue_schema__", None)
    if state.key is None or schema is None or (expired is not None and schema.key_name not in expired):
        return
    # Another column must be left to load, or SQLAlchemy has nothing to select when it reloads the user.
    if len(schema.key.table.columns) > 1:
        state.dict[schema.key_name] = state.key[1][0]
        state.expired_attributes.discard(schema.key_name)


def _session(*users: Any) -> Session:
    """Return the session of the first of *users* that is in one."""
    for user in users:
        session = object_session(user) if isinstance(user, GraphUser) else None
        if session is not None:
            return session
    raise NoSessionError


def _graph(user: Any, other: Any) -> Graph[Any]:
    return Graph(_session(user, other), schema_of(type(user)).user)


def _to_write(user: Any, other: Any) -> Graph[Any]:
    if other is user:  # told before anything else: in `__init__` a user is in no session yet
        raise SelfFollowError(*(identity(user) or (None,)))
    return _graph(user, other)


def _rows(user_class: Any, key: str, side: str) -> Any:
    """Return the relationship to the `Follow` rows in which a user is *side*."""
    # A Flask-SQLAlchemy model has its own query class, with paginate(); the session of SQLModel wants to make none.
    query_class = getattr(user_class, "query_class", Query if has_fields(user_class) else None)
    arguments: dict[str, Any] = {} if query_class is None else {"query_class": query_class}

    def follow() -> Any:
        return follow_of(user_class)

    return relationship(
        follow,
        foreign_keys=lambda: [getattr(follow(), key)],
        back_populates=side,
        lazy="dynamic",
        cascade="all, delete-orphan",
        # The database, or `effects.removal`, deletes them: never load them for that.
        passive_deletes=True,
        **arguments,
    )


def _people(user: Any, theirs: str, own: str, append: str, remove: str) -> Any:
    schema, session = schema_of(type(user)), _session(user)
    if session.autoflush:
        Work(session, schema).flush_held(to_write=False)
    people, edge = schema.user, schema.follow
    query = _query_class(getattr(people, "query_class", Query))(people, session=session)
    query.people, query.append_with, query.remove_with = people, append, remove
    (key,) = identity(user) or (None,)
    # In FROM, not as a join of the query: so the joins of the caller start at the users.
    # With concrete inheritance the selectable is a union, in which the key has another name.
    user_key = class_mapper(people).selectable.corresponding_column(schema.key)
    both = join(people, edge, getattr(edge, theirs) == user_key)
    return query.select_from(both).filter(getattr(edge, own) == key)


class _PeopleQuery(Query[Any]):
    """A query of users: filters and orders may use their `Follow` rows, everything else is about users."""

    people: type[Any]
    append_with: str
    remove_with: str
    #: Whether the caller has joined something, to which `filter_by()` then applies.
    joined: bool = False

    def append(self, _other: object) -> None:
        """Refuse: raises `NotWritableError`, which names the verb."""
        what = "this list of users is read-only"
        raise NotWritableError(what, self.append_with)

    def remove(self, _other: object) -> None:
        """Refuse: raises `NotWritableError`, which names the verb."""
        what = "this list of users is read-only"
        raise NotWritableError(what, self.remove_with)

    def join(self, *arguments: Any, **options: Any) -> Any:
        """Join: from then on `filter_by()` is about the joined entity, as in every query."""
        query = super().join(*arguments, **options)
        query.joined = True
        return query

    def reset_joinpoint(self) -> Any:
        """Make `filter_by()` about users again."""
        query = super().reset_joinpoint()
        query.joined = False
        return query

    def filter_by(self, **values: Any) -> Any:
        """Filter by attributes of the users, or of the entity that was joined last."""
        if self.joined:
            return super().filter_by(**values)
        wanted = Query(self.people).filter_by(**values).whereclause
        return self if wanted is None else self.filter(wanted)

    def filter(self, *criteria: Any) -> Any:
        """Filter by *criteria*; a subquery of follows in an attribute of the users is about each of them."""
        return super().filter(*self._own(criteria))

    def order_by(self, *columns: Any) -> Any:
        """Sort by *columns*; subqueries as in `filter()`."""
        return super().order_by(*self._own(columns))

    def with_entities(self, *entities: Any, **options: Any) -> Any:
        """Return *entities* instead; subqueries as in `filter()`."""
        return super().with_entities(*self._own(entities), **options)

    def add_columns(self, *columns: Any) -> Any:
        """Return *columns* as well; subqueries as in `filter()`."""
        return super().add_columns(*self._own(columns))

    def _own(self, values: Sequence[Any]) -> list[Any]:
        # This query selects from follows, too: a subquery of follows would correlate, and select from nothing.
        schema = schema_of(self.people)
        return [about_users(value, schema.user, schema.follows) for value in values]


@lru_cache
def _query_class(application: type[Any]) -> type[Any]:
    return type("PeopleQuery", (_PeopleQuery, *(() if application is Query else (application,))), {})
