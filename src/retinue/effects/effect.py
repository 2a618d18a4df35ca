"""An effect: something that follows from changes of edges, and is written in their transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Table
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import CTE

from retinue.effects.changes import Kind, Possible, Selected
from retinue.engines import EngineRules
from retinue.events import EdgeEvent, Event
from retinue.faults import Fault
from retinue.models.ownership import GraphModel
from retinue.schema import Schema
from retinue.values import Key
from retinue.work import Pair, Work

#: An event, and what it means.
Change = tuple[EdgeEvent, Kind]


class Effect:
    """
    Something that follows; each method says it of one way in which changes come. By itself it is nothing.

    A mixin names its effect: ``__retinue_effect__ = "module:NAME"``. Where it is declared, its effect is.
    """

    #: Whether it is there to notify users, and so left out where a change is to be silent.
    notifies: ClassVar[bool] = False

    #: Whether its rows stay when their users leave.
    outlives_users: ClassVar[bool] = False

    def __init__(self, mixin: type[GraphModel]) -> None:
        #: What declares it.
        self.mixin: type[GraphModel] = mixin

    def tables(self, schema: Schema) -> Sequence[Table]:
        """Return its tables, each with its owner, and maybe the other user, in ``info``."""
        return (schema.table(self.mixin),)

    def faults(self, schema: Schema) -> Sequence[Fault]:
        """Return what can be wrong with its rows; that their users may be gone, goes without saying."""
        del schema
        return ()

    # --- Changes of edges ------------------------------------------------------------------------

    def write(self, work: Work, changes: Sequence[Change], *, bulk: bool) -> Sequence[Event]:
        """
        Write what follows from *changes*, which were made before; return what else listeners are to hear of.

        *bulk*: whether they may be many, of one kind, so that statements for each are too many.
        """
        del work, changes, bulk
        return ()

    def write_selected(self, work: Work, kind: Kind, selected: Selected) -> None:
        """As `write()`, of changes of *kind* that statements read as a table."""

    # --- Other reasons ---------------------------------------------------------------------------

    def close_requests(self, work: Work, pairs: Sequence[Pair]) -> None:
        """See to it that nobody is asked any more by the requests of *pairs*, which have gone."""

    def block(self, work: Work, pair: Pair) -> None:
        """Take out what the two of *pair* have of each other, who are kept apart from now on."""

    def leave(self, work: Work, users: Sequence[Key]) -> None:
        """Take *users*, whose rows are all still there and who are locked, out of the rows of others."""

    def after_leaving(self, work: Work, users: Sequence[Key]) -> None:
        """Write what is to stay of *users*, who have no rows any more."""

    def expire(self, work: Work, at: datetime) -> Mapping[str, int]:
        """Delete what time has ended *at* that time; return how many rows went, by the fields of `Expired`."""
        del work, at
        return {}

    def post(self, work: Work, posts: Sequence[tuple[Key, Key]]) -> Sequence[Event]:
        """Write what follows from *posts*, each an author and a key; return what listeners are to hear of."""
        del work, posts
        return ()


class Parts(NamedTuple):
    """What an effect adds to the statement of a change."""

    #: The statements, in their order.
    statements: Sequence[CTE]
    #: What it wants to know afterwards, each with its name.
    answers: Sequence[ColumnElement[Any]] = ()


class InStatement(Effect):
    """
    An effect that can be written by the statement of the change itself, where an engine has that.

    That statement may be one of several changes between two users, of which it makes some: either an edge or a
    request; or it ends the edge and its opposite, first that of which the statement's parameters tell.
    """

    def parts(self, schema: Schema, engine: EngineRules, possible: Sequence[Possible], after: Sequence[CTE]) -> Parts:
        """Return what follows from those of the *possible* changes that are made; *after* what other effects write."""
        raise NotImplementedError

    def closed(self, schema: Schema, gone: CTE) -> Sequence[CTE]:
        """Return `close_requests()` of the request of *follower* and *followed* that has *gone*, if it has."""
        del schema, gone
        return ()

    def kept_apart(self, schema: Schema, blocked: ColumnElement[bool]) -> Sequence[CTE]:
        """Return `block()` of *follower* and *followed*, if they are *blocked*."""
        del schema, blocked
        return ()

    def parameters(self, schema: Schema, changes: Sequence[Change]) -> Mapping[str, Any]:
        """Return the parameters of `parts()`, beside those of the first of the *changes* that are possible."""
        del schema, changes
        return {}

    def complete(self, work: Work, changes: Sequence[Change], answers: Any) -> Sequence[Event]:
        """
        Write what `parts()` could not, by the row with its *answers*; return what else listeners are to hear of.

        *changes*: those that were made.
        """
        del work, changes, answers
        return ()

    def needs_python(self, schema: Schema) -> bool:
        """Return whether Python makes values for its rows, which only statements of their own can have."""
        return any(schema.own_of(table).by_python for table in self.tables(schema))
