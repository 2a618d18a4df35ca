"""
The flags of users: the attributes of the user class that settings name, such as ``locked``.

A flag may be any attribute of the mapped class that SQL can read: a column of its own table or of its
parent's, a synonym, a hybrid, a ``column_property``. A flag that reads only columns of the key's table is
read from the rows of a statement; any other by a select of the whole user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple
from weakref import WeakSet

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Integer,
    Numeric,
    Select,
    String,
    TypeDecorator,
    event,
    inspect,
    type_coerce,
)
from sqlalchemy import select as sql_select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import ColumnProperty, Mapper, MapperProperty, class_mapper, with_polymorphic
from sqlalchemy.orm.exc import UnmappedClassError
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ClauseElement, ColumnClause, ColumnElement, TextClause
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import FromClause, Join, SelectBase
from sqlalchemy.types import NullType, TypeEngine

from retinue.engines import EngineRules
from retinue.errors import MappingError
from retinue.models.ownership import GraphUser, key_column_of, root_of
from retinue.models.posts import type_of
from retinue.settings import ATTRIBUTES, Settings

#: The types of the settings that are not booleans; and the types of numbers, which may stand for a boolean.
_TYPES: Final[dict[str, tuple[type[TypeEngine[Any]], ...]]] = {"name": (String,), "last_active": (DateTime,)}
_NUMBERS: Final = (Integer, Numeric)

#: Errors of a hybrid that was written for one user, and not for SQL.
_NOT_SQL: Final = (TypeError, ValueError, AttributeError, LookupError, NotImplementedError, SQLAlchemyError)


class Flags(NamedTuple):
    """The attributes of one user class that settings name."""

    #: The attribute of each setting; for a synonym, the attribute that it stands for.
    names: dict[str, str]
    #: The settings whose attribute is not made of columns of the key's table alone.
    elsewhere: frozenset[str]
    #: The settings whose attribute is a number: 0 for false, and anything else for true.
    numbers: frozenset[str]


def flags_of(user: type[Any]) -> Flags:
    """
    Return the flags of the class *user*.

    Raises:
        MappingError: A setting names an attribute that SQL cannot read of every user; or one that does not exist,
            unless that is the default.
    """
    table, names, elsewhere, numbers = key_column_of(user).table, dict[str, str](), set[str](), set[str]()
    for setting in ATTRIBUTES:
        name = getattr(user.__retinue__, setting)
        if name is None or not _is_mapped(user, setting, name):
            continue
        # SQLAlchemy can alias the attribute of a synonym, but not every synonym.
        while name in class_mapper(user).synonyms:
            name = class_mapper(user).synonyms[name].name
        _check(user, setting, name)
        names[setting] = name
        if not _is_of(table, expression_of(user, name)):
            elsewhere.add(setting)
        if setting not in _TYPES and isinstance(type_of(expression_of(user, name)), _NUMBERS):
            numbers.add(setting)
    return Flags(names, frozenset(elsewhere), frozenset(numbers))


def of_whole_user(
    user: type[Any],
    attribute: str,
    key_name: str,
    key: ColumnElement[Any],
    engine: EngineRules | None = None,
) -> ColumnElement[Any]:
    """
    Return a subquery for the *attribute* of the user with *key*, which is a column of the statement.

    It depends on nothing else in that statement. With *engine* it is read as it is committed now.
    """
    whole = _whole(user)
    value = expression_of(whole, attribute)
    if engine is not None:
        # Labelled: as a column, SQLAlchemy would take the expression of the attribute, which is not changed.
        value = _each_select(value, engine.current, deep=True).label(None)
    rows: Any = sql_select(value).select_from(whole).where(getattr(whole, key_name) == key)
    rows = rows.correlate_except(whole)
    if engine is not None:
        rows = engine.current(rows)
    found: ColumnElement[Any] = rows.scalar_subquery()
    return found


def truth_of(number: Any) -> ColumnElement[bool]:
    """Return whether *number* is not 0; NULL for NULL."""
    truth: ColumnElement[bool] = type_coerce(number, Integer) != 0
    return truth


def written_by(user: type[Any], attribute: str) -> Sequence[str] | None:
    """Return the column attributes that change when *attribute* is set; None if it can only be read."""
    mapper = class_mapper(user)
    if attribute in mapper.column_attrs:
        columns = mapper.column_attrs[attribute].columns
        return (attribute,) if all(isinstance(c, Column) and c.computed is None for c in columns) else None
    hybrid = mapper.all_orm_descriptors[attribute]
    if not isinstance(hybrid, hybrid_property) or hybrid.fset is None:
        return None
    read = [c for c in outside_selects(expression_of(user, attribute)) if isinstance(c, Column)]
    return tuple(mapper.get_property_by_column(column).key for column in read)


# --- What an attribute must be -------------------------------------------------------------------


def _is_mapped(user: type[Any], setting: str, name: str) -> bool:
    """Return whether *user* maps *name*; `MappingError` if it does not, and the setting probably means it."""
    mapper = class_mapper(user)
    if name in mapper.all_orm_descriptors:
        return True
    if any(name in vars(cls) for cls in user.__mro__):
        raise _unusable(user, setting, name, "is a plain attribute of Python, which no statement can read")
    for below in mapper.self_and_descendants:
        if name in below.all_orm_descriptors or name in vars(below.class_):
            raise _unusable(below.class_, setting, name, f"is of that subclass alone: {user.__name__} has no {name}")
    if name != getattr(Settings(), setting):
        message = f"Settings({setting}={name!r}): {user.__name__} maps no attribute of that name"
        raise MappingError(message)
    return False


def _check(user: type[Any], setting: str, name: str) -> None:
    """Raise `MappingError` unless SQL can read the attribute *name* of any user, and nobody else's."""
    kind = _property_of(user, setting, name)
    if kind is not None and not isinstance(kind, ColumnProperty):
        raise _unusable(user, setting, name, "is no single value")
    if kind is not None and ("query_expression", True) in (kind.strategy_key or ()):
        raise _unusable(user, setting, name, "is filled by each query alone (query_expression)")
    whole, value = _whole(user), _expression_or_none(user, name)
    if value is None:
        raise _unusable(user, setting, name, "has no expression that SQL can read")
    _check_type(user, setting, name, value)
    if not tables_read(expression_of(whole, name)) <= set(tables_of(inspect(whole).selectable)):
        raise _unusable(user, setting, name, "reads a table beside the user's: make that a scalar subquery")
    mapper = class_mapper(user)
    for below in mapper.self_and_descendants:
        if _is_replaced(below, mapper, name):
            raise _unusable(below.class_, setting, name, f"is not the {name} of {user.__name__}, which is read")


