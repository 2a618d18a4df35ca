"""What an application hides from its sessions (soft deletion, tenants) is hidden before a page is cut."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Boolean, Engine, String, event, false, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker, with_loader_criteria

from retinue import FollowerMixin, FollowMixin, Graph, Only, Outcome, Settings, Sort, UnknownUserError, fanout
from retinue.insight import statistics, top_new_followers
from retinue.lists import views
from retinue.lists.views import Bounds
from retinue.testing import count_statements
from tests.long import on_engines
from tests.models import MIXINS, PRIVATE, Models, declare, posts_that_end

NOW = datetime.now(UTC)


def _declare(*kinds: str) -> Models:
    columns = {"name": mapped_column(String(64)), "gone": mapped_column(Boolean, nullable=False, default=False)}
    settings = Settings(name="name", active="active")
    return declare(*kinds, settings=settings, flags=("locked", "active"), columns=columns, posts=posts_that_end)


#: With home timelines that are kept, with such as are looked up, and with lists that count as long.
KEPT, LOOKED_UP, LONG = _declare(*MIXINS), _declare(*PRIVATE), _declare(*PRIVATE)

pytestmark = pytest.mark.tables(KEPT.metadata)

#: The user whose lists these are; two friends of theirs; and others, of whom some are hidden.
ADA, BEN, CLEO, OTHERS = 1, 2, 3, range(4, 16)
#: Three in a row, which is more than a page; the newest; and the oldest.
HIDDEN = {4, 7, 8, 9, 12, 15}


def _people(engine: Engine, models: Models) -> None:
    """Let everybody follow Ada and be followed, ask, be blocked and muted; some post."""
    with engine.begin() as connection:
        everybody = [{"id": n, "name": f"name {n % 5}", "gone": n in HIDDEN} for n in (ADA, BEN, CLEO, *OTHERS)]
        connection.execute(insert(models.user), everybody)
    with Session(engine) as session, session.begin():
        graph = models.graph(session)
        for friend in (BEN, CLEO):
            graph.follow(ADA, friend)
        for number, other in enumerate(OTHERS):
            graph.follow(ADA, other)
            graph.follow(other, ADA)
            graph.follow(other, BEN)
            graph.follow(CLEO, other)
            session.add(models.post(author_id=other, made_at=NOW - timedelta(minutes=50 - number)))
        session.add(models.post(author_id=ADA, made_at=NOW - timedelta(minutes=30)))


def _ask(engine: Engine, models: Models) -> None:
    """Let everybody ask Ben, who approves now, and be asked by Cleo; Cleo blocks and Ben mutes them."""
    with Session(engine) as session, session.begin():
        graph = models.graph(session)
        for other in OTHERS:
            graph.unfollow(other, BEN)
            graph.unfollow(CLEO, other)
            session.get_one(models.user, other).locked = True
        session.get_one(models.user, BEN).locked = True
        session.flush()
        for other in OTHERS:
            assert graph.follow(other, BEN) is Outcome.REQUESTED
            assert graph.follow(CLEO, other) is Outcome.REQUESTED
            graph.mute(BEN, other)


def _block(engine: Engine, models: Models) -> None:
    with Session(engine) as session, session.begin():
        for other in OTHERS:
            models.graph(session).block(CLEO, other)


def _soft_deletion(models: Models) -> Callable[[Any], None]:
    """Return SQLAlchemy's recipe, for users; as strict about what it is for as any."""

    def hide(state: Any) -> None:
        if state.is_orm_statement and state.is_select and not state.is_column_load and not state.is_relationship_load:
            criteria = with_loader_criteria(models.user, lambda cls: cls.gone.is_(False))
            state.statement = state.statement.options(criteria)

    return hide


def _sessions(engine: Engine, listener: Callable[[Any], None]) -> sessionmaker[Session]:
    sessions = sessionmaker(engine)
    event.listen(sessions, "do_orm_execute", listener)
    return sessions


#: Returns a page of two of a list, of a graph, at a cursor.
List = Callable[[Any, str | None], Any]

