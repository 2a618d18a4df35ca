"""What the application lets its users do: asked before each verb of the extension, and before a button for it is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something that somebody is about to do."""

    #: What: ``follow``, ``unfollow``, ``remove``, ``accept``, ``reject``, ``block``, ``unblock``, ``mute``, ``unmute``,
    #: ``dismiss`` or ``undismiss``; or, about nobody in particular, ``accept_all`` or ``reject_all``.
    verb: str
    #: Who: a user, as the application's own class.
    actor: Any
    #: To whom: a user; None for everybody who has asked to follow the actor.
    target: Any | None


#: Returns whether an attempt is allowed: True; or False, and no button is shown for it; or a sentence that says why
#: it is not, to whoever presses the button.
May: TypeAlias = Callable[[Attempt], bool | str]


def objection(may: May | None, attempt: Attempt) -> str | None:
    """Return why an *attempt* is not allowed: a sentence, or empty if the application gives none; None: it is."""
    answer = True if may is None else may(attempt)
    if isinstance(answer, str):
        return answer
    return None if answer else ""
