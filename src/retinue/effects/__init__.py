"""
What follows from a change: counts, history, notifications, home timelines, events.

Each effect says in its own file what it writes of a change. Here is decided, for all alike, when it is written:

- by the statement of the change itself, where an engine and the models allow that: `change()`;
- by statements one after the other, once the change was made: `record()`;
- by statements that read many changes as a table: `record_selected()`;
- and what goes when a request is answered, when two are kept apart, and when users leave.

All of it is written in the transaction of the change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pkgutil import resolve_name
from typing import Any, Final, NamedTuple

from sqlalchemy import CTE, select
from sqlalchemy.sql.elements import ColumnElement

from retinue.effects import outbox
from retinue.effects.changes import KINDS, Kind, Possible, Selected, parameters_of, returned_by
from retinue.effects.effect import Effect, InStatement
from retinue.engines import EngineRules, Rows
from retinue.events import EdgeEvent, Event
from retinue.models import FollowCountMixin, FollowEventMixin, NotificationMixin, TimelineEntryMixin
from retinue.models.ownership import GraphModel
from retinue.schema import Schema
from retinue.ties import is_edge
from retinue.values import Key
from retinue.work import Build, Pair, Work
from retinue.work.building import OPTION, once

#: What declares an effect, in the order in which their rows are locked; any other comes after these. Events are last.
ORDER: Final[tuple[type[GraphModel], ...]] = (
    FollowCountMixin,
    FollowEventMixin,
    NotificationMixin,
    TimelineEntryMixin,
)


class EdgeChange(NamedTuple):
    """What became of an edge."""

    #: Whether it was inserted or deleted.
    done: bool
    #: Whether it was there before; False where nobody looked.
    was_there: bool = False


def change(work: Work, event: EdgeEvent, alone: Callable[[], bool], build: Build, *arguments: Any) -> EdgeChange:
    """
    Insert or delete the edge of *event*, and write what follows.

    Where one statement can do it all, it is what *build* returns for *arguments*, an insert or a delete of *follower*
    and *followed* at *at*, with all effects. Else *alone* makes the change and returns whether there was one.

    Cost: as *alone* and `record()`; or one statement, and up to four for each user who was never counted.
    """
    if not fits_one_statement(work.schema, work.engine):
        done = alone()
        if done:
            record(work, event)
        return EdgeChange(done)
    parameters = at_once(work.schema, event)
    ascending = is_ascending(event)
    found: Any = work.run(change_with_effects, parameters, work.engine, type(event), ascending, build, *arguments).one()
    if not found.changed:
        return EdgeChange(done=False, was_there=bool(found.was_there))
    complete(work, found, event)
    return EdgeChange(done=True)


def record(work: Work, *events: Event, bulk: bool = False, silent: bool = False) -> None:
    """
    Write what follows from *events*, which have just happened, and keep them for the listeners until COMMIT.

    Args:
        work: Where they happened.
        events: Each a change; what follows from one, its type says: see `KINDS`.
        bulk: Whether they may be many, of one kind: see `Effect.write()`.
        silent: Whether nobody is notified, and no listener hears of them: only what is to be done for home timelines.

    Cost: one update for each user whose counts changed (if *bulk*: three in all, for users
    who have count rows); one insert where history is kept; one where there are notifications (two for accepted
    requests); one update or delete where home timelines are.
    """
    schema = work.schema
    schema.refuse_unusable()  # the ORM writes without a `Graph`
    changes = [(event, KINDS[type(event)]) for event in events if isinstance(event, EdgeEvent)]
    more: list[Event] = []
    for effect in effects_of(schema) if changes else ():
        if not (silent and effect.notifies):
            more += effect.write(work, changes, bulk=bulk)
    outbox.add(work, *(() if silent else events), *more)


def record_selected(work: Work, kind: Kind, selected: Selected) -> None:
    """
    Write what follows from many changes of *kind*, and keep no events: an import announces nothing.

    Cost: two statements where counts are kept, three if some were never counted; one insert where history is kept; one
    select, and one update if it finds somebody, where home timelines are.
    """
    for effect in effects_of(work.schema):
        effect.write_selected(work, kind, selected)


def close_requests(work: Work, pairs: Iterable[Pair]) -> None:
    """
    Let nobody be asked any more by the requests of *pairs*, which have gone.

    After `record()`: on MariaDB this locks the places beside them, where others who hold count rows of the same
    users want to insert. Only where there was a request: there a delete that finds nothing holds up others' inserts.
    Cost: one delete for each user who was asked, where there are notifications.
    """
    gone = list(pairs)
    for effect in effects_of(work.schema):
        effect.close_requests(work, gone)


def block(work: Work, pair: Pair) -> None:
    """Take out what the two of *pair* have of each other beside ties. Cost: two deletes, where there are notifications."""
    for effect in effects_of(work.schema):
        effect.block(work, pair)


def post(work: Work, posts: Sequence[tuple[Key, Key]]) -> None:
    """Write what follows from *posts*, each an author and a key. Cost: one insert, where home timelines are kept."""
    for effect in effects_of(work.schema):
        outbox.add(work, *effect.post(work, posts))


# --- In the statement of the change --------------------------------------------------------------


def at_once(schema: Schema, *possible: EdgeEvent) -> dict[str, Any]:
    """Return the parameters of a statement `with_effects()` that may make these changes."""
    parameters = parameters_of(schema, possible[0])
    changes = [(event, KINDS[type(event)]) for event in possible]
    for effect in effects_of(schema):
        if isinstance(effect, InStatement):
            parameters.update(effect.parameters(schema, changes))
    return parameters


def is_ascending(event: EdgeEvent) -> bool:
    """Return whether the follower has the lower key: what is locked first."""
    follower: Any = event.follower_id  # of one type with the other
    return bool(follower < event.followed_id)


def complete(work: Work, found: Any, *made: EdgeEvent, beside: Sequence[Event] = ()) -> None:
    """
    Write what the statement could not, whose row is *found* and which has *made* these changes.

    And keep them for the listeners until COMMIT, with what happened *beside* them. Cost: as in `change()`.
    """
    changes = [(event, KINDS[type(event)]) for event in made]
    more: list[Event] = []
    for effect in effects_of(work.schema) if made else ():
        if isinstance(effect, InStatement):
            more += effect.complete(work, changes, found)
        else:
            more += effect.write(work, changes, bulk=False)
    outbox.add(work, *made, *beside, *more)


def with_effects(schema: Schema, engine: EngineRules, done: Rows, *possible: Possible) -> Rows:
    """Return *done*, the answer of a statement that may make *possible* changes, with what follows from those it makes."""
    after: list[CTE] = []
    for effect in effects_of(schema):
        if isinstance(effect, InStatement):
            parts = effect.parts(schema, engine, possible, after)
            done = done.add_columns(*parts.answers).add_cte(*parts.statements)
            after += [part for part in parts.statements if part.name in done.selected_columns]
    return done


def kept_apart(schema: Schema, done: Rows, blocked: ColumnElement[bool]) -> Rows:
    """Return *done*, the answer of a statement that blocks, with `block()` of *follower* and *followed*, if they are *blocked*."""
    for effect in effects_of(schema):
        if isinstance(effect, InStatement):
            done = done.add_cte(*effect.kept_apart(schema, blocked))
    return done


def without_requests(schema: Schema, done: Rows, gone: CTE) -> Rows:
    """Return *done*, the answer of a statement that deletes the request *gone*, with `close_requests()` of it."""
    for effect in effects_of(schema):
        if isinstance(effect, InStatement):
            done = done.add_cte(*effect.closed(schema, gone))
    return done


# --- Which effects there are ---------------------------------------------------------------------


def effects_of(schema: Schema) -> Sequence[Effect]:
    """Return what follows from changes in the graph of *schema*, in the order in which it is written."""
    found: Sequence[Effect] | None = schema.built.get(effects_of)
    if found is None:
        mixins = [*ORDER, *(mixin for mixin in schema.models if mixin not in ORDER)]
        places = [mixin.__retinue_effect__ for mixin in mixins if mixin in schema.models]
        found = schema.built[effects_of] = tuple(resolve_name(place) for place in places if place is not None)
    return found


def fits_one_statement(schema: Schema, engine: EngineRules) -> bool:
    """
    Return whether the change of an edge and what follows can be one statement.

    Not where the application's own columns have values that Python makes for each row: only SQLAlchemy can
    put them into single statements.
    """
    fits: bool | None = schema.built.get((fits_one_statement, engine))
    if fits is None:
        in_statement = (effect for effect in effects_of(schema) if isinstance(effect, InStatement))
        by_python = schema.own_of(schema.follows).by_python or any(one.needs_python(schema) for one in in_statement)
        fits = schema.built[fits_one_statement, engine] = engine.modifying_ctes and not by_python
    return fits


@once
def change_with_effects(
    schema: Schema, engine: EngineRules, event: type[EdgeEvent], ascending: bool, build: Build, *arguments: Any
) -> Rows:
    """
    What *build* returns for *arguments*, and what follows from it, an *event*; the parts run in their order.

    *ascending*: see `Possible`.

    One row: how many edges changed; whether the edge was there before; and what effects want to know.
    """
    edge = Possible(KINDS[event], returned_by(schema, engine, build(schema, *arguments)), ascending)
    done = select(edge.number().label("changed"), is_edge(schema, engine).label("was_there"))
    return with_effects(schema, engine, done, edge).execution_options(**{OPTION: build.__name__})
