"""K: what becomes of a user whose key changes, who has left their session, or whose deletion is taken back."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Engine, String
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from retinue import NoSessionError, RetinueError
from tests.expected.models import club


@pytest.mark.xfail(strict=True, raises=IntegrityError, reason="K: a changed key is the database's error")
def test_a_changed_key_works_or_says_what_to_do(engine: Engine) -> None:
    """A reader whose name is the key is renamed: muety/wakapi#739."""
    readers = club(Column(String(30), primary_key=True))
    readers.base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all([readers.reader(id=key, name=key) for key in ("ada", "ben")])
        session.flush()
        readers.graph(session).follow("ada", "ben")
    key = "adele"
    try:
        with Session(engine) as session, session.begin():
            session.get_one(readers.reader, "ada").id = key
    except RetinueError:
        key = "ada"
    with Session(engine) as session:
        assert readers.graph(session).is_following(key, "ben")


@pytest.mark.parametrize("name", ["follows", "followed_by"])
@pytest.mark.xfail(strict=True, raises=AttributeError, reason="K: a user without a session dies of an AttributeError")
def test_a_list_of_a_user_without_a_session_is_a_typed_error(engine: Engine, name: str) -> None:
    """As where somebody keeps the user of a request that is over: miguelgrinberg/flasky#230."""
    readers = club()
    (ada,) = readers.open(engine, "ada")
    with Session(engine) as session:
        reader = session.get_one(readers.reader, ada)
    with pytest.raises(NoSessionError):
        getattr(reader, name).all()


@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="K: loaded follows of a user whose deletion is taken back stay dead"
)
def test_a_deletion_that_is_rolled_back_leaves_loaded_rows_alive(engine: Engine) -> None:
    """What is set on them afterwards is written: jeancochrane/pytest-flask-sqlalchemy#25."""
    readers = club(follow={"note": Column(String(20))})
    ada, ben = readers.open(engine, "ada", "ben")
    with Session(engine) as session:
        readers.graph(session).follow(ada, ben)
        session.commit()
        row = session.get_one(readers.models["Follow"], (ada, ben))
        point = session.begin_nested()
        session.delete(session.get_one(readers.reader, ben))
        session.flush()
        point.rollback()
        row.note = "a friend"
        session.commit()
    with Session(engine) as session:
        assert session.get_one(readers.models["Follow"], (ada, ben)).note == "a friend"
