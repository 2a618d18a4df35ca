"""
The values of the graph as response models, nested as they are: ``Page[Person[User]]`` is ``PageOf[PersonOf[UserOut]]``.

Each is made of its value by ``model_validate()``. What they show was loaded before: none of them asks the database.
Their docstrings are what OpenAPI says of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Generic, Self, TypeVar, cast
from weakref import WeakValueDictionary

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, create_model, model_validator

from retinue import NotificationKind, SuggestionReason
from retinue.fastapi.loading import is_refused, nothing_is_loaded

T = TypeVar("T")
U = TypeVar("U")

#: The model of each ``PersonOf[UserOut]``, by what Pydantic makes of that.
_named: WeakValueDictionary[type[BaseModel], type[BaseModel]] = WeakValueDictionary()


class _OfTheGraph(BaseModel):
    """Made of a value of the graph, with no query."""

    model_config: ClassVar[ConfigDict] = ConfigDict(from_attributes=True, frozen=True, use_attribute_docstrings=True)

    @model_validator(mode="wrap")
    @classmethod
    def _load_nothing(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if is_refused.get():
            return handler(value)
        with nothing_is_loaded(value):
            return handler(value)


class _OfModels(_OfTheGraph):
    """One of these for each model of the application's: in OpenAPI ``PageOfUserOut``, and not ``PageOf_UserOut_``."""

    def __class_getitem__(cls, item: Any) -> Any:
        made = cast("type[BaseModel]", super().__class_getitem__(item))
        # A class of its own has a name of its own; for Pydantic what it makes is PageOf, and of something.
        if made.__pydantic_generic_metadata__["parameters"] or not isinstance(item, type):
            return made
        if made not in _named:
            name = f"{cls.__name__}{item.__name__}"
            _named[made] = create_model(name, __base__=made, __module__=item.__module__, __doc__=cls.__doc__)
        return _named[made]


class PersonOf(_OfModels, Generic[U]):
    """Somebody on a list."""

    user: U
    since: datetime
    """When they came on the list (UTC)."""


class BlockedPersonOf(PersonOf[U], Generic[U]):
    """Somebody who is blocked."""

    until: datetime | None
    """When the block ends by itself (UTC); null: never."""


class MutedPersonOf(PersonOf[U], Generic[U]):
    """Somebody who is muted."""

    until: datetime | None
    """When the mute ends by itself (UTC); null: never."""
    notifications: bool
    """Whether notifications are left out as well."""


class NoticeOf(_OfModels, Generic[U]):
    """A notification."""

    id: int
    kind: NotificationKind
    user: U
    """Who did it."""
    at: datetime
    """When it was done (UTC)."""
    read: bool
    """Whether it has been read."""


class SuggestionOf(_OfModels, Generic[U]):
    """Somebody whom one may want to follow."""

    user: U
    reason: SuggestionReason
    known: list[U]
    """Up to three whom one follows, and who follow them."""
    known_total: int
    """How many of those there are."""


class PageOf(_OfModels, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None
    """The address of the page that follows, without a host; null: this is the last one."""
    prev: str | None
    """The address of the page before, without a host; null: this is the first one."""
    total: int | None
    """How many the whole list has, where they are counted."""


class RelationshipOut(_OfTheGraph):
    """How one stands with a user."""

    # Not `Relationship.blocked_by`: that is for the application alone.

    following: bool
    """One follows the user."""
    followed_by: bool
    """The user follows one."""
    requested: bool
    """One has asked to follow the user, who has not answered yet."""
    requested_by: bool
    """The user has asked to follow one, and waits for an answer."""
    blocking: bool
    """One blocks the user."""
    muting: bool
    """One mutes the user."""
    since: datetime | None
    """Since when one follows the user (UTC)."""


class CountsOut(_OfTheGraph):
    """How many follow a user, and how many the user follows."""

    followers: int
    following: int
