"""
Retinue's own statements without Retinue: sent by the bare driver, or by a session of SQLAlchemy's.

They are taken down once, as the driver gets them, for two users whose keys are found nowhere else in them; then they are
sent for any others. What is left of the difference to Retinue is Python's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import URL, create_engine, event, text
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.competitor import PAGE, Competitor, Shown
from benchmarks.competitors.retinue import Retinue
from benchmarks.databases import connect, kind_of
from benchmarks.results import FLOOR
from retinue import Graph, transact

#: A statement, and what the driver is given with it.
Sent: TypeAlias = tuple[str, Any]


#: Makes a value for the users that are given.
Made: TypeAlias = Callable[[Sequence[int]], Any]


@contextmanager
def taken_down(retinue: Retinue) -> Iterator[list[Sent]]:
    """Give a list to which every statement is added that *retinue* sends meanwhile."""
    sent: list[Sent] = []

    def take_down(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        sent.append((statement, parameters))

    event.listen(retinue.engine, "before_cursor_execute", take_down)
    try:
        yield sent
    finally:
        event.remove(retinue.engine, "before_cursor_execute", take_down)


def _made(value: Any, keys: Sequence[int]) -> Made | None:
    """Return what stands in the place of *value*, if that is about one of *keys*."""
    for number, key in enumerate(keys):
        if value == key:
            return itemgetter(number)
        if isinstance(value, str) and str(key) in value:
            before, _, after = value.partition(str(key))
            return partial(_within, before, number, after)
    return None


def _within(before: str, number: int, after: str, users: Sequence[int]) -> str:
    return f"{before}{users[number]}{after}"


class Template:
    """Statements that were taken down for the users *keys*, to be sent for others in their place."""

    def __init__(self, sent: Sequence[Sent], keys: Sequence[int]) -> None:
        self._parts = [(statement, self._places(parameters, keys), parameters) for statement, parameters in sent]

    @staticmethod
    def _places(parameters: Any, keys: Sequence[int]) -> list[tuple[Any, Made]]:
        """Return where in *parameters* something else has to stand, and what, for the users that are given."""
        named = parameters.items() if isinstance(parameters, Mapping) else enumerate(parameters)
        made = ((place, _made(value, keys)) for place, value in named)
        return [(place, how) for place, how in made if how]

    def sent(self, users: Sequence[int]) -> Iterator[Sent]:
        """Yield what is sent for these *users*."""
        for statement, places, parameters in self._parts:
            changed = parameters
            if places:
                changed = dict(parameters) if isinstance(parameters, Mapping) else list(parameters)
                for place, value in places:
                    changed[place] = value(users)
                changed = changed if isinstance(parameters, Mapping) else tuple(changed)
            yield statement, changed


def templates_of_follow(retinue: Retinue, follower: int, followed: int, number: int = 1) -> list[Template]:
    """Return what *retinue* sends for a new follow, *number* times: its slots are by chance. Nobody follows afterwards."""
    found = []
    for _ in range(number):
        with taken_down(retinue) as sent:
            retinue.graph.follow(follower, followed)
        retinue.session.rollback()
        found.append(Template(sent, (follower, followed)))
    return found


class SameStatements(Competitor):
    """The bare driver with Retinue's statements, on its tables: one connection that reads, one that writes."""

    name = FLOOR

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.reader, self.writer = connect(url), connect(url)
        if hasattr(self.reader, "prepare_threshold"):
            self.reader.prepare_threshold = self.writer.prepare_threshold = 0
        self.reading, self.writing = self.reader.cursor(), self.writer.cursor()
        self._pages: dict[tuple[int, Any], Template] = {}
        self._retinue = retinue = Retinue(url)
        one, other = self._two()
        self._of: dict[str, Template] = {}
        asked = {"is_following": (one, other), "first_page": (one,), "counts": ([one],)}
        for name, arguments in asked.items():
            retinue.operation(name)(*arguments)  # builds them, and asks what is asked once
            with taken_down(retinue) as sent:
                retinue.operation(name)(*arguments)
            self._of[name] = Template(sent, (one, other))
        for name in ("follow", "unfollow"):
            for users in ((one, other), (other, one)):
                self._of[f"{name} {users[0] < users[1]}"] = self._write_of(name, users)
        retinue.session.rollback()

    def _two(self) -> tuple[int, int]:
        """Return the keys of two users who do not follow each other: the highest, which are found nowhere else."""
        self.reading.execute("SELECT id FROM users ORDER BY id DESC LIMIT 50")
        keys = [key for (key,) in self.reading.fetchall()]
        pairs = ((one, other) for one in keys for other in keys if one > other)
        follows = self._retinue.is_following
        return next((one, other) for one, other in pairs if not follows(one, other) and not follows(other, one))

    def _write_of(self, name: str, users: Sequence[int]) -> Template:
        def take_down(session: Session) -> Template:
            graph = Graph(session, self._retinue.models.user)
            with taken_down(self._retinue) as sent:
                graph.follow(*users)
                if name == "unfollow":
                    sent.clear()
                    graph.unfollow(*users)
            session.rollback()
            return Template([one for one in sent if not one[0].startswith("BEGIN")], users)

        # Others take down the same just now.
        return transact(sessionmaker(self._retinue.engine), take_down)

    def close(self) -> None:
        self._retinue.close()
        self.reader.close()
        self.writer.close()

    def _read(self, template: Template, *users: int) -> list[Any]:
        rows: list[Any] = []
        for statement, parameters in template.sent(users):
            self.reading.execute(statement, parameters)
            rows = self.reading.fetchall()
        return rows

    def _write(self, name: str, follower: int, followed: int) -> bool:
        self.writing.execute("BEGIN IMMEDIATE" if kind_of(self.url) == "sqlite" else "BEGIN")
        changed = False
        for statement, parameters in self._of[f"{name} {follower < followed}"].sent((follower, followed)):
            self.writing.execute(statement, parameters)
            rows = self.writing.fetchall() if self.writing.description else None
            if statement.startswith("SELECT"):  # whether it is so already
                if rows:
                    break
            elif not changed:
                # The first one that writes changes the edge; where it did not, there is nothing to count.
                changed = bool(rows and rows[0][0]) if rows is not None else self.writing.rowcount > 0
                if not changed:
                    break
        self.writing.execute("COMMIT")
        return changed

    # --- Operations ------------------------------------------------------------------------------

    def is_following(self, follower: int, followed: int) -> bool:
        return bool(self._read(self._of["is_following"], follower, followed))

    def first_page(self, user: int) -> list[Shown]:
        return [tuple(row[-2:]) for row in self._read(self._of["first_page"], user)[:PAGE]]

    def place_at(self, user: int, depth: int) -> Any:
        place = self._retinue.place_at(user, depth)
        with taken_down(self._retinue) as sent:
            self._retinue.page_from(user, place)
        self._pages[user, place] = Template(sent, ())
        return place

    def page_from(self, user: int, place: Any) -> list[Shown]:
        return [tuple(row[-2:]) for row in self._read(self._pages[user, place])[:PAGE]]

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        (user,) = users
        return {key: (followers, following) for key, followers, following in self._read(self._of["counts"], user)}

    def follow(self, follower: int, followed: int) -> bool:
        return self._write("follow", follower, followed)

    def unfollow(self, follower: int, followed: int) -> bool:
        return self._write("unfollow", follower, followed)


