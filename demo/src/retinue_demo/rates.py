"""How often one may try: limits on guessing passwords, and on signing up."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple

from flask import Flask, current_app, request
from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from retinue_demo.following import retinue
from retinue_demo.models import Attempt

#: Config keys: how many wrong passwords an address may try for one username, how many for all of them together,
#: and how many people may sign up from one address. With ``RATELIMIT_ENABLED = False`` there is no limit.
DEFAULTS: Final = {
    "LOGIN_LIMIT": "10 per minute;50 per hour",
    "LOGIN_ADDRESS_LIMIT": "60 per minute;600 per hour",
    "SIGNUP_LIMIT": "20 per minute;100 per hour",
}

_SPANS: Final = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_LONGEST: Final = max(_SPANS.values())
_NOTHING: Final = timedelta()
_WRITTEN: Final = re.compile(r"(\d+) per (second|minute|hour)")


class TooOften(TooManyRequests):
    """It was tried too often; *seconds* later it may be tried again."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


class Limit(NamedTuple):
    """So many in a time."""

    most: int
    span: timedelta


def init_app(app: Flask) -> None:
    """Give *app* the limits that its config does not name; `ValueError` for one that says nothing."""
    for name, value in DEFAULTS.items():
        _limits(app.config.setdefault(name, value))


def attempt(username: str | None = None) -> Sequence[int]:
    """
    Count an attempt before it is made: to log in as *username*, or else to sign up. Three statements at most.

    It is in the database before anybody looks how many there are, so that of attempts that are made at the same
    moment, whichever process answers them, no more get on than the limit says.

    Returns:
        What `forget()` takes.

    Raises:
        TooOften: There were too many. This one does not count.
    """
    config, address = current_app.config, request.remote_addr
    if not config.get("RATELIMIT_ENABLED", True):
        return ()
    tried = {f"sign up, {address}": "SIGNUP_LIMIT"}
    if username is not None:
        tried = {f"log in, {address}, {username}": "LOGIN_LIMIT", f"log in, {address}": "LOGIN_ADDRESS_LIMIT"}
    limits = {sha256(what.encode()).hexdigest(): _limits(config[setting]) for what, setting in tried.items()}
    counted = retinue.transact(lambda session: _count(session, limits))
    wait = retinue.transact(lambda session: _wait(session, limits))
    if wait > _NOTHING:
        forget(counted)
        raise TooOften(math.ceil(wait.total_seconds()))
    return counted


def forget(attempts: Sequence[int]) -> None:
    """Let these *attempts* count no more, and those that were made long ago. One statement, or none."""
    if attempts:
        gone = delete(Attempt).where(or_(Attempt.id.in_(attempts), Attempt.at < datetime.now(UTC) - _LONGEST))
        retinue.transact(lambda session: session.execute(gone))


def _count(session: Session, whats: Iterable[str]) -> list[int]:
    rows = [Attempt(**row) for row in [{"what": what, "at": datetime.now(UTC)} for what in whats]]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows]


def _wait(session: Session, limits: Mapping[str, Sequence[Limit]]) -> timedelta:
    """Return how long the attempt that was counted just now has to wait."""
    now = datetime.now(UTC)
    found = select(Attempt.what, Attempt.at).where(Attempt.what.in_(limits), Attempt.at > now - _LONGEST)
    made: dict[str, list[datetime]] = {what: [] for what in limits}
    for what, at in session.execute(found.order_by(Attempt.at.desc())):
        made[what].append(at)
    # The newest is this one, or one of the same moment.
    ends = [made[what][most] + span for what, some in limits.items() for most, span in some if len(made[what]) > most]
    return max((end - now for end in ends), default=_NOTHING)


def _limits(written: str) -> list[Limit]:
    """Return the limits that are *written* as in `DEFAULTS`."""
    found = [_WRITTEN.fullmatch(one) for one in written.split(";")]
    if not all(found):
        message = f"a limit is written as {DEFAULTS['LOGIN_LIMIT']!r}, not {written!r}"
        raise ValueError(message)
    return [Limit(int(one[1]), _SPANS[one[2]]) for one in found if one]
