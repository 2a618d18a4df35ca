"""
What a viewer may see: whether a list at all (`may_see()`), and which users in it (`shown()`). Asked nowhere else.

Both answers are one table, `REASONS`: what speaks against a user, and where each reason counts. Another reason is a
function and a line in it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import and_, bindparam, exists, false, not_, or_, select, true
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from retinue.engines import EngineRules, Rows
from retinue.errors import NotVisibleError
from retinue.models import UTCDateTime, now
from retinue.schema import Schema
from retinue.ties import BLOCK, DISMISSAL, FOLLOW, MUTE, REQUEST, Tie, blocks_between, not_ended, pending
from retinue.values import ALL, Everything, Key
from retinue.work import Work
from retinue.work.building import moment, once, people, user_key


class Context(enum.Flag):
    """Where a viewer may meet a user."""

    #: Their list of followers, and that of whom they follow: whether the viewer may see it at all.
    FOLLOWERS = enum.auto()
    FOLLOWING = enum.auto()
    #: A row of a list of the viewer's own, such as their followers or notifications.
    OWN_LIST = enum.auto()
    #: A row of any other list, or of a search.
    LIST = enum.auto()
    #: The page on which the viewer can take back a block.
    UNBLOCKING = enum.auto()
    #: The viewer's home timeline, for what the user posts.
    TIMELINE = enum.auto()
    #: A notification for the viewer of what the user does, when it is to be written.
    NOTIFICATION = enum.auto()
    #: A suggestion of the user to the viewer.
    SUGGESTION = enum.auto()
    #: The users whose list of whom they follow makes suggestions to the viewer.
    SUGGESTED_BY = enum.auto()


#: The lists that a user may keep from others.
LISTS: Final = Context.FOLLOWERS | Context.FOLLOWING


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


class Row(NamedTuple):
    """A user and a viewer: what each reason is asked about."""

    schema: Schema
    engine: EngineRules
    #: The key of the user.
    key: ColumnElement[Any]
    #: The key of the viewer; None: somebody who is not logged in.
    viewer: ColumnElement[Any] | None
    #: Where the statement has the user's own row: a table, or what is mapped. None: it is looked up.
    users: Any = None
    #: Whether the viewer follows the user, where the statement knows that already.
    followed: ColumnElement[bool] | None = None
    #: When it is; None: the parameter *now* says so.
    at: datetime | None = None

    def flag(self, setting: str) -> ColumnElement[Any] | None:
        """Return what the attribute that *setting* names says of the user; None if there is none."""
        read = self.schema.flag if isinstance(self.users, FromClause) else self.schema.flag_of
        return read(setting, self.users)

    def tie(self, tie: Tie, *more: Callable[[FromClause], ColumnElement[bool]]) -> Sequence[Rows]:
        """Return a select of the viewer's *tie* to the user that counts, and is as *more* say; none if none can be."""
        if self.viewer is None or not tie.is_declared(self.schema):
            return ()
        rows = tie.table(self.schema).alias()
        own = (rows.c[tie.owner] == self.viewer, rows.c[tie.other] == self.key)
        conditions = [condition(rows) for condition in more]
        return (select(rows.c[tie.owner]).where(*own, *conditions).correlate_except(rows),)

    def is_followed(self) -> ColumnElement[bool]:
        """Return whether the viewer follows the user."""
        if self.followed is not None:
            return self.followed
        return or_(false(), *(exists(rows) for rows in self.tie(FOLLOW)))


# --- What the user's own row says ----------------------------------------------------------------


def inactive(row: Row) -> ColumnElement[bool] | None:
    """The user is suspended, or on a break."""
    active = row.flag("active")
    return None if active is None else active.is_(False)


def hides_followers(row: Row) -> ColumnElement[bool] | None:
    """The user shows nobody who follows them."""
    hidden = row.flag("hide_followers")
    return None if hidden is None else hidden.is_(True)


def hides_following(row: Row) -> ColumnElement[bool] | None:
    """The user shows nobody whom they follow."""
    hidden = row.flag("hide_following")
    return None if hidden is None else hidden.is_(True)


def locked(row: Row) -> ColumnElement[bool] | None:
    """The user approves their followers, and the viewer is none."""
    flag = row.flag("locked")
    return None if flag is None else and_(flag.is_(True), ~row.is_followed())


def undiscoverable(row: Row) -> ColumnElement[bool] | None:
    """The user does not want to be found."""
    discoverable = row.flag("discoverable")
    return None if discoverable is None else discoverable.is_(False)


# --- What stands between the two -----------------------------------------------------------------


def blocked(row: Row) -> Sequence[Rows]:
    """One of the two blocks the other."""
    if row.viewer is None or not BLOCK.is_declared(row.schema):
        return ()
    return blocks_between(row.schema, row.viewer, row.key, row.at)


def blocks_viewer(row: Row) -> Sequence[Rows]:
    """The user blocks the viewer, who does not block them."""
    rows = blocked(row)
    return [rows[1].where(row.engine.no_row(rows[0]))] if rows else ()


def muted(row: Row) -> Sequence[Rows]:
    """The viewer mutes the user."""
    return row.tie(MUTE, lambda rows: not_ended(rows, row.at))


def muted_wholly(row: Row) -> Sequence[Rows]:
    """The viewer mutes the user, and what is told of them as well."""
    return row.tie(MUTE, lambda rows: rows.c.notifications.is_(True), lambda rows: not_ended(rows, row.at))


def followed(row: Row) -> Sequence[Rows]:
    """The viewer follows the user."""
    return row.tie(FOLLOW)