class SameStatementsInASession(Competitor):
    """A plain session of SQLAlchemy's that sends what Retinue sends for a follow, as text with parameters, and commits."""

    def __init__(self, retinue: Retinue, follower: int, followed: int) -> None:
        super().__init__(retinue.url)
        self._templates = templates_of_follow(retinue, follower, followed, 64)
        retinue.close()
        self._session = Session(create_engine(retinue.url, creator=lambda: connect(retinue.url)))
        self._texts: dict[str, Any] = {}
        self._done = 0

    def close(self) -> None:
        self._session.close()
        self._session.get_bind().engine.dispose()

    def follow(self, follower: int, followed: int) -> bool:
        self._done += 1
        for statement, parameters in self._templates[self._done % len(self._templates)].sent((follower, followed)):
            if not isinstance(parameters, Mapping):
                parameters = {f"p{number}": value for number, value in enumerate(parameters)}  # noqa: PLW2901
            result: Any = self._session.execute(self._text(statement), parameters)
            if result.returns_rows:
                result.all()
        self._session.commit()
        return True

    def _text(self, statement: str) -> Any:
        """Return a statement of the driver's as SQLAlchemy's text, made once."""
        found = self._texts.get(statement)
        if found is None:
            numbers = count()
            # A colon that is no parameter's has to be escaped; the places of parameters come in the driver's own spelling.
            words = statement.replace(":", "\\:")
            words = re.sub(r"%\((\w+)\)s", r":\1", words)
            words = re.sub(r"%s|\?", lambda _: f":p{next(numbers)}", words)
            found = self._texts[statement] = text(words.replace("%%", "%"))
        return found