LISTS: dict[str, List] = {
    "followers": lambda graph, at: graph.followers(ADA, limit=2, cursor=at),
    "followers for their owner": lambda graph, at: graph.followers(ADA, viewer=ADA, limit=2, cursor=at),
    "followers for a viewer": lambda graph, at: graph.followers(ADA, viewer=BEN, limit=2, cursor=at),
    "following": lambda graph, at: graph.following(ADA, limit=2, cursor=at),
    "mutuals": lambda graph, at: graph.mutuals(ADA, limit=2, cursor=at),
    "followers you know": lambda graph, at: graph.followers_you_know(ADA, BEN, limit=2, cursor=at),
    "found by name": lambda graph, at: graph.followers(ADA, search="name 0", limit=2, cursor=at),
    "by name": lambda graph, at: graph.followers(ADA, sort=Sort.NAME, limit=2, cursor=at),
    "found, by name": lambda graph, at: graph.followers(ADA, search="name", sort=Sort.NAME, limit=2, cursor=at),
    "oldest first": lambda graph, at: graph.following(ADA, sort=Sort.OLDEST, limit=2, cursor=at),
    "mutuals by name": lambda graph, at: graph.following(ADA, sort=Sort.NAME, only=Only.MUTUAL, limit=2, cursor=at),
    "requests": lambda graph, at: graph.requests(BEN, limit=2, cursor=at),
    "sent requests": lambda graph, at: graph.sent_requests(CLEO, limit=2, cursor=at),
    "mutes": lambda graph, at: graph.mutes(BEN, limit=2, cursor=at),
    "blocks": lambda graph, at: graph.blocks(CLEO, limit=2, cursor=at),
    "notifications": lambda graph, at: graph.notifications(ADA, limit=2, cursor=at),
    "home timeline": lambda graph, at: graph.home_timeline(ADA, limit=2, cursor=at),
}

#: Of which there is one in every run also where rows are not in the file of this process.
ON_SERVERS = {"followers", "mutuals by name", "requests", "home timeline"}

#: What has to happen first.
BEFORE = {"requests": _ask, "sent requests": _ask, "mutes": _ask, "blocks": _block}


def _keys(item: Any) -> tuple[int, int]:
    """Return the keys of an item, and of the user whom it is about."""
    if hasattr(item, "author_id"):
        return item.id, item.author_id
    return getattr(item, "id", item.user.id), item.user.id


def _walk(engine: Engine, models: Models, session: Session, page_of: List) -> tuple[list[tuple[int, int]], set[int]]:
    """Go through a list and back; return the keys on its pages, and how many statements a page took."""
    graph, pages, cost = models.graph(session), list[Any](), set[int]()
    there: list[tuple[int, int]] = []
    back: list[tuple[int, int]] = []
    cursor = None
    while not pages or cursor is not None:
        with count_statements(engine) as ran:
            pages.append(page_of(graph, cursor))
        cost.add(len(ran))
        there += [_keys(item) for item in pages[-1].items]
        cursor = pages[-1].next
        assert len(pages) < 20
        assert cursor is None or len(pages[-1].items) == 2
    page = pages[-1]
    while page is not None:
        back = [_keys(item) for item in page.items] + back
        page = page_of(graph, page.prev) if page.prev else None
    assert back == there
    return there, cost


@on_engines("name", {name: name for name in LISTS}, lambda engine, name: engine == "sqlite" or name in ON_SERVERS)
def test_a_walk_shows_everybody_who_passes(engine: Engine, name: str) -> None:
    """Forward and back, by pages of two, in as many statements as without criteria: flipbit03/sqlalchemy-easy-softdelete#24."""
    _check_walk(engine, KEPT, name)


