"""Passwords and tokens, as in FastAPI's tutorial: pwdlib hashes with Argon2, PyJWT signs."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime, timedelta

import jwt
from fastapi.concurrency import run_in_threadpool
from pwdlib import PasswordHash

#: Signs tokens. One that is made at the start ends with the process, and so do the tokens.
SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_hex(32)
TOKENS_LAST = timedelta(days=7)

_passwords = PasswordHash.recommended()
# Somebody who does not exist takes as long as somebody with another password.
_nobodys = _passwords.hash(secrets.token_hex())


async def hashed(password: str) -> str:
    """Return the hash of *password*, made in a thread: it takes a while on purpose."""
    return await run_in_threadpool(_passwords.hash, password)


async def is_right(password: str, password_hash: str | None) -> bool:
    """Return whether *password* has this hash; no hash: there is no such user."""
    return await run_in_threadpool(_passwords.verify, password, password_hash or _nobodys) and bool(password_hash)


def token_of(user_id: int) -> str:
    """Return a token for a user."""
    return jwt.encode({"sub": str(user_id), "exp": datetime.now(UTC) + TOKENS_LAST}, SECRET_KEY, "HS256")


def user_id_in(token: str) -> int | None:
    """Return whose token this is; None: it was altered, or its time is over."""
    try:
        return int(jwt.decode(token, SECRET_KEY, ["HS256"], options={"require": ["sub", "exp"]})["sub"])
    except (jwt.InvalidTokenError, ValueError):
        return None
