"""
The contract on every kind of models: any declarative base, any key, any name, any place.

Each class here is a set of models, and inherits the tests; they run on each engine.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from flask import Flask
from flask_login import UserMixin
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.query import Query as FlaskQuery
from flask_sqlalchemy_lite import SQLAlchemy as SQLAlchemyLite
from sqlalchemy import (
    URL,
    BigInteger,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Uuid,
    create_engine,
    event,
    text,
)
from sqlalchemy.exc import InvalidRequestError, SADeprecationWarning
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    declarative_base,
    mapped_column,
    scoped_session,
    sessionmaker,
)

from retinue import (
    FollowCountMixin,
    FollowerMixin,
    FollowMixin,
    Graph,
    MappingError,
    ModelMissingError,
    SelfFollowError,
    Settings,
    prepare_engine,
)
from retinue.schema import schema_of
from retinue.testing import GraphContract, count_statements, make_users
from tests.database import models_plain, models_private
from tests.own_types import PortableUuid, Prefixed
from tests.servers import Server

#: How a session came to be is the application's affair: what it asks the database does not depend on that.
MOSTLY_SQLITE = pytest.mark.parametrize(
    "url",
    ["sqlite", *(pytest.param(engine, marks=pytest.mark.long) for engine in ("postgresql", "mariadb"))],
    indirect=True,
    scope="module",
)

CREATED: set[tuple[URL, MetaData]] = set()


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def url(
    request: pytest.FixtureRequest, server: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[URL]:
    """Give the address of a database that all tests of this module share: each rolls back what it does."""
    if request.param == "sqlite":
        yield URL.create("sqlite", database=str(tmp_path_factory.mktemp("bases") / "retinue.sqlite3"))
        return
    one = server(request.param)
    made = one.create_database()
    yield made
    one.drop_database(made)


@pytest.fixture(scope="module")
def shared(url: URL) -> Iterator[Engine]:
    """Give a prepared engine on it."""
    engine = prepare_engine(create_engine(url))
    yield engine
    engine.dispose()


def create_tables(engine: Engine, metadata: MetaData) -> None:
    """Create tables that the database does not have yet, as far as this module knows."""
    if (engine.url, metadata) not in CREATED:
        metadata.create_all(engine)
        CREATED.add((engine.url, metadata))


def saved(engine: Engine, user_class: type[Any], **values: Any) -> Iterator[list[Any]]:
    """Give six users in a session that is rolled back."""
    create_tables(engine, user_class.metadata)
    with Session(engine) as session:
        yield make_users(session, user_class, 6, **values)


# --- Declarative bases ---------------------------------------------------------------------------


class TestDeclarativeBase(GraphContract):
    """The base that SQLAlchemy 2 teaches."""

    @pytest.fixture
    def users(self, shared: Engine) -> Iterator[list[Any]]:
        yield from saved(shared, models_plain.User)


class TestWithoutCounts(GraphContract):
    """Models without `FollowCountMixin`: the same answers, from the edges."""

    @pytest.fixture
    def users(self, shared: Engine) -> Iterator[list[Any]]:
        yield from saved(shared, models_plain.UncountedUser)


MANY_SETTINGS = Settings(active="active", counter_slots=3, max_following=100, max_follows_per_day=100)
EVERYTHING, EVERYTHING_TRANSLATED = models_private.declare(MANY_SETTINGS), models_private.declare(MANY_SETTINGS)


@pytest.mark.tables(EVERYTHING.metadata)
class TestEverything(GraphContract):
    """Every model there is, and limits."""

    @pytest.fixture
    def users(self, engine: Engine) -> Iterator[list[Any]]:
        with Session(engine) as session:
            yield make_users(session, EVERYTHING.user, 6)


OldBase: Any = declarative_base(
    metadata=MetaData(naming_convention={"pk": "pk_%(table_name)s", "ck": "ck_%(table_name)s"})
)


class OldMember(FollowerMixin, OldBase):  # type: ignore[misc]
    """A user by another name, whose key has a name of its own, in the class and another in the table."""

    __tablename__ = "old members"
    __retinue__ = Settings(counter_slots=3, secret="x" * 200)
    number = mapped_column("Member No", Integer, primary_key=True)
    follower_id = mapped_column(String(20))
    id = mapped_column(String(20), nullable=False)


class OldEdge(FollowMixin, OldBase):  # type: ignore[misc]
    """An edge by another name, with columns of its own."""

    __tablename__ = "old edges"
    __table_args__ = {"comment": "who follows whom"}  # noqa: RUF012 - as SQLAlchemy teaches it
    note = mapped_column(String(20), nullable=False, default="")
    OPTION = mapped_column("select", Integer, nullable=False, server_default="7")


class OldTally(FollowCountMixin, OldBase):  # type: ignore[misc]
    """Counts by another name."""

    __tablename__ = "old tallies"


class TestOldBaseAndAnyName(GraphContract):
    """`declarative_base()`, `mapped_column` without annotations, names that need quotes, several slots."""

    @pytest.fixture
    def users(self, shared: Engine) -> Iterator[list[Any]]:
        yield from saved(shared, OldMember)


# --- Keys ----------------------------------------------------------------------------------------


def keyed(name: str, key: Any) -> list[type[Any]]:
    """Declare users with a key of this type, and the rest; SQLAlchemy itself keeps no reference to a class."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = f"{name}_users"
        id = mapped_column(key, primary_key=True, autoincrement=False)

    class Follow(FollowMixin, Base):
        __tablename__ = f"{name}_follows"

    class FollowCount(FollowCountMixin, Base):
        __tablename__ = f"{name}_counts"

    return [User, Follow, FollowCount]


