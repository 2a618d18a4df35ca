"""
Count the statements that run in a test, and check that they are shard-safe.

A statement is shard-safe if it finds every row by the row's owner. On one server it
then uses an index; with several servers it asks one of them, not all.
"""

from __future__ import annotations

import enum
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Alias, BindParameter, Column, Delete, Insert, Join, Select, Subquery, Table, Update, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import Compiled
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BooleanClauseList,
    Case,
    Cast,
    ClauseElement,
    ClauseList,
    CollectionAggregate,
    ColumnClause,
    Grouping,
    Label,
    TextClause,
)
from sqlalchemy.sql.selectable import CTE, ScalarSelect, SelectBase, TableValuedAlias

from retinue.engines import COMPILED
from retinue.schema import BY_TARGET
from retinue.testing.exempt import EXEMPT
from retinue.work.building import OPTION

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

_TEXT = "came as text, which cannot be checked"

#: First words of statements that belong to transactions, not to the work in them.
_CONTROL = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "SET")

#: Functions of SQLAlchemy that run work of the application, whoever calls them: they flush its pending
#: objects, run its bulk statements, load its relationships eagerly.
_FOR_THE_APPLICATION = frozenset({"_flush", "invoke_statement", "_load_for_path"})


# --- Counting ------------------------------------------------------------------------------------


@contextmanager
def count_statements(engine: Engine | AsyncEngine | Connection) -> Iterator[list[str]]:
    """
    Collect the statements that run on *engine* during the block, as a list of SQL texts.

    What opens, marks and ends transactions (``BEGIN IMMEDIATE``, ``SAVEPOINT``) is
    left out: it depends on the engine and on what ran before. Example::

        with count_statements(engine) as statements:
            user.follow(other)
        assert len(statements) == 3
    """
    statements: list[str] = []

    def collect(*, statement: str, **_: Any) -> None:
        if not _is_control(statement):
            statements.append(statement)

    with _listening(engine, collect):
        yield statements


def _is_control(statement: str) -> bool:
    return statement.lstrip().upper().startswith(_CONTROL)


@contextmanager
def _listening(engine: Engine | AsyncEngine | Connection, listener: Any) -> Iterator[None]:
    target = engine if isinstance(engine, (Engine, Connection)) else engine.sync_engine
    event.listen(target, "before_cursor_execute", listener, named=True)
    try:
        yield
    finally:
        event.remove(target, "before_cursor_execute", listener)


# --- Auditing ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Audit:
    """What `audited()` saw."""

    #: How often each statement of the library ran, by name.
    seen: Counter[str] = field(default_factory=Counter)
    #: What was wrong, one sentence each.
    faults: list[str] = field(default_factory=list)


@contextmanager
def audited(engine: Engine | AsyncEngine | Connection) -> Iterator[Audit]:
    """
    Check every statement that the graph issues on *engine* during the block.

    For every table of the library, a statement must compare the row's owner by equality
    or ``IN``; other owners may come as ``IN (subquery)`` only; no statement may lock rows of
    several owners. A statement of the library without a name is a fault as well. `EXEMPT` names the exceptions, with their reasons. Not
    checked: what the application issues, be it through the relationships
    ``following`` and ``followers`` or the queries ``follows`` and ``followed_by``.

    Raises:
        AssertionError: There were faults: raised at the end of the block, with all of them.
    """
    audit = Audit()

    def check(*, context: Any, statement: str, **_: Any) -> None:
        name = context.execution_options.get(OPTION)
        if name is not None:
            audit.seen[name] += 1
            if name not in EXEMPT:
                audit.faults += [
                    f"{name}: {fault}"
                    for fault in faults_of(context.compiled or context.execution_options.get(COMPILED))
                ]
        elif not _is_control(statement) and (place := _place_in_library()):
            audit.faults.append(f"{place} issues a statement without a name: {statement}")

    with _listening(engine, check):
        yield audit
    if audit.faults:
        raise AssertionError("\n".join(audit.faults))


