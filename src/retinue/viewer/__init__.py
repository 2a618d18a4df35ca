"""What a viewer may see: the table is in `table`, what it is made of in `reasons`."""

from retinue.viewer.row import LISTS, Context, Row
from retinue.viewer.table import (
    Admission,
    Audience,
    admit,
    has_reasons,
    leaves_out,
    left_out,
    may_see,
    refuse_unseen,
    shown,
    shown_to,
    visibility,
)

__all__ = [
    "LISTS",
    "Admission",
    "Audience",
    "Context",
    "Row",
    "admit",
    "has_reasons",
    "leaves_out",
    "left_out",
    "may_see",
    "refuse_unseen",
    "shown",
    "shown_to",
    "visibility",
]
