"""``flask retinue recount``: find wrong stored counts, and correct them."""

from __future__ import annotations

from typing import Any

import click

from retinue import doctor
from retinue.doctor import CountReport, Miscount
from retinue.flask.cli.commands import command, print_json
from retinue.flask.cli.people import key_of
from retinue.flask.cli.terminal import progress
from retinue.flask.state import State
from retinue.flask.wording import count

#: How many users with wrong counts are named.
_NAMED: int = 20


@command(
    "recount",
    click.option("--check", is_flag=True, help="Only look: change nothing, and exit with 1 if anything is wrong."),
    click.option("--after", metavar="KEY", help="Begin after the user with this key, where an earlier run stopped."),
)
def recount(state: State, as_json: bool, *, check: bool, after: str | None) -> int:
    """
    Put stored counts right.

    Counts the edges and stores the result where it differs. Needed only after
    changes that Retinue does not see, such as raw SQL or a restored backup of
    some tables. Users who were never counted get their counts. Others may
    follow and unfollow meanwhile.

    Exit codes: 0 done, or with --check: all is right; 1 failed, or with
    --check: something is wrong; 2 the command line is wrong.
    """
    named: list[Miscount] = []

    def keep(miscount: Miscount) -> None:
        if len(named) < _NAMED:
            named.append(miscount)

    work = doctor.drift if check else doctor.recount
    with progress("Checking" if check else "Recounting") as tell:
        report = work(
            state.new_session,
            state.user_class,
            after=None if after is None else key_of(state, after),
            progress=lambda report: tell(report.share_done, count(report.users, "user")),
            on_wrong=keep,
        )
    if as_json:
        print_json(_document(report, named, check=check))
    else:
        click.echo(_text(report, named, check=check))
    return 1 if check and report.wrong else 0


def _document(report: CountReport, named: list[Miscount], *, check: bool) -> dict[str, Any]:
    return {
        "users": report.users,
        "wrong": report.wrong,
        "corrected": 0 if check else report.wrong,
        "biggest_difference": report.biggest,
        "uncounted": report.uncounted,
        "last": report.last,
        "seconds": round(report.seconds, 3),
        "first_wrong": named,
    }


def _text(report: CountReport, named: list[Miscount], *, check: bool) -> str:
    verb = "is" if report.wrong == 1 else "are"
    if not report.wrong:
        lines = [f"{count(report.users, 'user')}: every stored count is right."]
    elif check:
        lines = [
            f"{count(report.users, 'user')}: the counts of {report.wrong:,} {verb} wrong, by {report.biggest:,} at most."
        ]
    else:
        lines = [
            f"{count(report.users, 'user')}: the counts of {report.wrong:,} were wrong, by {report.biggest:,} at most. Now they are right."
        ]
    for one in named:
        lines.append(
            f"  {one.user}: {one.stored.followers:,} followers instead of {one.counted.followers:,},"
            f" {one.stored.following:,} following instead of {one.counted.following:,}"
        )
    if report.wrong > len(named):
        lines.append(f"  ... and {report.wrong - len(named):,} more")
    if report.uncounted and not check:
        lines.append(
            f"{count(report.uncounted, 'user')} had never been counted, and {'has' if report.uncounted == 1 else 'have'} stored counts now."
        )
    return "\n".join(lines)
