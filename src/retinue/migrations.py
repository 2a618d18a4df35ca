"""
For Alembic and Flask-Migrate: make generated revisions run, and copy the follows of an older table.

Alembic itself is never imported: an application that has it passes these functions to it.
"""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import (
    ColumnClause,
    Connection,
    Select,
    String,
    case,
    column,
    func,
    insert,
    inspect,
    literal,
    select,
    table,
)
from sqlalchemy.sql.elements import ColumnElement

from retinue.models import UTCDateTime, now

#: A time in the form in which SQLAlchemy writes it into SQLite: only times of one form can be compared as text.
_WRITTEN = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]"


def render_item(type_: str, obj: Any, autogen_context: Any) -> str | Literal[False]:
    """
    Return how a generated revision names a type of Retinue's; False for everything else.

    Alembic itself would write the module of the class, and no import. Give it to
    ``Migrate(app, db, render_item=render_item)``, or to ``context.configure()`` in
    ``env.py``. No statement.
    """
    # A subclass is the application's own, and Alembic knows how to write it.
    if type_ == "type" and type(obj) is UTCDateTime:
        autogen_context.imports.add("import retinue")
        return "retinue.UTCDateTime()"
    return False


def drop_indexes_with_tables(context: Any, _revision: Any, directives: list[Any]) -> None:
    """
    Take from a generated revision each drop of an index whose table the revision drops as well.

    The index goes with the table; and MariaDB refuses to drop it before, as foreign keys
    need it: without this, such a revision cannot be downgraded there. Give it to
    ``Migrate(app, db, process_revision_directives=drop_indexes_with_tables)``, or to
    ``context.configure()``. As Flask-Migrate's own does, it makes no revision where
    nothing has changed. No statement.
    """
    for script in list(directives):
        for operations in (script.upgrade_ops, script.downgrade_ops):
            _leave_out_indexes(operations.ops)
        options = getattr(context.config, "cmd_opts", None)
        if getattr(options, "autogenerate", False) and script.upgrade_ops.is_empty():
            directives.remove(script)


def _leave_out_indexes(operations: list[Any]) -> None:
    """Change *operations*, which are known by the names of their classes: Alembic may not be installed."""
    dropped = {(one.schema, one.table_name) for one in operations if _is(one, "DropTableOp")}
    for one in list(operations):
        if _is(one, "ModifyTableOps") and (one.schema, one.table_name) in dropped:
            one.ops[:] = [step for step in one.ops if not _is(step, "DropIndexOp")]
            if not one.ops:
                operations.remove(one)


def _is(operation: Any, name: str) -> bool:
    return type(operation).__name__ == name


def copy_follows(
    connection: Connection,
    source: str,
    target: str,
    *,
    follower: str = "follower_id",
    followed: str = "followed_id",
    timestamp: str | None = None,
) -> int:
    """
    Copy who follows whom from an application's older table into that of a `FollowMixin` model.

    For a migration, between the new table and the end of the old one:
    ``copy_follows(op.get_bind(), "followers", "follows")``. Pairs that the new
    table may not hold are left out: users who follow themselves, and deleted users;
    a pair with two rows is copied once, as old as the first of them. Counts are counted
    from the rows until `recount()` stores them. One statement that copies, within the
    database, in the caller's transaction, and three or four that ask what the tables look like.

    Args:
        connection: To the database; nothing is committed.
        source: The older table.
        target: The table of the `FollowMixin` model; empty.
        follower: The column of *source* with the key of the user who follows.
        followed: The one with the key of the user who is followed.
        timestamp: The one that says since when: a time with a zone, or UTC without. Where
            it is NULL, and where there is no such column, edges are as old as the copy.

    Returns:
        How many rows were copied.
    """
    old = table(source, *(column(name) for name in (follower, followed, timestamp) if name))
    who, whom = old.c[follower], old.c[followed]
    since: ColumnElement[Any] = literal(now(), UTCDateTime())
    if timestamp:
        since = func.coalesce(func.min(_time(connection, source, old.c[timestamp])), since)
    users = _users(connection, target)
    pairs = select(who, whom, since).where(who != whom, who.in_(users), whom.in_(users)).group_by(who, whom)
    new = table(target, column("follower_id"), column("following_id"), column("timestamp", UTCDateTime()))
    copy = insert(new).from_select(["follower_id", "following_id", "timestamp"], pairs)
    return connection.execute(copy.execution_options(preserve_rowcount=True)).rowcount


def _users(connection: Connection, target: str) -> Select[Any]:
    """Select the keys of all users, from the table that *target* refers to."""
    key = next(
        one for one in inspect(connection).get_foreign_keys(target) if one["constrained_columns"] == ["follower_id"]
    )
    (name,) = key["referred_columns"]
    return select(column(name)).select_from(table(key["referred_table"], column(name), schema=key["referred_schema"]))


def _time(connection: Connection, source: str, when: ColumnClause[Any]) -> ColumnElement[Any]:
    """Return the time in *when*, of an application's own column, as `UTCDateTime` stores one."""
    if connection.dialect.name == "sqlite":
        # Times are compared as text, so they need one form; what is no time becomes NULL.
        converted = func.strftime("%Y-%m-%d %H:%M:%f", when, type_=String).concat("000")
        return case((when.op("GLOB")(_WRITTEN), when), else_=converted)
    if connection.dialect.name == "postgresql":
        kinds = {one["name"]: one["type"] for one in inspect(connection).get_columns(source)}
        zoned = getattr(kinds[when.name], "timezone", False)
        return when if zoned else func.timezone("UTC", when)
    return when
