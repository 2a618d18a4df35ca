"""Posts: writing one, reading one by its own address, and taking one's own away."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from flask import Blueprint, abort, flash, render_template, request, url_for
from sqlalchemy import CursorResult, delete
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from retinue import Graph
from retinue.flask import back, somebody, viewer
from retinue_demo import reading
from retinue_demo.following import retinue
from retinue_demo.models import POST_MOST, Post, User, db

posts = Blueprint("posts", __name__)

#: What a post's key can be, in an address; anything else is not found, without asking the database.
_NUMBER: Final = f"<int(min=1, max={2**31 - 1}):number>"

#: Posts of the same author below one.
MORE: Final = 5


def tidy(text: str) -> str:
    """
    Return what somebody typed as it is kept, "" if nothing of it can be seen.

    Without what no reader sees: control characters (a database refuses some), white
    space around it, and more than one empty line in a row.
    """
    text = "".join(sign for sign in re.sub(r"\r\n?", "\n", text) if sign == "\n" or unicodedata.category(sign) != "Cc")
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r"[^\S\n]+\n", "\n", text)).strip()
    return text if any(sign.isprintable() and not sign.isspace() for sign in text) else ""


@posts.post("/posts")
def write() -> Response | tuple[str, int]:
    """Write a post; what cannot be one comes back with the reason, to be mended."""
    writer, body = somebody(), tidy(request.form.get("body", ""))
    if not 1 <= len(body) <= POST_MOST:
        problem = (
            f"That’s {len(body):,} characters. A post can have up to {POST_MOST}." if body else "Write something first."
        )
        return render_template("write.html", body=body, problem=problem, most=POST_MOST), 400
    post, seen = {"author_id": writer.id, "body": body}, writer.active
    retinue.transact(lambda session: session.add(Post(**post)))
    flash("Your post is published." if seen else "Your post is saved. Others will see it once you end your break.")
    return back(url_for("timelines.home"))


@posts.post(f"/posts/{_NUMBER}/delete")
def remove(number: int) -> Response:
    """Take one's own post away; somebody else's is a 404, as is one that is not there."""
    author = somebody().id
    if not retinue.transact(lambda session: _remove(session, number, author)):
        abort(404, "That post isn’t yours, or it’s already deleted.")
    flash("Your post was deleted.")
    return back(url_for("timelines.home"))


def _remove(session: Session, number: int, author: int) -> bool:
    done = session.execute(delete(Post).where(Post.id == number, Post.author_id == author))
    return isinstance(done, CursorResult) and done.rowcount == 1


@posts.get(f"/posts/{_NUMBER}")
def read(number: int) -> str:
    """One post, and those that its author wrote before. Four statements."""
    looking, session = viewer(), db.session()
    whose = reading.readable_by(Graph(db.session, User), looking)
    post = reading.one_of(session, number, whose) or abort(404, "This post was deleted, or you can’t see it.")
    place = reading.Place(post.created_at, post.id)
    earlier = reading.newest(session, Post.author_id == post.author_id, MORE, before=place)
    (one,) = reading.written([post], looking)
    return render_template("post.html", post=one, earlier=reading.written(earlier.posts, looking))
