"""What a search finds: any word of a name, however it is spelt; and texts that no name can have."""

from __future__ import annotations

import unicodedata
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, String, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from retinue import (
    FollowerMixin,
    FollowMixin,
    Graph,
    MappingError,
    Page,
    Settings,
    Sort,
    declare_search,
    search_texts,
)
from retinue.folding import WORDS_MOST, fold_name
from retinue.lists import views
from retinue.lists.views import Bounds
from retinue.testing import assert_pages_join_up, count_statements
from tests.database.models_named import declare

# ruff: noqa: RUF001 - letters that look like others are what is tried here

MODELS = declare(Settings(), texts=True)

NAMES = [
    "Mary Ann Lee", "Zoë O'Neil-Ødegård", "Jürgen Groß", "ŁUKASZ Żółty", "İpek Işık", "Σίσυφος", "Ольга Ёлкина",
    "Nguyễn Văn An", "山田 太郎", "김 민준", "अनिता शर्मा", "عمر الفاروق", "👩‍🚀 Ada", "100% Bob", "a_b c\\d", "Ann Anna Ann",
]  # fmt: skip

#: What somebody types, and whom that finds.
FOUND = {
    "ann": ["Mary Ann Lee", "Ann Anna Ann"], "LEE": ["Mary Ann Lee"], "ann lee": ["Mary Ann Lee"],
    "lee mary": ["Mary Ann Lee"], "mary lee": [], "nn": [], "zoe": ["Zoë O'Neil-Ødegård"], "ZOË": ["Zoë O'Neil-Ødegård"],
    "neil": ["Zoë O'Neil-Ødegård"], "o'n": ["Zoë O'Neil-Ødegård"], "ødeg": ["Zoë O'Neil-Ødegård"],
    "odegard": ["Zoë O'Neil-Ødegård"], "gross": ["Jürgen Groß"], "GROß": ["Jürgen Groß"], "lukasz": ["ŁUKASZ Żółty"],
    "zolty": ["ŁUKASZ Żółty"], "ipek": ["İpek Işık"], "isik": ["İpek Işık"], "σισυφοσ": ["Σίσυφος"],
    "елк": ["Ольга Ёлкина"], "van": ["Nguyễn Văn An"], "太": ["山田 太郎"], "田": [], "민": ["김 민준"],
    "शर्मा": ["अनिता शर्मा"], "الفا": ["عمر الفاروق"], "👩‍🚀": ["👩‍🚀 Ada"], "ada": ["👩‍🚀 Ada"], "%": [], "_": [], "\\": [],
    "100": ["100% Bob"], "100%": ["100% Bob"], "b_c": ["a_b c\\d"], "d": ["a_b c\\d"], " ann ": ["Mary Ann Lee", "Ann Anna Ann"],
    "\ud800": [], "ann\ud800": [], "x" * 256: [], "ﷺ" * 255: [], "...": [],
}  # fmt: skip


@pytest.mark.tables(MODELS.metadata)
def test_any_word_of_a_name_finds_somebody(engine: Engine) -> None:
    """Alike on every engine: in any script, with and without accents; in any order, on a page once, in one select."""
    with Session(engine) as session:
        names = dict(enumerate(NAMES, 2))
        session.execute(insert(MODELS.user), [{"id": key, "username": name} for key, name in {1: "x", **names}.items()])
        session.execute(insert(MODELS.follow), [{"follower_id": key, "following_id": 1} for key in names])
        texts = [{"user_id": key, "text": text} for key, name in names.items() for text in search_texts(name)]
        session.execute(insert(MODELS.text), texts)
        graph = Graph(session, MODELS.user)
        for search, expected in FOUND.items():
            for sort in Sort:
                with count_statements(engine) as ran:
                    page = graph.followers(1, search=search, sort=sort)
                assert len(ran) <= 1
                assert sorted(p.user.username for p in page) == sorted(expected), (search, sort)


