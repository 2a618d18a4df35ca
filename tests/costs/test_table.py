"""Every call takes the statements that the table says, and its docstring says the same."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from retinue import FollowerMixin, Graph
from retinue.insight import churn, follower_growth, statistics, top_new_followers
from tests.costs.scene import FEW, GRAPHS, MANY, SOCIETIES, fill, names, statements_of
from tests.costs.table import TABLE, Row


@pytest.mark.tables.with_args(lambda graph: GRAPHS[graph].metadata)
@pytest.mark.parametrize("graph", GRAPHS)
def test_every_call_takes_the_statements_of_the_table(engine: Engine, graph: str) -> None:
    """However many rows it is about, and for instances that a commit has expired: no hidden select."""
    fill(engine, GRAPHS[graph])
    wrong = []
    for size, instances in ((FEW, False), (MANY, True)):
        with Session(engine) as session:
            known = names(session, GRAPHS[graph], SOCIETIES[size], instances=instances)
            for call, row in TABLE.items():
                expected = row.statements(graph, engine.dialect.name)
                if expected is not None:
                    ran = statements_of(call, row.first, known)
                    if len(ran) != expected:
                        wrong.append(f"{call}, of {size}: {len(ran)}, not {expected}:\n" + "\n".join(ran))
    assert not wrong, "\n\n".join(wrong)


# --- Docstrings ----------------------------------------------------------------------------------

METHODS: dict[str, Callable[..., Any]] = {
    name: method for name, method in inspect.getmembers(Graph, inspect.isfunction) if not name.startswith("_")
}
CALLS = {
    **METHODS,
    **{
        f"myself.{name}": getattr(FollowerMixin, name)
        for name in ("follow", "unfollow", "is_following", "is_a_follower")
    },
    **{function.__name__: function for function in (follower_growth, churn, top_new_followers, statistics)},
}

#: Those whose cost depends on what is declared and on what is there, and in which words they say it.
WORDED = {
    "follow": (
        "Cost on PostgreSQL: one statement, whatever is declared; two where somebody else",
        "one insert, and two updates where counts are kept (one on SQLite)",
        "If nothing changed, one select or insert.",
    ),
    "unfollow": ("one delete, and two updates where counts are kept (one on SQLite)", "on PostgreSQL as `follow()`"),
    "remove_follower": ("As `unfollow()`", "nothing is spent on requests"),
    "accept": ("one insert for the guards (none on SQLite), one delete, one insert, and what follows from a change",),
    "reject": ("one insert for the guards (none on SQLite) and one delete",),
    "accept_all": ("one guard, one select that finds nobody any more, and for each 1,000 requests one select",),
    "reject_all": (
        "one guard, one select that finds nobody any more, and for each 1,000 requests one select, one delete",
    ),
    "unlock": ("that of `accept_all()`, one select that locks the user, one update, and one select more if",),
    "block": (
        "on PostgreSQL as `follow()`",
        "two inserts (guards, block; on SQLite the block alone)",
        "two deletes where there are notifications",
    ),
    "unblock": ("one insert for the guards (none on SQLite), one select, one delete",),
    "expire": ("One delete for each kind that is declared",),
    "suggested_keys": ("the same as `suggestions()`", "one select less"),
}

_NUMBERS = {"no": 0, "one": 1, "two": 2, "three": 3, "four": 4}
_PART = re.compile(rf"\b({'|'.join(_NUMBERS)}) (?:select|insert|update|delete|statement)s?\b", re.IGNORECASE)
_LIKE = re.compile(r"\b[Aa]s `(?:Graph\.)?(\w+)\(\)`")


def row_of(call: str) -> Row:
    """Return the first row of the table about *call*."""
    rows = [row for text, row in TABLE.items() if re.search(rf"(?<![\w.]){re.escape(call)}\(", text)]
    assert rows, f"{call}() has no row in the table"
    return rows[0]


def test_docstrings_say_what_the_table_says() -> None:
    """In a clause such as "one select and one delete", or by the name of a call that takes the same."""
    for call, function in CALLS.items():
        said, row = " ".join((function.__doc__ or "").split()), row_of(call)
        start, like = _PART.search(said), _LIKE.search(said)
        if call in WORDED:
            assert [words for words in WORDED[call] if words not in said] == [], call
        elif start:
            (clause, *_) = re.split("[.;:]", said[start.start() :])
            number = sum(_NUMBERS[word.lower()] for word in _PART.findall(clause))
            assert {*row[:3]} - {None} == {number}, call
        else:
            assert like, f"{call} does not say what it costs"
            assert row[:3] == row_of(like[1])[:3], call
