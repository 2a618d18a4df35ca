"""One's own followers over time: a chart, the same as a table, and who came lately."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Final, NamedTuple

from flask import Blueprint, abort, render_template, request

from retinue.flask import ask, card_of, listed, somebody
from retinue.insight import churn, follower_growth, top_new_followers
from retinue_demo.models import User, db

growth = Blueprint("growth", __name__)

#: The days that one may look back on.
SPANS: Final = (7, 30, 90, 365)
TOP: Final = 5

#: The chart's own units; the line keeps clear of the numbers at its left, the days below it, and the day above that one asks for.
WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP_EDGE, BOTTOM = 80, 16, 36, 224

#: The same for the template.
BOX: Final = {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT, "bottom": BOTTOM}

#: Lines across the chart, at most.
LINES: Final = 5


class Tick(NamedTuple):
    """A line across the chart, and its number."""

    y: float
    total: int


class Mark(NamedTuple):
    """A day in the chart: its point, and the strip in which a pointer asks for it."""

    x: float
    y: float
    left: float
    width: float


class Chart(NamedTuple):
    """What the picture draws: a line, the area below it, its days from left to right, and lines across with their numbers."""

    line: str
    area: str
    marks: list[Mark]
    ticks: list[Tick]


@growth.get("/growth")
def over_time() -> str:
    """One's followers on each of some days. Nine statements."""
    viewer = somebody()
    days = _days_asked_for()
    session = db.session()
    days_and_counts = follower_growth(session, User, viewer, days=days, viewer=viewer)
    came_and_went = churn(session, User, viewer, days=days, viewer=viewer)
    newest = top_new_followers(session, User, viewer, days=days, limit=TOP, viewer=viewer)
    ask([viewer, *(new.user for new in newest)])
    return render_template(
        "growth.html",
        person=card_of(viewer),
        days=days,
        spans=SPANS,
        counts=days_and_counts,
        # A table of a year is longer than anybody reads.
        told=[one for one in days_and_counts if days < SPANS[-1] or one.gained or one.lost],
        churn=came_and_went,
        chart=chart_of([one.total for one in days_and_counts]),
        newest=listed(newest),
        box=BOX,
    )


def _days_asked_for() -> int:
    text = request.args.get("days", str(SPANS[1]))
    if text not in map(str, SPANS):
        abort(400, "You can look back 7, 30, 90 or 365 days.")
    return int(text)


def chart_of(totals: Sequence[int]) -> Chart:
    """Return *totals*, from left to right, as the points of a picture."""
    marks = ticks_of(min(totals), max(totals))
    lowest, highest = marks[0], marks[-1]

    def height(total: int) -> float:
        return round(BOTTOM - (total - lowest) / (highest - lowest) * (BOTTOM - TOP_EDGE), 1)

    step = (WIDTH - LEFT - RIGHT) / max(len(totals) - 1, 1)
    points = [(round(LEFT + number * step, 1), height(total)) for number, total in enumerate(totals)]
    line = " ".join(f"{x},{y}" for x, y in points)
    area = f"{LEFT},{BOTTOM} {line} {points[-1][0]},{BOTTOM}"
    strips = [Mark(x, y, round(x - step / 2, 1), round(step, 1)) for x, y in points]
    return Chart(line, area, strips, [Tick(height(total), total) for total in marks])


def ticks_of(lowest: int, highest: int) -> list[int]:
    """Return round numbers in equal steps, two at least, from *lowest* or less to *highest* or more."""
    if lowest == highest:
        # A line that neither rises nor falls runs through the middle.
        lowest, highest = max(lowest - 1, 0), highest + 1
    steps = (digit * 10**power for power in count() for digit in (1, 2, 5))
    step = next(step for step in steps if -(-highest // step) - lowest // step < LINES)
    return list(range(lowest // step * step, -(-highest // step) * step + 1, step))


def signed(number: int) -> str:
    """Return *number* with its sign: "+3", "0"; a loss has a true minus sign."""
    return f"{number:+}".replace("-", "\N{MINUS SIGN}") if number else "0"


growth.add_app_template_filter(signed)
