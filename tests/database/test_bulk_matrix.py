"""
A statement that deletes many rows does what SQLAlchemy alone does, counted; or it is refused, and nothing is changed.

Each cell runs twice: on models with the mixins, and on plain ones with the same tables. Both leave
the same rows, give the same result, and the same objects stay in the session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    inspect,
    null,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, aliased, with_loader_criteria

from retinue import NotWritableError, listen, prepare_engine
from retinue.events import Event
from tests.database.bulk_models import Tenant, Town, audit, declare, rows_of, settle
from tests.servers import Server

#: The same towns with the mixins and without: those whose follows have columns of their own, and those whose have none.
OWN = (declare(mixins=True, own_columns=True), declare(mixins=False, own_columns=True))
BARE = (declare(mixins=True, own_columns=False), declare(mixins=False, own_columns=False))

#: For each entity: the towns, and its name there.
ENTITIES: dict[str, tuple[tuple[Town, Town], str]] = {
    "user": (OWN, "person"),
    "single-table subclass": (OWN, "robot"),
    "joined subclass": (OWN, "clerk"),
    "follow": (BARE, "follow"),
    "follow with own columns": (OWN, "follow"),
}


@dataclass
class Place:
    """One database of one town, and a second copy of its tables."""

    engine: Engine
    elsewhere: str


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def places(
    request: pytest.FixtureRequest, server: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Place, Place]]:
    """Give the databases that all cells share: each is rolled back."""
    made: list[Place] = []
    urls: list[URL] = []
    for which in (0, 1):
        elsewhere = "elsewhere"
        if request.param == "sqlite":
            home = tmp_path_factory.mktemp("bulk")
            engine = create_engine(URL.create("sqlite", database=str(home / "main.sqlite3")))
            event.listen(engine, "connect", _attach(home / "second.sqlite3"))
        else:
            urls.append(server(request.param).create_database())
            engine = create_engine(urls[-1])
            if request.param == "mariadb":
                urls.append(server(request.param).create_database())
                elsewhere = str(urls[-1].database)
        prepare_engine(engine)
        with engine.begin() as connection:
            if request.param == "postgresql":
                connection.execute(text("CREATE SCHEMA elsewhere"))
            for towns in (OWN, BARE):
                settle(connection, towns[which])
                there = connection.execution_options(schema_translate_map={None: elsewhere})
                settle(there, towns[which])
                connection.execution_options(schema_translate_map=None)
        made.append(Place(engine, elsewhere))
    yield made[0], made[1]
    for place in made:
        place.engine.dispose()
    for url in urls:
        server(request.param).drop_database(url)


def _attach(path: Path) -> Callable[[Any, Any], None]:
    def attach(connection: Any, _record: Any) -> None:
        connection.execute(f"ATTACH DATABASE '{path}' AS elsewhere")

    return attach


# --- The clauses ---------------------------------------------------------------------------------


@dataclass
class Asked:
    """What a clause is made of."""

    town: Town
    #: What is deleted from: a class, or its table.
    target: Any
    #: Its columns.
    column: Callable[[str], Any]
    entity: str
    place: Place
    #: Arguments of `Session.execute()`.
    more: dict[str, Any]

    @property
    def of_follows(self) -> bool:
        return self.entity.startswith("follow")

    @property
    def key(self) -> Any:
        return self.column("follower_id" if self.of_follows else "id")

    @property
    def some(self) -> Any:
        """About half of all rows, by a column that each entity has."""
        return self.key > 3 if self.of_follows else self.key.in_([2, 4, 6, 8])

    def second_people(self) -> Any:
        return select(self.town.note.person_id)


def own_column(it: Asked) -> Any:
    wanted = {
        "user": lambda: it.column("name").in_(["ben", "droid", "fay"]),
        "single-table subclass": lambda: it.column("maker") == "m4",
        "joined subclass": lambda: it.column("desk") == "d6",
        "follow": lambda: it.column("following_id") == 1,
        "follow with own columns": lambda: (it.column("weight") == 7) & (it.column("following_id") == 1),
    }
    return delete(it.target).where(wanted[it.entity]())


def parents_column(it: Asked) -> Any:
    if it.of_follows:
        return delete(it.target).where(it.target.follower.has(it.town.person.district == 2))
    return delete(it.target).where(it.column("district") == 1)


def on_follows(it: Asked) -> Any:
    follow = it.town.follow.__table__.alias("others")
    return delete(it.target).where(it.key.in_(select(follow.c.follower_id).where(follow.c.following_id == 1)))


def limited(it: Asked) -> Any:
    return delete(it.target).where(it.key > 1).with_dialect_options(mysql_limit=2, mariadb_limit=2)


def ordered(it: Asked) -> Any:
    people = it.town.person.__table__.alias("others")
    return delete(it.target).where(it.key.in_(select(people.c.id).order_by(people.c.name.desc()).limit(3)))


def criteria(it: Asked) -> Any:
    narrow = [
        with_loader_criteria(it.town.person, lambda cls: cls.district == 2, include_aliases=True),
        with_loader_criteria(it.town.follow, lambda cls: cls.follower_id != 2, include_aliases=True),
    ]
    return delete(it.target).where(it.key > 1).options(*narrow)


def in_schema(it: Asked) -> Any:
    it.more["execution_options"] = {"schema_translate_map": {None: it.place.elsewhere}}
    return delete(it.target).where(it.some)


def in_schema_of_statement(it: Asked) -> Any:
    return delete(it.target).where(it.some).execution_options(schema_translate_map={None: it.place.elsewhere})


def returning_columns(it: Asked) -> Any:
    names = ["following_id", "follower_id"] if it.of_follows else ["id"]
    return delete(it.target).where(it.some).returning(*[it.column(name) for name in names])


def returning_entity(it: Asked) -> Any:
    return delete(it.target).where(it.some).returning(it.target)


def returning_expression(it: Asked) -> Any:
    return delete(it.target).where(it.some).returning((it.key * 2).label("twice"), func.abs(it.key), it.key)


def cte(it: Asked) -> Any:
    noted = it.second_people().cte("noted")
    return delete(it.target).where(it.key.in_(select(noted.c.person_id))).add_cte(noted)


def several_tables(it: Asked) -> Any:
    return delete(it.target).where(it.key == it.town.note.person_id)


def several_tables_unsynchronized(it: Asked) -> Any:
    return several_tables(it).execution_options(synchronize_session=False)


def several_tables_announced(it: Asked) -> Any:
    return several_tables(it).execution_options(synchronize_session="fetch", is_delete_using=True)


def parameters(it: Asked) -> Any:
    it.more["params"] = {"wanted": 4}
    return delete(it.target).where(it.key == bindparam("wanted"))


def synchronized(how: Any) -> Callable[[Asked], Any]:
    return lambda it: delete(it.target).where(it.some).execution_options(synchronize_session=how)


CLAUSES: dict[str, Callable[[Asked], Any]] = {
    "none": lambda it: delete(it.target),
    "WHERE on an own column": own_column,
    "WHERE on the parent's column": parents_column,
    "subquery on follows": on_follows,
    "ORDER BY and LIMIT": ordered,
    "dialect's LIMIT": limited,
    "criteria of the statement": criteria,
    "criteria of an event": lambda it: delete(it.target).where(it.key > 1),
    "translate map": in_schema,
    "translate map of the statement": in_schema_of_statement,
    "translate map of the connection": lambda it: delete(it.target).where(it.some),
    "other bind": lambda it: delete(it.target).where(it.some),
    "RETURNING columns": returning_columns,
    "RETURNING the entity": returning_entity,
    "RETURNING an expression": returning_expression,
    "CTE": cte,
    "several tables": several_tables,
    "several tables, not synchronized": several_tables_unsynchronized,
    "several tables, announced": several_tables_announced,
    "prefix": lambda it: delete(it.target).where(it.some).prefix_with("/* nightly */"),
    "parameters": parameters,
    "no row": lambda it: delete(it.target).where(it.key == 99),
    "text": lambda it: delete(it.target).where(text("1 = 1")),
    "not to be evaluated": lambda it: delete(it.target).where(func.coalesce(null(), it.key) == 2),
    "synchronize auto": synchronized("auto"),
    "synchronize evaluate": synchronized("evaluate"),
    "synchronize fetch": synchronized("fetch"),
    "synchronize False": synchronized(False),
    "two criteria": lambda it: delete(it.target).where(it.some).where(it.key != 4),
}

#: What `Query.delete()` can say: criteria alone.
BY_QUERY = [
    *("none", "WHERE on an own column", "WHERE on the parent's column", "subquery on follows", "ORDER BY and LIMIT"),
    *("criteria of an event", "translate map of the connection", "several tables", "several tables, not synchronized"),
    *("no row", "text", "two criteria"),
    *(f"synchronize {how}" for how in ("auto", "evaluate", "fetch", "False")),
]

#: What a statement about a table, not a class, cannot say.
NOT_OF_TABLES = {"WHERE on the parent's column", "RETURNING the entity", "criteria of an event"}

WAYS = {
    "execute": [*CLAUSES],
    "Query": BY_QUERY,
    "alias": ["none", "WHERE on an own column", "RETURNING columns", "CTE", "synchronize fetch", "synchronize auto"],
    "table": [clause for clause in CLAUSES if clause not in NOT_OF_TABLES and "ynchron" not in clause],
}


def cells(*ways: str) -> pytest.MarkDecorator:
    """Give a test every entity and clause of these *ways*."""
    found = [
        pytest.param(entity, clause, way, id=f"{entity}, {clause}, {way}".replace(" ", "-"))
        for entity in ENTITIES
        for way in ways
        for clause in WAYS[way]
        # A single-table subclass has no table of its own, and an alias of a joined one is none that rows go from.
        if (way, entity) not in {("table", "single-table subclass"), ("alias", "joined subclass")}
    ]
    return pytest.mark.parametrize(("entity", "clause", "way"), found)


#: Where SQLAlchemy alone deletes rows, and Retinue refuses: engine, entity, clause and way.
REFUSED = {
    # It deletes everybody: its criterion for the subclass is about the table, and not about the alias.
    ("mariadb", "single-table subclass", "none", "alias"),
}


# --- What comes of it ----------------------------------------------------------------------------


@dataclass
class Outcome:
    """What a cell did."""

    error: str | None = None
    rows: Any = None
    elsewhere: Any = None
    rowcount: Any = None
    returned: Any = None
    loaded: Any = None


def outcome(place: Place, other: Place, town: Town, entity: str, clause: str, way: str) -> Outcome:
    """Run one cell on *town*, in *place*; roll it back."""
    model = getattr(town, ENTITIES[entity][1])
    with place.engine.connect() as connection, other.engine.connect() as stranger:
        transaction, outer = connection.begin(), stranger.begin()
        try:
            return _run(connection, stranger, place, town, model, entity, clause, way)
        finally:
            transaction.rollback()
            outer.rollback()


def _run(
    connection: Connection,
    stranger: Connection,
    place: Place,
    town: Town,
    model: Any,
    entity: str,
    clause: str,
    way: str,
) -> Outcome:
    foreign = clause == "other bind"
    kind = Tenant if clause == "criteria of an event" else Session
    session: Any = kind(stranger if foreign else connection, join_transaction_mode="create_savepoint")
    session.town = town
    before = rows_of(connection, town)
    with session:
        loaded = [] if "translate map" in clause or foreign else _load(session, town)
        target, column = _target(model, way)
        it = Asked(town, target, column, entity, place, {})
        if foreign:
            it.more["bind_arguments"] = {"bind": connection}
        done = Outcome()
        if clause == "translate map of the connection":
            connection.execution_options(schema_translate_map={None: place.elsewhere})
        try:
            # Within: an older SQLAlchemy has no LIMIT of a DELETE.
            statement = CLAUSES[clause](it)
            if way == "Query":
                done.rowcount = _query(session, model, statement)
            else:
                result = session.execute(statement, **it.more)
                if "RETURNING" in clause:
                    keys = list(result.keys())
                    done.returned = keys, sorted(tuple(map(_plain, row)) for row in result)
                else:
                    done.rowcount = result.rowcount
                result.close()
            session.flush()
        except NotWritableError:
            done.error = "NotWritableError"
        except (SQLAlchemyError, NotImplementedError) as error:
            done.error = type(error).__name__
            session.rollback()
        connection.execution_options(schema_translate_map=None)
        done.rows = rows_of(connection, town)
        there = {("follow", *key[:2]) for key in done.rows["follows"]}
        done.loaded = {key for key, row in loaded if row in session and (key[0] != "follow" or key in there)}
        if done.error == "NotWritableError":
            assert done.rows == before
            assert done.loaded == {key for key, _ in loaded}
        if town.count is not None:
            audit(connection, town)
            gone = {key for key, row in loaded if row in session and key[0] == "follow" and key not in there}
            people = {key for key, _ in done.rows["people"]}
            # Of follows that are gone those are left that an unsynchronized statement was about.
            assert all({a, b} <= people for _, a, b in gone)
        if "translate map" in clause:
            connection.execution_options(schema_translate_map={None: place.elsewhere})
            done.elsewhere = rows_of(connection, town)
            if town.count is not None:
                audit(connection, town)
            connection.execution_options(schema_translate_map=None)
    return done


def _load(session: Session, town: Town) -> list[tuple[Any, Any]]:
    people = session.scalars(select(town.person).execution_options(everybody=True)).all()
    follows = session.scalars(select(town.follow).execution_options(everybody=True)).unique().all()
    return [
        *((("person", *inspect(row).identity), row) for row in people),
        *((("follow", *inspect(row).identity), row) for row in follows),
    ]


def _target(model: Any, way: str) -> tuple[Any, Callable[[str], Any]]:
    if way == "table":
        return model.__table__, lambda name: model.__table__.c[name]
    target = aliased(model) if way == "alias" else model
    return target, lambda name: getattr(target, name)


def _query(session: Session, model: Any, statement: Any) -> int:
    criteria_of = [] if statement.whereclause is None else [statement.whereclause]
    how = statement.get_execution_options().get("synchronize_session", "auto")
    return int(session.query(model).filter(*criteria_of).delete(synchronize_session=how))


def _plain(value: Any) -> Any:
    return inspect(value).identity if hasattr(value, "__mapper__") else value


@pytest.mark.sampled(3)
@pytest.mark.filterwarnings("ignore:DELETE statement has a cartesian product")
@pytest.mark.parametrize(
    "places", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long), "mariadb"], indirect=True, scope="module"
)
@cells("execute", "table")
def test_a_bulk_delete_is_sqlalchemys_own(places: tuple[Place, Place], entity: str, clause: str, way: str) -> None:
    """The same rows go, the same result comes, the same objects stay; counts and history agree with the rows."""
    compare(places, entity, clause, way)


@pytest.mark.sampled(3)
@pytest.mark.filterwarnings("ignore:DELETE statement has a cartesian product")
@pytest.mark.parametrize(
    "places",
    ["sqlite", *(pytest.param(engine, marks=pytest.mark.long) for engine in ("postgresql", "mariadb"))],
    indirect=True,
    scope="module",
)
@cells("Query", "alias")
def test_so_it_is_in_other_words(places: tuple[Place, Place], entity: str, clause: str, way: str) -> None:
    """The same by a query or an alias; what comes to an engine of them is what comes of a statement about the class."""
    compare(places, entity, clause, way)


def compare(places: tuple[Place, Place], entity: str, clause: str, way: str) -> None:
    """Delete on a town with the mixins and on one without; compare what comes of it."""
    (ours, plain), _ = ENTITIES[entity]
    told: list[Event] = []
    stop = listen(ours.person, Event, told.append)
    want = outcome(places[1], places[0], plain, entity, clause, way)
    got = outcome(places[0], places[1], ours, entity, clause, way)
    stop()

    engine = {"mysql": "mariadb"}.get(name := places[0].engine.dialect.name, name)
    refused = (engine, entity, clause, way) in REFUSED
    assert (got.error == "NotWritableError") == refused
    if not refused:
        if want.rowcount == -1:  # SQLite's driver does not count what WITH deletes
            want.rowcount = got.rowcount
        assert got == want
    assert told == []
