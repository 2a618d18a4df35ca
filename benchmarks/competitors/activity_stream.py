"""
django-activity-stream, by its public functions.

A follow is made without the action that tells of it, as the others tell nobody. A post is an action, and so the home
timeline is its own `user_stream`, with the user's own. Its lists are querysets, which are ordered by
when the follow started, and sliced. Counts are COUNTs. It keeps the followed's key as text, which a query that joins has
to bear. Neither `follow()` nor `unfollow()` returns whether that was new: when the follow started does, and Django's signal.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from sqlalchemy import URL

from benchmarks.competitor import PAGE
from benchmarks.competitors.django_setup import DjangoCompetitor, Post, User, models
from benchmarks.data import Data
from benchmarks.filling import Column, Filler, moments

action: Any = import_module("actstream").action
actions: Any = import_module("actstream.actions")
registry: Any = import_module("actstream.registry")
Follow: Any = import_module("actstream.models").Follow
user_stream: Any = import_module("actstream.models").user_stream
Cast: Any = import_module("django.db.models.functions").Cast
ContentType: Any = import_module("django.contrib.contenttypes.models").ContentType
signals: Any = import_module("django.db.models.signals")
timezone: Any = import_module("django.utils.timezone")

registry.register(User, Post)

# It listens to every deletion of whatever model, for which the other peer is not to pay; of its own rows it still hears.
_on_deletion: Any = import_module("actstream.follows").delete_orphaned_follows
signals.pre_delete.disconnect(_on_deletion)
signals.pre_delete.connect(_on_deletion, sender=Follow)


class ActivityStream(DjangoCompetitor):
    """django-activity-stream."""

    name = "django-activity-stream"
    follower, followed = "user", "follow_object"

    def __init__(self, url: URL) -> None:
        ContentType.objects.clear_cache()  # of another database
        super().__init__(url)
        self._gone = 0
        signals.post_delete.connect(self._follow_is_gone, sender=Follow)

    def close(self) -> None:
        signals.post_delete.disconnect(self._follow_is_gone, sender=Follow)
        super().close()

    def _follow_is_gone(self, **_: Any) -> None:
        self._gone += 1

    def load_edges(self, filler: Filler, data: Data) -> None:
        filler.fill(
            "actstream_follow",
            user_id=data.followers,
            content_type_id=self.operation("content_type")(User),
            object_id=data.followed,
            actor_only=True,
            flag="",
            started=moments(data.times),
        )

    def load_rows_of_posts(self, filler: Filler, keys: Column, authors: Column, times: Any) -> None:
        """Take over the posts as rows of `Post`, and as actions."""
        super().load_rows_of_posts(filler, keys, authors, times)
        filler.fill(
            "actstream_action",
            actor_content_type_id=self.operation("content_type")(User),
            actor_object_id=authors,
            verb="posted",
            action_object_content_type_id=self.operation("content_type")(Post),
            action_object_object_id=keys,
            timestamp=times,
            public=True,
        )

    def content_type(self, model: Any) -> int:
        """Return Django's number for a model."""
        return int(ContentType.objects.get_for_model(model).pk)

    def is_following(self, follower: int, followed: int) -> bool:
        return bool(actions.is_following(self.user(follower), self.user(followed)))

    def followers(self, user: int) -> Any:
        return Follow.objects.followers_qs(self.user(user)).order_by("-started", "-user_id")

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        rows, found = Follow.objects, ((key, self.user(key)) for key in users)
        return {key: (rows.followers_qs(user).count(), rows.following_qs(user, User).count()) for key, user in found}

    def known(self, viewer: int, user: int) -> Any:
        followers = Follow.objects.followers_qs(self.user(user)).annotate(key=Cast("user_id", models.CharField()))
        rows = Follow.objects.following_qs(self.user(viewer), User).filter(object_id__in=followers.values("key"))
        return rows.order_by("-started", "-object_id")

    def home_timeline(self, user: int) -> list[int]:
        stream = user_stream(self.user(user), with_user_activity=True)
        return [int(post.action_object_object_id) for post in stream[:PAGE]]

    def follow(self, follower: int, followed: int) -> bool:
        before = timezone.now()
        return bool(actions.follow(self.user(follower), self.user(followed), send_action=False).started >= before)

    def unfollow(self, follower: int, followed: int) -> bool:
        before = self._gone
        actions.unfollow(self.user(follower), self.user(followed))
        return self._gone > before

    def post(self, author: int, key: int) -> None:
        """A new row, and the action that is its announcement."""
        user = self.user(author)
        action.send(user, verb="posted", action_object=Post.objects.create(pk=key, author=user, body=f"post {key}"))
