"""
django-activity-stream, by its public functions.

A follow is made without the action that tells of it, as the others tell nobody. A post is an action, and so the home
timeline is its own `user_stream`, with the user's own. Its lists are querysets, which are ordered by
when the follow started, and sliced. It has nothing for many users at once: they are asked for one by one, as a
template does. Counts are COUNTs. It keeps the followed's key as text, which a query that joins has to bear.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db.models import CharField
from django.db.models.functions import Cast
from django.db.models.signals import post_delete, pre_delete
from django.utils import timezone
from sqlalchemy import URL

from benchmarks.contestant import PAGE, Shown
from benchmarks.contestants.django_setup import DjangoContestant, Post, User, on_own_database
from benchmarks.contestants.loading import Column
from benchmarks.contestants.peers_loading import Filler, Moments, moments
from benchmarks.data import Data

# isort: split
# These need Django's settings, which come with the imports above.
from actstream import action, registry
from actstream.actions import follow, is_following, unfollow
from actstream.follows import delete_orphaned_follows
from actstream.models import Follow, user_stream
from django.contrib.contenttypes.models import ContentType

registry.register(User, Post)

# Of its listener to every deletion, what is its own stays: see ActivityStream.delete_user().
pre_delete.disconnect(delete_orphaned_follows)
pre_delete.connect(delete_orphaned_follows, sender=Follow)


@contextmanager
def deletions_heard() -> Iterator[None]:
    """Let it hear of all deletions, as in an application of its own."""
    pre_delete.connect(delete_orphaned_follows)
    try:
        yield
    finally:
        pre_delete.disconnect(delete_orphaned_follows)


class ActivityStream(DjangoContestant):
    """django-activity-stream."""

    name = "django-activity-stream"

    def __init__(self, url: URL) -> None:
        ContentType.objects.clear_cache()  # of another database
        super().__init__(url)
        self._gone = 0
        post_delete.connect(self._follow_is_gone, sender=Follow)

    def close(self) -> None:
        """Give back the connection."""
        post_delete.disconnect(self._follow_is_gone, sender=Follow)
        super().close()

    def _follow_is_gone(self, **_: Any) -> None:
        self._gone += 1

    def load_edges(self, filler: Filler, data: Data) -> None:
        """Take over the edges."""
        filler.fill(
            "actstream_follow",
            user_id=data.followers,
            content_type_id=self._content_type(User),
            object_id=data.followed,
            actor_only=True,
            flag="",
            started=moments(data.times),
        )

    def load_rows_of_posts(self, filler: Filler, keys: Column, authors: Column, times: Moments) -> None:
        """Take over the posts as rows of `Post`, and as actions."""
        super().load_rows_of_posts(filler, keys, authors, times)
        filler.fill(
            "actstream_action",
            actor_content_type_id=self._content_type(User),
            actor_object_id=authors,
            verb="posted",
            action_object_content_type_id=self._content_type(Post),
            action_object_object_id=keys,
            timestamp=times,
            public=True,
        )

    @on_own_database
    def _content_type(self, model: Any) -> int:
        return int(ContentType.objects.get_for_model(model).pk)

    @on_own_database
    def is_following(self, follower: int, followed: int) -> bool:
        """By its function."""
        return is_following(self.user(follower), self.user(followed))

    @on_own_database
    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        """By its function, for each user and both ways."""
        me = self.user(viewer)
        following = {("following", key) for key in users if is_following(me, self.user(key))}
        return following | {("followed_by", key) for key in users if is_following(self.user(key), me)}

    def _followers(self, user: int) -> Any:
        return Follow.objects.followers_qs(self.user(user)).order_by("-started", "-user_id")

    @on_own_database
    def first_page(self, user: int) -> list[Shown]:
        """Its queryset, ordered and sliced."""
        return [(row.user.pk, row.user.username) for row in self._followers(user)[:PAGE]]

    def place_at(self, user: int, depth: int) -> int:  # noqa: ARG002
        """The offset."""
        return depth

    @on_own_database
    def page_from(self, user: int, place: int) -> list[Shown]:
        """As the first page, with OFFSET."""
        return [(row.user.pk, row.user.username) for row in self._followers(user)[place : place + PAGE]]

    @on_own_database
    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Two COUNTs for each user, of its querysets."""
        found = {}
        for key in users:
            user = self.user(key)
            found[key] = (Follow.objects.followers_qs(user).count(), Follow.objects.following_qs(user, User).count())
        return found

    def _followed_among_followers_of(self, viewer: int, user: int) -> Any:
        followers = Follow.objects.followers_qs(self.user(user)).annotate(key=Cast("user_id", CharField()))
        rows = Follow.objects.following_qs(self.user(viewer), User).filter(object_id__in=followers.values("key"))
        return rows.order_by("-started", "-object_id")

    @on_own_database
    def mutuals(self, user: int) -> list[Shown]:
        """Whom the user follows, as far as they are followers."""
        rows = self._followed_among_followers_of(user, user)[:PAGE]
        return [(row.follow_object.pk, row.follow_object.username) for row in rows]

    @on_own_database
    def followers_you_know(self, viewer: int, user: int) -> tuple[int, list[Shown]]:
        """Whom the viewer follows, as far as they are the user's followers."""
        rows = self._followed_among_followers_of(viewer, user)
        return rows.count(), [(row.follow_object.pk, row.follow_object.username) for row in rows[:PAGE]]

    @on_own_database
    def home_timeline(self, user: int) -> list[int]:
        """Its stream of a user."""
        stream = user_stream(self.user(user), with_user_activity=True)
        return [int(post.action_object_object_id) for post in stream[:PAGE]]

    @on_own_database
    def follow(self, follower: int, followed: int) -> bool:
        """By its function, which does not say whether it was new; when the follow started does."""
        before = timezone.now()
        return follow(self.user(follower), self.user(followed), send_action=False).started >= before

    @on_own_database
    def unfollow(self, follower: int, followed: int) -> bool:
        """By its function, which does not say whether there was one; Django's signal does."""
        before = self._gone
        unfollow(self.user(follower), self.user(followed))
        return self._gone > before

    @on_own_database
    def post(self, author: int, key: int) -> None:
        """A new row, and the action that is its announcement."""
        user = self.user(author)
        post = Post.objects.create(pk=key, author=user, body=f"post {key}")
        action.send(user, verb="posted", action_object=post)

    @on_own_database
    def delete_user(self, user: int) -> None:
        """Django's cascade, and its listener."""
        with deletions_heard():
            self.user(user).delete()
