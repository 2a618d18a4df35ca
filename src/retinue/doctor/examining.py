"""
Looking for all that can be wrong, and putting right what is safe.

**Looking** goes through each table by the owners of its rows, some hundred at a time, each batch in a transaction of its
own: anti-joins by index, which count in the database and bring ten keys at most. Nobody waits for it, and nothing grows
with the table but time. What others do meanwhile is whole in what a statement reads, or not in it.

**Repairing** takes at most `_HELD_MOST` rows in a transaction, holds the guards that the verbs about them take, and looks
again before it writes. It never decides what an application must: schema, collations and connections are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, sessionmaker

from retinue import arguments, ties
from retinue.doctor import surroundings
from retinue.doctor.findings import Finding, Treatment
from retinue.doctor.ties import faults_of
from retinue.engines import engine_of
from retinue.faults import Fault, RowKey, count_wrong, owners_after, wrong_rows
from retinue.models import now
from retinue.retry import sessions_of, transact
from retinue.schema import Schema, schema_of
from retinue.settings import BATCH_MOST
from retinue.values import Key
from retinue.work import Work
from retinue.work.routing import connection_of

#: How many keys a finding has as examples.
_EXAMPLES: Final = 10

#: Rows that are put right in one transaction: others who do something with their users wait so long.
_HELD_MOST: Final = 50

#: Is told which table is looked at, what for, and how many owners of its rows were gone through.
Progress: TypeAlias = Callable[[str, str, int], object]


def examine(
    engine_or_session_factory: Engine | Callable[[], Session],
    user_class: type[Any],
    *,
    batch: int = BATCH_MOST,
    progress: Progress | None = None,
) -> Sequence[Finding]:
    """
    Return all that is wrong with the graph of *user_class*, its tables and its connections. Changes nothing, and delays nobody.

    Whatever the library's own verbs and the ORM write is never among it, also while others write. How much there is to
    look for follows from the models that are declared.

    Cost: a few statements for each table, about it; then for each kind of fault and *batch* of owners of rows two selects,
    which look up each row of theirs by index, and a third one where they find something. One select reads the whole
    history, where it is kept.

    Args:
        engine_or_session_factory: An engine, as it is: whether it was prepared is part of the answer; it is when the
            answer is there. Or what makes a new session, such as a ``sessionmaker``.
        user_class: The class with `FollowerMixin`.
        batch: Owners of one transaction, 1 to 1,000.
        progress: Is called after each batch with the table, the code word of what is looked for, and how many
            owners were gone through.

    Raises:
        MappingError, ModelMissingError: *user_class* is not a user class.
        TypeError: The first argument is neither an engine nor a factory of sessions.
        ValueError: *batch* is outside its range.
        sqlalchemy.exc.DBAPIError: The database cannot be asked.
    """
    return _Examination(engine_or_session_factory, user_class, batch, progress).findings()


def repair(
    engine_or_session_factory: Engine | Callable[[], Session],
    user_class: type[Any],
    *,
    batch: int = BATCH_MOST,
    progress: Progress | None = None,
) -> Treatment:
    """
    Put right what is wrong and safe to put right; return what was found, and what is left.

    Edges and requests beside a block go as if it were made now: the block remembers them, for
    ``unblock(restore=True)``. Edges that go are counted and written down, and listeners are told. What is left of users who
    are gone is removed as their deletion would have. Counts are counted again. Nothing that needs a decision is
    touched, such as a collation or an index: its finding has the statement. Where every statement commits by itself
    (AUTOCOMMIT), nothing is repaired.

    Others may go on meanwhile: at most 50 rows, or all that is left of their users, are held at a time. Cut
    off at any moment, it is started again.

    Cost: three times that of `examine()`; and for each 50 rows that are wrong two selects, and what ending them takes: an edge
    four statements and more, as `Graph.unfollow()`.

    Args:
        engine_or_session_factory: As in `examine()`.
        user_class: As in `examine()`.
        batch: As in `examine()`.
        progress: As in `examine()`; also while it repairs.

    Raises:
        MappingError, ModelMissingError, TypeError, ValueError, sqlalchemy.exc.DBAPIError: As `examine()`.
    """
    examination = _Examination(engine_or_session_factory, user_class, batch, progress)
    found = examination.findings()
    if not any(one.what == "autocommit" for one in found):
        examination.repair(found)
    return Treatment(found, examination.findings())


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Some owners of rows: those after one key, if there is one, up to another."""

    upto: Key
    after: Key | None
    owners: int

    @property
    def parameters(self) -> dict[str, Key | None]:
        """The stretch as parameters of statements."""
        return {"upto": self.upto, "after": self.after}


