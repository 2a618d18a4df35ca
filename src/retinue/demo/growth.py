"""One's own followers over time: a chart, the same as a table, and who came lately."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from flask import Blueprint, abort, render_template, request

from retinue.demo.models import User, db
from retinue.flask import ask, card_of, listed, somebody
from retinue.insight import churn, follower_growth, top_new_followers
from retinue.values import DayCount

growth = Blueprint("growth", __name__)

#: The days that one may look back on.
SPANS: Final = (7, 30, 90)
TOP: Final = 5

#: The chart's own units.
WIDTH, HEIGHT, MARGIN = 640, 180, 8


class Chart(NamedTuple):
    """What the picture draws: a line, the area below it, and the numbers at its sides."""

    line: str
    area: str
    lowest: int
    highest: int


@growth.get("/growth")
def over_time() -> str:
    """One's followers on each of some days. Nine statements."""
    viewer = somebody()
    days = _days_asked_for()
    session = db.session()
    counts = follower_growth(session, User, viewer, days=days, viewer=viewer)
    came_and_went = churn(session, User, viewer, days=days, viewer=viewer)
    newest = top_new_followers(session, User, viewer, days=days, limit=TOP, viewer=viewer)
    ask([viewer, *(new.user for new in newest)])
    return render_template(
        "growth.html",
        person=card_of(viewer),
        days=days,
        spans=SPANS,
        counts=counts,
        churn=came_and_went,
        chart=chart_of([count.total for count in counts]),
        newest=listed(newest),
        width=WIDTH,
        height=HEIGHT,
    )


def _days_asked_for() -> int:
    text = request.args.get("days", str(SPANS[1]))
    if text not in map(str, SPANS):
        abort(400, "That is not a time which the menu offers.")
    return int(text)


def chart_of(totals: Sequence[int]) -> Chart:
    """Return *totals*, from left to right, as the points of a picture."""
    lowest, highest = min(totals), max(totals)
    span = highest - lowest or 1
    step = (WIDTH - 2 * MARGIN) / max(len(totals) - 1, 1)
    points = [
        f"{MARGIN + number * step:.1f},{HEIGHT - MARGIN - (total - lowest) / span * (HEIGHT - 2 * MARGIN):.1f}"
        for number, total in enumerate(totals)
    ]
    line = " ".join(points)
    return Chart(line, f"{MARGIN},{HEIGHT} {line} {WIDTH - MARGIN},{HEIGHT}", lowest, highest)


def net(count: DayCount) -> str:
    """Return how many more there were on a day, with its sign: "+3", "0"; a loss has a true minus sign."""
    return f"{count.net:+}".replace("-", "\N{MINUS SIGN}") if count.net else "0"


growth.add_app_template_filter(net)
