"""A user class with the models declared for it: statements are built from it."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Column, Table
from sqlalchemy.orm import aliased, class_mapper
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines import EngineRules
from retinue.errors import MappingError, ModelMissingError
from retinue.models import (
    FollowMixin,
    FollowRequestMixin,
    Posts,
    SearchTexts,
    TimelineEntryMixin,
    guards_of,
    kinds,
    line_of,
    readers_of,
    senders_of,
)
from retinue.models.own_columns import NOTHING, Own, default_as_mapped, missing, own_of
from retinue.models.ownership import GraphModel, GraphUser, key_column_of, root_of, user_class_of
from retinue.schema.flags import expression_of, flags_of, of_whole_user, truth_of
from retinue.settings import Settings

#: The end of the name of an alias that is read from the other end; the auditor recognizes it.
BY_TARGET: Final = "_by_target"


class Timeline(NamedTuple):
    """The tables of materialized home timelines."""

    entries: Table
    #: The users who have a timeline, and how far back it is complete.
    readers: Table
    #: Authors with posts that are not written to all timelines.
    senders: Table


class Schema:
    """One user class and the models declared for it."""

    def __init__(self, user: type[Any], models: dict[type[GraphModel], type[Any]]) -> None:
        flags = flags_of(user)
        self.user: type[Any] = user
        #: The user's primary key: its column, and its name on the class.
        self.key: Column[Any] = key_column_of(user)
        self.key_name: str = class_mapper(user).get_property_by_column(self.key).key
        self.settings: Settings = user.__retinue__
        #: The declared models, by their mixin.
        self.models: dict[type[GraphModel], type[Any]] = models
        self.follow: type[FollowMixin] = models[FollowMixin]
        self.follows: Table = self.table(FollowMixin)
        #: The attributes of the user, by the setting that names them, such as ``"locked"``.
        self.flags: dict[str, str] = flags.names
        #: The settings whose attribute is a number that stands for a boolean.
        self.numbers: frozenset[str] = flags.numbers
        self._elsewhere = flags.elsewhere
        #: The table of guards, which verbs about one user lock; None where no verb needs it.
        self.guards: Table | None = guards_of(user)
        #: The posts of users; None where no model of posts is declared.
        self.posts: Posts | None = vars(user).get("__retinue_posts__")
        #: The texts under which users are found; None: they are found by the beginning of their name.
        self.search: SearchTexts | None = vars(user).get("__retinue_search__")
        entries = self.table(TimelineEntryMixin) if TimelineEntryMixin in models else None
        self.timeline: Timeline | None = (
            None if entries is None else Timeline(entries, readers_of(entries), senders_of(entries))
        )
        for model in models.values():
            default_as_mapped(class_mapper(model))
        #: The columns and constraints of the application's own, by table.
        self.own: dict[Table, Own] = {self.table(mixin): own_of(self.table(mixin), mixin) for mixin in models}
        reasons = {mixin: missing(model, self.own[self.table(mixin)]) for mixin, model in models.items()}
        #: The models for which no verb can insert a row, and why.
        self.incomplete: dict[type[GraphModel], str] = {mixin: why for mixin, why in reasons.items() if why is not None}
        #: Why the graph cannot be used at all: the library cannot insert rows that it writes by itself. None: it can.
        self.unusable: str | None = next(
            (why for mixin, why in self.incomplete.items() if not mixin.__retinue_own_rows__), None
        )
        #: Whether the database may refuse a row that a change of an edge writes beside it, such as a count.
        self.effects_refused: bool = self._refuse(*(mixin for mixin in models if mixin.__retinue_effect__))
        #: Whether the database may refuse an edge or a request of a verb that has already changed something else.
        self.edges_refused: bool = self.effects_refused or self._refuse(FollowMixin, FollowRequestMixin)
        #: Whether a select of users may leave some out that there are: where their table has others as well, or a
        #: session has criteria of its own (see `hiding`).
        self.hides: bool = class_mapper(user).single
        #: The statements that were built, by the function that builds each and its arguments.
        self.built: dict[object, Any] = {}

    @cached_property
    def hiding(self) -> Schema:
        """The same, for a session with criteria of its own: statements built from it are others."""
        hiding = copy(self)
        hiding.hides, hiding.built = True, {}
        return hiding

    @property
    def edges_by_target(self) -> FromClause:
        """The edges, read by who is followed: the same table on one server, a mirror of it on several."""
        return self.follows.alias(f"edges{BY_TARGET}")

    def table(self, mixin: type[GraphModel]) -> Table:
        """
        Return the table of the model with *mixin*.

        Raises:
            ModelMissingError: None is declared.
        """
        model = self.models.get(mixin)
        if model is None:
            raise ModelMissingError(mixin.__name__, line_of(mixin, self.user))
        return cast("Table", class_mapper(model).local_table)

    def own_of(self, table: Table) -> Own:
        """Return the application's own columns and constraints of *table*; none for a table without a model."""
        return self.own.get(table, NOTHING)

    def refuse_unusable(self) -> None:
        """
        Raise unless the library can insert the rows that it writes by itself: counts, history, notifications.

        Raises:
            MappingError: A column of the application's own needs a value, and has no default.
        """
        if self.unusable is not None:
            raise MappingError(self.unusable)

    def refuse_missing(self, mixin: type[GraphModel]) -> None:
        """
        Raise unless a verb can insert a row of the model with *mixin*.

        Raises:
            MappingError: A column of the application's own needs a value, and has no default.
            ModelMissingError: None is declared.
        """
        if mixin in self.incomplete:
            raise MappingError(self.incomplete[mixin])
        if mixin not in self.models:
            self.table(mixin)  # raises

    def declared_posts(self) -> Posts:
        """
        Return the posts of users.

        Raises:
            ModelMissingError: Nothing is declared.
        """
        if self.posts is None:
            raise ModelMissingError("declare_posts", "declare_posts(Post, author='author_id', time='created_at')")
        return self.posts

    def flag(self, name: str, people: FromClause, engine: EngineRules | None = None) -> ColumnElement[Any] | None:
        """
        Return the attribute of the setting *name*, such as ``"locked"``, for *people*; None if there is none.

        Columns of *people* are read as the statement reads them. Whatever else the attribute reads is read as it is
        committed now, if *engine* is given.
        """
        return self._flag(name, aliased(self.user, people), people.c[self.key.key], engine)

    def flag_of(self, name: str, entity: Any) -> ColumnElement[Any] | None:
        """Return the attribute of the setting *name* for *entity*: the user class, a subclass or an alias."""
        return self._flag(name, entity, expression_of(entity, self.key_name))

    def _flag(
        self, name: str, entity: Any, key: ColumnElement[Any], engine: EngineRules | None = None
    ) -> ColumnElement[Any] | None:
        attribute = self.flags.get(name)
        if attribute is None:
            return None
        if name in self._elsewhere:
            value = of_whole_user(self.user, attribute, self.key_name, key, engine)
        else:
            value = expression_of(entity, attribute)
        return truth_of(value) if name in self.numbers else value

    @property
    def always_named(self) -> bool:
        """Whether each user has a name: it is in a column that cannot be NULL."""
        column = class_mapper(self.user).columns.get(self.flags["name"])
        return isinstance(column, Column) and not column.nullable

    def _refuse(self, *mixins: type[GraphModel]) -> bool:
        return any(self.own[self.table(mixin)].refuses for mixin in mixins if mixin in self.models)