def _check_type(user: type[Any], setting: str, name: str, value: ColumnElement[Any]) -> None:
    kind, wanted = type_of(value), _TYPES.get(setting, (Boolean, *_NUMBERS))
    # The type of a database function is not known; nor is what the application's own type does to a time.
    unknown = isinstance(kind, NullType) or (setting == "last_active" and isinstance(value.type, TypeDecorator))
    if not unknown and not isinstance(kind, wanted):
        names = " or ".join(one.__name__ for one in wanted)
        raise _unusable(user, setting, name, f"is of the type {type(kind).__name__}, where {names} is wanted")


def _unusable(cls: type[Any], setting: str, name: str, why: str) -> MappingError:
    message = (
        f"{cls.__name__}.{name} {why}. Map a column, a synonym, a hybrid with an expression or a column_property"
        f" of that name on the user class; or, if it means something else, write Settings({setting}=None)"
    )
    return MappingError(message)


def _property_of(user: type[Any], setting: str, name: str) -> MapperProperty[Any] | None:
    try:
        return getattr(getattr(user, name), "property", None)
    except _NOT_SQL as error:
        raise _unusable(user, setting, name, "has no expression that SQL can read") from error


def _is_replaced(below: Mapper[Any], user: Mapper[Any], name: str) -> bool:
    """Return whether a subclass replaces the attribute *name* of all users."""
    theirs, everybodys = below.attrs.get(name), user.attrs.get(name)
    if isinstance(theirs, ColumnProperty) and isinstance(everybodys, ColumnProperty):
        return not {*theirs.columns} & {*everybodys.columns}
    return theirs is not everybodys or (
        everybodys is None and below.all_orm_descriptors[name] is not user.all_orm_descriptors[name]
    )


# --- What reads it -------------------------------------------------------------------------------


def _whole(user: type[Any]) -> Any:
    """Return an alias of the class *user* over all of its tables, and none of a subclass."""
    return with_polymorphic(user, [user], None, aliased=True, flat=True)


def _is_of(table: FromClause, value: ColumnElement[Any]) -> bool:
    """Return whether *value* reads only columns of *table*, and no text, whose tables are not known."""
    others = any(
        isinstance(e, (SelectBase, TextClause)) or (isinstance(e, ColumnClause) and e.table is None)
        for e in outside_selects(value)
    )
    return tables_read(value) <= {table} and not others


def expression_of(entity: Any, name: str) -> ColumnElement[Any]:
    """Return the SQL expression of the attribute *name* of *entity*."""
    value = getattr(entity, name)
    while not isinstance(value, ColumnElement) and hasattr(value, "__clause_element__"):
        value = value.__clause_element__()
    found: ColumnElement[Any] = value
    return found


def _expression_or_none(user: type[Any], name: str) -> ColumnElement[Any] | None:
    try:
        value: Any = expression_of(user, name)
    except _NOT_SQL:
        return None
    return value if isinstance(value, ColumnElement) else None


