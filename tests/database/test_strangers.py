"""Somebody who is not logged in, as the libraries for logging in have them: an object, a proxy, or None."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from werkzeug.local import LocalProxy

from retinue import ALL, InvalidUserError, NotVisibleError
from tests.models import PRIVATE, declare

MODELS = declare(*PRIVATE, flags=("locked", "active"))

pytestmark = [
    pytest.mark.parametrize("engine", ["sqlite"], indirect=True),
    pytest.mark.tables(MODELS.metadata),
]

#: As Flask-Login has them, and Django.
NOBODY = SimpleNamespace(is_authenticated=False, is_anonymous=True, get_id=lambda: None)

STRANGERS: dict[str, Any] = {
    "None": None,
    "an object": NOBODY,
    "a proxy for an object": LocalProxy(lambda: NOBODY),
    "a proxy for None": LocalProxy(lambda: None),
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_a_stranger_reads_what_anybody_may(engine: Engine, kind: str) -> None:
    """Every question with a viewer takes them as None: ``viewer=current_user`` is right, whoever it is."""
    stranger = STRANGERS[kind]
    with Session(engine) as session:
        session.add_all([MODELS.user(id=number, locked=number == 3) for number in (1, 2, 3)])
        session.flush()
        graph = MODELS.graph(session)
        graph.follow(2, 1)
        for read in (graph.followers, graph.following, graph.mutuals):
            assert read(1, viewer=stranger).items == read(1, viewer=None).items
            with pytest.raises(NotVisibleError):
                read(3, viewer=stranger)
        for own in (graph.requests, graph.sent_requests, graph.blocks, graph.mutes, graph.notifications):
            with pytest.raises(NotVisibleError):
                own(1, viewer=stranger)
        assert graph.relationships(stranger, [1, 2]) == graph.relationships(None, [1, 2])
        assert len(session.scalars(select(MODELS.user).where(graph.visible_to(stranger))).all()) == 3
        cursor = graph.followers(1, viewer=None, limit=1).next
        assert graph.followers(1, viewer=stranger, limit=1).next == cursor


def test_a_user_behind_a_proxy_is_that_user(engine: Engine) -> None:
    """As Flask-Login's ``current_user``: as viewer, as user, and in verbs."""
    with Session(engine) as session:
        ada, ben = MODELS.user(id=1), MODELS.user(id=2, locked=True)
        session.add_all([ada, ben])
        session.flush()
        graph, current_user = MODELS.graph(session), LocalProxy(lambda: ada)
        graph.follow(current_user, ben)
        assert graph.relationships(current_user, [ben])[2].requested
        assert graph.sent_requests(current_user, viewer=current_user).items[0].user is ben
        graph.accept(ben, current_user)
        assert graph.followers(ben, viewer=current_user).items[0].user is ada
        assert ben.is_following(current_user) is False
        assert graph.unfollow(current_user, ben)


@pytest.mark.parametrize("nobody", [NOBODY, SimpleNamespace(is_authenticated=True), object(), 1.5])
def test_nobody_is_no_user(engine: Engine, nobody: Any) -> None:
    """Who is not logged in does nothing, owns nothing; and an object that says nothing of the kind is no stranger."""
    with Session(engine) as session:
        session.add(MODELS.user(id=1))
        session.flush()
        graph = MODELS.graph(session)
        for wrong in (lambda: graph.follow(nobody, 1), lambda: graph.followers(nobody)):
            with pytest.raises(InvalidUserError):
                wrong()
        if nobody is not NOBODY:
            with pytest.raises(InvalidUserError):
                graph.followers(1, viewer=nobody)
        assert graph.followers(1, viewer=ALL).items == ()