KEYS: dict[str, tuple[list[type[Any]], Callable[[int], Any]]] = {
    "small": (keyed("small", SmallInteger), lambda n: n - 2**15),
    "int": (keyed("int", Integer), lambda n: 2**31 - 1 - n),
    "negative": (keyed("negative", Integer), lambda n: -n),
    "bigint": (keyed("bigint", BigInteger), lambda n: 2**63 - 1 - n),
    "uuid": (keyed("uuid", Uuid), lambda n: uuid.UUID(int=n * 2**100)),
    "uuid as text": (keyed("uuid_text", Uuid(as_uuid=False)), lambda n: str(uuid.UUID(int=n * 2**100))),
    "uuid of its own": (keyed("own_uuid", PortableUuid), lambda n: uuid.UUID(int=n * 2**100)),
    "numbers with a prefix": (keyed("prefixed", Prefixed), lambda n: f"user_{n}"),
    "string": (keyed("string", String(64)), lambda n: f"{n} née O'Brien:%(x)s?/\\ ☃\n"),
}


@pytest.mark.parametrize("kind", KEYS)
class TestKeys(GraphContract):
    """Every type of key, at the end of its range and with every character."""

    @pytest.fixture
    def users(self, shared: Engine, kind: str) -> Iterator[list[Any]]:
        models, value = KEYS[kind]
        yield from saved(shared, models[0], id=value)


# --- Inheritance ---------------------------------------------------------------------------------


class FamilyBase(DeclarativeBase):
    """The base of users of several kinds."""


