"""``flask retinue expire``: delete rows that have expired."""

from __future__ import annotations

from dataclasses import asdict

import click

from retinue import Expired, Graph, transact
from retinue.flask.cli.commands import command, print_json
from retinue.flask.state import State
from retinue.flask.wording import count

#: What a kind of rows is called, one and several, where that is not the name of its field.
_WORDS: dict[str, tuple[str, str]] = {
    "history": ("row of history", "rows of history"),
    "timelines": ("kept home timeline", "kept home timelines"),
}


@command("expire")
def expire(state: State, as_json: bool) -> None:
    """
    Delete what has expired.

    Timed blocks and mutes, old requests, old history: none of it has any effect
    any more, so this only saves space. Run it now and then, such as once a day.

    Exit codes: 0 done; 1 failed; 2 the command line is wrong.
    """
    expired: Expired = transact(state.new_session, lambda session: Graph(session, state.user_class).expire())
    if as_json:
        print_json(asdict(expired))
        return
    went = [
        count(rows, *_WORDS.get(kind, (kind.removesuffix("s"), kind))) for kind, rows in asdict(expired).items() if rows
    ]
    click.echo(f"Deleted {', '.join(went)}." if went else "Nothing has ended since the last time.")
