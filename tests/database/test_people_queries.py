"""
The queries of a user, as an application goes on with them: lists of users speak of users, lists of `Follow` rows of those.

And what an application counts by itself, with a subquery in the user class, is right in each of them.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Column, Engine, ForeignKey, Integer, String, exists, func, select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.declarative import ConcreteBase
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Session, aliased, column_property, joinedload, relationship, selectinload

import retinue
from retinue import FollowerMixin, FollowMixin, Graph, Settings, declare_posts

_OTHERS = {
    "FollowCount": "FollowCountMixin",
    "FollowRequest": "FollowRequestMixin",
    "Block": "BlockMixin",
    "Mute": "MuteMixin",
    "Notification": "NotificationMixin",
}


class Counting:
    """A graph whose users count their follows themselves."""

    def __init__(self, prefix: str, *, inherited: bool) -> None:
        class Base(DeclarativeBase):
            pass

        body: dict[str, Any] = {
            "__tablename__": f"{prefix}_accounts",
            "__module__": __name__,
            "id": Column(Integer, primary_key=True),
            "username": Column(String(20), nullable=False),
            "kind": Column(String(9)),
        }
        graph: dict[str, Any] = {
            "__module__": __name__,
            "__retinue__": Settings(name="username"),
            "books": relationship("Book", back_populates="author", order_by="Book.id"),
            "followers_by_hybrid": hybrid_property(
                lambda self: self.followers.count(), expr=self._count_of("following_id")
            ),
        }
        if inherited:
            args = {"polymorphic_on": "kind", "polymorphic_identity": "account"}
            account = type("Account", (Base,), {**body, "__mapper_args__": args})
            graph["__tablename__"] = f"{prefix}_members"
            graph["id"] = Column(ForeignKey(f"{prefix}_accounts.id"), primary_key=True)
            graph["__mapper_args__"] = {"polymorphic_identity": "member"}
            user: Any = type("Member", (FollowerMixin, account), graph)
        else:
            user = type("User", (FollowerMixin, Base), {**body, **graph})

        class Follow(FollowMixin, Base):
            __tablename__ = f"{prefix}_follows"
            note = Column(String(20))

        class Book(Base):
            __tablename__ = f"{prefix}_books"
            id = Column(Integer, primary_key=True)
            author_id: Any = Column(ForeignKey(f"{user.__tablename__}.id"), nullable=False)
            title = Column(String(20), nullable=False)
            time = Column(retinue.UTCDateTime, default=retinue.models.now)
            author = relationship(user, back_populates="books")

        other = aliased(Follow)
        user.n = column_property(
            select(func.count(Follow.follower_id)).where(Follow.following_id == user.id).scalar_subquery()
        )
        user.m = column_property(
            func.coalesce(select(func.count()).where(Follow.follower_id == user.id).scalar_subquery(), 0) * 10
        )
        user.k = column_property(
            select(func.count(Follow.follower_id))
            .where(Follow.following_id == user.id)
            .correlate_except(Follow)
            .scalar_subquery()
        )
        user.mutual = column_property(
            select(func.count())
            .where(
                Follow.follower_id == user.id,
                Follow.following_id == other.follower_id,
                other.following_id == user.id,
            )
            .scalar_subquery()
        )
        user.popular = column_property(exists().where(Follow.following_id == user.id, Follow.follower_id != user.id))
        user.everybody = column_property(select(func.count(user.id)).scalar_subquery(), deferred=True)
        self.user, self.follow, self.book, self.metadata = user, Follow, Book, Base.metadata
        declare_posts(Book, author="author_id", time="time")
        self.others = [
            type(name, (getattr(retinue, mixin), Base), {"__tablename__": f"{prefix}_{name}", "__module__": __name__})
            for name, mixin in _OTHERS.items()
        ]

    def _count_of(self, end: str) -> Any:
        def count(cls: Any) -> Any:
            follow = self.follow
            return select(func.count(follow.follower_id)).where(getattr(follow, end) == cls.id).scalar_subquery()

        return count


GRAPHS = {"plain": Counting("plain", inherited=False), "joined": Counting("joined", inherited=True)}

#: Who follows whom: nobody has as many followers, or follows as many, as another.
FOLLOWS = [("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d"), ("d", "a")]
NAMES = "abcd"
FOLLOWERS = {n: sum(n == other for _, other in FOLLOWS) for n in NAMES}
FOLLOWING = {n: sum(n == one for one, _ in FOLLOWS) for n in NAMES}
MUTUAL = {"a": 1, "b": 0, "c": 0, "d": 1}


class Here:
    """A session on the four of a graph."""

    def __init__(self, session: Session, models: Counting) -> None:
        self.session, self.models = session, models
        self.user: Any = models.user
        self.follow: Any = models.follow
        self.book: Any = models.book
        for number, name in enumerate(NAMES):
            one = models.user(username=name)
            session.add(one)
            session.flush()
            session.add_all(models.book(author_id=one.id, title=f"{name}{n}") for n in range(number))
            setattr(self, name, one)
        self.graph: Graph[Any] = Graph(session, models.user)
        for one, other in FOLLOWS:
            assert self.graph.follow(getattr(self, one), getattr(self, other))
        session.flush()
        session.expire_all()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


pytestmark = pytest.mark.tables(*(models.metadata for models in GRAPHS.values()))


@pytest.fixture(params=GRAPHS)
def here(engine: Engine, request: pytest.FixtureRequest) -> Any:
    """Give the four, in a graph of users and in one of members who inherit from accounts."""
    models = GRAPHS[request.param]
    models.metadata.create_all(engine)
    with Session(engine) as session:
        yield Here(session, models)


def names(users: Any) -> list[str]:
    """Return the names of *users*, in their order."""
    return [user.username for user in users]


def test_lists_of_users_speak_of_users(here: Here) -> None:
    """As a query of the user class does; and the rows of `Follow` are there, too."""
    a, d, user, follow = here.a, here.d, here.user, here.follow

    assert names(a.follows.filter_by(username="b")) == ["b"]
    assert names(d.followed_by.filter_by(id=here.b.id, username="b")) == ["b"]
    assert names(d.followed_by.filter_by()) == names(d.followed_by)
    assert names(a.follows.filter(user.username > "b").order_by(user.username.desc())) == ["d", "c"]
    assert names(a.follows.where(user.username > "b").order_by("username")) == ["c", "d"]
    assert names(a.follows.order_by(follow.timestamp)) == ["b", "c", "d"]
    assert names(a.follows.order_by(follow.timestamp.desc())) == ["d", "c", "b"]
    last = here.session.scalars(select(func.max(follow.timestamp)).where(follow.follower_id == a.id)).one()
    assert names(a.follows.filter(follow.timestamp >= last)) == ["d"]
    assert (a.follows.count(), a.follows.filter_by(username="b").count(), a.follows.limit(2).count()) == (3, 1, 2)
    assert a.follows.order_by(user.username).with_entities(user.username, follow.follower_id).first() == ("b", a.id)
    assert a.follows.with_entities(follow.following_id).filter_by(username="c").one() == (here.c.id,)
    assert a.follows.add_columns(follow.note).filter_by(username="c").one()[1] is None
    assert a.follows.filter_by(username="b").exists().select().with_only_columns(1) is not None
    with pytest.raises(InvalidRequestError, match="nothing_such"):
        a.follows.filter_by(nothing_such=1)


def test_what_is_joined_is_spoken_of(here: Here) -> None:
    """By `filter_by()`, until the join point is set back: as in every query."""
    a, user, book = here.a, here.user, here.book

    assert names(a.follows.join(user.books).filter_by(title="c1")) == ["c"]
    assert names(a.follows.join(book, book.author_id == user.id).filter_by(title="d2")) == ["d"]
    assert a.follows.join(user.books).filter_by(title="c1").reset_joinpoint().filter_by(username="c").count() == 1
    assert here.d.follows.outerjoin(user.books).filter(book.id.is_(None)).one() is a
    assert names(a.follows.options(joinedload(user.books)).order_by(user.username)) == ["b", "c", "d"]
    read = a.follows.options(selectinload(user.books)).order_by(user.username.desc()).limit(1).one()
    assert [found.title for found in read.books] == ["d0", "d1", "d2"]


def test_lists_of_rows_speak_of_rows(here: Here) -> None:
    """They are queries of `Follow`."""
    a, d = here.a, here.d

    assert [row.following.username for row in a.following.filter_by(following_id=here.c.id)] == ["c"]
    assert [row.follower.username for row in d.followers.filter_by(follower_id=a.id)] == ["a"]
    assert a.following.filter_by(note=None).count() == 3


def counted(users: Any) -> None:
    """Check what each of *users* counts, and that there is one."""
    users = list(users)
    assert users
    for user in users:
        name = user.username
        assert (user.n, user.k, user.m) == (FOLLOWERS[name], FOLLOWERS[name], FOLLOWING[name] * 10), name
        assert (user.mutual, user.popular, user.everybody) == (MUTUAL[name], True, 4), name


def test_what_users_count_is_right_in_every_list(here: Here) -> None:
    """Each of them, and not what is left when a list takes its own rows away from the count."""
    graph, session, user, follow = here.graph, here.session, here.user, here.follow
    a, b, c, d = (getattr(here, name).id for name in NAMES)
    lists: dict[str, Any] = {
        "get": lambda: [session.get(user, a)],
        "select": lambda: session.scalars(select(user)),
        "alias": lambda: session.scalars(select(aliased(user))),
        "follows": lambda: here.a.follows,
        "followed_by": lambda: here.d.followed_by,
        "following": lambda: [row.following for row in here.a.following],
        "followers": lambda: [row.follower for row in here.d.followers],
        "rows": lambda: [one for row in session.scalars(select(follow)) for one in (row.follower, row.following)],
        "join": lambda: session.scalars(select(user).join(follow, follow.following_id == user.id)),
        "graph.followers": lambda: [p.user for p in graph.followers(d)],
        "graph.following": lambda: [p.user for p in graph.following(a, search="b")],
        "graph.mutuals": lambda: [p.user for p in graph.mutuals(a)],
        "graph.followers_you_know": lambda: [p.user for p in graph.followers_you_know(a, d)],
        "graph.suggestions": lambda: [p.user for p in graph.suggestions(c)],
        "graph.notifications": lambda: [p.user for p in graph.notifications(d)],
        "graph.mutes": lambda: [p.user for p in graph.mutes(a)],
        "graph.home_timeline": lambda: [post.author for post in graph.home_timeline(a)],
        "visible_to": lambda: session.scalars(select(user).where(graph.visible_to(a))),
    }
    graph.mute(a, b)
    for what, read in lists.items():
        session.expunge_all()
        for name in NAMES:
            setattr(here, name, session.get(user, {"a": a, "b": b, "c": c, "d": d}[name]))
        session.expire_all()
        try:
            counted(read())
        except Exception as error:
            error.add_note(what)
            raise
    session.expunge_all()
    one: Any = session.get(user, a)
    assert one.following.join(follow.following).order_by(user.n).first().following.username == "b"


def test_blocked_users_are_counted_as_well(here: Here) -> None:
    """Also where a list is about those who have no follows left."""
    graph, a, b = here.graph, here.a.id, here.b.id
    graph.block(a, b)
    here.session.expunge_all()
    (blocked,) = graph.blocks(a)

    assert (blocked.user.n, blocked.user.m, blocked.user.k, blocked.user.popular) == (0, 20, 0, False)


def test_lists_sort_and_filter_by_what_users_count(here: Here) -> None:
    """By a `column_property`, by a hybrid and by a subquery that is written on the spot."""
    a, user, follow = here.a, here.user, here.follow
    written = select(func.count(follow.follower_id)).where(follow.following_id == user.id).scalar_subquery()

    for count in (user.n, user.k, user.followers_by_hybrid, written):
        assert names(a.follows.order_by(count.desc())) == ["d", "c", "b"]
        assert names(a.follows.filter(count > 1).order_by(count)) == ["c", "d"]
        assert a.follows.order_by(user.username).with_entities(user.username, count).all() == [
            (name, FOLLOWERS[name]) for name in "bcd"
        ]
    nobody_follows = ~exists().where(follow.follower_id == user.id, follow.following_id == a.id)
    assert names(a.follows.filter(nobody_follows).order_by(user.username)) == ["b", "c"]


def test_users_by_concrete_inheritance(engine: Engine) -> None:
    """Their rows are selected from a union, in which the table of the key has no name of its own."""

    class Base(DeclarativeBase):
        pass

    class Person(ConcreteBase, Base):
        __tablename__ = "concrete_persons"
        id = Column(Integer, primary_key=True)
        username = Column(String(20))
        __mapper_args__: Any = {"polymorphic_identity": "person", "concrete": True}  # noqa: RUF012 - SQLAlchemy reads it

    class Member(FollowerMixin, Person):
        __tablename__ = "concrete_members"
        id = Column(Integer, primary_key=True)
        username = Column(String(20))
        __mapper_args__: Any = {"polymorphic_identity": "member", "concrete": True}  # noqa: RUF012 - SQLAlchemy reads it

    class Follow(FollowMixin, Base):
        __tablename__ = "concrete_follows"

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Member(id=key, username=name) for key, name in enumerate(("ann", "ben", "cat"), 1)])
        session.flush()
        ann, ben, cat = session.query(Member).order_by(Member.id)
        ann.follow(ben)
        cat.follow(ben)
        session.expire_all()
        assert [user.username for user in ann.follows.filter_by(username="ben")] == ["ben"]
        assert [user.username for user in ben.followed_by.order_by(Member.username.desc())] == ["cat", "ann"]
        assert ben.followed_by.count() == len(Graph(session, Member).followers(ben)) == 2
        assert [row.follower for row in ben.followers.order_by(Follow.follower_id)] == [ann, cat]
