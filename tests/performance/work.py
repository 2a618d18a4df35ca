"""
How much every call reads at most, on each engine.

Rows on PostgreSQL and MariaDB (on MariaDB those of temporary tables as well), and steps of
its virtual machine on SQLite. The table holds for people of very different sizes: see
`operations.py`. Change it on purpose only; ``python -m tests.performance`` prints it as it
should be, with a quarter of room (half for SQLite). How many statements a call takes
stands in `tests/costs/table.py`.
"""

from __future__ import annotations

from typing import Final

# fmt: off
WORK: Final = {
    # The user, Follow, FollowCount and posts.
    "counted": {
        #                                            SQLite PostgreSQL MariaDB
        "is_following":                              (       23,       5,       5),
        "relationships with 50":                     (     2200,      66,     160),
        "page of 20 followers":                      (      940,      57,     120),
        "page of 20 followed":                       (      940,      57,     120),
        "page of 20 followers for a viewer":         (      860,      56,     110),
        "page of 20 of a list of one's own":         (      860,      56,     110),
        "search for a word of many, newest":         (    57000,    5200,   11000),
        "search for a word of many, name":           (   200000,   18000,   36000),
        "search for a word of few, newest":          (    28000,    2200,    4300),
        "search for a word of few, name":            (    20000,    1800,    3500),
        "counts of 1":                               (       35,       6,       7),
        "counts of 50":                              (     1600,     130,     200),
        "follow, new":                               (      260,      11,       6),
        "follow, repeated":                          (       83,       6,       5),
        "unfollow":                                  (      170,       9,       9),
        "unfollow, repeated":                        (       73,       6,       7),
        "mutuals of one who follows 60":             (     3700,     260,     600),
        "followers known to one who follows 60":     (     6000,     330,    1200),
        "followers known to one who follows 500":    (    39000,    2600,    8000),
        "suggestions for one who follows 60":        (   180000,    1300,   14000),
        "suggestions for one who follows 500":       (   160000,    1400,    7600),
        "suggestions for one who follows 5,000":     (   162000,    7100,    7700),
        "home timeline of one who follows 500":      (    37000,    3400,   59000),
        "home timeline of one who follows 5,000":    (     8100,     850,   52000),
        "post":                                      (       64,       5,       4),
        "delete a user with 10 followers":           (     5200,     180,     520),
        "delete a user with 15,000 followers":       (  3900000,  150000,  590000),
    },
    # Blocks, mutes, requests, history, notifications, dismissals and kept timelines as well; `active` on the user.
    "every model": {
        "is_following":                              (       23,       5,       5),
        "relationships with 50":                     (     3900,      69,    1600),
        "page of 20 followers":                      (     1300,      57,     120),
        "page of 20 followed":                       (     1300,      57,     120),
        "page of 20 followers for a viewer":         (     4800,      84,     300),
        "page of 20 of a list of one's own":         (     2600,     140,     300),
        "search for a word of many, newest":         (    57000,    5200,   11000),
        "search for a word of many, name":           (   200000,   18000,   36000),
        "search for a word of few, newest":          (    28000,    2200,    4300),
        "search for a word of few, name":            (    21000,    1800,    3500),
        "counts of 1":                               (       35,       6,       7),
        "counts of 50":                              (     1600,     130,     200),
        "follow, new":                               (      740,      19,      26),
        "follow, repeated":                          (       85,       6,      30),
        "unfollow":                                  (      500,      16,      24),
        "unfollow, repeated":                        (      160,       6,      17),
        "mutuals of one who follows 60":             (     4000,     260,     600),
        "followers known to one who follows 60":     (    12000,     410,    1700),
        "followers known to one who follows 500":    (    67000,    3200,   11000),
        "suggestions for one who follows 60":        (   215000,    2300,   36000),
        "suggestions for one who follows 500":       (   182000,    2000,   31000),
        "suggestions for one who follows 5,000":     (   184000,    7600,   31000),
        "home timeline of one who follows 500":      (    28000,    2100,    3900),
        "home timeline of one who follows 5,000":    (   230000,    7700,    3400),
        "post":                                      (      140,       7,       6),
        "delete a user with 10 followers":           (     5500,     180,     540),
        "delete a user with 15,000 followers":       (  3800000,  150000,  590000),
    },
}

#: What may be read as a whole all the same, by engine and operation.
WHOLE: Final = {
    # Newest first along the index of times, until the page is full: how far is in the table above.
    ("sqlite", "home timeline of one who follows 500"): "posts",
    ("sqlite", "home timeline of one who follows 5,000"): "posts",
    # Below some 100,000 posts it takes the newest 256 by sorting the other index, which spares it 256 look-ups.
    ("mariadb", "home timeline of one who follows 500"): "posts",
    ("mariadb", "home timeline of one who follows 5,000"): "posts",
    # Three quarters of all users are about to be written.
    ("postgresql", "delete a user with 15,000 followers"): "follow_counts",
    ("mariadb", "delete a user with 15,000 followers"): "follow_counts follows",
}
