"""What holds for a row of the graph, whoever writes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retinue import guards
from retinue.errors import BlockedError, NotWritableError
from retinue.models import now
from retinue.models.ownership import GraphModel
from retinue.ties import BLOCK, REQUEST, TIES, are_blocked, delete_tie
from retinue.work import Pair, Work, edge_parameters

#: Models whose rows only a verb may make, and that verb.
VERBS: dict[type[GraphModel], str] = {tie.mixin: tie.verb for tie in TIES if tie.verb is not None}


def refuse_row_of(model: type[Any]) -> None:
    """Raise `NotWritableError` if only a verb may make a row of *model*."""
    for mixin, verb in VERBS.items():
        if issubclass(model, mixin):
            what = f"a {model.__name__} stands for more than its row"
            raise NotWritableError(what, verb)


def refuse_blocked(work: Work, pairs: Sequence[Pair]) -> None:
    """Raise `BlockedError` if two of *pairs* are blocked, and see to it that they stay as they are."""
    if not pairs:
        return
    beside = tuple(followed for _, followed in pairs)
    guards.take(work, *(follower for follower, _ in pairs), beside=beside)
    if BLOCK.is_declared(work.schema):
        for pair in pairs:
            if work.run(are_blocked, {**edge_parameters(pair), "now": now()}, work.engine).scalar():
                raise BlockedError(*pair)


def drop_requests(work: Work, pairs: Sequence[Pair]) -> list[Pair]:
    """
    Delete the requests of *pairs*, who follow now; return whose there were, for `effects.close_requests()`.

    Their guards are held, so that none can be made. One delete for each pair.
    """
    if not REQUEST.is_declared(work.schema):
        return []
    return [pair for pair in pairs if work.run(delete_tie, REQUEST.parameters(pair), REQUEST).rowcount]
