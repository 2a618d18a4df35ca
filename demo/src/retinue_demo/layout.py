"""
Where the people of a picture stand: those who belong together near each other, and nobody on another.

Forces, as between charged balls on springs: everybody keeps away from everybody, and
who follows whom draws the two together. The same people and follows give the same places.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import cos, pi, sin
from typing import Final

#: The picture is a square of this side, in units of its own.
SIDE: Final = 640

#: The least distance of two people, aside and below each other: a portrait with a name under it.
APART_X, APART_Y = 98, 80

#: And more of both from the one in the middle, who is larger.
_ROOM = 22

#: How near to the border somebody may stand: aside, above, and below, where the name is.
_MARGIN_X, _MARGIN_TOP, _MARGIN_BELOW = 52, 34, 50

_ROUNDS, _MIDDLE = 50, complex(SIDE / 2, SIDE / 2)

#: How strongly somebody is drawn to the middle, and to whom they belong with.
_GRAVITY, _PULL = 2.2, 0.16


def places(number: int, ties: Collection[tuple[int, int]]) -> list[complex]:
    """
    Return the places of *number* people, the first of them in the middle; x is the real part.

    Args:
        number: How many; at most about 30, for more there is no room.
        ties: Pairs of people who belong together, by number, each pair once.
    """
    around = [_first_place(place, number) for place in range(1, number)]
    at = [_MIDDLE, *around]
    pairs = [tie for tie in ties if 0 not in tie]
    for round_ in range(_ROUNDS):
        _move(at, pairs, warmth=30 * (1 - round_ / _ROUNDS))
        _part(at)
    for _ in range(_ROUNDS):
        if not _part(at):
            break
    return at


def _first_place(place: int, number: int) -> complex:
    """Return a place on one of two rings."""
    angle, radius = 2 * pi * place / max(number - 1, 1), SIDE * (0.24 if place % 2 else 0.4)
    return _MIDDLE + radius * complex(cos(angle), sin(angle))


def _move(at: list[complex], pairs: Sequence[tuple[int, int]], warmth: float) -> None:
    """Let everybody go where the forces draw them, by *warmth* at most; who is in the middle stays."""
    ideal = SIDE / (len(at) ** 0.5 + 1)
    drawn = [(_MIDDLE - one) * _GRAVITY for one in at]
    for one in range(1, len(at)):
        for other in range(one):
            way = at[one] - at[other]
            push = way * (ideal / max(abs(way), 1)) ** 2
            drawn[one] += push
            drawn[other] -= push
    for one, other in pairs:
        way = at[one] - at[other]
        pull = way * (abs(way) / ideal) * _PULL
        drawn[one] -= pull
        drawn[other] += pull
    for one in range(1, len(at)):
        at[one] = _inside(at[one] + drawn[one] * min(1, warmth / max(abs(drawn[one]), 1e-9)))


def _part(at: list[complex]) -> bool:
    """Move apart who stands on another's portrait or name, each a little; tell whether there were any."""
    found = False
    for one in range(1, len(at)):
        for other in range(one):
            way = at[one] - at[other]
            room = 0 if other else _ROOM
            aside, below = APART_X + room - abs(way.real), APART_Y + room - abs(way.imag)
            if aside <= 0 or below <= 0:
                continue
            found = True
            if aside / APART_X < below / APART_Y:
                step = complex(aside / 2 + 0.5 if way.real >= 0 else -aside / 2 - 0.5, 0)
            else:
                step = complex(0, below / 2 + 0.5 if way.imag >= 0 else -below / 2 - 0.5)
            at[one] = _inside(at[one] + (step if other else 2 * step))
            if other:
                at[other] = _inside(at[other] - step)
    return found


def _inside(point: complex) -> complex:
    """Return the nearest point to *point* at which a portrait and its name are in the picture."""
    x = min(max(point.real, _MARGIN_X), SIDE - _MARGIN_X)
    return complex(x, min(max(point.imag, _MARGIN_TOP), SIDE - _MARGIN_BELOW))
