"""Texts under which users are found: any class of the application whose rows have a user and a text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Column, Table

from retinue.errors import MappingError
from retinue.folding import fold_name
from retinue.models.ownership import key_column_of, user_class_of
from retinue.models.posts import column_of, mapper_of, values_of

M = TypeVar("M", bound=type[Any])


@dataclass(frozen=True, slots=True)
class SearchTexts:
    """A class of such texts, and which of its columns say what."""

    model: type[Any]
    table: Table
    user: Column[Any]
    text: Column[Any]
    #: Makes of what somebody searches for what such texts begin with.
    fold: Callable[[str], str]


def declare_search(model: M, *, user: Any, text: Any, fold: Callable[[str], str] = fold_name) -> M:
    """
    Say that the rows of *model* are the texts under which users are found in lists: ``search=`` finds
    whose text begins with it, where it would find whose name does. No statement.

    Call it once, after the class (where its base has two user classes, ``__retinue_user__`` on *model* names
    one, as on the mixins' models). The application writes the rows whenever a name changes: `search_texts()` makes
    them of names. The primary key is (user, text); docs/lists.md has the index that keeps a search short.

    Args:
        model: A mapped class.
        user: Its attribute, or the name of one, that holds the key of the user.
        text: Its attribute, or the name of one, that holds a text.
        fold: Makes of what somebody searches for what such texts begin with; nothing, and nobody is found.
            Left out, it is what `search_texts()` does to names.

    Returns:
        *model*.

    Raises:
        MappingError: It is not mapped, lacks such an attribute, has another primary key, or its user class
            has such texts already.
    """
    mapper = mapper_of(model)
    users, texts = (column_of(mapper, name) for name in (user, text))
    owner = user_class_of(model)
    if set(users.table.primary_key) != {users, texts}:
        raise MappingError(f"{model.__name__} needs the primary key ({users.key}, {texts.key})")
    if not issubclass(values_of(texts), str):
        raise MappingError(f"{model.__name__}.{texts.key} must be a text")
    if values_of(users) is not values_of(key_column_of(owner)):
        raise MappingError(f"{model.__name__}.{users.key} does not hold keys of {owner.__name__}")
    known: SearchTexts | None = vars(owner).get("__retinue_search__")
    if known is not None and known.model is not model:
        raise MappingError(f"{owner.__name__} has such texts already: {known.model.__name__}")
    owner.__retinue_search__ = SearchTexts(model, users.table, users, texts, fold)
    if "__retinue_schema__" in vars(owner):
        del owner.__retinue_schema__
    return model
