"""Reports: how the followers of a user came and went, and numbers about a graph as a whole."""

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
from retinue.values import Churn, DayCount, NewFollower

__all__ = [
    "DAYS_MOST",
    "Churn",
    "DayCount",
    "DegreeBand",
    "NewFollower",
    "Popular",
    "Statistics",
    "churn",
    "follower_growth",
    "statistics",
    "top_new_followers",
]