class Account(FollowerMixin, FamilyBase):
    """The class with the mixin; the others are its kinds."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "account"}  # noqa: RUF012 - see above


class Bot(Account):
    """Shares the table."""

    __mapper_args__ = {"polymorphic_identity": "bot"}  # noqa: RUF012 - see above


class Company(Account):
    """Has a table of its own, joined."""

    __tablename__ = "companies"
    id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    legal_name: Mapped[str] = mapped_column(String(50))
    __mapper_args__ = {"polymorphic_identity": "company"}  # noqa: RUF012 - see above


class AccountFollow(FollowMixin, FamilyBase):
    """An edge between any two of them."""

    __tablename__ = "account_follows"


class AccountCount(FollowCountMixin, FamilyBase):
    """The counts."""

    __tablename__ = "account_counts"


@pytest.mark.parametrize("first", [Account, Bot, Company])
class TestInheritance(GraphContract):
    """Single-table and joined inheritance share one graph, whichever class one starts from."""

    @pytest.fixture
    def users(self, shared: Engine, first: type[Any]) -> Iterator[list[Any]]:
        create_tables(shared, FamilyBase.metadata)
        kinds: list[type[Any]] = [first, *({Account, Bot, Company} - {first})]
        with Session(shared) as session:
            yield [
                user for pair in zip(*(make_users(session, kind, 2) for kind in kinds), strict=True) for user in pair
            ]

    def test_a_list_brings_each_user_as_their_own_class(self, users: Sequence[Any]) -> None:
        """A page has companies and bots in it, not bare accounts."""
        a, *others = users
        for other in others:
            other.follow(a)

        assert [type(p.user) for p in a.graph.followers(a)] == [type(user) for user in reversed(others)]
        assert a.followed_by.count() == 5
        assert schema_of(Company) is schema_of(Bot) is schema_of(Account)


# --- Several graphs, and several places ----------------------------------------------------------


class TwoBase(DeclarativeBase):
    """The base of two user classes."""


class Human(FollowerMixin, TwoBase):
    """One of two."""

    __tablename__ = "humans"
    id: Mapped[int] = mapped_column(primary_key=True)


class Cat(FollowerMixin, TwoBase):
    """The other."""

    __tablename__ = "cats"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)


class HumanFollow(FollowMixin, TwoBase):
    """Humans follow humans."""

    __tablename__ = "human_follows"
    __retinue_user__ = Human


class CatFollow(FollowMixin, TwoBase):
    """Cats follow cats."""

    __tablename__ = "cat_follows"
    __retinue_user__ = Cat


class CatCount(FollowCountMixin, TwoBase):
    """Only cats are counted."""

    __tablename__ = "cat_counts"
    __retinue_user__ = Cat


@pytest.mark.parametrize("user_class", [Human, Cat])
class TestTwoUserClasses(GraphContract):
    """Two graphs in one registry, each with its own models."""

    @pytest.fixture
    def users(self, shared: Engine, user_class: type[Any]) -> Iterator[list[Any]]:
        yield from saved(shared, user_class)

    def test_a_user_of_the_other_graph_is_no_user_here(self, users: Sequence[Any]) -> None:
        """A human does not follow a cat."""
        other = ({Human, Cat} - {type(users[0])}).pop()
        for stranger in (other(), other):
            with pytest.raises(ValueError, match="is not a user"):
                users[0].follow(stranger)
        assert users[0].follow(users[1])


class SocialBase(DeclarativeBase):
    """The base of models that lie in a schema."""

    metadata = MetaData(schema="retinue_social")


class SocialUser(FollowerMixin, SocialBase):
    """A user in a schema."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


class SocialFollow(FollowMixin, SocialBase):
    """An edge in a schema."""

    __tablename__ = "follows"


class SocialCount(FollowCountMixin, SocialBase):
    """Counts in a schema."""

    __tablename__ = "follow_counts"


