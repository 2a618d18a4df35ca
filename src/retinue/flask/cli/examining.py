"""``flask retinue doctor``: all that is wrong in the database, and what is safe to put right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from retinue.doctor import Finding, Treatment, examine, repair
from retinue.flask.cli.commands import command, print_json
from retinue.flask.cli.terminal import progress
from retinue.flask.state import State
from retinue.flask.wording import count


@command(
    "doctor",
    click.option("--repair", "repairs", is_flag=True, help="Put right what is safe; the rest is named all the same."),
    failed=2,
)
def doctor(state: State, as_json: bool, *, repairs: bool) -> int:
    """
    Say what is wrong, and put it right.

    Looks at rows, tables, indexes, foreign keys, collations and the connection.
    What only Retinue and the ORM have written is never wrong; raw SQL, a restored
    backup of some tables or a migration that is missing may be. Changes nothing
    without --repair, and delays nobody: run it every night.

    Exit codes: 0 done: all is well, or is since it was repaired; 1 something is wrong;
    2 it could not look, or the command line is wrong.
    """
    with progress("Repairing" if repairs else "Examining") as tell:

        def told(where: str, what: str, owners: int) -> None:
            tell(None, f"{where}: {what}, {count(owners, 'owner')}")

        if repairs:
            treated = repair(state.new_session, state.user_class, progress=told)
        else:
            found = examine(state.new_session, state.user_class, progress=told)
            treated = Treatment(found, found)
    if as_json:
        print_json(_document(treated))
    else:
        click.echo("\n".join(_text(treated, repaired=repairs)))
    return 1 if treated.left else 0


def _document(treated: Treatment) -> dict[str, Any]:
    return {"healthy": not treated.left, "found": treated.found, "left": treated.left}


def _text(treated: Treatment, *, repaired: bool) -> Iterator[str]:
    if not treated.found:
        yield "All is well."
        return
    left = {(one.what, one.where) for one in treated.left}
    gone = [one for one in treated.found if (one.what, one.where) not in left]
    if gone:
        yield "Repaired:"
        yield from (f"  {_named(one)}" for one in gone)
    if not treated.left:
        yield "All is well now."
        return
    for one in treated.left:
        yield from _told(one, repaired=repaired)


def _told(one: Finding, *, repaired: bool) -> Iterator[str]:
    yield f"{one.severity}: {_named(one)}"
    if one.examples:
        yield f"  {_keys(one.examples)}{', ...' if one.how_many > len(one.examples) else ''}"
    yield f"  {one.fix}"
    if one.repairable and not repaired:
        yield "  `flask retinue doctor --repair` does it."
    if one.ddl:
        yield from (f"    {line.rstrip()}" for line in one.ddl.splitlines())


def _named(one: Finding) -> str:
    return f"{one.where}: {one.what.replace('_', ' ')} ({one.how_many:,})"


def _keys(examples: Sequence[tuple[Any, ...]]) -> str:
    return ", ".join(" ".join(str(part) for part in key) for key in examples)
