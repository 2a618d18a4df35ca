"""
What people do to a graph: each action once as an application does it, and once in plain Python.

An action names people by roles, so that a row of the table can be played by anybody: ``follow(A, B)``. It is done to
an `Application`, or to the `Plain` world that the judge compares it with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from retinue import BlockedError, Graph, LimitError, UnknownUserError
from retinue.models import now
from retinue.transfer import import_follows
from tests.database.graph_models import Pair
from tests.database.machine.world import World
from tests.models import Models

#: The roles of a row. Who plays them is left to chance, so that any of them may have the lowest key.
A, B, C, D, E, F = "ABCDEF"


@dataclass(frozen=True)
class Action:
    """Something that is done, to whom, and how."""

    name: str
    who: tuple[Any, ...]
    how: tuple[tuple[str, Any], ...] = ()

    def by(self, users: Mapping[str, int]) -> Action:
        """Return the same action of the *users* who play the roles."""

        def cast(value: Any) -> Any:
            if isinstance(value, Action):
                return value.by(users)
            return tuple(map(cast, value)) if isinstance(value, tuple) else users.get(value, value)

        return Action(self.name, cast(self.who), self.how)

    def on(self, graph: Application | Plain) -> object:
        """Do it; return what it returns, or the class of the error that is an answer, too."""
        try:
            return getattr(graph, self.name)(*self.who, **dict(self.how))
        except (BlockedError, LimitError, UnknownUserError, IntegrityError) as error:
            return type(error)

    def __str__(self) -> str:
        given = [str(one) for one in self.who] + [f"{name}={value}" for name, value in self.how]
        return f"{self.name}({', '.join(given)})"


def _named(name: str) -> Callable[..., Action]:
    return lambda *who, **how: Action(name, who, tuple(how.items()))


# What `Graph` has a verb for.
follow, unfollow, remove_follower = _named("follow"), _named("unfollow"), _named("remove_follower")
accept, reject = _named("accept"), _named("reject")
accept_all, reject_all, unlock = _named("accept_all"), _named("reject_all"), _named("unlock")
block, unblock, mute, unmute = _named("block"), _named("unblock"), _named("mute"), _named("unmute")
mark_read = _named("mark_read")

# What an application does by itself: see `Application`.
choose, put, add_row, there = _named("choose"), _named("put"), _named("add_row"), _named("there")
leave, leave_in_bulk, leave_by_name = _named("leave"), _named("leave_in_bulk"), _named("leave_by_name")
delete_row, clear = _named("delete_row"), _named("clear")
add_rows, load, bring = _named("add_rows"), _named("load"), _named("bring")
all_of, never_mind = _named("all_of"), _named("never_mind")


class Application(Graph[Any]):
    """The graph, and what an application writes beside it."""

    __slots__ = ("_models",)

    def __init__(self, session: Session, models: Models) -> None:
        super().__init__(session, models.user)
        self._models = models

    # --- Users ---

    def choose(self, user: int, *, locked: bool) -> None:
        """Let *user* become private or public, as a form that knows nothing of requests does."""
        table = self._models.user
        self._session.execute(update(table).where(table.id == user).values(locked=locked))

    def leave(self, user: int) -> None:
        """Delete *user* as an object."""
        session = self._session
        there = session.get(self._models.user, user, populate_existing=True)
        if there is not None:
            session.delete(there)
            session.flush()

    def leave_in_bulk(self, *users: int) -> int:
        """Delete *users* by a statement about the class; return how many."""
        user = self._models.user
        return self._rows(delete(user).where(user.id.in_(users)))

    def leave_by_name(self, *users: int, table: bool = False) -> int:
        """Delete *users* by a statement about the class, or the *table*, and not by their keys; return how many."""
        of, names = self._models.user, [name_of(user) for user in users]
        row = of.__table__ if table else of
        return self._rows(delete(row).where((row.c if table else row).name.in_(names)))

    # --- Follows through the ORM ---

    def put(self, follower: int, followed: int) -> bool:
        """Add a `Follow` to the session, in a savepoint; return whether it was new."""
        try:
            with self._session.begin_nested():
                self._session.add(self._models.follow(follower_id=follower, following_id=followed))
        except IntegrityError:
            return False
        return True

    def add_row(self, follower: int, followed: int) -> None:
        """Add a `Follow` to the session; that it is there is an error of the adder, as ever."""
        self._session.add(self._models.follow(follower_id=follower, following_id=followed))
        try:
            self._session.flush()
        except IntegrityError:
            self._session.rollback()
            raise

    def delete_row(self, *pair: int) -> None:
        """Delete a `Follow` as an object."""
        there = self._session.get(self._models.follow, pair)
        if there is not None:  # as it is for who has to try again
            self._session.delete(there)
            self._session.flush()

    def clear(self, *users: int, end: str = "following_id") -> None:
        """Delete the follows of *users* by a statement: those that have them at this *end*."""
        follow = self._models.follow
        self._session.execute(delete(follow).where(getattr(follow, end).in_(users)))

    def add_rows(self, *pairs: Pair) -> None:
        """Insert *pairs* by a statement; that one is there, or nobody is, is an error of the adder."""
        try:
            self._session.execute(insert(self._models.follow), _rows(pairs))
        except IntegrityError:
            self._session.rollback()
            raise

    def load(self, *pairs: Pair) -> None:
        """Insert *pairs* by a statement that leaves alone what is there: MariaDB has none that says what is new."""
        engine = {"postgresql": postgresql, "sqlite": sqlite}[self._session.get_bind().dialect.name]
        self._session.execute(engine.insert(self._models.follow).on_conflict_do_nothing(), _rows(pairs))

    # --- Follows by other ways ---

    def there(self, *pairs: Pair) -> None:
        """Let *pairs* follow each other as if from before there were counters: edges without count rows."""
        self._session.execute(insert(self._models.follow.__table__), _rows(pairs))

    def bring(self, *pairs: Pair) -> int:
        """Import *pairs*, in transactions of the import's own; return how many are new."""
        sessions = sessionmaker(self._session.get_bind())
        return import_follows(sessions, self._models.user, pairs).added

    # --- Transactions ---

    def all_of(self, *actions: Action) -> tuple[object, ...]:
        """Do several *actions* in one transaction."""
        return tuple(action.on(self) for action in actions)

    def never_mind(self, action: Action) -> None:
        """Do *action*, and roll back."""
        action.on(self)
        self._session.rollback()

    def _rows(self, statement: Any) -> int:
        result: Any = self._session.execute(statement)
        return int(result.rowcount)


