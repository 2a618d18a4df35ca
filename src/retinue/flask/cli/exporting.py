"""``flask retinue export``: write all follows to a file."""

from __future__ import annotations

import sys
from typing import Any

import click

from retinue.flask.cli.commands import command, print_json
from retinue.flask.cli.terminal import progress
from retinue.flask.state import State
from retinue.flask.wording import count
from retinue.transfer import export_follows


@command("export", click.argument("file", default="-", type=click.Path(dir_okay=False, writable=True, allow_dash=True)))
def export(state: State, as_json: bool, *, file: str) -> None:
    """
    Write who follows whom to FILE, or to standard output.

    Lines of follower,following,timestamp, which `flask retinue import` reads
    back. FILE is gzipped if its name ends in .gz; an existing file is replaced
    when all is written. Requests, blocks and mutes are not exported.

    Exit codes: 0 done; 1 failed; 2 the command line is wrong.
    """
    to_output = file == "-"
    if to_output and as_json:
        message = "--json says what was written to a FILE: standard output is taken by the rows themselves."
        raise click.UsageError(message)
    target: Any = sys.stdout.buffer if to_output else file
    with progress("Exporting") as tell:
        report = export_follows(
            state.new_session,
            state.user_class,
            target,
            progress=lambda report: tell(report.share_written, count(report.rows, "row")),
        )
    if as_json:
        print_json({"file": file, "rows": report.rows, "seconds": round(report.seconds, 3)})
    else:
        click.echo(f"{count(report.rows, 'follow')} written in {report.seconds:.1f} s.", err=to_output)