@pytest.fixture(scope="module")
def in_schemas(url: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give a prepared engine that has other schemas too: of PostgreSQL, databases of MariaDB, attached files of SQLite."""
    engine = prepare_engine(create_engine(url))
    names, home = ("retinue_social", "retinue_tenant", "retinue_everything"), tmp_path_factory.mktemp("schemas")
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def attach(connection: Any, record: object) -> None:
            for name in names:
                connection.execute(f"ATTACH '{home / name}.sqlite3' AS {name}")
    else:
        with engine.begin() as connection:
            for name in names:
                connection.execute(text(f"CREATE SCHEMA {name}"))
    yield engine
    if engine.dialect.name == "mariadb":
        with engine.begin() as connection:
            for name in names:
                connection.execute(text(f"DROP SCHEMA {name}"))
    engine.dispose()


class TestSchema(GraphContract):
    """Tables in a schema of their own."""

    @pytest.fixture
    def users(self, in_schemas: Engine) -> Iterator[list[Any]]:
        yield from saved(in_schemas, SocialUser)


def translated(engine: Engine, user_class: type[Any], schema: str) -> Iterator[list[Any]]:
    """Give six users whose tables lie in *schema*, as the engine says, in a session that is rolled back."""
    tenant = engine.execution_options(schema_translate_map={None: schema})
    user_class.metadata.create_all(tenant)
    with Session(tenant) as session:
        yield make_users(session, user_class, 6)


class TestSchemaTranslateMap(GraphContract):
    """One set of models in many schemas: each statement goes to the schema that the engine says."""

    @pytest.fixture
    def users(self, in_schemas: Engine) -> Iterator[list[Any]]:
        create_tables(in_schemas, models_plain.Base.metadata)  # there are tables without a schema as well, and empty
        yield from translated(in_schemas, models_plain.User, "retinue_tenant")


class TestEverythingTranslated(GraphContract):
    """And the same in a schema that the engine says."""

    @pytest.fixture
    def users(self, in_schemas: Engine) -> Iterator[list[Any]]:
        yield from translated(in_schemas, EVERYTHING_TRANSLATED.user, "retinue_everything")


@MOSTLY_SQLITE
class TestScopedSession(GraphContract):
    """`Graph` takes a `scoped_session`, and works on the session behind it."""

    @pytest.fixture
    def users(self, shared: Engine) -> Iterator[list[Any]]:
        create_tables(shared, models_plain.Base.metadata)
        session = scoped_session(sessionmaker(shared))
        users = make_users(session(), models_plain.User, 6)
        assert Graph(session, models_plain.User).follow(users[0], users[1])
        assert Graph(session, models_plain.User).unfollow(users[0], users[1])
        yield users
        session.remove()


class TestOuterTransaction(GraphContract):
    """A session that is joined to a connection's transaction, as in many a test suite."""

    @pytest.fixture
    def users(self, shared: Engine) -> Iterator[list[Any]]:
        create_tables(shared, models_plain.Base.metadata)
        with shared.connect() as connection:
            outer = connection.begin()
            with Session(connection, join_transaction_mode="create_savepoint") as session:
                yield make_users(session, models_plain.User, 6)
            outer.rollback()


# --- Flask-SQLAlchemy ----------------------------------------------------------------------------

legacy = SQLAlchemy()


class LegacyUser(FollowerMixin, UserMixin, legacy.Model):  # type: ignore[name-defined,misc]
    """A user, the old way; the table's name is made by Flask-SQLAlchemy."""

    id = legacy.Column(legacy.Integer, primary_key=True)
    username = legacy.Column(legacy.String(64), unique=True, nullable=False)


class LegacyFollow(FollowMixin, legacy.Model):  # type: ignore[name-defined,misc]
    """An edge."""


class LegacyCount(FollowCountMixin, legacy.Model):  # type: ignore[name-defined,misc]
    """The counts."""


class ModernBase(DeclarativeBase):
    """The base that is handed to Flask-SQLAlchemy."""


modern = SQLAlchemy(model_class=ModernBase)


class ModernUser(FollowerMixin, modern.Model):  # type: ignore[name-defined,misc]
    """A user, the modern way; the table's name is made by Flask-SQLAlchemy."""

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)


class ModernFollow(FollowMixin, modern.Model):  # type: ignore[name-defined,misc]
    """An edge."""


class ModernCount(FollowCountMixin, modern.Model):  # type: ignore[name-defined,misc]
    """The counts."""


bound = SQLAlchemy()


