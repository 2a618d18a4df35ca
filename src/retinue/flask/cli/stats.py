"""``flask retinue stats``: a graph in numbers, and two charts of how many edges its users have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import click

from retinue.flask.cli.commands import command, print_json
from retinue.flask.cli.people import person_of, shown_person
from retinue.flask.cli.terminal import bar, width
from retinue.flask.state import State
from retinue.flask.wording import count
from retinue.insight import DegreeBand, Statistics, statistics

#: The least width, in columns, for two charts side by side.
_BESIDE: int = 76


@command(
    "stats",
    click.option(
        "--top",
        default=10,
        show_default=True,
        type=click.IntRange(1, 100),
        metavar="N",
        help="How many of the most followed to list.",
    ),
)
def stats(state: State, as_json: bool, *, top: int) -> None:
    """
    Show the graph in numbers.

    How many users, follows, requests, blocks and mutes there are; a chart of
    how many users have how many followers, in powers of two; and the most
    followed users. Counted from the edges, not from stored counts, so it is
    always right; it reads all edges, which takes seconds for millions.

    Exit codes: 0 done; 1 failed; 2 the command line is wrong.
    """
    found = statistics(state.session(), state.user_class, most_followed=top)
    if as_json:
        print_json(_document(state, found))
    else:
        click.echo("\n".join(_text(state, found)))


def _document(state: State, found: Statistics[object]) -> dict[str, object]:
    return {
        "users": found.users,
        "follows": found.follows,
        "mutual_follows": found.returned,
        "mutual_share": round(found.mutual_share, 4),
        "requests": found.requests,
        "blocks": found.blocks,
        "mutes": found.mutes,
        "most_followed": [{**person_of(state, one.user), "followers": one.followers} for one in found.most_followed],
        "by_followers": found.by_followers,
        "by_following": found.by_following,
    }


def _text(state: State, found: Statistics[object]) -> Iterator[str]:
    mutual = f" ({found.mutual_share:.0%} of them mutual)" if found.follows else ""
    yield f"{count(found.users, 'user')}, {count(found.follows, 'follow')}{mutual}"
    totals = ((found.requests, "pending request"), (found.blocks, "block"), (found.mutes, "mute"))
    others = [count(total, noun) for total, noun in totals if total is not None]
    if others:
        yield ", ".join(others)
    if not found.users:
        return
    yield ""
    left, right = ("have so many followers", found.by_followers), ("follow so many", found.by_following)
    columns = width()
    if columns >= _BESIDE:
        half = (columns - 3) // 2
        for line, beside in zip_longest(_drawn(*left, half), _drawn(*right, half), fillvalue=""):
            yield f"{line:<{half}}   {beside}".rstrip()
    else:
        yield from _drawn(*left, columns)
        yield ""
        yield from _drawn(*right, columns)
    if found.most_followed:
        yield ""
        yield "most followed"
        room = len(f"{found.most_followed[0].followers:,}")
        for one in found.most_followed:
            yield f"  {one.followers:>{room},}  {shown_person(state, one.user)}"


def _drawn(title: str, bands: Sequence[DegreeBand], columns: int) -> Iterator[str]:
    """Yield a line for each of *bands*: from how many to how many, how many users, and a bar."""
    labels = [str(band.least) if band.least == band.most else f"{band.least:,}-{band.most:,}" for band in bands]
    numbers = [f"{band.users:,}" for band in bands]
    first, second = max(map(len, labels)), max(*map(len, numbers), len("users"))
    room = max(columns - first - second - 4, 1)
    highest = max(band.users for band in bands) or 1
    yield f"{'':{first}}  {'users':>{second}}  {title}"
    for label, users, band in zip(labels, numbers, bands, strict=True):
        yield f"{label:>{first}}  {users:>{second}}  {bar(band.users / highest, room)}".rstrip()
