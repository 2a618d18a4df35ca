"""A cursor is a place in one list: it comes back as it went, stays as it is from release to release, and fits nowhere else."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import Any

import pytest

from retinue import InvalidCursor
from retinue.cursors import Place, Scope, Way, micros_of, time_of

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LIST = ("followers", 7, None)

#: Cursors that links out there may hold, and what they say.
KEPT: list[tuple[Scope, Place, str]] = [
    (Scope(LIST, b"", int), Place(Way.ON, AT, 42), "PjE2OjE3NjczMjMwNDU2Nzg5MDE0MirFBwzGDmR7C2Y"),
    (Scope(LIST, b"secret", int), Place(Way.BACK_OR_SAME, AT, 42), "WzE2OjE3NjczMjMwNDU2Nzg5MDE0MjwekpMBuQplIlU"),
    (
        Scope(("following", uuid.UUID(int=7), None), b"", uuid.UUID),
        Place(Way.ON_OR_SAME, AT, uuid.UUID(int=5)),
        "XTE2OjE3NjczMjMwNDU2Nzg5MDEwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDUXCdl2M5h5Edcy",
    ),
    (Scope(("people", "é", None), b"", str, str), Place(Way.BACK, "3:né", "k:1"), "PDQ6Mzpuw6lrOjHMzl0ssJhmXNFW"),
]


@pytest.mark.parametrize(("scope", "place", "cursor"), KEPT)
def test_a_cursor_stays_what_it_is(scope: Scope, place: Place, cursor: str) -> None:
    """One that was handed out by an earlier release still works."""
    assert scope.encode(place) == cursor
    assert scope.decode(cursor) == place


KEYS: dict[type, list[Any]] = {
    int: [0, -1, 2**63 - 1, -(2**63)],
    str: ["", "1", "12:3", "a:b", "☃\U0001f600\n", "x" * 255, "-1"],
    uuid.UUID: [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)],
}
ORDERS: dict[type, list[Any]] = {
    datetime: [
        AT,
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ],
    str: ["", "anne", "7:x", ":", "é" * 300, "\0"],
}


@pytest.mark.parametrize("secret", [b"", b"s", b"x" * 200])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("key", KEYS)
def test_every_place_comes_back(key: type, order: type, secret: bytes) -> None:
    """Each way, each key and each time or name, also where they look like each other."""
    scope = Scope(LIST, secret, key, order)
    seen = set()
    for way, at, number in product(Way, ORDERS[order], KEYS[key]):
        cursor = scope.encode(Place(way, at, number))
        assert scope.decode(cursor) == Place(way, at, number)
        assert cursor.replace("-", "").replace("_", "").isalnum()
        seen.add(cursor)
    assert len(seen) == len(Way) * len(ORDERS[order]) * len(KEYS[key])


def test_a_cursor_fits_its_own_list_only() -> None:
    """Not that of another user, viewer, filter or secret, nor one whose parts only look alike."""
    scopes = [
        Scope(parts, secret, int)
        for parts in (
            LIST,
            ("following", 7, None),
            ("followers", 8, None),
            ("followers", 7, 1),
            ("followers", "7", None),
        )
        for secret in (b"", b"one", b"other")
    ]
    for one, other in product(scopes, scopes):
        cursor = one.encode(Place(Way.ON, AT, 1))
        if one == other:
            assert other.decode(cursor).key == 1
        else:
            with pytest.raises(InvalidCursor):
                other.decode(cursor)


def test_every_letter_of_it_counts() -> None:
    """Any other letter in any place, one more and one less."""
    scope = Scope(LIST, b"", int)
    cursor = scope.encode(Place(Way.ON, AT, 42))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = {cursor[:n] + letter + cursor[n + 1 :] for n in range(len(cursor)) for letter in letters} - {cursor}
    others |= {cursor[:n] for n in range(len(cursor))} | {cursor + letter for letter in (*letters, "=", " ", "\n")}
    for other in others:
        with pytest.raises(InvalidCursor):
            scope.decode(other)


NO_CURSORS: list[object] = [None, 1, b"x", ["x"], "", "=", "ä", "A" * 65_537, "\ud800", object()]


@pytest.mark.parametrize("cursor", NO_CURSORS, ids=range(len(NO_CURSORS)))
def test_what_is_no_cursor(cursor: object) -> None:
    with pytest.raises(InvalidCursor):
        Scope(LIST, b"", int).decode(cursor)


@pytest.mark.parametrize(
    "payload", ["", ">", "x1:11", ">1", ">x:11", ">2:1x", ">20:999999999999999999991", ">1:1", ">1:1x", ">-1:11x"]
)
def test_what_somebody_signed_who_may_not(payload: str) -> None:
    """Without a secret anybody can make the digest: what it then says is read with care."""
    scope = Scope(LIST, b"", int)
    blob = payload.encode() + scope._digest(payload.encode())
    forged = base64.urlsafe_b64encode(blob).decode().rstrip("=")
    with pytest.raises(InvalidCursor):
        scope.decode(forged)


def test_a_time_goes_through_microseconds() -> None:
    """To the last of them, whatever its zone."""
    assert micros_of(datetime(1970, 1, 1, tzinfo=UTC)) == 0
    for time in ORDERS[datetime]:
        assert time_of(micros_of(time)) == time
    east = timezone(timedelta(hours=5, minutes=45))
    assert time_of(micros_of(AT.astimezone(east))) == AT
    with pytest.raises(OverflowError):
        time_of(10**30)


def test_which_way_leads_on() -> None:
    assert [way for way in Way if way.forward] == [Way.ON, Way.ON_OR_SAME]