class BoundUser(FollowerMixin, bound.Model):  # type: ignore[name-defined,misc]
    """A user in the second of two databases."""

    __bind_key__ = "social"
    __tablename__ = "bound_users"
    id = bound.Column(bound.Integer, primary_key=True)


class BoundFollow(FollowMixin, bound.Model):  # type: ignore[name-defined,misc]
    """An edge beside it."""

    __bind_key__ = "social"
    __tablename__ = "bound_follows"


class BoundCount(FollowCountMixin, bound.Model):  # type: ignore[name-defined,misc]
    """The counts beside it."""

    __bind_key__ = "social"
    __tablename__ = "bound_counts"


def flask_app(db: SQLAlchemy, url: URL) -> Flask:
    """Return an application whose database is at *url*, also under the bind key `social`."""
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    if db is bound:
        app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
        app.config["SQLALCHEMY_BINDS"] = {"social": url}
    db.init_app(app)
    return app


@MOSTLY_SQLITE
@pytest.mark.parametrize("db", [legacy, modern, bound], ids=["legacy", "modern", "bind key"])
class TestFlaskSQLAlchemy(GraphContract):
    """Flask-SQLAlchemy 3 in both styles, and with a bind key."""

    @pytest.fixture
    def users(self, url: URL, db: SQLAlchemy) -> Iterator[list[Any]]:
        user_class = {legacy: LegacyUser, modern: ModernUser, bound: BoundUser}[db]
        with flask_app(db, url).app_context():
            for key, engine in db.engines.items():
                create_tables(prepare_engine(engine), db.metadatas[key])
            yield make_users(db.session(), user_class, 6)
            db.session.remove()
            for engine in db.engines.values():
                engine.dispose()

    def test_the_lists_are_the_applications_query_class(self, users: Sequence[Any]) -> None:
        """`paginate()`, `get_or_404()` and what else it has work on rows and on users."""
        a, *others = users
        for other in others:
            other.follow(a)

        for query in (a.followers, a.following, a.follows, a.followed_by):
            assert isinstance(query, FlaskQuery)
        page = a.followers.order_by(schema_of(type(a)).follow.timestamp.desc()).paginate(page=2, per_page=2)
        assert [row.follower for row in page] == [others[2], others[1]]
        assert (page.total, page.pages) == (5, 3)
        assert a.followed_by.paginate(page=1, per_page=3).total == 5
        with pytest.raises(TypeError, match=r"user\.follow\(other\)"):
            a.follows.append(others[0])


@pytest.mark.parametrize("style", ["legacy", "modern"])
def test_the_lessons_session_works_to_the_letter(database: URL, style: str) -> None:
    """What a newcomer types into `flask shell`, and what it shows."""

    class Base(DeclarativeBase):
        pass

    db = SQLAlchemy() if style == "legacy" else SQLAlchemy(model_class=Base)

    class User(FollowerMixin, UserMixin, db.Model):  # type: ignore[name-defined,misc]
        __tablename__ = "users"
        id = db.Column(db.Integer, primary_key=True)
        username = db.Column(db.String(64), unique=True, nullable=False)

    class Follow(FollowMixin, db.Model):  # type: ignore[name-defined,misc]
        __tablename__ = "follows"

    with flask_app(db, database).app_context():
        prepare_engine(db.engine)
        db.create_all()

        sutton = User(username="Sutton")
        daniel = User(username="Daniel Bates")
        db.session.add(sutton)
        db.session.add(daniel)
        db.session.commit()
        sutton.follow(daniel)
        db.session.commit()
        assert sutton.follows.all() == [daniel]
        assert list(daniel.followed_by) == [sutton]
        f = Follow.query.first()
        assert (f.follower, f.following) == (sutton, daniel)
        assert f.timestamp.tzinfo is not None

        george = User(username="George")
        others = [User(username=f"fan {number}") for number in range(10)]
        db.session.add_all([george, *others])
        for other in others:
            other.follow(george)  # still pending, all of them
        db.session.commit()
        assert george.id
        with count_statements(db.engine) as statements:
            rows = george.followers.all()
            assert {row.follower.username for row in rows} == {other.username for other in others}
            assert {row.following for row in rows} == {george}
        assert len(statements) == 1
        assert george.followers.order_by(Follow.timestamp.desc())[0].follower is others[-1]
        assert george.followers.filter_by(follower_id=others[3].id).one().follower is others[3]
        sutton.unfollow(george)
        with pytest.raises(SelfFollowError):
            george.follow(george)
        db.session.delete(george)
        db.session.commit()
        assert Follow.query.count() == 1
        db.session.remove()
        db.engine.dispose()


