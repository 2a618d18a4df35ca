"""A way to keep counts, as the rest of the library needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.sql.elements import ColumnElement

from retinue.effects import effects_of
from retinue.effects.effect import InStatement
from retinue.engines import Rows
from retinue.schema import Schema
from retinue.values import Counts, Key
from retinue.work import Work


@dataclass(frozen=True, slots=True)
class Tally:
    """What is stored about one user, and what the edges say."""

    user: Key
    stored: Counts
    counted: Counts
    #: Whether they were ever counted.
    is_stored: bool
    #: Whether what is stored is whole, so that verbs find it.
    is_whole: bool = True

    @property
    def is_uncounted(self) -> bool:
        """Whether there are edges to count, and nobody has counted them."""
        return not self.is_stored and self.counted != Counts()

    @property
    def is_wrong(self) -> bool:
        """Whether what is stored is not what the edges say, or lacks what the verbs look for."""
        return self.is_stored and not (self.is_whole and self.stored == self.counted)


class Keeper(InStatement):
    """An effect that keeps counts."""

    def read(self, work: Work, users: Sequence[Key]) -> Sequence[Sequence[int]]:
        """Return (user, followers, following) of those of *users* who exist; of several rows of one user, the sum counts."""
        raise NotImplementedError

    def stored(self, schema: Schema, user: ColumnElement[int]) -> tuple[Rows, Rows]:
        """Return two selects, each of one number or NULL: how many follow *user*, and how many *user* follows."""
        raise NotImplementedError

    def tallies(self, work: Work, users: Sequence[Key]) -> Sequence[Tally]:
        """Return what is stored about those of *users* who exist, and what their edges say, at one moment. One select."""
        raise NotImplementedError

    def correct(self, work: Work, users: Sequence[Key]) -> None:
        """Store what the edges of *users* say, although others change edges meanwhile. Three statements at most."""
        raise NotImplementedError


def keeper_of(schema: Schema) -> Keeper | None:
    """Return what keeps the counts of *schema*; None where they are not kept."""
    return next((effect for effect in effects_of(schema) if isinstance(effect, Keeper)), None)
