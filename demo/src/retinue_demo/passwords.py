"""Passwords: how they are kept, and the one that everybody who is invented has."""

from __future__ import annotations

from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

#: With which one can be anybody who is invented. It is public: the log-in page says it.
PASSWORD: Final = "retinue-demo"  # noqa: S105 - no secret

#: Characters of a password.
SHORTEST: Final = 8
LONGEST: Final = 200

# 19 MiB, twice: what OWASP asks for at least, and little enough for eight log-ins at once on a small machine.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def hashed(password: str) -> str:
    """Return *password* as it is kept. Takes some hundredths of a second, so that guessing does as well."""
    return _hasher.hash(password)


@cache
def public_hash() -> str:
    """Return how `PASSWORD` is kept for all who are invented: the same each time, and made in no time."""
    return _cheap.hash(PASSWORD, salt=b"retinue's people")


def is_right(password: str, kept: str | None) -> bool:
    """
    Return whether *password* is the one that is *kept*.

    A wrong one takes as long where nothing is kept, or something weaker: how
    long it took tells nobody whether there is such a user.
    """
    if kept is not None and _fits(password, kept):
        return True
    if kept is None or is_outdated(kept) or kept == public_hash():
        _fits(password, _nobodys_hash())
    return False


def is_outdated(kept: str) -> bool:
    """Return whether what is *kept* was made otherwise than today; what is public may stay as it is."""
    if kept == public_hash():
        return False
    try:
        return _hasher.check_needs_rehash(kept)
    except InvalidHashError:
        return True


def _fits(password: str, kept: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys_hash() -> str:
    return hashed("")
