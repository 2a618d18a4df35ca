"""``flask retinue import``: load the follows of an existing graph from a file."""

from __future__ import annotations

import sys
from typing import Any

import click

from retinue.flask.cli.commands import command, print_json
from retinue.flask.cli.terminal import progress
from retinue.flask.state import State
from retinue.flask.wording import count
from retinue.transfer import ImportReport, Skipped, import_follows


@command(
    "import",
    click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True)),
    click.option(
        "--header/--no-header", default=None, help="Whether the first line names the columns. [default: if it looks so]"
    ),
    click.option("--skipped", is_flag=True, help="Say on standard error each row that is skipped, and why."),
)
def import_(state: State, as_json: bool, *, file: str, header: bool | None, skipped: bool) -> None:
    """
    Add the follows that are listed in FILE.

    FILE (- is standard input) has lines of follower,following or follower,following,timestamp:
    keys of existing users, and a time in ISO 8601 or unix seconds. It may be
    gzipped. A row that cannot be added is skipped with a reason. If the import is
    cut off, run it again: it skips what exists. Nobody is notified.

    Exit codes: 0 done, also if rows were skipped; 1 failed; 2 the command
    line is wrong, or there is no such file.
    """
    source: Any = sys.stdin.buffer if file == "-" else file
    with progress("Importing") as tell:
        report = import_follows(
            state.new_session,
            state.user_class,
            source,
            header=header,
            progress=lambda report: tell(report.share_read, count(report.rows, "row")),
            on_skip=_print_skipped if skipped else None,
        )
    if as_json:
        print_json(_document(report))
    else:
        click.echo(_text(report))


def _print_skipped(skipped: Skipped) -> None:
    click.echo(f"row {skipped.number:,}: {skipped.reason.value}: {skipped.detail}", err=True)


def _document(report: ImportReport) -> dict[str, Any]:
    return {
        "rows": report.rows,
        "added": report.added,
        "skipped": {reason.name.lower(): count for reason, count in report.skipped.items()},
        "seconds": round(report.seconds, 3),
    }


def _text(report: ImportReport) -> str:
    lines = [f"{count(report.rows, 'row')}: {count(report.added, 'follow')} added in {report.seconds:.1f} s."]
    if report.skipped:
        lines.append(f"{count(sum(report.skipped.values()), 'row')} skipped:")
        room = max(len(f"{count:,}") for count in report.skipped.values())
        lines += [f"  {count:>{room},}  {reason.value}" for reason, count in report.skipped.items()]
    return "\n".join(lines)
