"""Response models: what they show, what they are called, and that they never ask the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ValidationError, create_model
from sqlalchemy import Engine
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from retinue import Graph, Page
from retinue.fastapi import (
    BlockedPersonOf,
    CountsOut,
    MutedPersonOf,
    NoticeOf,
    PageOf,
    PersonOf,
    RelationshipOut,
    SuggestionOf,
    error_responses,
)
from retinue.testing import count_statements, make_users
from tests.fastapi.small_apps import MODELS, User, UserOut

ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
pytestmark = pytest.mark.tables(MODELS.metadata)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """Give a session with Ann, Bob, Cy and Dee: 1 to 4."""
    with Session(engine) as session:
        make_users(session, User, 4)
        session.commit()
        yield session


@ON_SQLITE
def test_rows_make_the_same_models(session: Session) -> None:
    """A model needs no user where its columns were asked for."""
    graph: Graph[Any] = Graph(session, User)
    graph.follow(2, 1)
    graph.follow(3, 1)
    graph.follow(3, 4)
    columns = tuple(getattr(User, name) for name in UserOut.model_fields)
    for model, found, rows in (
        (PageOf[PersonOf[UserOut]], graph.followers(1), graph.followers(1, columns=columns)),
        (PageOf[NoticeOf[UserOut]], graph.notifications(1), graph.notifications(1, columns=columns)),
        (SuggestionOf[UserOut], graph.suggestions(2)[0], graph.suggestions(2, columns=columns)[0]),
    ):
        expected: Any = read(model, found)
        assert read(model, rows) == expected


@ON_SQLITE
def test_every_value_has_its_model(session: Session, engine: Engine) -> None:
    """Blocks, mutes, notifications, suggestions, counts: made of what the graph returns, without a statement."""
    ann, bob, cy, dee = range(1, 5)
    graph = Graph(session, User)
    graph.block(ann, bob)
    graph.mute(ann, cy, notifications=False)
    graph.follow(cy, ann)
    graph.follow(dee, cy)
    blocked, muted, told = graph.blocks(ann), graph.mutes(ann), graph.notifications(ann)
    (suggestion,) = graph.suggestions(dee)
    relationship, counts = graph.relationships(bob, [ann])[ann], graph.counts([ann])[ann]

    with count_statements(engine) as statements:
        blocks = read(PageOf[BlockedPersonOf[UserOut]], blocked)
        mutes = read(PageOf[MutedPersonOf[UserOut]], muted)
        notices = read(PageOf[NoticeOf[UserOut]], told)
        suggested = read(SuggestionOf[UserOut], suggestion)

    assert statements == []
    assert blocks["items"][0]["user"]["id"] == bob
    assert mutes["items"][0] == {
        "user": {"id": cy, "locked": False},
        "since": muted.items[0].since,
        "until": None,
        "notifications": False,
    }
    assert [(notice["user"]["id"], notice["kind"], notice["read"]) for notice in notices["items"]] == [
        (cy, "follow", False)
    ]
    assert suggested == {
        "user": {"id": ann, "locked": False},
        "reason": "new_in_network",
        "known": [{"id": cy, "locked": False}],
        "known_total": 1,
    }
    assert read(CountsOut, counts) == {"followers": 1, "following": 0}
    assert relationship.blocked_by
    assert set(read(RelationshipOut, relationship).values()) == {False, None}


def read(model: type[BaseModel], value: object) -> dict[str, Any]:
    return model.model_validate(value, from_attributes=True).model_dump()


def test_a_relationship_does_not_show_who_blocks() -> None:
    """Whatever field is added to `Relationship`: that one is never shown."""
    assert "blocked_by" not in RelationshipOut.model_fields


@pytest.mark.parametrize("nested", [PageOf, PersonOf])
@ON_SQLITE
def test_what_is_not_loaded_is_an_error_and_not_a_query(session: Session, engine: Engine, nested: Any) -> None:
    """With a sentence: a serializer that loads is a query for each row, and in async code it fails."""
    Graph(session, User).follow(2, 1)
    found = Graph(session, User).followers(1)
    session.expire_all()

    with count_statements(engine) as statements, pytest.raises(InvalidRequestError, match="would load User"):
        nested[PersonOf[UserOut] if nested is PageOf else UserOut].model_validate(
            found if nested is PageOf else found.items[0], from_attributes=True
        )

    assert statements == []
    assert session.get_one(User, 2).id == 2, "afterwards the session loads as before"


@ON_SQLITE
def test_a_query_in_a_property_is_an_error_too(session: Session) -> None:
    """`user.followers.count()` and its like, however deep."""

    class Counted(BaseModel):
        follows: list[UserOut]

    Graph(session, User).follow(2, 1)

    with pytest.raises(InvalidRequestError, match="would load"):
        PersonOf[Counted].model_validate(Graph(session, User).followers(1).items[0], from_attributes=True)


@ON_SQLITE
def test_what_does_not_fit_is_said_by_pydantic(session: Session) -> None:
    """An attribute that users do not have is no matter of the database."""

    class Named(BaseModel):
        nickname: str

    Graph(session, User).follow(2, 1)

    with pytest.raises(ValidationError, match="nickname"):
        PersonOf[Named].model_validate(Graph(session, User).followers(1).items[0], from_attributes=True)


def test_a_page_of_anything() -> None:
    """Also of what belongs to no session."""
    page = Page((1, 2), next="/x", total=2)

    assert read(PageOf[int], page) == {"items": [1, 2], "next": "/x", "prev": None, "total": 2}
    assert read(PageOf[Any], Page()) == {"items": [], "next": None, "prev": None, "total": None}


def test_names_in_the_schema_are_names_in_every_language() -> None:
    """No brackets made of underscores; what is always there is required; each model and field says what it is."""
    app = FastAPI()

    @app.get("/", response_model=PageOf[PersonOf[UserOut]], responses=error_responses())
    def followers() -> None: ...

    @app.get("/notices", response_model=PageOf[NoticeOf[UserOut]])
    def notices() -> None: ...

    schemas = app.openapi()["components"]["schemas"]

    assert set(schemas) == {
        "ErrorOut", "NoticeOfUserOut", "NotificationKind", "PageOfNoticeOfUserOut", "PageOfPersonOfUserOut", "PersonOfUserOut", "UserOut",
    }  # fmt: skip
    page = schemas["PageOfPersonOfUserOut"]
    assert page["required"] == ["items", "next", "prev", "total"]
    assert page["description"] == "One page of a list."
    assert all("description" in page["properties"][name] for name in ("next", "prev", "total"))
    assert page["properties"]["items"]["items"] == {"$ref": "#/components/schemas/PersonOfUserOut"}


def test_two_models_of_one_name_stay_apart() -> None:
    """As FastAPI tells models apart: by their modules."""
    first = create_model("UserOut", __module__="a", __base__=UserOut)
    second = create_model("UserOut", __module__="b", __base__=UserOut, nickname=str)
    app = FastAPI()
    app.get("/a", response_model=PersonOf[first])(lambda: None)  # type: ignore[valid-type]
    app.get("/b", response_model=PersonOf[second])(lambda: None)  # type: ignore[valid-type]

    assert set(app.openapi()["components"]["schemas"]) == {
        "a__UserOut", "b__UserOut", "a__PersonOfUserOut", "b__PersonOfUserOut",
    }  # fmt: skip


def test_a_model_is_made_once() -> None:
    """So it is the same class for type checkers, `isinstance` and OpenAPI."""
    assert PageOf[PersonOf[UserOut]] is PageOf[PersonOf[UserOut]]
    assert issubclass(PageOf[PersonOf[UserOut]], PageOf)