def requested(row: Row) -> Sequence[Rows]:
    """The viewer has asked to follow the user; or was rejected so lately that they may not ask again."""

    def holds(rows: FromClause) -> ColumnElement[bool]:
        waits = pending(row.schema, rows)
        if row.schema.settings.request_cooldown is None:
            return waits
        return or_(waits, rows.c.rejected_at > bindparam("rejected_after", type_=UTCDateTime))

    return row.tie(REQUEST, holds)


def dismissed(row: Row) -> Sequence[Rows]:
    """The viewer does not want the user to be suggested."""
    return row.tie(DISMISSAL)


# --- The table -----------------------------------------------------------------------------------


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
    Reason(~Context.NOTIFICATION, flag=inactive),
    Reason(Context.FOLLOWERS, flag=hides_followers),
    Reason(Context.FOLLOWING | Context.SUGGESTED_BY, flag=hides_following),
    Reason(LISTS | Context.SUGGESTED_BY, flag=locked),
    Reason(Context.SUGGESTION, flag=undiscoverable),
    Reason(Context.SUGGESTION, ties=followed),
    Reason(Context.SUGGESTION, ties=requested),
    # Of one's own lists, timelines and notifications a block has taken what it cuts.
    Reason(LISTS | Context.LIST | _SUGGESTIONS, ties=blocked),
    Reason(Context.UNBLOCKING, ties=blocks_viewer),
    Reason(Context.TIMELINE | _SUGGESTIONS, ties=muted),
    Reason(Context.NOTIFICATION, ties=muted_wholly),
    Reason(Context.SUGGESTION, ties=dismissed),
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


def shown(row: Row, where: Context) -> Sequence[ColumnElement[bool]]:
    """Return the conditions under which the viewer is shown the user of *row* there."""
    return _nothing_against(row, where)


def shown_to(
    audience: Audience, schema: Schema, engine: EngineRules, key: ColumnElement[Any]
) -> Sequence[ColumnElement[bool]]:
    """Return `shown()` for the user *key* of a row of a list at which *audience* looks, who is the parameter *viewer*."""
    if audience is Audience.TRUSTED:
        return ()
    where = Context.OWN_LIST if audience is Audience.OWNER else Context.LIST
    return shown(Row(schema, engine, key, _viewer(schema, audience)), where)


def _nothing_against(row: Row, where: Context, passed: Context = _NOWHERE) -> Sequence[ColumnElement[bool]]:
    rules = [rule for rule in REASONS if where & rule.counts_in and not passed & rule.counts_in]
    here = people(row.schema, "here")["here"]
    found = row if row.users is not None else row._replace(users=here)
    flags = [flag for rule in rules if rule.flag and (flag := rule.flag(found)) is not None]
    ties = [row.engine.no_row(rows) for rule in rules if rule.ties for rows in rule.ties(row)]
    oneself = row.viewer if where & _ONESELF else None
    if row.users is not None:
        own = [~flag if oneself is None else or_(~flag, row.key == oneself) for flag in flags]
    elif flags:
        there = here.c[row.schema.key.key]
        others = () if oneself is None else (there != oneself,)
        against = select(there).where(there == row.key, *others, or_(*flags))
        own = [row.engine.no_row(against, one_by_one=True)]
    else:
        own = []
    return (*own, *ties)


def left_out(schema: Schema, engine: EngineRules, key: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether the user *key* of a row is left out of a list of the viewer's own."""
    return not_(and_(true(), *shown_to(Audience.OWNER, schema, engine, key)))


def has_reasons(schema: Schema, engine: EngineRules, where: Context) -> bool:
    """Return whether anything can speak against anybody there, by what the application has declared."""
    key = (has_reasons, where)
    answer: bool | None = schema.built.get(key)
    if answer is None:
        answer = schema.built[key] = bool(_nothing_against(_owner(schema, engine, Audience.USER), where))
    return answer


def _owner(schema: Schema, engine: EngineRules, audience: Audience) -> Row:
    return Row(schema, engine, user_key(schema, "user"), _viewer(schema, audience), users=schema.key.table)


def _viewer(schema: Schema, audience: Audience) -> ColumnElement[Any] | None:
    return None if audience is Audience.ANYBODY else user_key(schema, "viewer")


# --- Lists ---------------------------------------------------------------------------------------


def admit(work: Work, owner: Key | None, viewer: Key | Everything | None, lists: Context | None) -> Audience:
    """
    Return who looks at a list of *owner* that tells of those *lists*; None: it is for the owner alone.

    One select where something may speak against it, and somebody else looks.

    Raises:
        NotVisibleError: *viewer* may not see it.
    """
    audience = Audience.of(viewer, owner)
    if audience in (Audience.TRUSTED, Audience.OWNER) or owner is None:
        return audience
    if lists is None:
        raise NotVisibleError(owner)
    if has_reasons(work.schema, work.engine, lists):
        parameters = {"user": owner, "viewer": viewer, **moment(work.schema, now())}
        answer = work.run(visibility, parameters, work.engine, lists, audience).first()
        if answer is not None and not answer[0]:
            raise NotVisibleError(owner)
    return audience


@once
def visibility(schema: Schema, engine: EngineRules, lists: Context, audience: Audience) -> Rows:
    """Whether *viewer* may see those *lists* of *user*; no row if there is no such user."""
    return select(and_(true(), *may_see(_owner(schema, engine, audience), lists))).where(
        schema.key == user_key(schema, "user")
    )