def _place_in_library() -> str | None:
    """Return the line of the library that issues the running statement; None if the application does."""
    frame = sys._getframe(2)  # noqa: SLF001 - the documented way to look at one's callers
    while frame.f_back is not None:
        frame = frame.f_back
        top, _, rest = frame.f_globals.get("__name__", "").partition(".")
        if top == "retinue" and not rest.startswith("testing"):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        if top not in ("sqlalchemy", "contextlib") or frame.f_code.co_name in _FOR_THE_APPLICATION:
            return None
    return None


def faults_of(compiled: Compiled | None) -> list[str]:
    """Return why a statement is not shard-safe, one sentence for each reason; empty if it is."""
    if compiled is None or compiled.statement is None:
        return [_TEXT]
    # The ORM adds joins to a statement: this is the one that runs.
    orm_statement = getattr(compiled.compile_state, "statement", None)
    faults: list[str] = []
    read: dict[Any, _Scope] = {}
    elements = list(_topmost(orm_statement if isinstance(orm_statement, SelectBase) else compiled.statement))
    for element in elements:
        _Scope(element, None, faults, read)
    return faults if elements else [_TEXT]


class _Reach(enum.IntEnum):
    """How far a condition on an owner reaches."""

    SEVERAL = 1
    ONE = 2


#: A column in one FROM element: two aliases of a table have different ones.
_ColumnKey = tuple[int, str]


