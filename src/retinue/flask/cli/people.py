"""Users as a command prints them, and as an operator names them."""

from __future__ import annotations

from typing import Any

import click

from retinue import InvalidUserError
from retinue.flask.state import State
from retinue.schema import identity
from retinue.values import Key
from retinue.work import Work


def person_of(state: State, user: Any) -> dict[str, Any]:
    """Return *user* as part of a JSON document."""
    return {"id": identity(user)[0], "slug": state.slug_of(user), "name": state.label_of(user)}


def shown_person(state: State, user: Any) -> str:
    """Return *user* as part of a line of text, without characters that control a terminal."""
    key, slug, name = (_printable(value) for value in person_of(state, user).values())
    return f"{name} @{slug} ({key})" if name != slug else f"@{slug} ({key})" if slug != key else key


def _printable(value: object) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in str(value))


def key_of(state: State, text: str) -> Key:
    """
    Return the key that *text* stands for.

    Raises:
        InvalidUserError: No user can have such a key.
    """
    key: Key = Work(state.session(), state.schema).read().user_keys().read(text)
    return key


def find_user(state: State, text: str) -> Any:
    """
    Return the user whom *text* names: by key, or else by the name in their address, with or without an ``@``.

    Raises:
        click.ClickException: There is none.
    """
    if not text.startswith("@"):
        try:
            user = state.session().get(state.user_class, key_of(state, text))
        except InvalidUserError:
            user = None
        if user is not None:
            return user
    user = state.user_named(text.removeprefix("@"))
    if user is None:
        message = f"There is no user {_printable(text)!r}: give a key, or the name in a user's address."
        raise click.ClickException(message)
    return user
