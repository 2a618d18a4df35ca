"""How long somebody may be muted or blocked."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from retinue.flask.language import marked

#: The value in the form, in English, and its length; None: for good.
PERIODS: Final[dict[str, timedelta | None]] = {
    marked("for good"): None,
    marked("for a day"): timedelta(days=1),
    marked("for a week"): timedelta(days=7),
    marked("for a month"): timedelta(days=30),
}
