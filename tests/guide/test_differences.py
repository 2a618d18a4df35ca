"""What the guide says in the place of methods that its reader deletes, and of users who follow themselves."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from retinue import FollowerMixin, FollowMixin, SelfFollowError

pytestmark = pytest.mark.tables(lambda: Base.metadata)


class Base(DeclarativeBase):
    pass


class User(FollowerMixin, Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


class Follow(FollowMixin, Base):
    __tablename__ = "follows"


class Fan(User):
    """A user as a well-known tutorial writes one: they follow themselves from the first."""

    def __init__(self) -> None:
        super().__init__()
        self.follow(self)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_stands_in_the_table(engine: Engine) -> None:
    """Everything that is said to be a select, or a condition of one, is that, on the lists of a user."""
    with Session(engine) as session:
        ada, ben, cleo = (User(id=key) for key in (1, 2, 3))
        session.add_all([ada, ben, cleo])
        ada.follow(ben)
        cleo.follow(ben)
        session.flush()

        assert [*session.scalars(ben.followed_by.order_by(User.id).statement)] == [ada, cleo]
        assert [*session.scalars(ada.follows.statement)] == [ben]
        theirs = select(Follow.follower_id).where(Follow.following_id == ben.id)
        assert [*session.scalars(select(User).where(User.id.in_(theirs)).order_by(User.id))] == [ada, cleo]
        of_ben = select(User).where(User.following.any(Follow.following_id == ben.id))
        assert [*session.scalars(of_ben.order_by(User.id))] == [ada, cleo]
        assert ada.following.filter_by(followed_id=ben.id).count() == 1
        assert not ada.follow(ben)


def test_following_oneself_before_there_is_a_session_says_what_is_wrong() -> None:
    """In `__init__`, where a tutorial does it: that it is oneself, and not that there is no session."""
    with pytest.raises(SelfFollowError, match="user None cannot follow themselves"):
        Fan()
    user = User()
    with pytest.raises(SelfFollowError):
        user.unfollow(user)
