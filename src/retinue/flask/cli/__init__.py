"""
``flask retinue``: the commands for operators.

Each command lists its exit codes under ``--help``: 0 it is done; 1 it failed, or found what it looked for; 2
the command line is wrong, or, of ``doctor``, it failed. The result goes to standard output, as text for people or, with ``--json``,
as one JSON document. Progress bars and complaints go to standard error, bars only if that is a terminal.
"""

from __future__ import annotations

from flask import Flask
from flask.cli import AppGroup

from retinue.flask.cli.examining import doctor
from retinue.flask.cli.expiring import expire
from retinue.flask.cli.exporting import export
from retinue.flask.cli.importing import import_
from retinue.flask.cli.recounting import recount
from retinue.flask.cli.showing import show
from retinue.flask.cli.stats import stats

#: The group of commands.
group: AppGroup = AppGroup(
    "retinue", help="Who follows whom: numbers, import and export, repair, and looking somebody up."
)
for _command in (stats, import_, export, doctor, recount, expire, show):
    group.add_command(_command)


def init_app(app: Flask) -> None:
    """Give *app* the group ``flask retinue``."""
    app.cli.add_command(group)