class _Examination:
    """One database, and one user class with its models."""

    def __init__(self, given: Any, user_class: type[Any], batch: int, progress: Progress | None) -> None:
        self._batch = arguments.whole_number("batch", batch, BATCH_MOST)
        self._schema: Schema = schema_of(user_class)
        self._given = given
        #: As they are for the application: an engine is prepared only after a look at it.
        self._as_given = sessionmaker(given) if isinstance(given, Engine) else sessions_of(given)
        self._progress = progress

    def findings(self) -> Sequence[Finding]:
        """Return all that is wrong, the worst first."""
        found = transact(self._as_given, self._around)
        # From here on as the promises need it.
        self._sessions = sessions_of(self._given)
        missing = surroundings.missing_tables(found)
        for fault in self._faults(missing):
            found += self._look(fault)
        order = ("error", "warning", "note")
        return tuple(sorted(found, key=lambda one: order.index(one.severity)))

    def repair(self, found: Sequence[Finding]) -> None:
        """Put right what was *found*; and what follows from that, such as counts."""
        wrong = {(one.what, one.where) for one in found if one.repairable}
        missing = surroundings.missing_tables(found)
        for fault in self._faults(missing) if wrong else ():
            # Counts and timelines last: they may have become wrong by what was put right before.
            if fault.repair is not None:
                self._repair(fault)

    def _faults(self, missing: set[str]) -> Iterator[Fault]:
        # A condition may be about any other table.
        return iter(() if missing else faults_of(self._schema))

    def _around(self, session: Session) -> list[Finding]:
        work = self._asking(session)
        return [
            *surroundings.of_connection(work.connection),
            *surroundings.of_tables(work.connection, self._schema),
        ]

    def _asking(self, session: Session) -> Work:
        """Return the work of one look: where the verbs write, also in AUTOCOMMIT, where these would not."""
        work = Work(session, self._schema)
        work.connection = connection_of(session, self._schema, writes=True)
        work.engine = engine_of(work.connection)
        return work

    # --- Rows ------------------------------------------------------------------------------------

    def _look(self, fault: Fault) -> list[Finding]:
        given, number = self._given_for(fault), 0
        examples: list[RowKey] = []
        for stretch in self._stretches(fault):
            more, rows = transact(
                self._sessions, partial(self._found, fault, stretch, given, _EXAMPLES - len(examples))
            )
            number += more
            examples += rows
        if not number:
            return []
        where, safe = str(fault.table), fault.repair is not None
        return [Finding(fault.what, where, number, tuple(examples), fault.severity, safe, fault.fix)]

    def _found(
        self, fault: Fault, stretch: _Stretch, given: Mapping[str, Any], most: int, session: Session
    ) -> tuple[int, Sequence[RowKey]]:
        """Return how many rows of a *stretch* have *fault*, and the keys of *most* of them."""
        work = self._asking(session)
        arguments_ = work.engine, fault, stretch.after is not None
        parameters = {**given, **stretch.parameters}
        number = int(work.run(count_wrong, parameters, *arguments_).scalar_one())
        rows = work.rows(wrong_rows, {**parameters, "limit": most}, *arguments_) if number and most else ()
        return number, [tuple(row) for row in rows]

    def _repair(self, fault: Fault) -> None:
        given = self._given_for(fault)
        for stretch in self._stretches(fault):
            before: Sequence[RowKey] = ()
            while True:
                _, rows = transact(self._sessions, partial(self._found, fault, stretch, given, _HELD_MOST))
                if not rows or rows == before:  # a trigger of the application's keeps them
                    break
                transact(self._sessions, partial(self._put_right, fault, rows, given))
                before = rows

    def _put_right(self, fault: Fault, rows: Sequence[RowKey], given: Mapping[str, Any], session: Session) -> None:
        assert fault.repair is not None  # noqa: S101 - asked of those that have one
        fault.repair(Work(session, self._schema).connect(), fault, rows, given)

    def _given_for(self, fault: Fault) -> dict[str, Any]:
        """Return the parameters of the condition of *fault*."""
        times = ties.ends_at(self._schema, now())
        more = fault.given
        if more is None:
            return times
        return {**times, **transact(self._sessions, lambda session: more(self._asking(session)))}

    def _stretches(self, fault: Fault) -> Iterator[_Stretch]:
        """Yield all owners of rows of a table, some at a time."""
        after, owners = None, 0
        while keys := transact(self._sessions, partial(self._owners, fault, after)):
            owners += len(keys)
            yield _Stretch(keys[-1], after, owners)
            if self._progress is not None:
                self._progress(str(fault.table), fault.what, owners)
            after = keys[-1]

    def _owners(self, fault: Fault, after: Key | None, session: Session) -> Sequence[Key]:
        work = self._asking(session)
        parameters = {"after": after, "limit": self._batch}
        return [key for (key,) in work.rows(owners_after, parameters, fault.table, after is not None)]
