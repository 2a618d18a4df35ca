"""Posts that are made, one by one or in bulk: they are to be sent to followers."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy.engine import Result
from sqlalchemy.orm import Mapper, ORMExecuteState, Session

from retinue import effects
from retinue.models import Posts
from retinue.orm.running import connection_of, in_schemas_of, run
from retinue.orm.tables import Target
from retinue.schema import schema_of
from retinue.values import Key
from retinue.work import Work
from retinue.work.whole import consequences


def flushed(session: Session) -> None:
    """Note the posts that were just inserted by a flush."""
    noted: dict[type[Any], list[tuple[Key, Key]]] = {}
    for row in session.new:
        posts = posts_of(type(row))
        if posts is not None and (one := posts.author_and_key(row)):
            noted.setdefault(posts.user, []).append(one)
    for user, posted in noted.items():
        schema = schema_of(user)
        effects.post(Work(session, schema).connect(), posted)


def insert_posts(state: ORMExecuteState, target: Target) -> Result[Any] | None:
    """Run a bulk insert of posts, and note them; where the database does not say which, that is the caller's."""
    connection, posts = connection_of(state), cast("Posts", posts_of(cast("Mapper[Any]", target.mapper).class_))
    if not connection.dialect.insert_executemany_returning:
        return None
    work = Work.on(state.session, schema_of(posts.user), connection)
    with consequences(work, "insert()"):
        ran = run(state, target, [posts.author, posts.key], returning=True)
        work.changed = True
        with in_schemas_of(connection, ran.options):
            effects.post(work, [(author, key) for author, key in ran.keys if author is not None])
    return ran.answer


def posts_of(model: type[Any]) -> Posts | None:
    """Return what *model* says of posts, if home timelines of them are kept."""
    posts: Posts | None = getattr(model, "__retinue_posts__", None)
    if posts is None or not issubclass(model, posts.model) or schema_of(posts.user).timeline is None:
        return None
    return posts
