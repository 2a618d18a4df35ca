"""How a list is looked at: what the form above it says."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from flask import abort, request

from retinue import Only, Sort

#: What the menus offer, by what stands in the address.
SORTS: Final = {"newest": Sort.NEWEST, "oldest": Sort.OLDEST, "name": Sort.NAME}
SHOWN: Final[dict[str, Only | None]] = {
    "everybody": None,
    "mutual": Only.MUTUAL,
    "not_followed_back": Only.NOT_FOLLOWED_BACK,
}

#: What stands in the address of a list, beside its place.
NAMES: Final = ("q", "sort", "show")


class Look(NamedTuple):
    """What the form above a list says; the names are those of the address."""

    q: str
    sort: str
    show: str

    @property
    def arguments(self) -> dict[str, Any]:
        """The same for `Graph.followers()` and `Graph.following()`."""
        return {"search": self.q, "sort": SORTS[self.sort], "only": SHOWN[self.show]}

    @property
    def narrows(self) -> bool:
        """Whether somebody may be left out."""
        return bool(self.q) or SHOWN[self.show] is not None


def look_asked_for() -> Look:
    """Return what the address says; 400 if it says what no menu offers."""
    sort, show = request.args.get("sort", "newest"), request.args.get("show", "everybody")
    if sort not in SORTS or show not in SHOWN:
        abort(400, "That is not an order or a choice which the menus offer.")
    return Look(request.args.get("q", "")[:64].strip(), sort, show)
