"""What `Settings` take, and what they refuse: the sentence names the setting and its range."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, fields
from datetime import timedelta
from typing import Any

import pytest

from retinue import Settings

HOUR, BACKWARDS = timedelta(hours=1), timedelta(seconds=-1)
ATTRIBUTES = ("locked", "active", "hide_followers", "hide_following", "name", "last_active", "discoverable")
COUNTS = ("max_following", "max_follows_per_day", "max_pending_requests", "fan_out_most")
SIZES = {"counter_slots": 256, "timeline_length": 10_000}
SPANS_OR_NONE = ("request_expiry", "request_cooldown", "history_retention")
SPANS = ("restore_window", "notify_again_after", "dormant_after", "timeline_kept")

#: For each setting: values at the edge of what it takes, and what it refuses.
TAKEN: dict[str, list[Any]] = {
    **{name: [None, "is_so", "_x1", "é"] for name in ATTRIBUTES},
    **{name: [None, 0, 1, 2**40] for name in COUNTS},
    **{name: [1, most] for name, most in SIZES.items()},
    **{name: [None, timedelta(), HOUR] for name in SPANS_OR_NONE},
    **{name: [timedelta(), HOUR] for name in SPANS},
    "secret": [None, "", "text", b"", b"bytes", "x" * 1000],
    "max_following_ratio": [0, 0.0, 1, 1.5, 1e9],
}
REFUSED: dict[str, list[Any]] = {
    **{name: ["", "two words", "1st", "a.b", 1, True, b"locked"] for name in ATTRIBUTES},
    **{name: [-1, 1.0, "1", True, HOUR] for name in COUNTS},
    **{name: [0, -1, most + 1, 1.0, None, True, "1"] for name, most in SIZES.items()},
    **{name: [BACKWARDS, timedelta.max, 1, 3600.0, "1 day"] for name in SPANS_OR_NONE},
    **{name: [None, BACKWARDS, timedelta.max, 1, "1 day"] for name in SPANS},
    "secret": [1, bytearray(b"x"), ["x"]],
    "max_following_ratio": [-0.1, math.inf, math.nan, None, "1", True],
}


def test_every_setting_is_tried_here() -> None:
    """So that a new one is not forgotten."""
    assert {field.name for field in fields(Settings)} == TAKEN.keys() == REFUSED.keys()


@pytest.mark.parametrize("name", TAKEN)
def test_what_a_setting_takes(name: str) -> None:
    """Both ends of its range, and what stands for nothing."""
    for value in TAKEN[name]:
        assert getattr(Settings(**{name: value}), name) == value


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_setting_refuses(name: str) -> None:
    """One beyond its range, another type, a boolean for a number."""
    for value in REFUSED[name]:
        with pytest.raises(ValueError, match=rf"^{name} must be "):
            Settings(**{name: value})


def test_a_limit_of_a_day_needs_a_day_of_history() -> None:
    """It counts what the history holds."""
    day = timedelta(days=1)
    assert Settings(max_follows_per_day=3, history_retention=day).limits
    assert Settings(max_follows_per_day=3).limits
    with pytest.raises(ValueError, match="history_retention must be at least"):
        Settings(max_follows_per_day=3, history_retention=day - timedelta(microseconds=1))


def test_what_nobody_chose() -> None:
    """The defaults are promises of the documentation."""
    settings = Settings()
    assert not settings.limits
    assert [getattr(settings, name) for name in ("locked", "active", "name")] == ["locked", None, None]
    assert (settings.counter_slots, settings.timeline_length, settings.fan_out_most) == (1, 800, 10_000)
    assert (settings.restore_window, settings.notify_again_after) == (timedelta(days=30), timedelta(days=1))
    assert settings.max_following_ratio == 1.1


@pytest.mark.parametrize("name", ["max_following", "max_follows_per_day", "max_pending_requests"])
def test_one_limit_is_enough_to_have_limits(name: str) -> None:
    """Also a limit of none at all."""
    limits: dict[str, Any] = {name: 0}
    assert Settings(**limits).limits


def test_settings_are_a_value() -> None:
    """Equal ones are the same, and none can be changed."""
    settings = Settings(counter_slots=2)
    assert settings == Settings(counter_slots=2)
    assert hash(settings) == hash(Settings(counter_slots=2))
    with pytest.raises(FrozenInstanceError):
        settings.counter_slots = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        Settings(2)  # type: ignore[call-arg]
