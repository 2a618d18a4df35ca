from sqlalchemy import Column, ForeignKey, Integer, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


followers_to_followings = Table(
    "followers_to_followings",
    Base.metadata,
    Column("follower_id", Integer, ForeignKey("users.id"), primary_key=True),
    Column("following_id", Integer, ForeignKey("users.id"), primary_key=True),
)


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(40), unique=True)
    followings: Mapped[list["User"]] = relationship(
        secondary=followers_to_followings,
        primaryjoin=id == followers_to_followings.c.follower_id,
        secondaryjoin=id == followers_to_followings.c.following_id,
        back_populates="followers",
    )
    followers: Mapped[list["User"]] = relationship(
        secondary=followers_to_followings,
        primaryjoin=id == followers_to_followings.c.following_id,
        secondaryjoin=id == followers_to_followings.c.follower_id,
        back_populates="followings",
    )


class Note(Base):
    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(200))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
