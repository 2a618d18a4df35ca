"""
django-friendship, by its public functions and, where it has none, by Django's queries on its model `Follow`.

It lists followers without an order, all of them at once, and keeps that list in Django's cache; so a
page newest first is a query on its model, sliced. It has nothing for many users at once:
they are asked for one by one, as a template does. Counts are COUNTs. The cache is Django's own default, in the process's
memory: nothing here fills it, so that no answer comes out of a dictionary, and what is timed of it is that
`follows()` looks into it and that writes clear it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from benchmarks.contestant import PAGE, Shown
from benchmarks.contestants.django_setup import DjangoContestant, Post, on_own_database
from benchmarks.contestants.peers_loading import Filler, moments
from benchmarks.data import Data

# isort: split
# These need Django's settings, which come with the imports above.
from friendship.exceptions import AlreadyExistsError
from friendship.models import Follow


class Friendship(DjangoContestant):
    """django-friendship."""

    name = "django-friendship"

    def load_edges(self, filler: Filler, data: Data) -> None:
        """Take over the edges."""
        filler.fill(
            "friendship_follow", follower_id=data.followers, followee_id=data.followed, created=moments(data.times)
        )

    @on_own_database
    def is_following(self, follower: int, followed: int) -> bool:
        """By its function."""
        return Follow.objects.follows(self.user(follower), self.user(followed))

    @on_own_database
    def relationships(self, viewer: int, users: Sequence[int]) -> set[tuple[str, int]]:
        """By its function, for each user and both ways."""
        me = self.user(viewer)
        following = {("following", key) for key in users if Follow.objects.follows(me, self.user(key))}
        return following | {("followed_by", key) for key in users if Follow.objects.follows(self.user(key), me)}

    def _followers(self, user: int) -> Any:
        rows = Follow.objects.filter(followee=self.user(user)).select_related("follower")
        return rows.order_by("-created", "-follower_id")

    @on_own_database
    def first_page(self, user: int) -> list[Shown]:
        """Its model, ordered and sliced."""
        return [(row.follower.pk, row.follower.username) for row in self._followers(user)[:PAGE]]

    def place_at(self, user: int, depth: int) -> int:  # noqa: ARG002
        """The offset."""
        return depth

    @on_own_database
    def page_from(self, user: int, place: int) -> list[Shown]:
        """As the first page, with OFFSET."""
        return [(row.follower.pk, row.follower.username) for row in self._followers(user)[place : place + PAGE]]

    @on_own_database
    def counts(self, users: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Two COUNTs for each user, from the user's side."""
        return {key: (self.user(key).followers.count(), self.user(key).following.count()) for key in users}

    def _followed_among_followers_of(self, viewer: int, user: int) -> Any:
        followers = Follow.objects.filter(followee=self.user(user)).values("follower")
        rows = Follow.objects.filter(follower=self.user(viewer), followee__in=followers).select_related("followee")
        return rows.order_by("-created", "-followee_id")

    @on_own_database
    def mutuals(self, user: int) -> list[Shown]:
        """Whom the user follows, as far as they are followers."""
        rows = self._followed_among_followers_of(user, user)[:PAGE]
        return [(row.followee.pk, row.followee.username) for row in rows]

    @on_own_database
    def followers_you_know(self, viewer: int, user: int) -> tuple[int, list[Shown]]:
        """Whom the viewer follows, as far as they are the user's followers."""
        rows = self._followed_among_followers_of(viewer, user)
        return rows.count(), [(row.followee.pk, row.followee.username) for row in rows[:PAGE]]

    @on_own_database
    def home_timeline(self, user: int) -> list[int]:
        """The posts by those whom its model names."""
        me = self.user(user)
        followed = Follow.objects.filter(follower=me).values("followee")
        posts = Post.objects.filter(Q(author=me) | Q(author__in=followed)).order_by("-created")
        return [post.pk for post in posts[:PAGE]]

    @on_own_database
    def follow(self, follower: int, followed: int) -> bool:
        """By its function."""
        try:
            Follow.objects.add_follower(self.user(follower), self.user(followed))
        except AlreadyExistsError:
            return False
        return True

    @on_own_database
    def unfollow(self, follower: int, followed: int) -> bool:
        """By its function."""
        return Follow.objects.remove_follower(self.user(follower), self.user(followed))

    @on_own_database
    def post(self, author: int, key: int) -> None:
        """A new row."""
        Post.objects.create(pk=key, author=self.user(author), body=f"post {key}")

    @on_own_database
    def delete_user(self, user: int) -> None:
        """Django's cascade."""
        self.user(user).delete()
