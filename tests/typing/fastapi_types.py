"""What a type checker makes of `retinue.fastapi`: nothing here runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import assert_type

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from retinue import AsyncGraph, FollowerMixin, Graph, Page, Person
from retinue.fastapi import PageAsked, PageOf, PersonOf, RelationshipOut, graph_of, somebody


class Base(DeclarativeBase):
    """The base."""


class User(FollowerMixin, Base):
    """The user class."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


class UserOut(BaseModel):
    """A user, as others see them."""

    id: int


def yield_session() -> Iterator[Session]:
    """Yield one."""
    raise NotImplementedError


def return_session() -> Session:
    """Return one."""
    raise NotImplementedError


async def yield_async_session() -> AsyncIterator[AsyncSession]:
    """Yield an async one."""
    yield AsyncSession()


async def return_async_session() -> AsyncSession:
    """Return an async one."""
    raise NotImplementedError


def find(name: str) -> User | None:
    """Find who is looking."""
    raise NotImplementedError(name)


async def find_async(name: str) -> User | None:
    """Find who is looking."""
    raise NotImplementedError(name)


def check(asked: PageAsked, page: Page[Person[User]], out: RelationshipOut) -> None:
    """Say what each is."""
    assert_type(graph_of(yield_session, User), Callable[..., Awaitable[Graph[User]]])
    assert_type(graph_of(return_session, User, scope="function"), Callable[..., Awaitable[Graph[User]]])
    assert_type(graph_of(yield_async_session, User), Callable[..., Awaitable[AsyncGraph[User]]])
    assert_type(graph_of(return_async_session, User), Callable[..., Awaitable[AsyncGraph[User]]])
    assert_type(somebody(find), Callable[..., Awaitable[User]])
    assert_type(somebody(find_async), Callable[..., Awaitable[User]])
    answer = asked.answer(page, PersonOf[UserOut])
    assert_type(answer, PageOf[PersonOf[UserOut]])
    assert_type(answer.items[0].user.id, int)
    assert_type(answer.next, str | None)
    assert_type(out.following, bool)
