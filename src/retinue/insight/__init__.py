"""How a user's followers came and went, and a graph as a whole, in numbers."""

from retinue.insight.reports import (
    DAYS_MOST,
    DegreeBand,
    Popular,
    Statistics,
    churn,
    follower_growth,
    statistics,
    top_new_followers,
)

__all__ = [
    "DAYS_MOST",
    "DegreeBand",
    "Popular",
    "Statistics",
    "churn",
    "follower_growth",
    "statistics",
    "top_new_followers",
]
