"""A user for an operator's eyes; and whom an operator means."""

from __future__ import annotations

from typing import Any

import click

from retinue import InvalidUserError
from retinue.flask.state import State
from retinue.keys import key_reader
from retinue.schema import identity
from retinue.values import Key
from retinue.work import Work


def person_of(state: State, user: Any) -> dict[str, Any]:
    """Return *user* as part of a JSON document."""
    return {"id": identity(user)[0], "slug": state.slug_of(user), "name": state.label_of(user)}


def shown_person(state: State, user: Any) -> str:
    """Return *user* as part of a line of text, without what could command a terminal."""
    key, slug, name = (_printable(value) for value in person_of(state, user).values())
    return f"{name} @{slug} ({key})" if name != slug else f"@{slug} ({key})" if slug != key else key


def _printable(value: object) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in str(value))


def key_of(state: State, said: str) -> Key:
    """
    Return the key that *said* means.

    Raises:
        InvalidUserError: No user can have such a key.
    """
    work = Work(state.session(), state.schema).connect()
    return work.checker()(key_reader(work.schema.key.type)(said))


def find_user(state: State, said: str) -> Any:
    """
    Return the user whom *said* means: a key, or else the name in their addresses, with an ``@`` before it or without.

    Raises:
        click.ClickException: There is none.
    """
    if not said.startswith("@"):
        try:
            user = state.session().get(state.user_class, key_of(state, said))
        except InvalidUserError:
            user = None
        if user is not None:
            return user
    user = state.user_named(said.removeprefix("@"))
    if user is None:
        message = f"There is no user {_printable(said)!r}: give a key, or the name in a user's address."
        raise click.ClickException(message)
    return user
