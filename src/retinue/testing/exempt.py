"""The statements of the library that read rows of several owners, and why they may."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from retinue.ties import TIES

#: The names of the statements that are not shard-safe, and why they need not be.
EXEMPT: Final[Mapping[str, str]] = {
    "doomed_users": "deletion of users: the application chooses them, by any criteria",
    "lock_neighbours": "deletion of users: a user's edges lie with everybody they knew, who is counted anew",
    "count_neighbours": "deletion of users: as lock_neighbours",
    "uncounted_neighbours": "deletion of users: as lock_neighbours",
    "count_out_followers": "deletion of users: as lock_neighbours; by a join, as MariaDB reads all rows for an IN",
    "count_out_followed": "deletion of users: as count_out_followers",
    "delete_rows_about": "deletion of users: as lock_neighbours; a mirror deletes them by their owner",
    "delete_history": "erasure: what was done to a user lies with everybody who did it",
    **{
        f"delete_ended_{tie.plural}": "sweeping up: goes through all owners, now and then"
        for tie in TIES
        if tie.ended is not None
    },
    "delete_ended_request_notifications": "sweeping up: as delete_ended_requests",
    "delete_old_history": "sweeping up: as delete_ended_requests",
    "reset_lapsed": "sweeping up: as delete_ended_requests",
    "delete_lapsed_entries": "sweeping up: as delete_ended_requests",
    "delete_lapsed": "sweeping up: as delete_ended_requests",
    "stale_readers": "sweeping up: what is left to be done, for everybody",
    "waiting_senders": "sweeping up: as stale_readers",
    "import_batch": "dumps: a load goes through all owners, in batches of its own tables",
    "import_miscounted": "dumps: as import_batch",
    "import_insert_edges": "dumps: as import_batch",
    "import_add_counts": "dumps: as import_batch",
    "import_present_edges": "dumps: as import_batch",
    "import_take_guards": "dumps: as import_batch",
    "import_blocked_edges": "dumps: as import_batch",
    "import_requested_edges": "dumps: as import_batch",
    "import_usage": "dumps: as import_batch",
    "import_insert_history": "dumps: as import_batch",
    "edges_after": "dumps: goes through all edges in the order of their keys",
    "number_of_edges": "dumps: as edges_after",
    "owners_after": "sweeping up: the doctor goes through all owners of a table, in batches",
    "count_wrong": "sweeping up: as owners_after; what it compares lies with others",
    "wrong_rows": "sweeping up: as count_wrong",
    "first_written": "sweeping up: as owners_after",
    "totals": "answers: numbers of everybody, for operators, now and then",
    "degrees": "answers: as totals",
    "most_followed": "answers: as totals",
}