class _Scope:
    """
    One SELECT, INSERT, UPDATE or DELETE: its tables, and its columns that are fixed to bound values.

    A scope within another one knows the fixed columns of that one.
    """

    def __init__(self, element: Any, outer: _Scope | None, faults: list[str], read: dict[Any, _Scope]) -> None:
        self.element = element
        self.fixed: dict[_ColumnKey, _Reach] = dict(outer.fixed) if outer else {}
        self.within: frozenset[Any] = outer.within if outer else frozenset()
        self._links: list[tuple[_ColumnKey, _ColumnKey]] = []
        self._faults = faults
        self._inner: dict[Any, _Scope] = {}
        #: Scopes that do not depend on an outer one; each is read once, as a WITH may be used many times.
        self._read = read
        # Asked once: SQLAlchemy compiles the whole SELECT to say what it reads from.
        origins = element.get_final_froms() if isinstance(element, Select) else ()
        sources = [s for s in _sources(element, origins) if s not in self.within]
        self.within |= frozenset(sources)
        for source in sources:
            if isinstance(source, (Subquery, CTE)):
                self._read_subquery(source)
            elif _has_given_rows(source):
                self.fixed |= {_key(column): _Reach.SEVERAL for column in source.c}
        for condition, only in _conditions(element, origins):
            self._fix(condition, only)
        self._follow_links()
        if isinstance(element, Insert):
            self._check_insert(element)
        else:
            self._check(sources)
        for nested in _nested(element):
            self._scope_of(nested, self)

    def _scope_of(self, element: Any, outer: _Scope | None) -> _Scope:
        known = self._read if outer is None else self._inner
        if element not in known:
            known[element] = _Scope(element, outer, self._faults, self._read)
        return known[element]

    def _read_subquery(self, source: Subquery | CTE) -> None:
        """Columns that a subquery fixes to bound values are fixed in its result."""
        for chosen in _topmost(source.element):
            inner = self._scope_of(chosen, None)
            returned = chosen.selected_columns if isinstance(chosen, Select) else chosen.exported_columns
            for name, column in returned.items():
                value = _bare(column)
                reach = _Reach.ONE if isinstance(value, BindParameter) else inner.fixed.get(_key(value))
                if reach is not None:
                    self.fixed[hash(source), name] = reach

    def _fix(self, condition: Any, only: frozenset[Any] | None) -> None:
        """Note the columns that *condition* fixes; in an outer join only those of *only*, its far side."""
        if not isinstance(condition, BinaryExpression):
            return
        left, right = _bare(condition.left), _bare(condition.right)
        if condition.operator is operators.eq:
            for column, value in ((left, right), (right, left)):
                if not _is_column(column) or (only is not None and column.table not in only):
                    continue
                if isinstance(value, BindParameter):
                    self.fixed[_key(column)] = _Reach.ONE
                elif isinstance(value, CollectionAggregate) and isinstance(_bare(value.element), BindParameter):
                    self.fixed.setdefault(_key(column), _Reach.SEVERAL)
                elif _is_column(value):
                    self._links.append((_key(value), _key(column)))
            return
        is_in = condition.operator is operators.in_op and _is_list(right)
        if is_in and _is_column(left) and (only is None or left.table in only):
            self.fixed.setdefault(_key(left), _Reach.SEVERAL)

    def _follow_links(self) -> None:
        """A column that equals a fixed one is fixed."""
        changed = True
        while changed:
            changed = False
            for source, target in self._links:
                if self.fixed.get(source, 0) > self.fixed.get(target, 0):
                    self.fixed[target] = self.fixed[source]
                    changed = True

    def _check(self, sources: list[Any]) -> None:
        lock = getattr(self.element, "_for_update_arg", None)
        for source in sources:
            table, by_target = _table_of(source)
            if isinstance(source, TextClause):
                self._faults.append(_TEXT)
            if table is None or "shard_key" not in table.info:
                continue
            owners = [table.info["shard_key"]]
            if by_target and "reverse_key" in table.info:
                owners.append(table.info["reverse_key"])
            reach = max(self.fixed.get((hash(source), owner), 0) for owner in owners)
            wanted = " or ".join(owners)
            if not reach:
                self._faults.append(f"{table.name} is not held to an owner by {wanted}")
            elif lock is not None and reach < _Reach.ONE:
                self._faults.append(f"the lock on {table.name} takes several owners by {wanted}")

    def _check_insert(self, insert: Any) -> None:
        owner = insert.table.info.get("shard_key")
        if owner is None:
            return
        reach: _Reach | None = _Reach.ONE
        if insert.select is None:
            values = {getattr(c, "key", c): v for c, v in (insert._values or {}).items()}  # noqa: SLF001 - no other way
            if owner in values and not isinstance(_bare(values[owner]), BindParameter):
                reach = None
        else:
            names = [getattr(name, "key", name) for name in insert._select_names]  # noqa: SLF001 - no other way
            value = _bare(list(insert.select.selected_columns)[names.index(owner)])
            inner = self._scope_of(insert.select, None)
            if isinstance(value, ScalarSelect):  # a key that is looked up
                inner = self._scope_of(value.element, None)
                (value,) = value.element.selected_columns
            if not isinstance(value, BindParameter):
                reach = inner.fixed.get(_key(value))
        if reach:
            # A row that it meets has the same primary key, which begins with the owner.
            self.fixed[hash(insert.table), owner] = reach
        else:
            self._faults.append(f"what is inserted into {insert.table.name} is not held to an owner by {owner}")


def _is_list(element: Any) -> bool:
    """Return whether *element* is what a column may be IN: bound values, or a subquery."""
    if isinstance(element, ClauseList):
        return all(isinstance(_bare(one), BindParameter) for one in element.clauses)
    return isinstance(element, (BindParameter, SelectBase, ScalarSelect))


def _is_column(element: Any) -> bool:
    return isinstance(element, ColumnClause) and element.table is not None


def _key(column: Any) -> _ColumnKey:
    return hash(getattr(column, "table", None)), getattr(column, "key", "")


def _bare(element: Any) -> Any:
    """Return *element* without casts, labels, gates and a SELECT around it: none changes where its value comes from."""
    while True:
        if isinstance(element, Cast):
            element = element.clause
        elif isinstance(element, (Grouping, Label)):
            element = element.element
        elif _is_gated(element):
            ((_, element),) = element.whens
        elif (selected := _selected_parameter(element)) is not None:
            element = selected
        else:
            return element