class LiteBase(DeclarativeBase):
    """The base that Flask-SQLAlchemy-Lite leaves to the application."""


class LiteUser(FollowerMixin, LiteBase):
    """A user."""

    __tablename__ = "lite_users"
    id: Mapped[int] = mapped_column(primary_key=True)


class LiteFollow(FollowMixin, LiteBase):
    """An edge."""

    __tablename__ = "lite_follows"


@MOSTLY_SQLITE
class TestFlaskSQLAlchemyLite(GraphContract):
    """Flask-SQLAlchemy-Lite: its session, the application's own base."""

    @pytest.fixture
    def users(self, url: URL) -> Iterator[list[Any]]:
        app, db = Flask(__name__), SQLAlchemyLite()
        app.config["SQLALCHEMY_ENGINES"] = {"default": url}
        db.init_app(app)
        with app.app_context():
            prepare_engine(db.engine)
            create_tables(db.engine, LiteBase.metadata)
            yield make_users(db.session, LiteUser, 6)
            db.session.rollback()
        with app.app_context():
            db.engine.dispose()


# --- What is refused -----------------------------------------------------------------------------


def refused(base: type[Any], declare: Callable[[type[Any]], Any]) -> str:
    """Return the sentence with which *declare* is refused, and take its registry away again."""
    with pytest.raises(MappingError) as error:
        declare(base)
    base.registry.dispose()
    return str(error.value)


@pytest.mark.parametrize("name", ["following", "followers"])
def test_a_list_of_the_applications_own_is_refused_at_mapping(name: str) -> None:
    """An app that had follows before hears which of its relationships is to go, and not what SQLAlchemy makes of it."""

    class Base(DeclarativeBase):
        pass

    def user(base: type[Any]) -> None:
        def own(_user: object) -> None: ...

        type("User", (FollowerMixin, base), {"__tablename__": "users", name: property(own)})

    assert refused(Base, user) == f"User has {name} of its own: delete it, as FollowerMixin brings {name}"


def test_a_dataclass_is_refused_at_mapping() -> None:
    """A user class or an edge that is a dataclass could not be made, so nobody gets that far."""

    class Base(MappedAsDataclass, DeclarativeBase):
        pass

    def user(base: type[Any]) -> None:
        class User(FollowerMixin, base):  # type: ignore[misc]
            __tablename__ = "users"
            id: Mapped[int] = mapped_column(primary_key=True, init=False)

    assert "User is mapped as a dataclass" in refused(Base, user)