@pytest.mark.parametrize("few", [1, 1_000], ids=["from the list", "from the texts"])
@pytest.mark.tables(MODELS.metadata)
def test_whom_several_texts_find_is_on_a_page_once(engine: Engine, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """From whichever side a page is read: none is short, and none has somebody again."""
    monkeypatch.setattr(views, "BOUNDS", Bounds(short=2, sorted=5 if few > 1 else 1_000, few=few))
    models = declare(Settings(), texts=True)
    with Session(engine) as session:
        names = {key: f"Ann Anna {key} Anne" for key in range(2, 9)}
        session.execute(insert(models.user), [{"id": key, "username": name} for key, name in {1: "x", **names}.items()])
        session.execute(insert(models.follow), [{"follower_id": key, "following_id": 1} for key in names])
        texts = [{"user_id": key, "text": text} for key, name in names.items() for text in search_texts(name)]
        session.execute(insert(models.text), texts)
        for sort in Sort:
            read = partial(Graph(session, models.user).followers, 1, search="ann", sort=sort)
            rows: list[Any] = assert_pages_join_up(read, limits=[2, 3])
            assert sorted(row.user.id for row in rows) == list(names)


@pytest.mark.parametrize("first", range(0, 0x30000, 0x4000))
def test_what_is_folded_stays_as_it_is(first: int) -> None:
    """Else somebody would search for what is kept, and not find it. Nothing that cannot be seen is left."""
    for code in range(first, first + 0x4000):
        folded = fold_name(f"x{chr(code)}y")

        assert fold_name(folded) == folded, hex(code)
        assert not {unicodedata.category(sign) for sign in folded} & {"Cc", "Cf", "Cs", "Pc", "Pd", "Po", "Zl", "Zp"}


def test_a_name_without_end_has_few_texts_of_a_bounded_length() -> None:
    """Whoever may choose a name fills no table with it."""
    texts = search_texts("a b " * 1_000, "word " * 300, "ﷺ" * 1_000)

    assert len(texts) <= 3 * WORDS_MOST
    assert max(map(len, texts)) <= 255
    assert search_texts("", "...", "\0") == []


# --- What is declared ----------------------------------------------------------------------------


class Base(DeclarativeBase):
    """A graph whose texts are declared in vain."""


class User(FollowerMixin, Base):
    """A user."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


class Follow(FollowMixin, Base):
    """A follow."""

    __tablename__ = "follows"


class Texts(Base):
    """What would do, but for its own columns."""

    __tablename__ = "texts"
    user_id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(255), primary_key=True)
    other: Mapped[str] = mapped_column(String(255))


class Numbers(Base):
    """Texts that are none."""

    __tablename__ = "numbers"
    user_id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[int] = mapped_column(primary_key=True)


class Strings(Base):
    """Users who are none."""

    __tablename__ = "strings"
    user_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    text: Mapped[str] = mapped_column(String(255), primary_key=True)


@pytest.mark.parametrize(
    ("model", "text", "said"),
    [
        (int, "text", "not a mapped class"),
        (Texts, "name", "no column as 'name'"),
        (Texts, "other", r"primary key \(user_id, other\)"),
        (Numbers, "text", "must be a text"),
        (Strings, "text", "does not hold keys of User"),
    ],
)
def test_texts_that_do_not_fit_are_refused(model: Any, text: str, said: str) -> None:
    """With what is missing, when they are declared."""
    with pytest.raises(MappingError, match=said):
        declare_search(model, user="user_id", text=text)


def test_a_user_class_has_one_class_of_texts() -> None:
    """The same one may be declared again, with what folds a search."""
    with pytest.raises(MappingError, match="has such texts already: SearchText"):
        declare_search(type("More", (MODELS.text,), {}), user="user_id", text="text")
    assert declare_search(MODELS.text, user=MODELS.text.user_id, text=MODELS.text.text) is MODELS.text


# --- Databases that do not hold every character --------------------------------------------------


class Narrow(DeclarativeBase):
    """Tables of a character set that has hardly any."""


class Named(FollowerMixin, Narrow):
    """A user, whose name knows no emoji."""

    __tablename__ = "users"
    __table_args__ = ({"mariadb_charset": "utf8mb3"},)
    __retinue__ = Settings(name="username")
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64))


class NarrowFollow(FollowMixin, Narrow):
    """A follow."""

    __tablename__ = "follows"


@pytest.mark.tables(Narrow.metadata)
def test_what_a_database_cannot_hold_finds_nobody(engine: Engine) -> None:
    """An emoji where MariaDB has the characters of ``utf8mb3`` alone: no error, and the transaction goes on."""
    with Session(engine) as session:
        session.add_all([Named(id=1, username="Ann"), Named(id=2, username="? Bob")])
        session.flush()
        session.add(NarrowFollow(follower_id=2, following_id=1))
        session.flush()
        graph = Graph(session, Named)
        for sort in Sort:
            assert graph.followers(1, search="👩", sort=sort) == Page()
            assert graph.followers(1, search="?", sort=sort).items