def tables_of(selectable: FromClause) -> Iterator[FromClause]:
    """Yield the tables of a join; *selectable* itself, if it is not a join."""
    if isinstance(selectable, Join):
        yield from tables_of(selectable.left)
        yield from tables_of(selectable.right)
    else:
        yield selectable


def tables_read(value: ColumnElement[Any]) -> set[FromClause]:
    """Return the tables that *value* reads, without those of its subqueries."""
    columns = [e for e in outside_selects(value) if isinstance(e, ColumnClause)]
    return {column.table for column in columns if column.table is not None}


def outside_selects(element: Any) -> Iterator[Any]:
    """Yield *element* and all its parts; a subquery counts as one part."""
    yield element
    if not isinstance(element, Select):
        for part in element.get_children():
            yield from outside_selects(part)


def _each_select(value: Any, change: Callable[[Any], Any], *, deep: bool = False) -> Any:
    """Return *value* with *change* applied to each subquery; if *deep*, to those within subqueries as well."""

    def replaced(element: Any, **_options: Any) -> Any:
        if not isinstance(element, Select) or element is value:
            return None
        return change(_each_select(element, change, deep=True) if deep else element)

    return visitors.replacement_traverse(value, {}, replaced)


# --- When they are looked at ---------------------------------------------------------------------

#: User classes that are new, or have a new subclass.
_UNCHECKED: Final[WeakSet[type[Any]]] = WeakSet()


@event.listens_for(GraphUser, "instrument_class", propagate=True)
def _check_later(mapper: Mapper[Any], _cls: type[Any]) -> None:
    user = root_of(mapper).class_
    _UNCHECKED.add(user)
    # A subclass may have what was not there when the graph was first used.
    if "__retinue_schema__" in vars(user):
        del user.__retinue_schema__


@event.listens_for(Mapper, "after_configured")
def _check_now() -> None:
    """Check the flags of each user class once its mapping is done; if they are wrong, each use of the graph raises again."""
    for user in list(_UNCHECKED):
        mapper: Mapper[Any] | None = vars(user).get("__mapper__")
        if mapper is not None and _is_done(mapper):
            _UNCHECKED.discard(user)
            flags_of(user)


def _is_done(mapper: Mapper[Any]) -> bool:
    """Return whether all classes beside that of *mapper* are mapped: a check before that may fail for another class."""
    try:
        return all(other.configured for other in mapper.registry.mappers)
    except UnmappedClassError:
        return False  # a class that is mapped later, when its table is reflected


@event.listens_for(GraphUser, "attribute_instrument", propagate=True)
def _correlate(_cls: type[Any], _key: str, attribute: Any) -> None:
    """
    Make the subqueries of a ``column_property`` correlate to the user, and to nothing else.

    By default they correlate to every table that a statement selects from: in a list of
    follows, a subquery that counts follows would have no table of its own left.
    """
    kind = getattr(attribute.comparator, "prop", None)
    if not isinstance(kind, ColumnProperty):
        return
    tables = list(tables_of(attribute.parent.persist_selectable))
    for column in kind.columns:
        for rows in list(outside_selects(column)):
            if isinstance(rows, Select):
                # In place: the mapper and the attribute have copies of what is around this select.
                vars(rows).update(vars(_correlated(rows, tables)))


def about_users(value: Any, user: type[Any], follows: FromClause) -> Any:
    """
    Return *value*, with its subqueries of nothing but users and *follows* correlated to the users alone.

    In a statement that selects from follows, too, such a subquery would have no table left to select from.
    """
    attribute: Any = None if isinstance(value, ClauseElement) else getattr(value, "__clause_element__", None)
    read = value if attribute is None else attribute()
    if not isinstance(read, ClauseElement) or not any(isinstance(e, SelectBase) for e in outside_selects(read)):
        return value
    tables = list(tables_of(class_mapper(user).persist_selectable))
    changed = _each_select(read, lambda rows: _correlated(rows, tables, follows))
    # Labelled, as in `of_whole_user()`.
    return changed if attribute is None else changed.label(read._annotations.get("proxy_key"))  # noqa: SLF001 - its name


def _correlated(rows: Any, tables: Sequence[FromClause], other: FromClause | None = None) -> Any:
    """Return *rows*, correlated to *tables* only, if they read these and others (or exactly the *other*)."""
    if not rows._auto_correlate:  # noqa: SLF001 - nothing public says whether correlate() was called
        return rows
    # A function is a FROM clause to SQLAlchemy, wherever it stands.
    parts = {e for part in rows.get_children() for e in outside_selects(part) if isinstance(e, FromClause)}
    read = {e for e in parts if not isinstance(e, (Join, FunctionElement))}
    others = read - set(tables)
    fits = bool(others) if other is None else others == {other}
    return rows.correlate_except(*others) if fits and read & set(tables) else rows
