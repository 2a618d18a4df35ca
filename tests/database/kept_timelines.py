"""A database in which home timelines are kept ready, and a judge: what a reader must see, from the tables alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Engine, delete, event, func, insert, select
from sqlalchemy.orm import Session, sessionmaker

from retinue import Graph, Settings, TimelineWork, fanout, listen, transact
from retinue.models import now
from retinue.work.building import OPTION
from tests.database.clock import START
from tests.database.graph_models import find_deadlocks_at_once
from tests.database.models_timeline import PostingModels, declare_posting
from tests.databases import roomy_engine

if TYPE_CHECKING:
    from tests.servers import Server

T = TypeVar("T")


def at(second: float) -> datetime:
    """Return a time of long ago: that many seconds after a fixed one."""
    return START + timedelta(seconds=second)


class Kept:
    """One graph whose timelines are kept, in whichever database `begin()` says."""

    def __init__(self, settings: Settings) -> None:
        self.models: PostingModels = declare_posting(settings, kept=True)
        #: The units that listeners were told of and nobody has done.
        self.told: deque[str] = deque()
        self.settings = settings
        listen(self.models.user, TimelineWork, lambda work: self.told.append(work.unit))
        self.entries = self.models.metadata.tables["timeline_entries"]
        self.readers = self.models.metadata.tables["timeline_entries_readers"]
        self.senders = self.models.metadata.tables["timeline_entries_senders"]

    def begin(self, engine: Engine, people: int, *, readers: Iterable[int] = ()) -> Kept:
        """Make the tables, or empty them, and so many people; for *readers* a timeline is kept, and filled."""
        self.engine = engine
        self.sessions = sessionmaker(engine)
        if engine.dialect.name == "postgresql":
            find_deadlocks_at_once(engine)
        with engine.begin() as connection:
            self.models.metadata.create_all(connection)
            for table in reversed(self.models.metadata.sorted_tables):
                connection.execute(delete(table))
            users = [{"id": key, "locked": False, "active": True} for key in range(1, people + 1)]
            connection.execute(insert(self.models.user.__table__), users)
        for reader in readers:
            self.act(lambda graph, reader=reader: graph.mark_active(reader))  # type: ignore[misc]
        self.work()
        return self

    # --- What is done ---

    def graph(self, session: Session) -> Graph[Any]:
        return Graph(session, self.models.user)

    def act(self, verb: Callable[[Graph[Any]], T]) -> T:
        """Let *verb* be done, in a transaction of its own."""
        return transact(self.sessions, lambda session: verb(self.graph(session)))

    def follow(self, *pairs: tuple[int, int]) -> None:
        for pair in pairs:
            self.act(lambda graph, pair=pair: graph.follow(*pair))  # type: ignore[misc]

    def post(self, author: int, *numbers: int, ago: float = 0) -> None:
        """Let *author* post at once what has these *numbers*, made so many seconds after `START` less *ago*."""
        with self.sessions.begin() as session:
            session.add_all(self.made(author, number, ago) for number in numbers)

    def made(self, author: int, number: int, ago: float = 0) -> Any:
        return self.models.post(id=number, author_id=author, made_at=at(number - ago))

    def put(self, author: int, *numbers: int) -> None:
        """Make posts that nobody notes, as raw SQL does."""
        rows = [{"id": number, "author_id": author, "made_at": at(number)} for number in numbers]
        with self.engine.begin() as connection:
            connection.execute(insert(self.models.post.__table__), rows)

    def run(self, unit: str) -> str | None:
        return fanout.run(self.sessions, self.models.user, unit)

    def chain(self, unit: str | None) -> None:
        """Do *unit*, and all that go on from there."""
        while unit is not None:
            unit = self.run(unit)

    def work(self) -> int:
        """Do all that is to be done, as after a crash; what listeners were told is forgotten."""
        self.told.clear()
        return fanout.work(self.sessions, self.models.user)

    def pending(self, **choices: Any) -> list[str]:
        return transact(
            self.sessions, lambda session: fanout.pending(session, self.models.user, older_than=0, **choices)
        )

    # --- What is there ---

    def kept(self, reader: int) -> list[int]:
        """Return the posts that are kept for *reader*, newest first."""
        row = self.entries.c
        rows = select(row.post_id).where(row.reader_id == reader).order_by(row.timestamp.desc(), row.post_id.desc())
        with self.engine.connect() as connection:
            return list(connection.execute(rows).scalars())

    def size(self, table: Any) -> int:
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    def complete_after(self, reader: int) -> datetime | None:
        """Return it as the table says it; fail if no timeline is kept for *reader*."""
        row = self.readers.c
        with self.engine.connect() as connection:
            found: datetime | None = connection.execute(
                select(row.complete_after).where(row.user_id == reader)
            ).scalar_one()
        return found

    def pages(self, reader: int, *, limit: int = 100) -> list[int]:
        """Return all that *reader* sees, page by page."""
        with self.sessions() as session:
            return walk(self.graph(session), reader, limit)

    def search(self, reader: int) -> list[int]:
        with self.engine.connect() as connection:
            return truth(connection, self.models, reader)

    def check(self, *readers: int, limit: int = 100) -> None:
        """Fail unless *readers* see what a search through the posts finds."""
        for reader in readers:
            assert self.pages(reader, limit=limit) == self.search(reader), reader


def walk(graph: Graph[Any], reader: int, limit: int) -> list[int]:
    """Return the keys of all posts on the home timeline of *reader*."""
    page = graph.home_timeline(reader, limit=limit)
    seen = [post.id for post in page]
    while page.next:
        page = graph.home_timeline(reader, limit=limit, cursor=page.next)
        seen += [post.id for post in page]
    return seen


def truth(connection: Any, models: PostingModels, reader: int) -> list[int]:
    """Return what *reader* must see, newest first, from whole tables."""
    follow, mute, user, post = (m.__table__.c for m in (models.follow, models.mute, models.user, models.post))
    at_once = now()
    own = connection.execute(select(follow.following_id).where(follow.follower_id == reader)).scalars()
    muted = connection.execute(select(mute.muted_id, mute.until).where(mute.muter_id == reader)).all()
    idle = set(connection.execute(select(user.id).where(user.active.is_(False))).scalars()) - {reader}
    authors = {*own, reader} - idle - {key for key, until in muted if until is None or until > at_once}
    posts = connection.execute(select(post.id, post.author_id, post.made_at, post.gone_at)).all()
    seen = [(p.made_at, p.id) for p in posts if p.author_id in authors and not (p.gone_at and p.gone_at <= at_once)]
    return [key for _, key in sorted(seen, reverse=True)]


#: What is to happen before statements of an engine, by their names. Its listeners stay: to remove one while another
#: thread waits in it is an error.
_BEFORE: WeakKeyDictionary[Engine, dict[str, Callable[[], object]]] = WeakKeyDictionary()


@contextmanager
def before(engine: Engine, name: str, do: Callable[[], object]) -> Iterator[None]:
    """Within the block, let *do* happen once: just before the library's statement *name* runs."""
    if engine not in _BEFORE:
        _listen(engine, _BEFORE.setdefault(engine, {}))
    waiting = _BEFORE[engine]
    waiting[name] = do
    yield
    assert waiting.pop(name, None) is None, f"{name} did not run"


def _listen(engine: Engine, waiting: dict[str, Callable[[], object]]) -> None:
    def meet(options: Any) -> None:
        do = waiting.pop(options.get(OPTION), None)
        if do is not None:
            do()

    @event.listens_for(engine, "before_execute")
    def meet_statement(connection: Any, _element: Any, _many: Any, _params: Any, options: Any) -> None:
        meet({**connection.get_execution_options(), **options})

    @event.listens_for(engine, "before_cursor_execute")
    def meet_text(_connection: Any, _cursor: Any, _text: str, _params: Any, context: Any, _many: bool) -> None:
        meet(context.execution_options)  # what is prepared is no statement of SQLAlchemy's any more


@contextmanager
def own_engine(kind: str, server: Callable[[str], Server], folder: Path) -> Iterator[Engine]:
    """Give a prepared engine on a new database, for all tests of a module: `Kept.begin()` empties it."""
    if kind == "sqlite":
        url = URL.create("sqlite", database=str(folder / "retinue.sqlite3"))
    else:
        url = server(kind).create_database()
    engine = roomy_engine(url)
    yield engine
    engine.dispose()
    if kind != "sqlite":
        server(kind).drop_database(url)