@pytest.mark.tables(LONG.metadata)
@pytest.mark.parametrize("name", [name for name in LISTS if "name" in name or "mutuals" in name])
def test_a_walk_of_a_long_list_does(engine: Engine, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From whichever side its pages are read."""
    monkeypatch.setattr(views, "BOUNDS", Bounds(short=2, sorted=5, few=3))
    _check_walk(engine, LONG, name)


@pytest.mark.tables(LOOKED_UP.metadata)
def test_a_walk_of_a_timeline_that_is_looked_up_does(engine: Engine) -> None:
    """The posts of whom the session hides are left out; one's own are there."""
    _check_walk(engine, LOOKED_UP, "home timeline")


def _check_walk(engine: Engine, models: Models, name: str) -> None:
    _people(engine, models)
    if name in BEFORE:
        BEFORE[name](engine, models)
    if models is KEPT:
        with Session(engine) as session, session.begin():
            models.graph(session).mark_active(ADA)
        fanout.work(engine, models.user)
    with Session(engine) as session:
        everybody, cost = _walk(engine, models, session, LISTS[name])
    with _sessions(engine, _soft_deletion(models))() as session:
        shown, cost_of_shown = _walk(engine, models, session, LISTS[name])
    wanted = [keys for keys in everybody if keys[1] not in HIDDEN]
    assert 0 < len(wanted) < len(everybody)
    assert shown == wanted
    assert cost_of_shown == cost


def test_totals_and_suggestions_are_of_those_who_pass(engine: Engine) -> None:
    """A total, the number of unread notifications, whom to follow, and reports."""
    _people(engine, KEPT)
    shown = set(OTHERS) - HIDDEN
    with _sessions(engine, _soft_deletion(KEPT))() as session:
        graph = KEPT.graph(session)
        assert graph.followers_you_know(ADA, BEN).total == len(shown)
        assert graph.unread_notifications(ADA) == len(shown)
        suggested = [one.user.id for one in graph.suggestions(BEN, limit=5)]
        assert len(suggested) == 5
        assert HIDDEN.isdisjoint(suggested)
        assert all(HIDDEN.isdisjoint(user.id for user in one.known) for one in graph.suggestions(BEN))
        assert HIDDEN.isdisjoint(one.user.id for one in statistics(session, KEPT.user, most_followed=5).most_followed)
        assert len(statistics(session, KEPT.user, most_followed=5).most_followed) == 5
        assert len(top_new_followers(session, KEPT.user, ADA, limit=len(shown))) == len(shown)


def test_whom_a_session_hides_has_no_say_in_suggestions(engine: Engine) -> None:
    """Who is suggested is known by those who pass, and their number says so."""
    _people(engine, KEPT)
    newcomer = OTHERS.stop
    with Session(engine) as session, session.begin():
        session.add(KEPT.user(id=newcomer, name="new"))
        session.flush()
        for other in OTHERS:
            KEPT.graph(session).follow(other, newcomer)
    for sessions, known in (
        (sessionmaker(engine), set(OTHERS)),
        (_sessions(engine, _soft_deletion(KEPT)), set(OTHERS) - HIDDEN),
    ):
        with sessions() as session:
            (found,) = KEPT.graph(session).suggestions(ADA, limit=1)
            assert (found.user.id, found.known_total) == (newcomer, len(known))
            assert {one.id for one in found.known} <= known


@pytest.mark.tables.with_args(lambda models: models.metadata)
@pytest.mark.parametrize("models", [KEPT, LOOKED_UP], ids=["kept", "looked up"])
def test_posts_that_are_hidden_end_no_timeline(engine: Engine, models: Models) -> None:
    """Criteria on the posts act before the page is cut as well."""
    _people(engine, models)
    if models is KEPT:
        with Session(engine) as session, session.begin():
            models.graph(session).mark_active(ADA)
        fanout.work(engine, models.user)

    def hide(state: Any) -> None:
        if state.is_select:
            criteria = with_loader_criteria(models.post, lambda cls: cls.author_id.not_in([5, 14, 15]))
            state.statement = state.statement.options(criteria)

    with _sessions(engine, hide)() as session:
        found, _ = _walk(engine, models, session, LISTS["home timeline"])
    assert {author for _, author in found} == {ADA, *OTHERS} - {5, 14, 15}


def test_criteria_on_follows_decide_nothing(engine: Engine) -> None:
    """A session that hides all follows from its statements has the same verbs, answers, lists and counts."""
    with engine.begin() as connection:
        connection.execute(insert(KEPT.user), [{"id": n, "name": "x"} for n in (ADA, BEN, CLEO)])

    def hide(state: Any) -> None:
        if state.is_orm_statement:
            criteria = [
                with_loader_criteria(model, lambda _: false(), include_aliases=True) for model in KEPT.of.values()
            ]
            state.statement = state.statement.options(*criteria)

    with Session(engine) as session, session.begin():
        KEPT.graph(session).follow(ADA, BEN)
        KEPT.graph(session).follow(ADA, CLEO)
    with _sessions(engine, hide)() as session:
        graph = KEPT.graph(session)
        assert session.scalars(select(KEPT.follow)).all() == []
        assert graph.follow(ADA, BEN) is Outcome.UNCHANGED
        assert graph.is_following(ADA, BEN)
        assert graph.relationships(ADA, [BEN])[BEN].following
        assert [person.user.id for person in graph.following(ADA)] == [CLEO, BEN]
        assert graph.counts([BEN])[BEN].followers == 1
        assert graph.unfollow(ADA, BEN)
        assert not graph.is_following(ADA, BEN)
        session.commit()
        row = KEPT.follow(follower_id=BEN, following_id=ADA)
        session.add(row)
        session.flush()
        assert graph.unfollow(BEN, ADA)
        assert row not in session
        assert not graph.unfollow(BEN, ADA)
        session.commit()
        counts = graph.counts([ADA, BEN])
        assert (counts[ADA].followers, counts[ADA].following, counts[BEN].followers) == (0, 1, 0)


def test_verbs_are_about_hidden_users_too(engine: Engine) -> None:
    """Whom a session hides can be followed and left by key: the database has them; what loads them does not find them."""
    _people(engine, KEPT)
    with _sessions(engine, _soft_deletion(KEPT))() as session:
        graph = KEPT.graph(session)
        assert graph.is_following(ADA, 8)
        assert graph.unfollow(ADA, 8)
        assert graph.follow(ADA, 8)
        with pytest.raises(UnknownUserError):
            graph.unlock(8)


def test_a_session_without_listeners_runs_what_it_did(engine: Engine) -> None:
    """Not one subquery more."""
    _people(engine, KEPT)
    with Session(engine) as session, count_statements(engine) as ran:
        KEPT.graph(session).followers(ADA)
    with _sessions(engine, lambda _state: None)() as session, count_statements(engine) as listened:
        KEPT.graph(session).followers(ADA)
    # PostgreSQL has two more in each: a function lets it think of long lists, and it is not told whose list it is.
    plain = 4 if engine.dialect.name == "postgresql" else 2
    assert [statement.count("SELECT") for statement in ran] == [plain]
    assert [statement.count("SELECT") for statement in listened] == [plain + 1]


# --- Users of other makes ------------------------------------------------------------------------


class Base(DeclarativeBase):
    """Of accounts in one table, some of whom are users."""


class Kept:
    """What can be deleted softly, whatever it is."""

    gone: Mapped[bool] = mapped_column(default=False)


class Account(Kept, Base):
    """Whoever can log in."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), default="account")
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "account"}  # noqa: RUF012


class User(FollowerMixin, Account):
    """The accounts that follow each other."""

    __mapper_args__ = {"polymorphic_identity": "user"}  # noqa: RUF012


class Follow(FollowMixin, Base):
    """Who follows whom."""

    __tablename__ = "account_follows"


@pytest.mark.tables(Base.metadata)
def test_a_list_has_the_users_among_the_accounts(engine: Engine) -> None:
    """Where users share a table with others whom somebody follows all the same, no page ends early for them."""
    with engine.begin() as connection:
        accounts = [{"id": n, "kind": "account" if n in HIDDEN else "user", "gone": n == 10} for n in range(1, 16)]
        connection.execute(insert(Base.metadata.tables["accounts"]), accounts)
    with Session(engine) as session, session.begin():
        for other in OTHERS:
            Graph(session, User).follow(other, ADA)
    wanted = [n for n in reversed(OTHERS) if n not in HIDDEN]
    with Session(engine) as session:
        assert _all_followers(session) == wanted

    def hide(state: Any) -> None:
        if state.is_select:
            criteria = with_loader_criteria(Kept, lambda cls: cls.gone.is_(False), include_aliases=True)
            state.statement = state.statement.options(criteria)

    with _sessions(engine, hide)() as session:
        assert _all_followers(session) == [n for n in wanted if n != 10]


def _all_followers(session: Session) -> list[int]:
    found, cursor = [], None
    while True:
        page = Graph(session, User).followers(ADA, limit=2, cursor=cursor)
        found += [person.user.id for person in page.items]
        cursor = page.next
        if cursor is None:
            return found
