"""
Keeps one database server alive for as long as the test run that asked for it.

Run as a program of its own, so that it outlives a test run that is killed: it then stops
the server and deletes its directory. It knows of the run's end in two ways, as either alone has a gap:
its standard input closes (at once, but a forked child of the run may hold it open), or its
parent process is another one (noticed within `IDLE_SECONDS`).
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from typing import TypedDict

IDLE_SECONDS = 0.5
STOP_TIMEOUT_SECONDS = 10.0

# By number, as its name differs between systems.
NOBODYS_GROUP = 65534


class Plan(TypedDict):
    """What a supervisor is to do."""

    directory: str
    """Deleted at the end."""
    run_as: str | None
    """The user to run as; None: the one that runs the tests."""
    prepare: list[str]
    """A command that fills the directory, and ends."""
    serve: list[str]
    """The server's command."""
    stop_signal: int
    """What ends the server."""


def supervise(plan: Plan) -> None:
    """Prepare, serve until the test run is over, and delete everything."""
    parent = os.getppid()

    def is_over(wait_seconds: float) -> bool:
        readable, _, _ = select.select([sys.stdin], [], [], wait_seconds)
        return bool(readable) or os.getppid() != parent

    def run(argv: list[str], wait_seconds: float) -> bool:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            cwd="/",
            user=plan["run_as"],
            group=NOBODYS_GROUP if plan["run_as"] else None,
            extra_groups=[] if plan["run_as"] else None,
        )
        while process.poll() is None:
            if is_over(wait_seconds):
                process.send_signal(plan["stop_signal"])
                try:
                    process.wait(STOP_TIMEOUT_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                return False
        return process.returncode == 0

    try:
        if run(plan["prepare"], wait_seconds=0.01):
            run(plan["serve"], IDLE_SECONDS)
    finally:
        shutil.rmtree(plan["directory"], ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    supervise(json.loads(sys.argv[1]))
