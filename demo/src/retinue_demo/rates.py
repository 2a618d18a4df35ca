"""How often one may try: limits on guessing passwords, and on signing up."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Final

from flask import Flask, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from retinue.flask import viewer
from retinue_demo.forms import tidy_username

#: Config keys: how many wrong passwords an address may try for one username, how many for all of them together,
#: and how many people may sign up from one address. Written as Flask-Limiter reads them; with
#: ``RATELIMIT_ENABLED = False`` there is no limit.
DEFAULTS: Final = {
    "LOGIN_LIMIT": "10 per minute;50 per hour",
    "LOGIN_ADDRESS_LIMIT": "60 per minute;600 per hour",
    "SIGNUP_LIMIT": "20 per minute;100 per hour",
}

_LIMITER: Final = "retinue_demo_limiter"


def init_app(app: Flask) -> None:
    """Limit the forms of *app* that check a password or add somebody. After its blueprints."""
    for name, value in DEFAULTS.items():
        app.config.setdefault(name, value)
    # In this process's memory: the demo is one process.
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://")
    # Its decorators refer to it weakly.
    app.extensions[_LIMITER] = limiter

    def limit(endpoint: str, setting: str, key: Callable[[], str]) -> None:
        guard = limiter.limit(app.config[setting], key_func=key, methods=["POST"], deduct_when=_counts)
        view: Callable[..., Any] = app.view_functions[endpoint]
        app.view_functions[endpoint] = guard(view)

    limit("accounts.log_in", "LOGIN_LIMIT", _address_and_username)
    limit("accounts.log_in", "LOGIN_ADDRESS_LIMIT", get_remote_address)
    limit("accounts.sign_up", "SIGNUP_LIMIT", get_remote_address)
    limit("own_account.change_password", "LOGIN_LIMIT", _own_username)
    limit("own_account.delete", "LOGIN_LIMIT", _own_username)


def count_this() -> None:
    """Let the present request count against its limit; one that does not is free."""
    g.counts_against_limit = True


def seconds_to_wait() -> int:
    """Return after how many seconds a request that was too much may be made again."""
    limiter: Limiter = current_app.extensions[_LIMITER]
    ends = [limit.reset_at for limit in limiter.current_limits if limit.breached]
    return max(1, math.ceil(max(ends, default=0) - time.time()))


def _counts(_response: Any) -> bool:
    return bool(g.get("counts_against_limit"))


def _address_and_username() -> str:
    return f"{get_remote_address()} {tidy_username(request.form.get('username', ''))[:64]}"


def _own_username() -> str:
    user = viewer()
    return f"{get_remote_address()} {user.username if user else ''}"
