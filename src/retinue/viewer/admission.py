"""Who may look at a list of somebody else."""

from __future__ import annotations

from sqlalchemy import and_, select, true

from retinue.engines import EngineRules, Rows
from retinue.errors import NotVisibleError
from retinue.models import now
from retinue.schema import Schema
from retinue.values import Everything, Key
from retinue.viewer.row import Context
from retinue.viewer.table import Audience, has_reasons, may_see, owner_of
from retinue.work import Work
from retinue.work.building import moment, once, user_key


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
    return select(and_(true(), *may_see(owner_of(schema, engine, audience), lists))).where(
        schema.key == user_key(schema, "user")
    )