class Plain(World):
    """In plain Python, what an `Application` does. Of what is done in bulk no listener is told."""

    def copy(self) -> Plain:
        return Plain(**vars(super().copy()))

    def leave(self, user: int) -> None:
        self.bury({user})

    def leave_in_bulk(self, *users: int) -> int:
        gone = self.users.keys() & set(users)
        self.bury(gone)
        return len(gone)

    def leave_by_name(self, *users: int, **_how: bool) -> int:
        return self.leave_in_bulk(*users)

    def put(self, follower: int, followed: int) -> bool:  # type: ignore[override]
        pair = follower, followed
        if self.apart(*pair):
            raise BlockedError(*pair)
        if pair in self.edges:
            return False
        super().put(pair)
        return True

    def add_row(self, follower: int, followed: int) -> None:
        if not self.users.keys() >= {follower, followed} or not self.put(follower, followed):
            raise IntegrityError(None, None, ValueError())

    def delete_row(self, *pair: int) -> None:
        self.remove(pair)  # type: ignore[arg-type]

    def clear(self, *users: int, end: str = "following_id") -> None:
        side = ("follower_id", "following_id").index(end)
        for pair in [pair for pair in self.edges if pair[side] in users]:
            self.remove(pair, told=False)

    def add_rows(self, *pairs: Pair) -> None:
        if self.edges.keys() & set(pairs) or not self.users.keys() >= {user for pair in pairs for user in pair}:
            raise IntegrityError(None, None, ValueError())
        self.load(*pairs)

    def load(self, *pairs: Pair) -> None:
        for pair in pairs:
            if pair not in self.edges and self.users.keys() >= {*pair}:
                super().put(pair, told=False)

    def there(self, *pairs: Pair) -> None:
        self.edges |= dict.fromkeys(pairs, self.now)

    def bring(self, *pairs: Pair) -> int:
        before = len(self.edges)
        self.load(*pairs)
        return len(self.edges) - before

    def all_of(self, *actions: Action) -> tuple[object, ...]:
        return tuple(action.on(self) for action in actions)

    def never_mind(self, action: Action) -> None:
        """Nothing remains of it."""


def name_of(user: int) -> str:
    return f"user {user}"


def _rows(pairs: tuple[Pair, ...]) -> list[dict[str, Any]]:
    return [{"follower_id": a, "following_id": b, "timestamp": now()} for a, b in pairs]
