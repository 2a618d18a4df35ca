"""Edges: by verbs, by writes through the ORM one by one and in bulk, and by another session in between."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st
from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from retinue import NotWritableError, UnknownUserError
from tests.database.machine.core import GONE, NUMBER, Core, step
from tests.database.plain_view import Pair

FORM = st.sampled_from(["instances", "keys", "mixed", "method"])
HOW = st.sampled_from(["add", "add keys", "append following", "append followers"])
ELSEWHERE = st.sampled_from(["follow", "unfollow", "remove_follower", "refollow"])


class Edges(Core):
    """The steps that every follow system has."""

    # --- Verbs -----------------------------------------------------------------------------------

    def call(self, pair: Pair, form: str, verb: str) -> Callable[[], Any]:
        a, b = pair if form == "keys" else (self.user(pair[0]), self.user(pair[1]))
        b = pair[1] if form == "mixed" else b
        if form == "method" and isinstance(a, self.models.user) and verb in ("follow", "unfollow"):
            return partial(getattr(a, verb), b)
        return partial(getattr(self.graph, verb), a, b)

    def do(self, pair: Pair, form: str, verb: str) -> None:
        """Let the first of *pair* do *verb* to the second; or the second, if it is about a follower."""
        self.touched = True
        who = pair[::-1] if verb == "remove_follower" else pair
        self.agree(verb, *who, call=self.call(who, form, verb))

    @step(weight=4, a=NUMBER, b=NUMBER, form=FORM)
    def follow(self, a: int, b: int, form: str) -> None:
        self.do((b == GONE and self.held_pair(a)) or self.pair(a, b), form, "follow")

    @step(weight=2, a=NUMBER, b=NUMBER, form=FORM)
    def unfollow(self, a: int, b: int, form: str) -> None:
        self.do(self.edge(a, b), form, "unfollow")

    @step(a=NUMBER, b=NUMBER, form=FORM)
    def remove_follower(self, a: int, b: int, form: str) -> None:
        self.do(self.edge(a, b), form, "remove_follower")

    @step(a=NUMBER, verb=st.sampled_from(["follow", "unfollow", "remove_follower"]))
    def name_nobody(self, a: int, verb: str) -> None:
        with pytest.raises(UnknownUserError):
            getattr(self.graph, verb)(self.key(a), 2**31 - 1)

    # --- The ORM's own writes --------------------------------------------------------------------

    def may_be_added(self, pair: Pair) -> bool:
        known = self.world.users.keys()
        return pair[0] != pair[1] and known >= set(pair) and pair not in self.world.edges

    def forget(self, pair: Pair) -> None:
        """Let the session forget a row that it has loaded, and that may be gone."""
        loaded = self.session.identity_map.get(self.session.identity_key(self.models.follow, pair))
        if loaded is not None:
            self.session.expunge(loaded)

    def make_row(self, pair: Pair, how: str) -> Any:
        """Add a row to the session, which does not write it yet."""
        self.forget(pair)
        follower, followed = self.user(pair[0]), self.user(pair[1])
        if how == "append following":
            follower.following.append(row := self.models.follow(following=followed))
        elif how == "append followers":
            followed.followers.append(row := self.models.follow(follower=follower))
        else:
            names = {"follower_id": pair[0], "following_id": pair[1]}
            row = self.models.follow(**(names if how == "add keys" else {"follower": follower, "followed": followed}))
            self.session.add(row)
        return row

    @step(
        weight=3,
        a=NUMBER,
        b=NUMBER,
        how=HOW,
        then=st.sampled_from(["flush", "follow", "unfollow", "remove_follower", "forget", "delete"]),
    )
    def add_row(self, a: int, b: int, how: str, then: str) -> None:
        """Make a row, and go on before it is written."""
        pair = self.pair(a, b)
        if not self.may_be_added(pair) or self.world.apart(*pair):
            return
        row = self.make_row(pair, how)
        if then == "forget":
            if how == "add keys":
                self.session.expunge(row)
                return
            self.session.flush()
        self.world.put(pair)
        self.touched = True
        if then == "flush":
            self.held.append(row)
        elif then == "delete":
            self.session.flush()
            self.session.delete(row)
            self.world.remove(pair)
        elif then != "forget":
            self.do(pair, "keys", then)

    @step(
        weight=3,
        a=NUMBER,
        b=NUMBER,
        how=st.sampled_from(["delete", "remove following", "remove followers"]),
        then=st.sampled_from(["flush", "follow", "unfollow", "remove_follower", "again"]),
    )
    def delete_row(self, a: int, b: int, how: str, then: str) -> None:
        """Delete a row, which another session may have deleted already, and go on before it is written."""
        pair = (b == GONE and self.held_pair(a)) or self.edge(a, b)
        row = self.row(pair)
        if row is None:
            return
        if how == "delete" or not self.world.users.keys() >= set(pair):
            self.session.delete(row)
        elif how == "remove following":
            self.user(pair[0]).following.remove(row)
        else:
            self.user(pair[1]).followers.remove(row)
        self.world.remove(pair)
        self.touched = True
        if then == "again" and not self.world.apart(*pair):
            self.session.flush()
            self.session.add(self.models.follow(follower_id=pair[0], following_id=pair[1]))
            self.world.put(pair)
        elif then not in ("flush", "again"):
            self.do(pair, "instances", then)

    @step(a=NUMBER, b=NUMBER)
    def add_a_row_that_is_there(self, a: int, b: int) -> None:
        """The database refuses it; the savepoint around it leaves no trace."""
        pair = self.edge(a, b)
        if pair not in self.world.edges:
            return
        self.forget(pair)
        with pytest.raises(IntegrityError), self.session.begin_nested():
            self.session.add(self.models.follow(follower_id=pair[0], following_id=pair[1]))

    @step(numbers=st.lists(st.tuples(NUMBER, NUMBER), min_size=1, max_size=4, unique=True))
    def insert_in_bulk(self, numbers: list[tuple[int, int]]) -> None:
        pairs = sorted({(self.key(a), self.key(b)) for a, b in numbers})
        pairs = [pair for pair in pairs if self.may_be_added(pair) and not self.world.apart(*pair)]
        rows = [{"follower_id": a, "following_id": b} for a, b in pairs]
        if not rows:
            return
        if self.engine.dialect.insert_executemany_returning:
            for pair in pairs:
                self.forget(pair)
            self.session.execute(insert(self.models.follow), rows)
            for pair in pairs:
                self.world.put(pair, told=False)
        else:
            with pytest.raises(NotWritableError):
                self.session.execute(insert(self.models.follow), rows)

    @step(a=NUMBER, side=st.sampled_from(["follower_id", "following_id"]), how=st.sampled_from(["bulk", "query"]))
    def delete_in_bulk(self, a: int, side: str, how: str) -> None:
        key, follow = self.key(a), self.models.follow
        gone = [pair for pair in self.world.edges if pair[side == "following_id"] == key]
        if how == "bulk":
            result: Any = self.session.execute(delete(follow).where(getattr(follow, side) == key))
            count = result.rowcount
        else:
            count = self.session.query(follow).filter(getattr(follow, side) == key).delete()
        assert count == len(gone)
        for pair in gone:
            self.world.remove(pair, told=False)

    @step(weight=3, a=NUMBER, b=NUMBER)
    def load(self, a: int, b: int) -> None:
        """Hold on to a row, so that the session keeps it loaded."""
        row = self.row(self.edge(a, b))
        if row is not None:
            self.held.append(row)

    @step()
    def expire(self) -> None:
        self.session.flush()
        self.session.expire_all()

    # --- Another session -------------------------------------------------------------------------

    def write_elsewhere(self, pair: Pair, verb: str) -> None:
        """Let another session change *pair* and commit, while this one is in no transaction."""
        verbs = ["unfollow", "follow"] if verb == "refollow" else [verb]
        with self.elsewhere() as (_, graph):
            for one in verbs:
                who = pair[::-1] if one == "remove_follower" else pair
                self.agree(one, *who, call=partial(getattr(graph, one), *who))

    @step(weight=3, a=NUMBER, b=NUMBER, verb=ELSEWHERE)
    def let_another_session_write(self, a: int, b: int, verb: str) -> None:
        """What this one has loaded is stale after it, if it does not expire on commit."""
        self.write_elsewhere(self.pair(a, b) if verb == "follow" else self.edge(a, b), verb)

    @step(weight=3, a=NUMBER, b=NUMBER, verb=ELSEWHERE, then=st.sampled_from(["delete", "follow", "unfollow"]))
    def act_on_a_stale_row(self, a: int, b: int, verb: str, then: str) -> None:
        """Two sessions go for one row; this one still believes what it has loaded."""
        pair = self.edge(a, b)
        row = self.row(pair)
        if row is None or self.session.expire_on_commit:
            return
        self.write_elsewhere(pair, verb)
        if then == "delete":
            self.session.delete(row)
            self.world.remove(pair)
        else:
            self.do(pair, "instances", then)