def identity(row: Any) -> tuple[Any, ...]:
    """Return the primary key of *row* in the database; empty if it is not there yet. Never a statement."""
    key = instance_state(row).key
    return key[1] if key else ()


def schema_of(cls: Any) -> Schema:
    """
    Return the schema of the user class that *cls* is, or is a subclass of.

    Raises:
        MappingError: *cls* is not a user class, or its models do not fit.
        ModelMissingError: No `FollowMixin` class is declared for it.
    """
    schema: Schema | None = getattr(cls, "__retinue_schema__", None) if isinstance(cls, type) else None
    return schema or _make_schema(cls)


def follow_of(cls: type[Any]) -> type[FollowMixin]:
    """Return the `FollowMixin` class of the user class *cls*; works while mappers are being configured, too."""
    found: type[FollowMixin] | None = _declared(root_of(class_mapper(cls, configure=False)).class_, FollowMixin)
    if found is None:
        raise ModelMissingError(FollowMixin.__name__, line_of(FollowMixin, cls))
    return found


def _make_schema(cls: Any) -> Schema:
    if not (isinstance(cls, type) and issubclass(cls, GraphUser)):
        message = f"{cls!r} is not a user class: add FollowerMixin to its bases"
        raise MappingError(message)
    mapper = class_mapper(cls, configure=False)
    mapper.registry.configure(cascade=True)
    user = root_of(mapper).class_
    models: dict[type[GraphModel], type[Any]] = {FollowMixin: follow_of(user)}
    models.update((mixin, model) for mixin in kinds() if (model := _declared(user, mixin)))
    schema = user.__retinue_schema__ = Schema(user, models)
    return schema


def _declared(user: type[Any], kind: type[Any]) -> type[Any] | None:
    """Return the model of *kind* that belongs to *user*, or None."""
    models = {root_of(mapper).class_ for mapper in class_mapper(user, configure=False).registry.mappers}
    found = sorted(
        (model for model in models if issubclass(model, kind) and user_class_of(model) is user),
        key=lambda model: model.__name__,
    )
    if len(found) > 1:
        names = " and ".join(model.__name__ for model in found)
        message = f"{names} are both the {kind.__name__} class of {user.__name__}: keep one"
        raise MappingError(message)
    return found[0] if found else None
