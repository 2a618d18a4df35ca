"""
What Alembic asks while it generates a revision: how a type is written, and what else the revision must do.

Alembic is imported only where it calls: an application that has none may import this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import Column, Date, DateTime, ForeignKey, MetaData, Table

from retinue.errors import MappingError
from retinue.models import UTCDateTime

#: What stands in a generated line in the place of a column that nobody but the application's author can name.
_UNKNOWN = "?"


def render_item(type_: str, obj: Any, autogen_context: Any) -> str | Literal[False]:
    """
    Return how a generated revision names a type of Retinue's; False for everything else.

    Alembic itself would write the module of the class, and no import. Give it to
    ``context.configure()`` in ``env.py``. No statement.
    """
    # A subclass is the application's own, and Alembic knows how to write it.
    if type_ == "type" and type(obj) is UTCDateTime:
        autogen_context.imports.add("import retinue")
        return "retinue.UTCDateTime()"
    return False


def prepare_revision(context: Any, _revision: Any, directives: Iterable[Any]) -> None:
    """
    Make a generated revision run, and lose no follows.

    Where it makes the table of a `FollowMixin` model and drops an older table of pairs of users, `copy_follows()` is
    written before the drop, and `copy_follows_back()` into the downgrade. Where it does not go without saying who
    follows whom there, the line has a ``?`` for the column: it refuses to run until you have written it, or deleted the
    line. Each drop of an index whose table the revision drops as well is left out: the index goes with the table,
    and MariaDB refuses to drop it before, as foreign keys need it.

    Give it to ``context.configure(process_revision_directives=prepare_revision)`` in ``env.py``, or call it first in
    a function of your own there. It takes no revision away. No statement.

    Raises:
        MappingError: The table of a `FollowMixin` model has the name of an older one, which it would change in place.
    """
    for script in directives:
        for upgrade, downgrade in zip(script.upgrade_ops_list, script.downgrade_ops_list, strict=True):
            _refuse_to_reuse(upgrade.ops)
            _leave_out_indexes(upgrade.ops)
            _leave_out_indexes(downgrade.ops)
            _move_follows(context, upgrade.ops, downgrade.ops)


def _leave_out_indexes(operations: list[Any]) -> None:
    """Change *operations*, which are known by the names of their classes."""
    dropped = {(one.schema, one.table_name) for one in operations if _is(one, "DropTableOp")}
    for one in list(operations):
        if _is(one, "ModifyTableOps") and (one.schema, one.table_name) in dropped:
            one.ops[:] = [step for step in one.ops if not _is(step, "DropIndexOp")]
            if not one.ops:
                operations.remove(one)


def _refuse_to_reuse(operations: list[Any]) -> None:
    for one in operations:
        steps = one.ops if _is(one, "ModifyTableOps") else ()
        if any(_is(step, "AddColumnOp") and _is_end_of_edge(step.column) for step in steps):
            message = (
                f"the table {one.table_name!r} is there already, with other columns: give the FollowMixin model "
                "another __tablename__, and its rows are copied"
            )
            raise MappingError(message)


def _is_end_of_edge(column: Column[Any]) -> bool:
    return column.table.info.get("shard_key") == "follower_id" and column.name in ("follower_id", "following_id")


class _Pairs(NamedTuple):
    """A table of pairs of users that a revision drops, and what is known of its columns."""

    table: Table
    follower: str
    followed: str
    timestamp: str | None
    through: tuple[str, str, str] | None

    @property
    def is_certain(self) -> bool:
        """Whether all of its rows are follows, and it goes without saying who follows whom."""
        told = {self.follower, self.followed, self.timestamp, *(one.name for one in self.table.primary_key)}
        return told >= {*self.table.c.keys()} and _UNKNOWN not in (*told, *(self.through or ()))

    def in_doubt(self) -> _Pairs:
        """Return the same, to be decided by a person."""
        return self._replace(follower=_UNKNOWN, followed=_UNKNOWN)


def _move_follows(context: Any, upgrade: list[Any], downgrade: list[Any]) -> None:
    """Copy the rows of an older table before it goes, there and back."""
    made = [one for one in upgrade if _is(one, "CreateTableOp") and _is_of_follows(one)]
    # Called again for the next database, it has done this one.
    if len(made) != 1 or any(_is(one, "MoveFollowsOp") for one in upgrade):
        return
    (users,) = (_place_of(key) for key in made[0].to_table().c.follower_id.foreign_keys)
    dropped = [one for one in upgrade if _is(one, "DropTableOp")]
    found = [pairs for one in dropped if (pairs := _pairs_in(one.to_table(), users, context.opts["target_metadata"]))]
    if len(found) > 1 or not all(pairs.is_certain for pairs in found):
        found = [pairs.in_doubt() for pairs in found]
    for pairs in found:
        new, old = _name(made[0]), pairs.table.fullname
        _insert_before(upgrade, "DropTableOp", old, _operation()("copy_follows", old, new, pairs))
        _insert_before(downgrade, "DropTableOp", new, _operation()("copy_follows_back", new, old, pairs))


def _is_of_follows(created: Any) -> bool:
    """Return whether it is the table of a `FollowMixin` model: that of requests has a column more."""
    if created.info.get("reverse_key") != "following_id":
        return False
    made = created.to_table()
    return {*made.primary_key.columns.keys()} == {"follower_id", "following_id"} and "rejected_at" not in made.c


def _name(operation: Any) -> str:
    return f"{operation.schema}.{operation.table_name}" if operation.schema else operation.table_name


def _insert_before(operations: list[Any], kind: str, name: str, new: Any) -> None:
    for place, one in enumerate(operations):
        if _is(one, kind) and _name(one) == name:
            operations.insert(place, new)
            return


def _pairs_in(table: Table, users: str, metadata: Any) -> _Pairs | None:
    """Return what *table* says about pairs of *users*, if it has two columns for these."""
    ends = _ends(table)
    if ends is None:
        return None
    told = [one for one in ends if "follower" in one.name]
    follower = told[0] if len(told) == 1 else None
    followed = next(one for one in ends if one is not follower)
    times = [one.name for one in table.c if isinstance(one.type, (DateTime, Date))]
    timestamp = (times[0] if len(times) == 1 else _UNKNOWN) if times else None
    through = None
    places = {_place_of(key) for key in ends[0].foreign_keys}
    if places and (place := places.pop()) != users:
        through = _through(place, users, ends[0], metadata)
        if through is None:
            return None
    if follower is None:
        return _Pairs(table, _UNKNOWN, _UNKNOWN, timestamp, through)
    return _Pairs(table, follower.name, followed.name, timestamp, through)


def _ends(table: Table) -> tuple[Column[Any], Column[Any]] | None:
    """Return the two columns of *table* that refer to one and the same other; or that are named after follows."""
    by_place: dict[str, list[Column[Any]]] = {}
    for one in table.c:
        for key in one.foreign_keys:
            by_place.setdefault(key.target_fullname, []).append(one)
    named = [one for one in table.c if "follow" in one.name and not one.foreign_keys]
    for found in (*by_place.values(), named):
        if len(found) == 2:
            return found[0], found[1]
    return None


def _place_of(key: ForeignKey) -> str:
    """Return the table that *key* refers to, with its schema if it has one."""
    return key.target_fullname.rpartition(".")[0]


def _through(place: str, users: str, end: Column[Any], metadata: Any) -> tuple[str, str, str] | None:
    """Return how *place*, to which an older table refers, names *users*; None if it does not."""
    (id_,) = (key.target_fullname.rpartition(".")[2] for key in end.foreign_keys)
    for one in _tables(metadata):
        if one.fullname == place:
            keys = [c.name for c in one.c for key in c.foreign_keys if _place_of(key) == users]
            return (place, id_, keys[0] if len(keys) == 1 else _UNKNOWN) if keys else None
    return None


def _tables(metadata: Any) -> Iterator[Table]:
    for one in [metadata] if isinstance(metadata, MetaData) else metadata or ():
        yield from one.tables.values()


def _is(operation: Any, name: str) -> bool:
    return type(operation).__name__ == name


@cache
def _operation() -> type[Any]:
    """Return the operation that Alembic writes as a call of `copy_follows()`, or of the way back."""
    from alembic.autogenerate import renderers  # noqa: PLC0415 - it is there: it calls
    from alembic.operations.ops import MigrateOperation  # noqa: PLC0415

    class MoveFollowsOp(MigrateOperation):
        def __init__(self, function: str, source: str, target: str, pairs: _Pairs) -> None:
            self.function, self.source, self.target, self.pairs = function, source, target, pairs

        def to_diff_tuple(self) -> tuple[str, str, str]:
            return (self.function, self.source, self.target)

    @renderers.dispatch_for(MoveFollowsOp)
    def render(autogen_context: Any, operation: MoveFollowsOp) -> list[str]:
        autogen_context.imports.add(f"from retinue.migrations import {operation.function}")
        return _written(operation.function, operation.source, operation.target, operation.pairs)

    return MoveFollowsOp


def _written(function: str, source: str, target: str, pairs: _Pairs) -> list[str]:
    """Return the lines of a revision."""
    given = [f"follower={pairs.follower!r}", f"followed={pairs.followed!r}"]
    given += [f"timestamp={pairs.timestamp!r}"] * (pairs.timestamp is not None)
    given += [f"through={pairs.through!r}"] * (pairs.through is not None)
    call = [f"{function}(op.get_bind(), {source!r}, {target!r},\n    {', '.join(given)})"]
    if any(_UNKNOWN in one for one in given):
        names = ", ".join(pairs.table.c.keys())
        call.insert(0, f"# Who follows whom in {pairs.table.name}? It has {names}. Write it in, or delete the call.")
    return call
