"""What a viewer may see: the table is in `table`, what it is made of in `reasons`."""

from retinue.viewer.row import LISTS, Context, Row
from retinue.viewer.table import Audience, admit, has_reasons, left_out, may_see, shown, shown_to

__all__ = ["LISTS", "Audience", "Context", "Row", "admit", "has_reasons", "left_out", "may_see", "shown", "shown_to"]
