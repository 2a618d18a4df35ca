"""F: what hides users from a session's selects acts after a page is cut."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, DateTime, Engine, event
from sqlalchemy.orm import Session, sessionmaker, with_loader_criteria

from tests.expected.models import Club, club

F = "F: criteria of the session's hide rows after the page is cut, so that lists end early"


def names(readers: Club, session: Session, host: int, limit: int) -> list[str]:
    """Return the names on all pages of followers."""
    found: list[str] = []
    cursor = None
    while True:
        page = readers.graph(session).followers(host, limit=limit, cursor=cursor)
        found += [person.user.name for person in page]
        cursor = page.next
        if cursor is None:
            return found


def hide(sessions: Any, reader: Any, criteria: Any) -> None:
    """Let *sessions* see those readers alone who meet *criteria*: SQLAlchemy's recipe for soft deletion."""

    def add(state: Any) -> None:
        if state.is_select and not state.is_column_load and not state.is_relationship_load:
            state.statement = state.statement.options(with_loader_criteria(reader, criteria, include_aliases=True))

    event.listen(sessions, "do_orm_execute", add)


@pytest.mark.xfail(strict=True, raises=AssertionError, reason=F)
def test_a_walk_shows_everybody_who_is_not_hidden(engine: Engine) -> None:
    """Some in the middle are hidden by their date: flipbit03/sqlalchemy-easy-softdelete#24."""
    readers = club(left_at=Column(DateTime))
    host, *others = readers.open(engine, *"habcdef")
    with Session(engine) as session, session.begin():
        for other in others:
            readers.graph(session).follow(other, host)
        for gone in others[3:5]:
            session.get_one(readers.reader, gone).left_at = datetime(2020, 1, 1)  # noqa: DTZ001 - a naive column
    sessions = sessionmaker(engine)
    hide(sessions, readers.reader, lambda cls: cls.left_at.is_(None))
    with sessions() as session:
        assert names(readers, session, host, 2) == ["f", "c", "b", "a"]


@pytest.mark.xfail(strict=True, raises=AssertionError, reason=F)
def test_a_walk_goes_on_where_a_whole_page_is_hidden(engine: Engine) -> None:
    """The newest are all hidden by a flag; who comes after them is still shown."""
    readers = club(gone=Column(Boolean, nullable=False, default=False))
    host, *others = readers.open(engine, *"habcdef")
    with Session(engine) as session, session.begin():
        for other in others:
            readers.graph(session).follow(other, host)
        for gone in others[2:]:
            session.get_one(readers.reader, gone).gone = True
    sessions = sessionmaker(engine)
    hide(sessions, readers.reader, lambda cls: cls.gone.is_(False))
    with sessions() as session:
        assert names(readers, session, host, 3) == ["b", "a"]
