"""
Every statement of the graph, as a function that returns it.

Each is built once for a schema, with bound parameters, and carries its name as
the execution option ``retinue``. All have equality or ``IN`` on the owner of the
rows they touch, or on the other end through `Schema.edges_by_target`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeAlias, TypeVar, cast

from sqlalchemy import (
    Delete,
    Executable,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    null,
    select,
    union,
    union_all,
    update,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import CompoundSelect, FromClause, ScalarSelect, Subquery

from retinue.cursors import Way
from retinue.engines import EngineRules
from retinue.models import UTCDateTime
from retinue.schema import Schema

#: The execution option that names a statement of the library.
OPTION: Final = "retinue"

# Rows of any columns: SQLAlchemy 2.1 counts them in its types, 2.0 does not.
if TYPE_CHECKING:
    Rows: TypeAlias = Select[*tuple[Any, ...]]
    CompoundRows: TypeAlias = CompoundSelect[*tuple[Any, ...]]
else:
    Rows, CompoundRows = Select, CompoundSelect

P = ParamSpec("P")
S = TypeVar("S", bound=Executable)


def _once(build: Callable[Concatenate[Schema, P], S]) -> Callable[Concatenate[Schema, P], S]:
    """Keep what *build* returns, for each schema and arguments; and name it."""

    @wraps(build)
    def get(schema: Schema, /, *args: P.args, **kwargs: P.kwargs) -> S:
        key = (build, *args)
        statement: S | None = schema.built.get(key)
        if statement is None:
            statement = build(schema, *args, **kwargs).execution_options(**{OPTION: build.__name__})
            schema.built[key] = statement
        return statement

    return get


def _user(schema: Schema, name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=schema.key.type)


# --- Edges ---------------------------------------------------------------------------------------


@_once
def is_following(schema: Schema) -> Rows:
    """A row if *follower* follows *followed*."""
    edge = schema.follows.c
    return select(literal_column("1")).where(
        edge.follower_id == _user(schema, "follower"), edge.following_id == _user(schema, "followed")
    )


@_once
def insert_edge(schema: Schema, rules: EngineRules) -> Executable:
    """*follower* follows *followed* since *at*, unless they do already."""
    values = {"follower_id": "follower", "following_id": "followed", "timestamp": "at"}
    return rules.insert_new(schema.follows, values, schema.key, ["follower", "followed"])


@_once
def delete_edge(schema: Schema) -> Delete:
    """*follower* no longer follows *followed*."""
    edge = schema.follows.c
    return delete(schema.follows).where(
        edge.follower_id == _user(schema, "follower"), edge.following_id == _user(schema, "followed")
    )


@_once
def delete_loaded_edge(schema: Schema) -> Delete:
    """As `delete_edge()`, through the ORM: a `Follow` that the session has loaded is then deleted in it."""
    edge: Any = schema.follow
    return (
        delete(edge)
        .where(edge.follower_id == _user(schema, "follower"), edge.following_id == _user(schema, "followed"))
        .execution_options(synchronize_session="fetch")
    )


@_once
def known_users(schema: Schema, rules: EngineRules) -> Rows:
    """The keys of *users* that a user has."""
    return select(schema.key).where(rules.one_of(schema.key, "users"))


@_once
def known_users_now(schema: Schema, rules: EngineRules) -> Rows:
    """As `known_users()`, but by what is committed now, not by an older snapshot of the transaction."""
    return select(schema.key).where(rules.one_of(schema.key, "users")).with_for_update(read=True)


@_once
def relationships(schema: Schema, rules: EngineRules) -> CompoundRows:
    """(user, since) for each of *users* whom *viewer* follows; (user, NULL) for each who follows *viewer*."""
    out, back = schema.follows.c, schema.edges_by_target.alias("back").c
    return union_all(
        select(out.following_id, out.timestamp.label("since")).where(
            out.follower_id == _user(schema, "viewer"), rules.one_of(out.following_id, "users")
        ),
        select(back.follower_id, null().cast(UTCDateTime)).where(
            back.following_id == _user(schema, "viewer"), rules.one_of(back.follower_id, "users")
        ),
    )


# --- Lists ---------------------------------------------------------------------------------------


@_once
def followers(schema: Schema, way: Way | None) -> Rows:
    """A page of (user, since), users as objects: those who follow *user*."""
    edge = schema.edges_by_target.c
    return _page(schema, edge.follower_id, edge.timestamp, way, edge.following_id == _user(schema, "user"))


@_once
def following(schema: Schema, way: Way | None) -> Rows:
    """A page of (user, since), users as objects: those whom *user* follows."""
    edge = schema.follows.c
    return _page(schema, edge.following_id, edge.timestamp, way, edge.follower_id == _user(schema, "user"))


@_once
def mutuals(schema: Schema, way: Way | None) -> Rows:
    """A page of (user, since), users as objects: those whom *user* follows, and who follow *user* as well."""
    edge, back = schema.follows.c, schema.edges_by_target.c
    mutual = (
        edge.follower_id == _user(schema, "user"),
        back.following_id == edge.follower_id,
        back.follower_id == edge.following_id,
    )
    return _page(schema, edge.following_id, edge.timestamp, way, *mutual)


def _page(
    schema: Schema, key: ColumnElement[Any], time: ColumnElement[Any], way: Way | None, *conditions: ColumnElement[bool]
) -> Rows:
    """
    Return (user, *time*) for the edges that meet *conditions*, newest first, from the given place on.

    The page comes first, from the index alone; its users are joined to what is left.
    """
    edges = select(key.label("user_key"), time.label("since")).where(*conditions)
    if way is not None:
        edges = edges.where(*_beside(key, time, way))
    page = edges.order_by(*_ordered(key, time, way)).limit(bindparam("limit")).subquery("page")
    user: Any = schema.user
    return (
        select(user, page.c.since)
        .join(page, page.c.user_key == getattr(user, schema.key_name))
        .order_by(*_ordered(page.c.user_key, page.c.since, way))
    )


def _ordered(key: ColumnElement[Any], time: ColumnElement[Any], way: Way | None) -> Sequence[ColumnElement[Any]]:
    forward = way is None or way.forward
    return (time.desc(), key.desc()) if forward else (time.asc(), key.asc())


def _beside(key: ColumnElement[Any], time: ColumnElement[Any], way: Way) -> Sequence[ColumnElement[bool]]:
    """
    Return the conditions for rows beside the one made at *time* for *key*.

    ``t <= :t AND (t < :t OR k < :k)`` is the one form that every engine answers
    from the index; a tuple comparison makes MariaDB read the whole list.
    """
    at, beside = bindparam("time", type_=time.type), bindparam("key", type_=key.type)
    near, past, tie = {
        Way.OLDER: (time <= at, time < at, key < beside),
        Way.OLDER_OR_SAME: (time <= at, time < at, key <= beside),
        Way.NEWER: (time >= at, time > at, key > beside),
        Way.NEWER_OR_SAME: (time >= at, time > at, key >= beside),
    }[way]
    return near, past | tie


# --- Counters ------------------------------------------------------------------------------------


def _counted(edges: FromClause, *conditions: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(func.count()).select_from(edges).where(*conditions).scalar_subquery()


def _counted_edges(schema: Schema, user: ColumnElement[Any]) -> tuple[ScalarSelect[Any], ScalarSelect[Any]]:
    """Return how many edges lead to *user*, and how many from them."""
    there, out = schema.edges_by_target.alias("there"), schema.follows.alias("out")
    return _counted(there, there.c.following_id == user), _counted(out, out.c.follower_id == user)


@_once
def counts(schema: Schema, rules: EngineRules) -> Rows:
    """(user, followers, following) of each slot of those of *users* who exist; NULLs for one without a slot."""
    rows = _counts(schema)
    return (
        select(schema.key, rows.c.followers, rows.c.following)
        .select_from(schema.key.table.outerjoin(rows, rows.c.user_id == schema.key))
        .where(rules.one_of(schema.key, "users"))
    )


@_once
def counts_of_edges(schema: Schema, rules: EngineRules) -> Rows:
    """(user, followers, following) of those of *users* who exist, counted."""
    return select(schema.key, *_counted_edges(schema, schema.key)).where(rules.one_of(schema.key, "users"))


@_once
def count_edges(schema: Schema) -> Rows:
    """(followers, following) of *user*, counted."""
    return select(*_counted_edges(schema, _user(schema, "user")))


@_once
def add_to_count(schema: Schema, rules: EngineRules) -> Executable:
    """Add *more_followers* and *more_following* to the row of *user* and *slot_*."""
    return rules.add_to_count(_counts(schema))


@_once
def insert_count(schema: Schema, rules: EngineRules) -> Executable:
    """Give *user* a row in *slot_*, unless there is one or the user has gone."""
    values = {"user_id": "user", "slot": "slot_", "followers": "set_followers", "following": "set_following"}
    return rules.insert_new(_counts(schema), values, schema.key, ["user"])


@_once
def set_count(schema: Schema) -> Update:
    """Set the row of *user* and *slot_*."""
    rows = _counts(schema)
    return (
        update(rows)
        .where(rows.c.user_id == _user(schema, "user"), rows.c.slot == bindparam("slot_"))
        .values(followers=bindparam("set_followers"), following=bindparam("set_following"))
    )


def _counts(schema: Schema) -> Table:
    # Asked for only where counts are kept.
    return cast("Table", schema.counts)


# --- Users that go -------------------------------------------------------------------------------
# Scatters over other owners by nature: a user's edges lie with everybody they knew.


@_once
def lock_users(schema: Schema, rules: EngineRules) -> Rows:
    """Those of *users* who exist, locked: nobody can follow them, or be followed by them, any more."""
    return select(schema.key).where(rules.one_of(schema.key, "users")).order_by(schema.key).with_for_update()


@_once
def lock_neighbours(schema: Schema, rules: EngineRules) -> Rows:
    """Lock all edges of *users*, then the count rows of those at their other ends, ascending."""
    rows, near = _counts(schema), _neighbours(schema, rules)
    order = (rows.c.user_id, rows.c.slot)
    found = select(rows.c.user_id).join(near, near.c.user == rows.c.user_id).order_by(*order)
    return select(func.count()).select_from(found.with_for_update(of=rows).subquery())


@_once
def count_neighbours(schema: Schema, rules: EngineRules) -> Executable:
    """Give those neighbours of *users* who have no count row one that says what their edges say."""
    rows, near = _counts(schema), _neighbours(schema, rules)
    there = rows.alias("counted")
    counted = and_(there.c.user_id == near.c.user, there.c.slot == 0)
    new = (
        select(near.c.user, literal_column("0"), *_counted_edges(schema, near.c.user))
        .join_from(near, there, counted, isouter=True)
        .where(there.c.user_id.is_(None))
        .order_by(near.c.user)
    )
    return rules.insert_from(rows, ["user_id", "slot", "followers", "following"], new)


@_once
def count_out_followers(schema: Schema, rules: EngineRules) -> Update:
    """Let everybody who follows one of *users* follow so many fewer."""
    edge = schema.edges_by_target.alias("incoming").c
    rows, lost = _counts(schema), _lost(edge.follower_id, rules.one_of(edge.following_id, "users"))
    return _from_slot_0(rows, lost, following=rows.c.following - lost.c.edges)


@_once
def count_out_followed(schema: Schema, rules: EngineRules) -> Update:
    """Let everybody whom one of *users* follows have so many followers fewer."""
    edge = schema.follows.alias("outgoing").c
    rows, lost = _counts(schema), _lost(edge.following_id, rules.one_of(edge.follower_id, "users"))
    return _from_slot_0(rows, lost, followers=rows.c.followers - lost.c.edges)


@_once
def delete_followings(schema: Schema, rules: EngineRules) -> Delete:
    """None of *users* follows anybody any more."""
    return delete(schema.follows).where(rules.one_of(schema.follows.c.follower_id, "users"))


@_once
def delete_followers(schema: Schema, rules: EngineRules) -> Delete:
    """Nobody follows any of *users* any more."""
    return delete(schema.follows).where(rules.one_of(schema.follows.c.following_id, "users"))


@_once
def delete_counts(schema: Schema, rules: EngineRules) -> Delete:
    """*users* have no count rows any more."""
    rows = _counts(schema)
    return delete(rows).where(rules.one_of(rows.c.user_id, "users"))


def _neighbours(schema: Schema, rules: EngineRules) -> Subquery:
    """
    Return everybody at the other end of an edge of *users*, once and ascending, and lock those edges.

    The order is made here, and kept by a limit, because MariaDB locks count rows as it reads them.
    The lock waits for whoever is removing an edge; and it makes MariaDB read what is there now,
    not what its snapshot shows.
    """
    into, out = schema.edges_by_target.alias("incoming").c, schema.follows.alias("outgoing").c
    followers = select(into.follower_id.label("user")).where(rules.one_of(into.following_id, "users"))
    followed = select(out.following_id.label("user")).where(rules.one_of(out.follower_id, "users"))
    both = union(*(select(side.with_for_update().subquery()) for side in (followers, followed))).subquery("both")
    return select(both.c.user).order_by(both.c.user).limit(literal_column(str(2**63 - 1))).subquery("near")


def _lost(neighbour: ColumnElement[Any], condition: ColumnElement[bool]) -> Subquery:
    """Return how many of the edges that fulfil *condition* each *neighbour* has."""
    edges = select(neighbour.label("user"), func.count().label("edges"))
    return edges.where(condition).group_by(neighbour).subquery("lost")


def _from_slot_0(rows: Table, lost: Subquery, **values: ColumnElement[Any]) -> Update:
    # A join: MariaDB would answer an IN by reading, and locking, the counters of everybody.
    return update(rows).where(rows.c.user_id == lost.c.user, rows.c.slot == 0).values(**values)
