"""What the extension knows of one application: ``app.extensions["retinue"]``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar, cast
from weakref import WeakSet

from flask import Flask, current_app
from jinja2 import BaseLoader, Environment
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, class_mapper

from retinue import (
    ALL,
    BlockMixin,
    DismissedSuggestionMixin,
    FollowerMixin,
    FollowMixin,
    FollowRequestMixin,
    Graph,
    InvalidUserError,
    MappingError,
    MuteMixin,
    prepare_engine,
    transact,
)
from retinue.engines import engine_of
from retinue.flask import changes, config
from retinue.flask.permissions import May
from retinue.flask.sessions import Sessions, prepare_engines, sessions_of
from retinue.keys import keys_of
from retinue.lists.columns import Columns, attributes_of
from retinue.schema import Schema, schema_of
from retinue.work.routing import bind_of, connection_of

T = TypeVar("T")

NAME: Final = "retinue"

#: The templates that are given people: all but the layout.
_SHOWING_PEOPLE: Final = [
    file for file in (Path(__file__).parent / "templates" / "retinue").iterdir() if file.name != "layout.html"
]

#: Verbs about another user, with the mixin that each needs a model with.
_VERBS: Final[dict[str, type[Any]]] = {
    **dict.fromkeys(("follow", "unfollow", "remove"), FollowMixin),
    **dict.fromkeys(("accept", "reject"), FollowRequestMixin),
    **dict.fromkeys(("block", "unblock"), BlockMixin),
    **dict.fromkeys(("mute", "unmute"), MuteMixin),
    **dict.fromkeys(("dismiss", "undismiss"), DismissedSuggestionMixin),
}


class State:
    """
    One application's graph: its user class, its sessions, and who is looking.

    Args:
        app: The application.
        session: As `sessions_of()` takes it.
        user_model: The class with `FollowerMixin`, or what returns it; None: the only one there is.
        current_user: Returns the user who is looking, or None; None: Flask-Login's ``current_user``.
        user_url: Returns the address of a user's page; None: that of the extension.
        may: Returns whether an `Attempt` is allowed, or a sentence why not; None: all are.
    """

    def __init__(
        self,
        app: Flask,
        session: Any,
        user_model: Any,
        current_user: Callable[[], Any] | None,
        user_url: Callable[[Any], str] | None,
        may: May | None = None,
    ) -> None:
        self._app, self._session, self._user_model = app, session, user_model
        self.load_viewer = current_user
        self.user_url = user_url
        self.may = may
        #: The languages that were asked for, by their locales.
        self.languages: dict[str, Any] = {}
        self._prepared: WeakSet[Engine] = WeakSet()
        prepare_engines(app, session)
        if session is not None:
            # Now: an application that has served a request takes no more teardown functions.
            self._sessions = sessions_of(app, session)

    # --- The graph -------------------------------------------------------------------------------

    @cached_property
    def user_class(self) -> type[Any]:
        """
        The user class.

        Raises:
            RuntimeError: None was given, and there is not exactly one.
        """
        given = self._user_model
        if given is None:
            given = _only_user_class()
        return cast("type[Any]", given if isinstance(given, type) else given())

    @cached_property
    def schema(self) -> Schema:
        """The models that are declared for the user class."""
        return schema_of(self.user_class)

    @cached_property
    def verbs(self) -> Collection[str]:
        """The verbs about another user that there are, by the models that are declared."""
        return [verb for verb, mixin in _VERBS.items() if mixin in self.schema.models]

    def session(self) -> Session:
        """Return the session of the current request. No statement."""
        session = self._sessions.current()
        for writes in (True, False):
            engine = bind_of(session, self.schema, writes=writes).engine
            if engine not in self._prepared:  # each tenant may have one
                self._prepared.add(prepare_engine(engine))
                changes.watch(engine)
        return session

    def new_session(self) -> Session:
        """Return a new session, for work in a transaction of its own."""
        return self._sessions.new()

    def graph(self, session: Session | None = None) -> Graph[Any]:
        """Return the graph on *session*, or on that of the current request."""
        return Graph(self.session() if session is None else session, self.user_class)

    def transact(self, work: Callable[[Session], T]) -> T:
        """
        Do ``work(session)`` in a transaction of its own, as often as it takes, and commit; as `retinue.transact()`.

        What the session of the request holds is committed first: it belongs to the
        request as well, and on SQLite the two would wait for each other.
        """
        self.session().commit()
        return transact(self.new_session, work)

    @cached_property
    def templates(self) -> Environment:
        """The application's templates, rendered at once where the application renders asynchronously."""
        environment = self._app.jinja_env
        return environment.overlay(enable_async=False) if environment.is_async else environment

    # --- Users by their names in addresses -------------------------------------------------------

    def slug_of(self, user: Any) -> str:
        """Return the name of *user* in an address. No statement."""
        return str(getattr(user, self.slug_name))

    def label_of(self, user: Any) -> str:
        """Return the name of *user* that people read. No statement."""
        return str(getattr(user, self.label_name) or self.slug_of(user))

    def is_locked(self, user: Any) -> bool:
        """Return whether *user* approves who follows them. No statement."""
        flag = self.schema.flags.get("locked")
        return flag is not None and bool(getattr(user, flag))

    def user_named(self, slug: str, viewer: Any = ALL) -> Any | None:
        """Return the user with this *slug*; None if there is none of whom *viewer* may know. One select, or none."""
        user, key = self.user_class, self._key_of(slug)
        if key is None:
            return None
        known = self.graph().visible_to(viewer, blocked=True)
        named = select(user).where(getattr(user, self.slug_name) == key, known)
        try:
            found = self.session().scalars(named).one_or_none()
        except DBAPIError as error:
            if not engine_of(connection_of(self.session(), self.schema, writes=False)).cannot_hold(error):
                raise
            return None
        # A collation may take Ann for ann; an address may not.
        return found if found is not None and self.slug_of(found) == slug else None

    def users_named(self, slugs: Iterable[str], viewer: Any) -> list[Any]:
        """Return the users with one of these *slugs* of whom *viewer* may know, in no order. One select, or none."""
        keys = {key: slug for slug in slugs if (key := self._key_of(slug)) is not None}
        if not keys:
            return []
        user, known = self.user_class, self.graph().visible_to(viewer, blocked=True)
        found = self.session().scalars(select(user).where(getattr(user, self.slug_name).in_(keys), known))
        return [one for one in found if self.slug_of(one) in keys.values()]

    @cached_property
    def slug_name(self) -> str:
        """The attribute that names a user in an address."""
        name = self._app.config[config.USER_SLUG] or self.schema.key_name
        return self._attribute(config.USER_SLUG, name)

    @cached_property
    def label_name(self) -> str:
        """The attribute of a user that people read."""
        configured = self._app.config[config.USER_LABEL]
        if configured is not None:
            return self._attribute(config.USER_LABEL, configured)
        names = [self.schema.flags.get("name"), "name", "username"]
        return next((name for name in names if name and hasattr(self.user_class, name)), self.slug_name)

    @cached_property
    def shown(self) -> Collection[str]:
        """
        The attributes of a user that are read to show one, as far as they are columns.

        What a property or a function of the application's reads is not known: then it is all
        that is loaded of a user unless somebody says otherwise.
        """
        mapper = class_mapper(self.user_class)
        named = {self.slug_name, self.label_name, self.schema.flags.get("locked", self.slug_name)}
        named = {mapper.synonyms[name].name if name in mapper.synonyms else name for name in named}
        columns = named.intersection(mapper.column_attrs.keys())
        if self.user_url is not None or columns != named:
            columns.update(attribute.key for attribute in mapper.column_attrs if not attribute.deferred)
        return columns

    @cached_property
    def columns(self) -> Columns | None:
        """
        The attributes of a user that are enough for the lists on the extension's pages; None: whole users are wanted.

        They are if the application says which of them it reads itself; or if it reads none: it has no function that gets
        a user, and no templates in the place of those that show people.

        Raises:
            ValueError: The application names one that is no column of the user class.
        """
        user, named = self.user_class, self._app.config[config.USER_COLUMNS]
        if named is None and (self.user_url is not None or self.may is not None or self._has_own_templates()):
            return None
        own = [self._attribute(config.USER_COLUMNS, name) for name in named or ()]
        flag = self.schema.flags.get("locked", self.slug_name)
        names = dict.fromkeys((self.schema.key_name, self.slug_name, self.label_name, flag, *own))
        columns = tuple([getattr(user, name) for name in names])
        try:
            attributes_of(columns, user)
        except MappingError as error:
            if named is None:
                return None  # a name that a property makes
            message = f"{config.USER_COLUMNS}: {error}"
            raise ValueError(message) from None
        return columns

    def _has_own_templates(self) -> bool:
        environment = self._app.jinja_env
        loader = cast("BaseLoader", environment.loader)
        files = [loader.get_source(environment, f"retinue/{file.name}")[1] for file in _SHOWING_PEOPLE]
        return any(
            found is None or not file.samefile(found) for found, file in zip(files, _SHOWING_PEOPLE, strict=True)
        )

    def _attribute(self, key: str, name: str) -> str:
        if not hasattr(self.user_class, name):
            message = f"{key} is {name!r}, but {self.user_class.__name__} has no such attribute"
            raise ValueError(message)
        return name

    def _key_of(self, slug: str) -> Any | None:
        """Return the value of the column that *slug* stands for; None if the column cannot hold one."""
        kind = getattr(self.user_class, self.slug_name).type
        connection = connection_of(self.session(), self.schema, writes=False)
        try:
            value = keys_of(kind, connection).read(slug)
        except InvalidUserError:
            return None
        # One address for each user: 7, but not 007.
        return value if str(value) == slug else None

    @cached_property
    def _sessions(self) -> Sessions:
        return sessions_of(self._app, self._session)


def _only_user_class() -> type[Any]:
    found = list(_mapped(FollowerMixin))
    if len(found) == 1:
        return found[0]
    those = ", ".join(sorted(cls.__name__ for cls in found)) or "none is imported yet"
    message = f"name the user class: Retinue(app, user_model=User) ({those})"
    raise RuntimeError(message)


def _mapped(cls: type[Any]) -> Iterator[type[Any]]:
    """Yield the mapped classes nearest below *cls*: subclasses of a user class share its graph."""
    for below in cls.__subclasses__():
        if "__mapper__" in vars(below):
            yield below
        else:
            yield from _mapped(below)


def current() -> State:
    """
    Return the state of the current application.

    Raises:
        RuntimeError: There is no application context, or the extension is not on its application.
    """
    state = current_app.extensions.get(NAME)
    if state is None:
        message = (
            "Retinue is not on this Flask app. Did you forget Retinue(app) or retinue.init_app(app), "
            "or is this another app than the one that has it?"
        )
        raise RuntimeError(message)
    return cast("State", state)
