"""
What a viewer may see: whether a list at all (`may_see()`, `admit()`), and which users in it (`shown()`). Asked nowhere else.

Both answers are one table, `REASONS`: what speaks against a user, and where it counts. Another reason is a function in a
file of its own, and a line in the table.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import and_, not_, or_, select, true
from sqlalchemy.sql.elements import ColumnElement

from retinue.engines import EngineRules, Rows
from retinue.errors import NotVisibleError
from retinue.models import now
from retinue.schema import Schema
from retinue.values import ALL, Everything, Key
from retinue.viewer import reasons
from retinue.viewer.row import LISTS, Context, Row
from retinue.work import Work
from retinue.work.building import moment, once, people, whichever_user
from retinue.work.criteria import passing


class Audience(enum.Enum):
    """Who looks at a list."""

    #: Code that said ``viewer=ALL``.
    TRUSTED = "trusted"
    #: The user whose list it is.
    OWNER = "owner"
    #: Another user.
    USER = "user"
    #: Somebody who is not logged in.
    ANYBODY = "anybody"

    @classmethod
    def of(cls, viewer: Key | Everything | None, owner: Key | None) -> Audience:
        """Return which audience *viewer* is for a list of *owner*."""
        if viewer is ALL:
            return cls.TRUSTED
        if viewer is None:
            return cls.ANYBODY
        return cls.OWNER if viewer == owner else cls.USER


class Reason(NamedTuple):
    """What speaks against a user, and where: one of the two functions."""

    counts_in: Context
    #: Returns the condition by which the user's own row says it; None if nobody's can.
    flag: Callable[[Row], ColumnElement[bool] | None] | None = None
    #: Returns selects of one row at most, each of which says it if there is one.
    ties: Callable[[Row], Sequence[Rows]] | None = None


_SUGGESTIONS: Final = Context.SUGGESTION | Context.SUGGESTED_BY

#: What speaks against a user. Another reason gets its line here; it is asked in this order.
REASONS: Final[Sequence[Reason]] = (
    # What inactive users do is written down all the same, and left out when it is read: they may come back.
    Reason(~Context.NOTIFICATION, flag=reasons.inactive),
    Reason(Context.FOLLOWERS, flag=reasons.hides_followers),
    Reason(Context.FOLLOWING | Context.SUGGESTED_BY, flag=reasons.hides_following),
    Reason(LISTS | Context.SUGGESTED_BY, flag=reasons.locked),
    Reason(Context.SUGGESTION, flag=reasons.undiscoverable),
    Reason(Context.SUGGESTION, ties=reasons.followed),
    Reason(Context.SUGGESTION, ties=reasons.requested),
    # Of one's own lists, timelines and notifications a block has taken what it cuts.
    Reason(LISTS | Context.LIST | _SUGGESTIONS, ties=reasons.blocked),
    Reason(Context.UNBLOCKING, ties=reasons.blocks_viewer),
    Reason(Context.TIMELINE | _SUGGESTIONS, ties=reasons.muted),
    Reason(Context.NOTIFICATION, ties=reasons.muted_wholly),
    Reason(Context.SUGGESTION, ties=reasons.dismissed),
)

#: Where viewers meet themselves, whatever speaks against them.
_ONESELF: Final = Context.LIST | Context.UNBLOCKING

_NOWHERE: Final = Context(0)


# --- The two questions ---------------------------------------------------------------------------


def may_see(owner: Row, lists: Context, *, passed: Context = _NOWHERE) -> Sequence[ColumnElement[bool]]:
    """
    Return the conditions under which the viewer may see those *lists* of *owner*, who is somebody else.

    What counts where they have *passed* already is not asked again.
    """
    return _nothing_against(owner, lists, passed)


class Admission(NamedTuple):
    """Who looks at a list, and what is still to be asked before they do."""

    audience: Audience
    #: The lists of its user that it tells of, where something may speak against them; None: nothing can.
    lists: Context | None = None


def admit(work: Work, owner: Key | None, viewer: Key | Everything | None, lists: Context | None) -> Admission:
    """
    Return who looks at a list of *owner* that tells of those *lists*; None: it is for the owner alone. No statement.

    Raises:
        NotVisibleError: It is somebody else's.
    """
    audience = Audience.of(viewer, owner)
    if audience in (Audience.TRUSTED, Audience.OWNER) or owner is None:
        return Admission(audience)
    if lists is None:
        raise NotVisibleError(owner)
    return Admission(audience, lists if has_reasons(work.schema, work.engine, lists) else None)


def refuse_unseen(work: Work, owner: Key, viewer: Key | None, admission: Admission) -> None:
    """
    Raise `NotVisibleError` if *viewer* may not see the list that *admission* is about.

    One select, where something may speak against it: for who reads nothing else, which would tell as well.
    """
    if admission.lists is not None:
        parameters = {"user": owner, "viewer": viewer, **moment(work.schema, now())}
        answer = work.run(visibility, parameters, work.engine, admission).first()
        if answer is not None and not answer[0]:
            raise NotVisibleError(owner)


def shown(row: Row, where: Context) -> Sequence[ColumnElement[bool]]:
    """Return the conditions under which the viewer is shown the user of *row* there."""
    return (*passing(row.schema, row.key), *_nothing_against(row, where))


def shown_to(
    audience: Audience, schema: Schema, engine: EngineRules, key: ColumnElement[Any]
) -> Sequence[ColumnElement[bool]]:
    """Return `shown()` for the user *key* of a row of a list at which *audience* looks, who is the parameter *viewer*."""
    if audience is Audience.TRUSTED:
        return passing(schema, key)
    where = Context.OWN_LIST if audience is Audience.OWNER else Context.LIST
    return shown(Row(schema, engine, key, _viewer(schema, engine, audience)), where)


def _nothing_against(row: Row, where: Context, passed: Context = _NOWHERE) -> Sequence[ColumnElement[bool]]:
    rules = [rule for rule in REASONS if where & rule.counts_in and not passed & rule.counts_in]
    here = people(row.schema, "here")["here"]
    found = row if row.users is not None else row._replace(users=here)
    flags = [flag for rule in rules if rule.flag and (flag := rule.flag(found)) is not None]
    # About a row of a list: few of all that there are.
    few = row.users is None
    ties = [row.engine.no_row(rows, one_by_one=few) for rule in rules if rule.ties for rows in rule.ties(row)]
    oneself = row.viewer if where & _ONESELF else None
    if row.users is not None:
        own = [~flag if oneself is None else or_(~flag, row.key == oneself) for flag in flags]
    elif flags:
        user = here.c[row.schema.key.key]
        others = () if oneself is None else (user != oneself,)
        against = select(user).where(user == row.key, *others, or_(*flags))
        own = [row.engine.no_row(against, one_by_one=True)]
    else:
        own = []
    return (*own, *ties)


def left_out(schema: Schema, engine: EngineRules, key: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether the user *key* of a row is left out of a list of the viewer's own."""
    return not_(
        and_(
            true(),
            *_nothing_against(Row(schema, engine, key, whichever_user(schema, engine, "viewer")), Context.OWN_LIST),
        )
    )


