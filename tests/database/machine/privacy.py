"""Requests, blocks, mutes, what users choose, and what is written down: by verbs, here and in another session."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st

from retinue import BlockedError
from tests.database.machine.core import NUMBER, SPAN, step
from tests.database.machine.edges import FORM, HOW, Edges
from tests.database.models_private import PrivateModels
from tests.database.plain_view import Pair

YES = st.booleans()
END = st.none() | SPAN
CHOICE = st.sampled_from(["locked", "locked", "active", "hide_followers", "hide_following"])


class Privacy(Edges):
    """The steps of a follow system that has everything."""

    models: PrivateModels
    #: Few, so that much happens between the same two.
    most = 3

    def about(self, pairs: Iterable[Pair], a: int, b: int) -> Pair:
        """Return the pair that the last step was about; or one of *pairs*, or of those who follow, or any other."""
        if b % 3 == 0 and self.last is not None:
            self.named = self.last if a < 3 else (self.last[1], self.last[0])
            return self.named
        chosen = sorted(pairs)
        return self.one_of(chosen, a, b) if chosen and a % 2 else self.edge(a, b)

    def verb(self, pair: Pair, form: str, verb: str, **more: Any) -> None:
        self.touched = verb not in ("mute", "unmute")
        self.agree(verb, *pair, call=partial(self.call(pair, form, verb), **more), **more)

    def end(self, span: timedelta | None) -> Any:
        return span and self.clock.time + span

    def welcome(self, key: int, **choices: bool) -> None:
        """Every other user approves their followers from the start."""
        super().welcome(key, locked=key % 2 == 0, **choices)

    # --- What users choose -----------------------------------------------------------------------

    @step(weight=6, a=NUMBER, choice=CHOICE, value=YES, here=YES)
    def choose(self, a: int, choice: str, value: bool, here: bool) -> None:
        """Here, or elsewhere: then what this session has loaded of the user may be stale."""
        key = self.key(a)
        if here and key in self.world.users:
            user = self.session.get_one(self.models.user, key)
            self.session.refresh(user)
            setattr(user, choice, value)
            self.world.choose(key, **{choice: value})
        elif key in self.committed.users:
            with self.elsewhere() as (session, _):
                if key in self.world.users:
                    setattr(session.get_one(self.models.user, key), choice, value)
                    self.world.choose(key, **{choice: value})

    @step(a=NUMBER)
    def come_back(self, a: int) -> None:
        """Give the key of somebody who is gone to somebody new, as SQLite does."""
        free = sorted(set(self.keys) - self.world.users.keys())
        if free and len(self.world.users) < self.most:
            key = free[a % len(free)]
            self.commit()
            self.session.expunge_all()
            self.welcome(key)

    # --- Requests --------------------------------------------------------------------------------

    @step(weight=8, a=NUMBER, b=NUMBER, form=FORM)
    def ask(self, a: int, b: int, form: str) -> None:
        """Follow somebody who approves their followers."""
        asked = {(x, y) for x in self.world.users for y, member in self.world.users.items() if member.locked and x != y}
        self.do(self.one_of(asked, a, b), form, "follow")

    @step(weight=8, a=NUMBER, b=NUMBER, form=FORM, verb=st.sampled_from(["accept", "accept", "reject"]))
    def answer(self, a: int, b: int, form: str, verb: str) -> None:
        self.verb(self.about(self.world.requests, a | 1, b)[::-1], form, verb)

    @step(weight=2, a=NUMBER, b=NUMBER, form=FORM)
    def withdraw(self, a: int, b: int, form: str) -> None:
        self.verb(self.about(self.world.requests, a | 1, b), form, "unfollow")

    @step(weight=4, a=NUMBER, whole=YES, verb=st.sampled_from(["accept_all", "reject_all", "unlock"]))
    def answer_all(self, a: int, whole: bool, verb: str) -> None:
        key = self.key(a)
        user = self.user(key) if whole else key
        self.agree(verb, key, call=partial(getattr(self.graph, verb), user))

    # --- Blocks and mutes ------------------------------------------------------------------------

    @step(weight=6, a=NUMBER, b=NUMBER, form=FORM, span=END, back=YES)
    def block(self, a: int, b: int, form: str, span: timedelta | None, back: bool) -> None:
        pair = self.about(self.world.requests, a, b)
        self.verb(pair[::-1] if back else pair, form, "block", until=self.end(span))

    @step(weight=6, a=NUMBER, b=NUMBER, form=FORM, restore=YES)
    def unblock(self, a: int, b: int, form: str, restore: bool) -> None:
        self.verb(self.about(self.world.blocks, a | 1, b), form, "unblock", restore=restore)

    @step(weight=2, a=NUMBER, b=NUMBER, form=FORM, span=END, notifications=YES)
    def mute(self, a: int, b: int, form: str, span: timedelta | None, notifications: bool) -> None:
        self.verb(self.about(self.world.mutes, a, b), form, "mute", until=self.end(span), notifications=notifications)

    @step(weight=2, a=NUMBER, b=NUMBER, form=FORM)
    def unmute(self, a: int, b: int, form: str) -> None:
        self.verb(self.about(self.world.mutes, a | 1, b), form, "unmute")

    @step(a=NUMBER, b=NUMBER, how=HOW)
    def add_a_row_beside_a_block(self, a: int, b: int, how: str) -> None:
        """The library refuses it; the savepoint around it leaves no trace."""
        pair = self.one_of(self.world.blocks, a, b)
        pair = pair[::-1] if a % 2 else pair
        if not self.may_be_added(pair) or not self.world.apart(*pair):
            return
        with pytest.raises(BlockedError), self.session.begin_nested():
            self.make_row(pair, how)

    # --- What is written down --------------------------------------------------------------------

    @step(a=NUMBER, some=YES)
    def read_notifications(self, a: int, some: bool) -> None:
        key = self.key(a)
        if not some:
            self.agree("mark_read", key)
            return
        notices = list(self.graph.notifications(key, unread=True))[::2]
        which = {(notice.user.id, notice.kind) for notice in notices}
        ids = [notice.id for notice in notices]
        self.agree("mark_read", key, which, call=lambda: self.graph.mark_read(key, ids))

    @step(a=NUMBER)
    def erase_history(self, a: int) -> None:
        self.agree("erase_history", self.key(a))

    @step()
    def sweep(self) -> None:
        self.agree("expire")

    # --- Another session -------------------------------------------------------------------------

    @step(
        weight=6,
        a=NUMBER,
        b=NUMBER,
        verb=st.sampled_from(["accept", "reject", "block", "block", "unblock", "follow", "unfollow"]),
        then=st.sampled_from(["", "follow", "unfollow", "block", "accept"]),
    )
    def let_another_session_decide(self, a: int, b: int, verb: str, then: str) -> None:
        """What this one has loaded is stale after it; and then it acts upon it."""
        if verb in ("accept", "reject"):
            pair = self.about(self.world.requests, a | 1, b)[::-1]
        elif verb == "unblock":
            pair = self.about(self.world.blocks, a | 1, b)
        else:
            pair = self.about(self.world.requests, a, b)
        with self.elsewhere() as (_, graph):
            self.agree(verb, *pair, call=partial(getattr(graph, verb), *pair))
        if then:
            self.verb(pair, "instances", then)
