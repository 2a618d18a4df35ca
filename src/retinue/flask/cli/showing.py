"""``flask retinue show``: one user, with what only an operator may see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from retinue import BlockMixin, FollowMixin, FollowRequestMixin, Graph, MuteMixin, Page
from retinue.flask.cli.commands import command, print_json
from retinue.flask.cli.people import find_user, person_of, shown_person
from retinue.flask.state import State
from retinue.schema import Schema

#: The lists, which are methods of the graph: the title of each, and the model that it needs.
_LISTS: dict[str, tuple[str, type[Any]]] = {
    "followers": ("newest followers", FollowMixin),
    "following": ("followed last", FollowMixin),
    "requests": ("ask to follow them", FollowRequestMixin),
    "sent_requests": ("they ask to follow", FollowRequestMixin),
    "blocks": ("they block", BlockMixin),
    "mutes": ("they mute", MuteMixin),
}

#: The flags of a user: what is printed for true, and for false.
_FLAGS: dict[str, tuple[str | None, str | None]] = {
    "active": (None, "not active"),
    "locked": ("approves followers", None),
    "hide_followers": ("hides followers", None),
    "hide_following": ("hides following", None),
    "discoverable": (None, "not suggested to others"),
}


@command(
    "show",
    click.argument("user"),
    click.option(
        "--limit", default=5, show_default=True, type=click.IntRange(1, 100), metavar="N", help="Rows of each list."
    ),
)
def show(state: State, as_json: bool, *, user: str, limit: int) -> None:
    """
    Show one user, with what no visitor may see.

    USER is a key, or the name in the user's address, which may begin with an @.
    Shows counts, flags, newest followers and followed, requests, blocks, mutes.

    Exit codes: 0 done; 1 failed, or there is no such user; 2 the command line
    is wrong.
    """
    found = find_user(state, user)
    schema, graph = state.schema, state.graph()
    pages = {
        name: getattr(graph, name)(found, limit=limit) for name, (_, mixin) in _LISTS.items() if mixin in schema.models
    }
    if as_json:
        print_json(_document(state, schema, graph, found, pages))
    else:
        click.echo("\n".join(_text(state, schema, graph, found, pages)))


def _flags(schema: Schema, user: Any) -> dict[str, bool]:
    return {name: bool(getattr(user, schema.flags[name])) for name in _FLAGS if name in schema.flags}


def _document(
    state: State, schema: Schema, graph: Graph[Any], user: Any, pages: dict[str, Page[Any]]
) -> dict[str, Any]:
    person = person_of(state, user)
    counts = graph.counts([user])[person["id"]]
    return {
        **person,
        "counts": counts,
        "flags": _flags(schema, user),
        **{
            name: {"items": [_item(state, row) for row in page], "more": page.next is not None}
            for name, page in pages.items()
        },
    }


def _item(state: State, row: Any) -> dict[str, Any]:
    ends = {name: getattr(row, name) for name in ("until", "notifications") if hasattr(row, name)}
    return {**person_of(state, row.user), "since": row.since, **ends}


def _text(state: State, schema: Schema, graph: Graph[Any], user: Any, pages: dict[str, Page[Any]]) -> Iterator[str]:
    counts = next(iter(graph.counts([user]).values()))
    yield shown_person(state, user)
    yield f"{counts.followers:,} followers, {counts.following:,} following"
    flags = [words for name, is_so in _flags(schema, user).items() if (words := _FLAGS[name][0 if is_so else 1])]
    if flags:
        yield ", ".join(flags)
    for name, page in pages.items():
        if page.items:
            yield ""
            yield _LISTS[name][0]
            yield from (f"  {_day(row.since)}  {shown_person(state, row.user)}{_end(row)}" for row in page)
            if page.next is not None:
                yield "  ... and more"


def _end(row: Any) -> str:
    until = getattr(row, "until", None)
    return "" if until is None else f", until {_day(until)}"


def _day(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