def has_reasons(schema: Schema, engine: EngineRules, where: Context) -> bool:
    """Return whether anything can speak against anybody there, by what the application has declared."""
    key = (has_reasons, where)
    answer: bool | None = schema.built.get(key)
    if answer is None:
        answer = schema.built[key] = bool(_nothing_against(owner_of(schema, engine, Audience.USER), where))
    return answer


def owner_of(schema: Schema, engine: EngineRules, audience: Audience) -> Row:
    """Return the user whose list it is, the parameter *user*, beside *audience*."""
    return Row(
        schema,
        engine,
        whichever_user(schema, engine, "user"),
        _viewer(schema, engine, audience),
        users=schema.key.table,
    )


def _viewer(schema: Schema, engine: EngineRules, audience: Audience) -> ColumnElement[Any] | None:
    return None if audience is Audience.ANYBODY else whichever_user(schema, engine, "viewer")


@once
def visibility(schema: Schema, engine: EngineRules, admission: Admission) -> Rows:
    """Whether *viewer* may see the lists of *user* that *admission* is about; no row if there is no such user."""
    owner = owner_of(schema, engine, admission.audience)
    conditions = () if admission.lists is None else may_see(owner, admission.lists)
    return select(and_(true(), *conditions).label("may_see")).where(schema.key == owner.key)


def leaves_out(schema: Schema, engine: EngineRules, audience: Audience) -> bool:
    """Return whether *audience* is told that somebody was left out: the owner is, where somebody can be."""
    return audience is Audience.OWNER and has_reasons(schema, engine, Context.OWN_LIST)
