"""
Every error that Retinue raises, in one tree.

::

    RetinueError
    ├── SelfFollowError     (ValueError)       a user and the same user
    ├── InvalidUserError    (ValueError)       neither a user nor a key of one
    ├── InvalidCursor       (ValueError)       altered, cut, or of another list
    ├── InvalidLimit        (ValueError)       more rows than a page may have, or none
    ├── UnknownUserError    (LookupError)      a key that no user has
    ├── BlockedError                           one of the two blocks the other
    ├── LimitError                             more than the settings allow
    ├── NotVisibleError     (PermissionError)  a list that the viewer may not see
    ├── MappingError        (TypeError)        models that cannot make one graph
    ├── ModelMissingError                      a verb whose model is not declared
    ├── NoSessionError                         neither user belongs to a session
    ├── AsyncSessionError   (TypeError)        a call that waits for the database, on an async session, without await
    ├── NotWritableError    (TypeError)        a write that has a verb of its own
    └── HalfDoneError                          a call failed half-way, and was not rolled back

The attributes of each say what was wrong. None is raised after a change: the
caller's transaction stays as it was, and usable; but for the last, which says that it is not.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import datetime


class RetinueError(Exception):
    """The base of every error in this package."""


class SelfFollowError(RetinueError, ValueError):
    """A user was asked to follow, or stop following, themselves."""

    def __init__(self, user_id: Hashable) -> None:
        super().__init__(f"user {user_id!r} cannot follow themselves")
        #: The primary key of the user; None for a user that has none yet.
        self.user_id = user_id


class InvalidUserError(RetinueError, ValueError):
    """The argument is neither a user nor a possible primary key of one."""

    def __init__(self, value: object, reason: str) -> None:
        super().__init__(f"{shown(value)} is not a user: {reason}")
        #: What was given.
        self.value = value
        #: What is wrong with it, in words.
        self.reason = reason


class InvalidCursor(RetinueError, ValueError):
    """The cursor is not one of this list, for this user and viewer."""

    def __init__(self, cursor: object) -> None:
        super().__init__(f"{shown(cursor)} is not a cursor of this list")
        #: What was given.
        self.cursor = cursor


class InvalidLimit(RetinueError, ValueError):
    """The limit is not a possible number of rows of a page."""

    def __init__(self, limit: object, highest: int) -> None:
        super().__init__(f"limit must be a whole number from 1 to {highest}, not {shown(limit)}")
        #: What was given.
        self.limit = limit
        #: The most rows that a page may have.
        self.highest = highest


class UnknownUserError(RetinueError, LookupError):
    """A verb named a primary key that no user has."""

    def __init__(self, user_ids: Iterable[Hashable]) -> None:
        #: The keys that no user has, as a tuple.
        self.user_ids: tuple[Hashable, ...] = tuple(user_ids)
        super().__init__("no user has the key " + " or ".join(map(repr, self.user_ids)))


class BlockedError(RetinueError):
    """One of the two users blocks the other; the error does not say which."""

    def __init__(self, follower_id: Hashable, followed_id: Hashable) -> None:
        super().__init__(f"user {follower_id!r} cannot follow user {followed_id!r}")
        #: The key of the user who was to follow.
        self.follower_id = follower_id
        #: The key of the user who was to be followed.
        self.followed_id = followed_id


class LimitError(RetinueError):
    """A limit from `Settings` is reached."""

    def __init__(self, limit: str, allowed: int, current: int, retry_at: datetime | None = None) -> None:
        super().__init__(f"{limit} is reached: {current} of {allowed}")
        #: The name of the setting, such as ``"max_following"``.
        self.limit = limit
        #: How many there may be.
        self.allowed = allowed
        #: How many there are.
        self.current = current
        #: When to try again (aware, UTC), where time helps; else None.
        self.retry_at = retry_at


class NotVisibleError(RetinueError, PermissionError):
    """A list that the viewer may not see; the error does not say why."""

    def __init__(self, user_id: Hashable) -> None:
        super().__init__(f"this list of user {user_id!r} is not visible")
        #: The key of the user whose list it is.
        self.user_id = user_id


class MappingError(RetinueError, TypeError):
    """The declared models do not make one graph of users; the text says what to change."""


class ModelMissingError(RetinueError):
    """A verb needs a model that the application has not declared."""

    def __init__(self, model: str, line: str) -> None:
        super().__init__(f"this needs a model that is not declared; add: {line}")
        #: The name of the mixin, such as ``"FollowMixin"``.
        self.model = model
        #: The line to add to the application's models.
        self.line = line


class NoSessionError(RetinueError):
    """Neither of the two users belongs to a session, so there is no transaction to add to."""

    def __init__(self) -> None:
        super().__init__("neither user is in a session; add one of them first")


class AsyncSessionError(RetinueError, TypeError):
    """A call would wait for the database, on an async session, but nothing awaits it; `instead` is what to write."""

    def __init__(self, user_class: str) -> None:
        #: The graph whose methods are awaited, such as ``"AsyncGraph(session, User)"``.
        self.instead: str = f"AsyncGraph(session, {user_class})"
        super().__init__(
            f"this session is async: write graph = {self.instead} and await its methods, as in"
            " await graph.follow(a, b); or make this call inside await session.run_sync(...)"
        )


class NotWritableError(RetinueError, TypeError):
    """This way of writing is closed; ``instead`` names the verb to use."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(f"{what}; use {instead}")
        #: The call that does it, such as ``"user.follow(other)"``.
        self.instead = instead


class HalfDoneError(RetinueError):
    """
    A call failed half-way, and the transaction that it was in was to go on.

    What it had changed until then is still there, without what follows from it. So nothing of it can be
    committed: roll back the transaction, or the innermost savepoint that was open before the call. Until then, verbs
    raise this, and so does COMMIT, of the session and of its connection.
    """

    def __init__(self, call: str, failure: str) -> None:
        super().__init__(
            f"{call} failed half-way ({failure}): roll back the transaction, or the savepoint, that it was in"
        )
        #: What failed, such as ``"follow()"``.
        self.call = call
        #: The class of the error that it failed with, such as ``"OperationalError"``.
        self.failure = failure


def shown(value: object) -> str:
    """Return *value* as text of at most 60 characters: a hostile megabyte must not get into an error."""
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a whole number of {value.bit_length()} bits"
    text = repr(value[:60] if isinstance(value, (str, bytes)) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."