def test_an_edge_that_is_a_dataclass_is_refused_at_mapping() -> None:
    """Also where the user class is none; newer SQLAlchemy refuses it before Retinue can."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)

    with pytest.raises((MappingError, InvalidRequestError, SADeprecationWarning), match=r"(?i)dataclass"):

        class Follow(MappedAsDataclass, FollowMixin, Base):
            __tablename__ = "follows"

    Base.registry.dispose()
    assert User.__tablename__ == "users"


def test_a_composite_key_is_refused_at_mapping() -> None:
    """The sentence names the columns, and what is needed instead."""

    class Base(DeclarativeBase):
        pass

    def edge(base: type[Any]) -> None:
        class User(FollowerMixin, base):  # type: ignore[misc]
            __tablename__ = "users"
            tenant: Mapped[int] = mapped_column(primary_key=True)
            id: Mapped[int] = mapped_column(primary_key=True)

        class Follow(FollowMixin, base):  # type: ignore[misc]
            __tablename__ = "follows"

    assert "User has the composite key (tenant, id)" in refused(Base, edge)


def test_two_user_classes_without_a_choice_are_refused_at_mapping() -> None:
    """The sentence names both, and the line to add."""

    class Base(DeclarativeBase):
        pass

    class Dog(FollowerMixin, Base):
        __tablename__ = "dogs"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Ant(FollowerMixin, Base):
        __tablename__ = "ants"
        id: Mapped[int] = mapped_column(primary_key=True)

    def edge(base: type[Any]) -> None:
        type("Follow", (FollowMixin, base), {"__tablename__": "follows"})

    assert "Follow could belong to Ant and Dog: set __retinue_user__" in refused(Base, edge)
    assert {Dog.__tablename__, Ant.__tablename__} == {"dogs", "ants"}


def test_two_models_of_the_same_edges_are_refused() -> None:
    """The sentence names both; nothing is written to one of them by chance."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Follow(FollowMixin, Base):
        __tablename__ = "follows"

    class Fan(FollowMixin, Base):
        __tablename__ = "fans"

    with pytest.raises(MappingError, match="Fan and Follow are both the FollowMixin class of User: keep one"):
        Graph(Session(), User)
    assert Follow.__tablename__ != Fan.__tablename__


def test_an_edge_before_its_user_class_is_refused_at_mapping() -> None:
    """The sentence says what comes first."""

    class Base(DeclarativeBase):
        pass

    def edge(base: type[Any]) -> None:
        type("Follow", (FollowMixin, base), {"__tablename__": "follows"})

    assert "Follow belongs to no user class" in refused(Base, edge)


def test_a_user_class_of_another_base_is_not_taken() -> None:
    """Two applications in one process do not see each other."""

    class Base(DeclarativeBase):
        pass

    def edge(base: type[Any]) -> None:
        type("Follow", (FollowMixin, base), {"__tablename__": "follows"})

    assert models_plain.User.__name__ == "User"
    assert "belongs to no user class" in refused(Base, edge)


def test_settings_of_another_kind_are_refused_at_mapping() -> None:
    """A dict is not `Settings(...)`."""

    class Base(DeclarativeBase):
        pass

    def user(base: type[Any]) -> None:
        body = {
            "__tablename__": "users",
            "__retinue__": {"counter_slots": 2},
            "id": mapped_column(Integer, primary_key=True),
        }
        type("User", (FollowerMixin, base), body)

    assert "User.__retinue__ must be Settings(...)" in refused(Base, user)


def test_a_missing_edge_class_is_named_on_first_use() -> None:
    """The error carries the line to add."""

    class Base(DeclarativeBase):
        pass

    class User(FollowerMixin, Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)

    with pytest.raises(ModelMissingError) as error:
        Graph(Session(), User)
    Base.registry.dispose()

    assert error.value.model == "FollowMixin"
    assert "class Follow(FollowMixin" in error.value.line


def test_what_is_no_user_class_is_refused() -> None:
    """Neither a model without the mixin nor an instance."""
    things: list[Any] = [models_plain.Follow, int, models_plain.User(), "User", None]
    for thing in things:
        with pytest.raises(MappingError):
            Graph(Session(), thing)


def test_an_expired_user_of_a_single_column_can_be_read_again(shared: Engine) -> None:
    """A user class that has only its key is a user class."""
    (user_class, *_), value = KEYS["int"]
    create_tables(shared, user_class.metadata)
    with Session(shared) as session:
        a, b = make_users(session, user_class, 2, id=value)
        a.follow(b)
        session.expire_all()

        assert session.get_one(user_class, a.id) is a
        assert a.followers.all() == []
        assert a.follows.all() == [b]
