"""Suggestions: whom a user may want to follow."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from retinue import arguments, ties
from retinue.discovery import statements
from retinue.lists.columns import Attributes, Columns, attributes_of
from retinue.models import DismissedSuggestionMixin, now
from retinue.schema import identity
from retinue.settings import PAGE_DEFAULT
from retinue.ties import DISMISSAL
from retinue.values import Key, Suggestion, SuggestionReason
from retinue.work import Work
from retinue.work.building import moment
from retinue.work.whole import whole

#: Who knows fewer than so many is told of whom strangers follow.
FEW: Final = 20
#: What began within this time is new.
LATELY: Final = timedelta(days=7)
#: Of those one knows, so many are named.
NAMED: Final = 3


def suggestions(
    work: Work, user: Any, limit: int = PAGE_DEFAULT, columns: Columns | None = None
) -> list[Suggestion[Any]]:
    """See `Graph.suggestions()`."""
    attributes = attributes_of(columns, work.schema.user)
    found = suggested_keys(work, user, limit)
    if not found:
        return []
    users = _users(work, {key for one in found for key in (one.user, *one.known)}, attributes)
    return [
        one._replace(user=users[one.user], known=tuple([users[key] for key in one.known if key in users]))
        for one in found
        if one.user in users
    ]


def _users(work: Work, keys: Collection[Key], attributes: Attributes | None) -> dict[Key, Any]:
    """Return those of the *keys* who exist, by their keys: as objects, or as rows of *attributes*. One select."""
    wanted = {"users": list(keys)}
    if attributes is not None:
        found = work.seen(statements.users_of, wanted, work.engine, attributes)
        return {row[0]: made for row, (made,) in zip(found, attributes.put_first(found), strict=True)}
    result = work.entities(statements.users_of, wanted, work.engine, None)
    # Unique, as an application's user may bring a collection along, joined.
    return {identity(person)[0]: person for person in result.unique().scalars()}


def suggested_keys(work: Work, user: Any, limit: int = PAGE_DEFAULT) -> list[Suggestion[Key]]:
    """See `Graph.suggested_keys()`."""
    limit = arguments.page_limit(limit)
    work.read()
    key = work.key(user)
    if key is None:
        return []
    at = now()
    parameters = {"user": key, **moment(work.schema, at)}
    if work.schema.settings.request_cooldown is not None:
        parameters["rejected_after"] = at - work.schema.settings.request_cooldown
    near = _near(work, parameters)
    if not near.middles and not near.followers:
        return []
    asked = {
        **parameters,
        "limit": limit,
        "middles": near.middles,
        "followed": near.followed[: statements.ASKED],
        "followers": near.followers[: statements.ASKED],
        "fans": near.followers,
        "back": near.back(),
        **work.engine.slot_values(near.middles),
    }
    ranked = work.seen(statements.suggested, asked, work.engine, work.engine.slots(len(near.middles)))
    scores = {who: int(points) / statements.FOLLOWED for who, points in ranked}
    return _explained(work, near, scores, parameters) if scores else []


@whole(alone=True)
def dismiss(work: Work, user: Any, suggested: Any) -> bool:
    """See `Graph.dismiss()`."""
    work.schema.refuse_missing(DismissedSuggestionMixin)
    pair = work.write(user, suggested)
    if ties.insert(work, DISMISSAL, pair, now()):
        return True
    work.refuse_unknown(pair)
    return False


@whole(alone=True)
def undismiss(work: Work, user: Any, suggested: Any) -> bool:
    """See `Graph.undismiss()`."""
    work.schema.table(DismissedSuggestionMixin)
    pair = work.write(user, suggested)
    if ties.end(work, DISMISSAL, pair):
        return True
    work.refuse_unknown(pair)
    return False


def _near(work: Work, parameters: dict[str, Any]) -> _Near:
    """Return whose lists are asked."""
    rows = work.seen(statements.neighbours, parameters, work.engine)
    followed = [key for kind, key, _ in rows if kind == statements.OUT]
    followers = [key for kind, key, _ in rows if kind == statements.IN]
    asked = {*followed[: statements.ASKED], *followers[: statements.ASKED]}
    middles = list(dict.fromkeys(key for _, key, has_a_say in rows if has_a_say and key in asked))
    if len(rows) >= FEW:
        # Nobody else has a say: who is suggested by none of those followed is so by followers.
        friends = [key for kind, key, has_a_say in rows if has_a_say and kind == statements.OUT]
        return _Near(followed, followers, middles, witnesses=friends)
    others = work.seen(statements.strangers, parameters, work.engine)
    every = list(dict.fromkeys([*middles, *(key for (key,) in others)]))
    return _Near(followed, followers, every, witnesses=middles, strangers=True)


def _explained(work: Work, near: _Near, scores: dict[Key, float], parameters: dict[str, Any]) -> list[Suggestion[Key]]:
    """Return the suggestions that *scores* are, each with its reason and whom one knows of its followers."""
    edges: dict[Key, dict[Key, bool]] = {key: {} for key in scores}
    open_lists = set()
    asked = {**parameters, "middles": near.witnesses, "chosen": list(scores), "lately": parameters["now"] - LATELY}
    for follower, followed, new, may_see in work.rows(statements.evidence, asked, work.engine):
        edges[followed][follower] = bool(new)
        if may_see:
            open_lists.add(followed)
    suggestions = []
    for key, score in scores.items():
        # In the order in which the user followed them, last first.
        known = [friend for friend in near.followed if friend in edges[key]]
        reason = near.reason(key, edges[key], known)
        named: Sequence[Key] = known if key in open_lists else ()
        suggestions.append(Suggestion(key, reason, score, tuple(named[:NAMED]), len(named)))
    return suggestions


@dataclass(frozen=True, slots=True)
class _Near:
    """Who is near a user: the newest on either list, last first; and whose lists say who is suggested."""

    followed: list[Key]
    followers: list[Key]
    middles: list[Key]
    #: Those of the middles who decide what the reason is.
    witnesses: list[Key]
    #: Whether strangers are among the middles.
    strangers: bool = False

    def back(self) -> int:
        """Return what it is worth to follow the user, who may have the habit of following back."""
        habit = len(set(self.followers).intersection(self.followed))
        return statements.BACK * (1 + habit) // (3 + len(self.followers))

    def reason(self, key: Key, edges: dict[Key, bool], known: Sequence[Key]) -> SuggestionReason:
        """Return why *key* is suggested, whom those of *edges* follow, each since lately or longer; some are *known*."""
        if key in self.followers:
            return SuggestionReason.FOLLOWS_YOU
        if known:
            new = all(edges[friend] for friend in known)
            return SuggestionReason.NEW_IN_NETWORK if new else SuggestionReason.FRIENDS_OF_FRIENDS
        if not self.strangers or any(follower in edges for follower in self.followers):
            return SuggestionReason.FOLLOWED_BY_FOLLOWERS
        return SuggestionReason.POPULAR
