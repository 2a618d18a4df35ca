"""A user for an operator's eyes; and whom an operator means."""

from __future__ import annotations

from typing import Any

import click

from retinue import InvalidUserError
from retinue.caller import Caller
from retinue.flask.state import State
from retinue.keys import key_reader
from retinue.schema import identity, schema_of
from retinue.values import Key


def person_of(state: State, user: Any) -> dict[str, Any]:
    """Return *user* as part of a JSON document."""
    del state
    schema = schema_of(type(user))
    name = schema.flags.get("name")
    return {"id": identity(user)[0], "name": None if name is None else getattr(user, name)}


def shown_person(state: State, user: Any) -> str:
    """Return *user* as part of a line of text, without what could command a terminal."""
    person = person_of(state, user)
    name = person["name"]
    return f"{_printable(name)} ({_printable(person['id'])})" if name else _printable(person["id"])


def _printable(value: object) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in str(value))


def key_of(state: State, said: str) -> Key:
    """
    Return the key that *said* means.

    Raises:
        InvalidUserError: No user can have such a key.
    """
    caller = Caller(state.session(), schema_of(state.user_class))
    _, engine = caller.connect()
    return caller.checker(engine)(key_reader(caller.schema.key.type)(said))


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
