"""
A core for clients and one for servers.

A call takes half or twice as long by where the two ends of it happen to land; so each stays where it is. What a process
starts stays with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

#: Those that this program may use; none where the system does not tell.
_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
_CLIENTS, _SERVERS = _CORES[:1], _CORES[-1:]


def keep_to_clients_core() -> None:
    """Keep this process, and what it starts, on the clients' core; where there is but one, all share that."""
    if _CLIENTS:
        os.sched_setaffinity(0, _CLIENTS)


@contextmanager
def servers_core() -> Iterator[None]:
    """What is started meanwhile is on the servers' core."""
    before = os.sched_getaffinity(0) if _SERVERS else set()
    if _SERVERS:
        os.sched_setaffinity(0, _SERVERS)
    try:
        yield
    finally:
        if before:
            os.sched_setaffinity(0, before)
