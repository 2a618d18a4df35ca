"""
django-friendship, by its public functions and, where it has none, by Django's queries on its model `Follow`.

It lists followers without an order, all of them at once, and keeps that list in Django's cache; so a
page newest first is a query on its model, sliced. Counts are COUNTs. The cache is Django's own default, in the process's
memory: nothing here fills it, so that no answer comes out of a dictionary, and what is timed of it is that
`follows()` looks into it and that writes clear it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from benchmarks.competitor import PAGE
from benchmarks.competitors.django_setup import DjangoCompetitor, Post, models
from benchmarks.data import Data
from benchmarks.filling import Filler, moments

AlreadyExistsError: Any = import_module("friendship.exceptions").AlreadyExistsError
Follow: Any = import_module("friendship.models").Follow


class Friendship(DjangoCompetitor):
    """django-friendship."""

    name = "django-friendship"
    follower, followed = "follower", "followee"

    def load_edges(self, filler: Filler, data: Data) -> None:
        columns = {"follower_id": data.followers, "followee_id": data.followed, "created": moments(data.times)}
        filler.fill("friendship_follow", **columns)

    def is_following(self, follower: int, followed: int) -> bool:
        return bool(Follow.objects.follows(self.user(follower), self.user(followed)))

    def followers(self, user: int) -> Any:
        rows = Follow.objects.filter(followee=self.user(user)).select_related("follower")
        return rows.order_by("-created", "-follower_id")

    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        return {key: (self.user(key).followers.count(), self.user(key).following.count()) for key in users}

    def known(self, viewer: int, user: int) -> Any:
        followers = Follow.objects.filter(followee=self.user(user)).values("follower")
        rows = Follow.objects.filter(follower=self.user(viewer), followee__in=followers).select_related("followee")
        return rows.order_by("-created", "-followee_id")

    def home_timeline(self, user: int) -> list[int]:
        me = self.user(user)
        followed = Follow.objects.filter(follower=me).values("followee")
        posts = Post.objects.filter(models.Q(author=me) | models.Q(author__in=followed)).order_by("-created")
        return [post.pk for post in posts[:PAGE]]

    def follow(self, follower: int, followed: int) -> bool:
        try:
            Follow.objects.add_follower(self.user(follower), self.user(followed))
        except AlreadyExistsError:
            return False
        return True

    def unfollow(self, follower: int, followed: int) -> bool:
        return bool(Follow.objects.remove_follower(self.user(follower), self.user(followed)))
