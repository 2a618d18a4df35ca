"""Suggestions: whom a user may want to follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection

from retinue import rules
from retinue.engines import EngineRules
from retinue.graph.part import Part, U
from retinue.models import DismissedSuggestionMixin, now
from retinue.schema import identity
from retinue.settings import PAGE_DEFAULT
from retinue.statements import discovery as statements
from retinue.statements import moment
from retinue.values import Key, Suggestion, SuggestionReason

#: Who knows fewer than so many is told of whom strangers follow.
FEW: Final = 20
#: What began within this time is new.
LATELY: Final = timedelta(days=7)
#: Of those one knows, so many are named.
NAMED: Final = 3


class Discovery(Part[U]):
    """Suggestions: whom a user may want to follow."""

    __slots__ = ()

    def suggestions(self, user: U | Key, limit: int = PAGE_DEFAULT) -> list[Suggestion[U]]:
        """
        Return whom *user* may want to follow, the strongest case first, each with a reason.

        Never themselves; nobody whom they follow, have asked, mute or dismissed, nobody who
        rejected them within ``Settings(request_cooldown=...)``, nobody across a block, nobody
        inactive, and nobody whose ``discoverable`` is false.

        Read are the edges of the 50 whom *user* followed last and of the 50 who followed
        *user* last, of each the newest 100: 10,000 at most, whatever anybody's number of
        followers, and nothing older has a say. Who has fewer than 20 on both lists is told
        whom up to 100 strangers follow as well (those with the least and the greatest keys):
        about 12,000. Whoever hides whom they follow, or shows it to others only, has no say.

        The score of v, where n is how many of somebody's edges are read::

            sum over z that follow v:                     w(z) x 10 / (10 + n(z))
            if v is among the user's 100 last followers:  b + b x 10 / (10 + n(v))

        with w = 1 for those whom the user follows, 0.75 for their followers, 1.75 for both
        and 0.02 for strangers; and b = 3 (1 + m) / (3 + f), where f is how many of the 100
        there are, and m how many of them the user follows: their habit of following back. The
        second half of that line counts where v's edges are read. Equal scores go by key. Shared neighbours that count the less
        the more they follow are those of Adamic and Adar (2003), in the stronger form of Zhou,
        Lu and Zhang's resource allocation (2009), damped for short lists; followers' lists beside
        followees' are from Brzozowski and Romero (2011), following back from Lou, Tang and
        Hopcroft (2013). docs/discovery.md compares it with others.

        `Suggestion.known` names up to three whom *user* follows and who follow the suggested,
        among the 100; nobody if the suggested shows their followers to nobody or to followers only.

        Cost: four selects; one more for who has fewer than 20 in all; one or two for who has
        nobody to be suggested.

        Args:
            user: For whom.
            limit: Suggestions at most, 1 to 100. There may be fewer, or none.

        Raises:
            InvalidUserError: *user* is neither a user nor a possible key.
            ValueError: *limit* is outside its range.
        """
        found = self.suggested_keys(user, limit)
        if not found:
            return []
        wanted = {key for one in found for key in (one.user, *one.known)}
        _, engine = self._caller.connect()
        rows = self._caller.session.execute(statements.users_of(self._schema, engine), {"users": list(wanted)})
        # Unique, as an application's user may bring a collection along, joined.
        users: dict[Key, U] = {identity(person)[0]: person for person in rows.unique().scalars()}
        return [
            Suggestion(
                users[one.user],
                one.reason,
                one.score,
                tuple(users[key] for key in one.known if key in users),
                one.known_total,
            )
            for one in found
            if one.user in users
        ]

    def suggested_keys(self, user: U | Key, limit: int = PAGE_DEFAULT) -> list[Suggestion[Key]]:
        """Return the same as `suggestions()`, with keys in the place of users: one select less, for a job or a cache."""
        limit = rules.page_limit(limit)
        connection, engine = self._caller.read()
        key = self._caller.key(user, engine)
        if key is None:
            return []
        at = now()
        parameters = {"user": key, **moment(self._schema, at)}
        if self._schema.settings.request_cooldown is not None:
            parameters["rejected_after"] = at - self._schema.settings.request_cooldown
        near = self._near(connection, engine, parameters)
        if not near.middles and not near.followers:
            return []
        ranked = connection.execute(
            statements.suggested(self._schema, engine, engine.slots(len(near.middles))),
            {
                **parameters,
                "limit": limit,
                "middles": near.middles,
                "followed": near.followed[: statements.ASKED],
                "followers": near.followers[: statements.ASKED],
                "fans": near.followers,
                "back": near.back(),
                **engine.slot_values(near.middles),
            },
        ).all()
        scores = {who: int(points) / statements.FOLLOWED for who, points in ranked}
        return self._explained(connection, engine, near, scores, at) if scores else []

    def dismiss(self, user: U | Key, suggested: U | Key) -> bool:
        """
        Let *suggested* never be suggested to *user* again. One insert; one select more if they were dismissed already.

        Nobody is told. Who is dismissed can be followed all the same.

        Returns:
            Whether they were not dismissed before.

        Raises:
            SelfFollowError: Both are the same user.
            InvalidUserError: One is neither a user nor a possible key.
            UnknownUserError: One is a key that no user has.
            ModelMissingError: No model with `DismissedSuggestionMixin` is declared.
            MappingError: A column of your own on the model needs a value and has no default.
        """
        self._schema.refuse_missing(DismissedSuggestionMixin)
        connection, engine, pair = self._caller.write(user, suggested)
        row = {"user": pair[0], "suggested": pair[1], "at": now()}
        if self._caller.insert(connection, engine, statements.insert_dismissal, row, pair):
            return True
        self._caller.refuse_unknown(connection, engine, pair)
        return False

    def undismiss(self, user: U | Key, suggested: U | Key) -> bool:
        """
        Let *suggested* be suggested to *user* again. One delete; one select more if they were not dismissed.

        Returns:
            Whether they were dismissed.

        Raises:
            SelfFollowError, InvalidUserError, UnknownUserError, ModelMissingError: As `dismiss()`.
        """
        self._schema.table(DismissedSuggestionMixin)
        connection, engine, pair = self._caller.write(user, suggested)
        row = {"user": pair[0], "suggested": pair[1]}
        if connection.execute(statements.delete_dismissal(self._schema), row).rowcount:
            return True
        self._caller.refuse_unknown(connection, engine, pair)
        return False

    # --- Within ----------------------------------------------------------------------------------

    def _near(self, connection: Connection, engine: EngineRules, parameters: dict[str, Any]) -> _Near:
        """Return whose lists are asked."""
        rows = connection.execute(statements.neighbours(self._schema, engine), parameters).all()
        followed = [key for kind, key, _ in rows if kind == statements.OUT]
        followers = [key for kind, key, _ in rows if kind == statements.IN]
        asked = {*followed[: statements.ASKED], *followers[: statements.ASKED]}
        middles = list(dict.fromkeys(key for _, key, may_see in rows if may_see and key in asked))
        if len(rows) >= FEW:
            # Nobody else has a say: who is suggested by none of those followed is so by followers.
            friends = [key for kind, key, may_see in rows if may_see and kind == statements.OUT]
            return _Near(followed, followers, middles, witnesses=friends)
        others = connection.execute(statements.strangers(self._schema, engine), parameters).scalars()
        every = list(dict.fromkeys([*middles, *others]))
        return _Near(followed, followers, every, witnesses=middles, strangers=True)

    def _explained(
        self, connection: Connection, engine: EngineRules, near: _Near, scores: dict[Key, float], at: datetime
    ) -> list[Suggestion[Key]]:
        """Return the suggestions that *scores* are, each with its reason and whom one knows of its followers."""
        edges: dict[Key, dict[Key, bool]] = {key: {} for key in scores}
        told = set()
        asked = {"middles": near.witnesses, "chosen": list(scores), "lately": at - LATELY}
        for follower, followed, new, seen in connection.execute(statements.evidence(self._schema, engine), asked).all():
            edges[followed][follower] = bool(new)
            if seen:
                told.add(followed)
        suggestions = []
        for key, score in scores.items():
            # In the order in which the user followed them, last first.
            known = [friend for friend in near.followed if friend in edges[key]]
            reason = near.reason(key, edges[key], known)
            shown: Sequence[Key] = known if key in told else ()
            suggestions.append(Suggestion(key, reason, score, tuple(shown[:NAMED]), len(shown)))
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