def _selected_parameter(element: Any) -> BindParameter[Any] | None:
    """Return the parameter that a scalar ``(SELECT :name)`` gives, which reads from nowhere; None if it is no such."""
    if not (isinstance(element, ScalarSelect) and isinstance(element.element, Select)):
        return None
    column, *others = element.element.selected_columns
    column = _bare(column)
    is_it = isinstance(column, BindParameter) and not others and element.element.whereclause is None
    return column if is_it else None


def _has_given_rows(source: Any) -> bool:
    """Return whether *source* is a function that makes rows of nothing but a parameter."""
    made: Any = source.element if isinstance(source, TableValuedAlias) else None
    values = [] if made is None else list(made.clauses)
    return bool(values) and all(isinstance(_bare(value), BindParameter) for value in values)


def _is_gated(element: Any) -> bool:
    """Return whether *element* is a CASE that gives one value or NULL."""
    return isinstance(element, Case) and len(element.whens) == 1 and element.else_ is None


def _table_of(source: Any) -> tuple[Table | None, bool]:
    """Return the table of *source*, and whether it is read from the other end, as `edges_by_target` is."""
    by_target = False
    while isinstance(source, Alias):
        by_target |= source.name.endswith(BY_TARGET)
        source = source.element
    return (source if isinstance(source, Table) else None), by_target


def _sources(element: Any, origins: Sequence[Any]) -> list[Any]:
    """Return the tables, aliases and subqueries that *element* reads from, or writes to."""
    if isinstance(element, Insert):
        return [element.table]
    if isinstance(element, (Update, Delete)):
        others = [c.table for condition, _ in _conditions(element, origins) for c in _columns(condition)]
        return list(dict.fromkeys([element.table, *others]))
    return [source for chosen in origins for source in _joined(chosen)]


def _joined(source: Any) -> list[Any]:
    if isinstance(source, Join):
        return [*_joined(source.left), *_joined(source.right)]
    return [source]


def _conditions(element: Any, origins: Sequence[Any]) -> Iterator[tuple[Any, frozenset[Any] | None]]:
    """Yield each condition that all rows fulfil; in an outer join, with the side for which it holds."""
    where = getattr(element, "whereclause", None)
    if where is not None:
        yield from ((condition, None) for condition in _conjuncts(where))
    for source in origins:
        yield from _join_conditions(source)


def _join_conditions(source: Any) -> Iterator[tuple[Any, frozenset[Any] | None]]:
    if isinstance(source, Join):
        yield from _join_conditions(source.left)
        yield from _join_conditions(source.right)
        if not source.full:
            only = frozenset(_joined(source.right)) if source.isouter else None
            yield from ((condition, only) for condition in _conjuncts(source.onclause))


def _conjuncts(condition: Any) -> Iterator[Any]:
    condition = _bare(condition)
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for part in condition.clauses:
            yield from _conjuncts(part)
    else:
        yield _or_null(condition)


def _or_null(condition: Any) -> Any:
    """Return the other side of ``.. OR column IS NULL``: nothing is owned by NULL."""
    if not (isinstance(condition, BooleanClauseList) and condition.operator is operators.or_):
        return condition
    others = [part for part in condition.clauses if getattr(part, "operator", None) is not operators.is_]
    return _bare(others[0]) if len(others) == 1 else condition


def _columns(element: Any) -> Iterator[Any]:
    """Yield the tables' columns in *element* that are not within a subquery."""
    if _is_column(element):
        yield element
    elif not isinstance(element, SelectBase):
        for child in element.get_children():
            yield from _columns(child)


def _topmost(element: Any) -> Iterator[Any]:
    """Yield the SELECTs that a statement or a UNION consists of, or the INSERT, UPDATE or DELETE itself."""
    if isinstance(element, (Select, Insert, Update, Delete)):
        yield element
    else:
        yield from _nested(element)


def _nested(element: ClauseElement) -> Iterator[Any]:
    """Yield the SELECTs right below *element*; not those in FROM, whose results are read instead."""
    for child in element.get_children():
        if isinstance(child, (Select, Insert, Update, Delete)):
            yield child
        elif not isinstance(child, (Table, Column, Subquery, CTE)):
            yield from _nested(child)
