"""Lists searched, sorted and filtered: each page is what plain Python makes of the rows, from whichever side it is read."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Engine, insert, update
from sqlalchemy.orm import Session

from retinue import (
    ALL,
    Graph,
    InvalidCursor,
    MappingError,
    NotVisibleError,
    Only,
    Page,
    Settings,
    Sort,
    search_texts,
)
from retinue.lists import views
from retinue.lists.views import Bounds
from retinue.testing import assert_pages_join_up, count_statements
from tests.database.models_named import NamedModels, declare
from tests.long import few_or_many

NOW = datetime.now(UTC)
DAY = timedelta(days=1)

SETTINGS = Settings(name="username", last_active="seen_at", active="active")
MODELS = declare(SETTINGS)
#: The same, for statements that are built while the lists of a test count as long.
LONG = declare(SETTINGS)
#: The same two, where people are found by any word of their name.
BY_WORDS = declare(SETTINGS, texts=True)
LONG_BY_WORDS = declare(SETTINGS, texts=True)
#: Bounds at which the lists of a test are long, and names rare or not.
TINY = Bounds(short=2, sorted=5, few=3)

#: Names of which some differ in nothing, or only in capital letters.
NAMES = [
    "Anne",
    "anne",
    "ANNA",
    "Ann",
    "an",
    "Ben",
    "Benno",
    "ben",
    "Zoe",
    "zo",
    "Carl 2",
    "carl 10",
    "Anna Ann",
    "Zoe Anne Ben",
]
SEARCHES = ["", "a", "AN", "ann", "anne", "be", "z", "carl", "x", "annes", "ann z", "2"]
FILTERS = [
    None,
    Only.MUTUAL,
    Only.NOT_FOLLOWED_BACK,
    Only.DORMANT,
    Only.MUTUAL | Only.DORMANT,
    Only.NOT_FOLLOWED_BACK | Only.DORMANT,
]


@dataclass(frozen=True)
class Person:
    """A user, in plain Python."""

    name: str
    active: bool
    seen_at: datetime | None


@dataclass
class Crowd:
    """Some people who follow each other, as the library has them and as plain Python does."""

    graph: Graph[Any]
    people: dict[int, Person]
    edges: dict[tuple[int, int], datetime]
    apart: set[tuple[int, int]]
    by_words: bool

    def texts(self, key: int) -> list[str]:
        """Return by what somebody is found."""
        name = self.people[key].name
        return sorted(search_texts(name)) if self.by_words else [name.lower()]

    def expected(
        self, name: str, user: int, viewer: object, search: str, sort: Sort, only: Only | None
    ) -> list[tuple[int, datetime]]:
        """Return who is on a list, since when: by the rules alone."""
        since = {a: t for (a, b), t in self.edges.items() if b == user}
        other = {b: t for (a, b), t in self.edges.items() if a == user}
        if name == "following":
            since, other = other, since
        only = only or Only(0)
        rows = []
        for key, time in since.items():
            person = self.people[key]
            fits = any(text.startswith(search.lower()) for text in self.texts(key))
            fits &= Only.MUTUAL not in only or key in other
            fits &= Only.NOT_FOLLOWED_BACK not in only or key not in other
            fits &= Only.DORMANT not in only or person.seen_at is None or person.seen_at < NOW - 30 * DAY
            fits &= viewer is ALL or (person.active and not self.parted(viewer, key))
            if fits:
                rows.append((key, time))
        if sort is Sort.NAME:
            by_text = self.by_words and search

            def called(key: int) -> str:
                fits = [text for text in self.texts(key) if text.startswith(search.lower())]
                return min(fits) if by_text else self.people[key].name.lower()

            return sorted(rows, key=lambda row: (called(row[0]), row[0]))
        return sorted(rows, key=lambda row: (row[1], row[0]), reverse=sort is Sort.NEWEST)

    def parted(self, viewer: object, user: int) -> bool:
        return (viewer, user) in self.apart or (user, viewer) in self.apart


pytestmark = pytest.mark.tables(MODELS.metadata)


@contextmanager
def crowd(engine: Engine, models: NamedModels, seed: int, size: int = 20) -> Iterator[Crowd]:
    """Let people of all kinds follow each other at random, some at the same time."""
    dice = random.Random(seed)
    people = {
        key: Person(dice.choice(NAMES), dice.random() < 0.8, dice.choice([None, NOW, NOW - 29 * DAY, NOW - 31 * DAY]))
        for key in range(1, size + 1)
    }
    pairs = list(permutations(people, 2))
    chosen = dice.sample(pairs, len(pairs) // 2)
    edges = {pair: datetime(2026, 1, 1, tzinfo=UTC) + dice.randrange(9) * DAY for pair in chosen}
    strangers = [(a, b) for a, b in pairs if (a, b) not in edges and (b, a) not in edges]
    apart = set(dice.sample(strangers, size // 3))
    models.metadata.create_all(engine)
    with Session(engine) as session:
        users = [{"id": k, "username": p.name, "active": p.active, "seen_at": p.seen_at} for k, p in people.items()]
        session.execute(insert(models.user), users)
        rows = [{"follower_id": a, "following_id": b, "timestamp": t} for (a, b), t in edges.items()]
        session.execute(insert(models.follow), rows)
        session.connection().execute(
            insert(models.block.__table__), [{"blocker_id": a, "blocked_id": b} for a, b in apart]
        )
        texts = [{"user_id": k, "text": text} for k, p in people.items() for text in search_texts(p.name)]
        session.execute(insert(models.text), texts)
        session.commit()
        yield Crowd(Graph(session, models.user), people, edges, apart, models in (BY_WORDS, LONG_BY_WORDS))


def ways(read: Callable[..., Page[Any]], limit: int) -> list[tuple[int, datetime]]:
    """Return the rows of a list, after a walk to its end and back."""
    rows: list[Any] = assert_pages_join_up(read, limits=[limit, 100])
    return [(row.user.id, row.since) for row in rows]


# --- What is on a page ---------------------------------------------------------------------------


@pytest.mark.parametrize("by_words", [False, True], ids=["by the beginning", "by any word"])
@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
@few_or_many("looked_at", 20, 100)
def test_a_page_is_what_plain_python_makes_of_the_rows(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, looked_at: int, *, long: bool, by_words: bool
) -> None:
    """Every list, search, order and filter, for trusted code, the owner, another user and nobody; both ways."""
    if long:
        monkeypatch.setattr(views, "BOUNDS", TINY)
    dice = random.Random(looked_at)
    models = (LONG_BY_WORDS if long else BY_WORDS) if by_words else (LONG if long else MODELS)
    with crowd(engine, models, looked_at) as place:
        looks = [(search, sort, only) for search in SEARCHES for sort in Sort for only in FILTERS]
        for search, sort, only in dice.sample(looks, looked_at):
            name, user = dice.choice(["followers", "following"]), dice.choice(list(place.people))
            viewer = dice.choice([ALL, user, user, None, dice.choice(list(place.people))])
            if viewer not in (ALL, user) and only and Only.DORMANT in only:
                viewer = user
            if viewer not in (ALL, user) and (place.parted(viewer, user) or not place.people[user].active):
                continue  # who may see a list at all, another test says
            look = {"search": search, "sort": sort, "only": only}
            read = partial(getattr(place.graph, name), user, viewer=viewer, **look)
            expected = place.expected(name, user, viewer, search, sort, only)

            assert ways(read, dice.choice([2, 3, 7])) == expected, (name, user, viewer, look)

            if viewer == user:
                everybody = place.expected(name, user, ALL, search, sort, only)
                assert read(limit=100).hidden == (everybody != expected), (name, user, look)


@pytest.mark.parametrize("sort", Sort)
def test_hidden_is_told_of_the_stretch_that_a_page_covers(engine: Engine, sort: Sort) -> None:
    """Only on the page where somebody is missing."""
    MODELS.metadata.create_all(engine)
    with Session(engine) as session:
        users = [{"id": n, "username": f"u{n:02}", "active": n != 15} for n in range(1, 22)]
        session.execute(insert(MODELS.user), users)
        start = datetime(2026, 1, 1, tzinfo=UTC)
        rows = [{"follower_id": n, "following_id": 1, "timestamp": start + n * DAY} for n in range(2, 22)]
        session.execute(insert(MODELS.follow), rows)
        read = partial(Graph(session, MODELS.user).followers, 1, viewer=1, search="u", sort=sort, limit=5)
        pages = [read()]
        while pages[-1].next:
            pages.append(read(cursor=pages[-1].next))
        covers = [
            min(p.user.id for p in page) - 1 <= 15 <= max(p.user.id for p in page) + 1 and page.hidden for page in pages
        ]

        assert covers == [page.hidden for page in pages]
        assert sum(covers) == 1


@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
def test_who_has_no_name_stands_first_and_is_found_by_none(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, *, long: bool
) -> None:
    """As if their name were the empty text."""
    if long:
        monkeypatch.setattr(views, "BOUNDS", TINY)
    models = declare(Settings(name="nickname"))
    models.metadata.create_all(engine)
    with Session(engine) as session:
        nicknames = {2: "b", 3: None, 4: "", 5: "a", 6: None, 7: "B", 8: None, 9: "ab"}
        users = [{"id": key, "username": "", "nickname": name} for key, name in {1: "x", **nicknames}.items()]
        session.execute(insert(models.user), users)
        session.execute(insert(models.follow), [{"follower_id": key, "following_id": 1} for key in nicknames])
        read = partial(Graph(session, models.user).followers, 1, sort=Sort.NAME)

        assert [key for key, _ in ways(read, 2)] == [3, 4, 6, 8, 5, 9, 2, 7]
        assert [key for key, _ in ways(partial(read, search="a"), 1)] == [5, 9]


@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
def test_posts_say_who_is_dormant(engine: Engine, monkeypatch: pytest.MonkeyPatch, *, long: bool) -> None:
    """Where no attribute does: who posted nothing lately, or never."""
    if long:
        monkeypatch.setattr(views, "BOUNDS", TINY)
    models = declare(Settings(), posts=True)
    models.metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(insert(models.user), [{"id": key, "username": str(key)} for key in range(1, 8)])
        session.execute(insert(models.follow), [{"follower_id": key, "following_id": 1} for key in range(2, 8)])
        posted = [(2, 1), (2, 50), (3, 31), (4, 29), (5, 100), (5, 99)]
        bare = NOW.replace(tzinfo=None)
        session.execute(insert(models.post), [{"author_id": a, "created_at": bare - days * DAY} for a, days in posted])

        page = Graph(session, models.user).followers(1, only=Only.DORMANT)

        assert {person.user.id for person in page} == {3, 5, 6, 7}


# --- Names of any kind ---------------------------------------------------------------------------

# ruff: noqa: RUF001 - letters that look like others are what is tried here
ODD = [
    "100%", "100", "a_b", "axb", "a\\b", "a/b", "a//b", "a'b", 'a"b', "a:b", "1:2", " space", "\t", "[x]", "*", "?x",
    "é", "École", "ecole", "ß", "SS", "straße", "STRASSE", "ı", "I", "i", "İstanbul", "Σ", "σ", "ς", "日本", "日",
    "👩‍🚀", "👩", "\U0010fffd", "z" * 64, "\u200f", "a\u0301", "á",
]  # fmt: skip


@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
def test_names_of_any_kind_are_sorted_and_found(engine: Engine, monkeypatch: pytest.MonkeyPatch, *, long: bool) -> None:
    """Each by every beginning of its own; pages join up; signs with a meaning in SQL have none."""
    if long:
        monkeypatch.setattr(views, "BOUNDS", Bounds(short=2, sorted=5, few=1_000))
    models = declare(SETTINGS)
    models.metadata.create_all(engine)
    with Session(engine) as session:
        names = dict(enumerate(ODD, 2))
        session.execute(insert(models.user), [{"id": key, "username": name} for key, name in {1: "x", **names}.items()])
        session.execute(insert(models.follow), [{"follower_id": key, "following_id": 1} for key in names])
        read = partial(Graph(session, models.user).followers, 1)

        everybody = ways(partial(read, sort=Sort.NAME), 3)
        assert {key for key, _ in everybody} == set(names)
        for key, name in names.items():
            for length in range(1, min(len(name), 4) + 1):
                found = {person.user.id for person in read(search=name[:length], limit=100)}
                assert key in found, (name, length)
                assert found == {k for k, _ in ways(partial(read, search=name[:length], sort=Sort.NAME), 100)}

        def found_by(search: str) -> set[str]:
            return {person.user.username for person in read(search=search, limit=100)}

        assert found_by("100%") == {"100%"}
        assert found_by("a_") == {"a_b"}
        assert found_by("a\\") == {"a\\b"}
        assert found_by("a/") == {"a/b", "a//b"}
        assert found_by("%") == set()
        assert found_by("A'B") == {"a'b"}
        assert found_by("ZZZ") == {"z" * 64}


@pytest.mark.parametrize("search", ["\0", "a\0", "\ud800", "x" * 256, "x" * 1_000_000])
def test_what_no_name_starts_with_finds_nobody(engine: Engine, search: str) -> None:
    """Somebody typed it into a box: no error, and the transaction stays usable."""
    with crowd(engine, MODELS, 3) as place:
        for sort in Sort:
            assert place.graph.followers(1, search=search, sort=sort) == Page()
        with pytest.raises(InvalidCursor):
            place.graph.followers(1, search=search, cursor="x")
        assert place.graph.followers(1).items


# --- Errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "look",
    [
        {"search": 1}, {"search": b"a"}, {"search": ["a"]}, {"sort": "name"}, {"sort": None}, {"sort": Only.MUTUAL},
        {"only": "mutual"}, {"only": 1}, {"only": Sort.NAME}, {"only": [Only.MUTUAL]},
        {"only": Only.MUTUAL | Only.NOT_FOLLOWED_BACK},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_search_order_or_filter_is_refused(engine: Engine, look: dict[str, Any]) -> None:
    """Before any statement."""
    MODELS.metadata.create_all(engine)
    with Session(engine) as session, count_statements(engine) as ran:
        for read in (Graph(session, MODELS.user).followers, Graph(session, MODELS.user).following):
            with pytest.raises(ValueError, match=r"search|sort|only"):
                read(1, **look)
    assert ran == []


def test_what_the_models_do_not_say_is_an_error_that_says_what_to_add(engine: Engine) -> None:
    """A search without names, dormancy without a time; an empty search asks for neither."""
    models = declare(Settings())
    models.metadata.create_all(engine)
    with Session(engine) as session:
        graph = Graph(session, models.user)
        for look in ({"search": "a"}, {"sort": Sort.NAME}):
            with pytest.raises(MappingError, match="Settings\\(name="):
                graph.followers(1, **look)
        with pytest.raises(MappingError, match="last_active"):
            graph.following(1, only=Only.DORMANT)
        assert graph.followers(1, search="", only=Only(0)) == Page()


def test_a_cursor_leads_on_only_where_it_was_made(engine: Engine) -> None:
    """Another search, order or filter than its own refuses it; so does a name that a forger put in."""
    looks: list[dict[str, Any]] = [
        {}, {"search": "a"}, {"search": "A"}, {"search": "an"}, {"sort": Sort.OLDEST}, {"sort": Sort.NAME},
        {"only": Only.MUTUAL}, {"only": Only.NOT_FOLLOWED_BACK}, {"only": Only.DORMANT},
        {"sort": Sort.NAME, "search": "a"}, {"sort": Sort.NAME, "only": Only.MUTUAL},
    ]  # fmt: skip
    with crowd(engine, MODELS, 4, size=40) as place:
        for read in (place.graph.followers, place.graph.following):
            for made in looks:
                cursor = read(1, limit=1, **made).next
                assert cursor, made
                for used in looks:
                    for other in (place.graph.followers, place.graph.following):
                        if used == made and other == read:
                            assert other(1, limit=1, cursor=cursor, **used).items
                        else:
                            with pytest.raises(InvalidCursor):
                                other(1, limit=1, cursor=cursor, **used)
        same = place.graph.followers(1, limit=1, search="", only=Only(0)).next
        assert place.graph.followers(1, limit=1, cursor=same).items
        mutual = place.graph.mutuals(1, limit=1).next
        assert place.graph.following(1, limit=1, only=Only.MUTUAL, cursor=mutual).items


# --- Who may see it ------------------------------------------------------------------------------


def test_who_is_dormant_is_the_owners_to_know(engine: Engine) -> None:
    """Nobody else is told when people were last there."""
    with crowd(engine, MODELS, 5) as place:
        for viewer in (2, None):
            for name in ("followers", "following"):
                with pytest.raises(NotVisibleError):
                    getattr(place.graph, name)(3, viewer=viewer, only=Only.DORMANT)
        assert place.graph.followers(3, viewer=3, only=Only.DORMANT).items


def test_who_is_renamed_between_pages_loses_nobody_else(engine: Engine) -> None:
    """The cursor holds the name as it was: those who kept theirs come once each."""
    with crowd(engine, MODELS, 7) as place:
        session, user = place.graph._session, MODELS.user
        expected = [key for key, _ in place.expected("followers", 1, ALL, "", Sort.NAME, None)]
        page = place.graph.followers(1, sort=Sort.NAME, limit=4)
        seen = [person.user.id for person in page]
        moved = seen[-1]
        session.execute(update(user).where(user.id == moved).values(username="zzz"))
        while page.next:
            page = place.graph.followers(1, sort=Sort.NAME, limit=4, cursor=page.next)
            seen += [person.user.id for person in page]

        assert seen == [*expected, moved]
