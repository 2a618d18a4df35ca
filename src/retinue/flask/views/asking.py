"""The question to the application whether somebody may do what they are about to do."""

from __future__ import annotations

from typing import Any

from flask import abort

from retinue.flask.language import gettext
from retinue.flask.permissions import Attempt, objection
from retinue.flask.refusals import refused
from retinue.flask.state import current


def ask_application(verb: str, actor: Any, target: Any | None) -> None:
    """
    Ask the application whether *actor* may do *verb*; it may do so to nobody in particular.

    Raises:
        werkzeug.exceptions.HTTPException: It says no: 403, with the application's sentence if it gave one.
    """
    why = objection(current().may, Attempt(verb, actor, target))
    if why is not None:
        abort(refused(403, why or gettext("You aren’t allowed to do this.")))
