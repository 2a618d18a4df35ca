"""Whom a viewer may know of: a condition for the application's own selects."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, literal, or_, true

from retinue.graph.part import Part, U
from retinue.models import now
from retinue.statements.building import blocks_between
from retinue.values import ALL, Everything, Key


class Visibility(Part[U]):
    """Whom a viewer may know of."""

    __slots__ = ()

    def visible_to(self, viewer: U | Key | Everything | None, *, blocked: bool = False) -> ColumnElement[bool]:
        """
        Return the condition that holds for every user of whom *viewer* may know. No statement.

        It is for selects of the application's own, about the user class itself or joined
        to it: a search, a directory, posts with their authors::

            select(User).where(User.username == "ann", graph.visible_to(viewer))

        Left out are inactive users, and those who block the viewer or are blocked by
        them: the same as on the graph's own lists. The viewer always sees themselves. It
        holds for the moment at which it is made: make it anew for each request.

        Args:
            viewer: Who looks: a user, None for somebody not logged in, or `ALL`.
            blocked: Keep those whom the viewer blocks, also if they block back: for the
                address of a page on which a block can be taken back. So nobody learns
                from what is missing there whether they are blocked, too.

        Raises:
            InvalidUserError: *viewer* is neither a user nor a possible key.
        """
        if viewer is ALL:
            return true()
        _, engine = self._caller.read()
        schema = self._schema
        key = None if viewer is None else self._caller.key(viewer, engine)
        flag = schema.flags.get("active")
        here: ColumnElement[bool] = true() if flag is None else getattr(schema.user, flag).is_not(False)
        if key is None:
            return here
        own = literal(key, schema.key.type)
        if schema.blocks is not None:
            made, met = (engine.no_row(rows) for rows in blocks_between(schema, own, schema.key, now()))
            known = or_(met, ~made) if blocked else and_(met, made)
            here = and_(here, known)
        return or_(here, schema.key == own)
