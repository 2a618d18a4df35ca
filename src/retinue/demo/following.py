"""Following, no longer following, not being followed, and not caring to."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

from retinue import Graph, Outcome
from retinue.demo.models import User
from retinue.demo.verbs import towards

following = Blueprint("following", __name__)


@following.post("/@<username:username>/follow")
def follow(username: str) -> Response:
    """Follow somebody, or ask to; no harm if one does already."""
    return towards(username, _follow)


@following.post("/@<username:username>/unfollow")
def unfollow(username: str) -> Response:
    """Follow somebody no longer, or ask to no longer; no harm if one does not."""
    return towards(username, _unfollow)


@following.post("/@<username:username>/remove")
def remove(username: str) -> Response:
    """Be followed by somebody no longer; no harm if one is not."""
    return towards(username, _remove)


@following.post("/@<username:username>/dismiss")
def dismiss(username: str) -> Response:
    """Have somebody suggested no more; they are not told."""
    return towards(username, _dismiss)


def _follow(graph: Graph[User], viewer: int, user: int) -> str:
    outcome = graph.follow(viewer, user)
    # A form that was sent twice: say again what the first one had done.
    if outcome is Outcome.REQUESTED or not (outcome or graph.is_following(viewer, user)):
        return "You have asked to follow {}."
    return "You follow {}."


def _unfollow(graph: Graph[User], viewer: int, user: int) -> str:
    asked = graph.relationships(viewer, [user])[user].requested
    graph.unfollow(viewer, user)
    return "You no longer ask to follow {}." if asked else "You no longer follow {}."


def _remove(graph: Graph[User], viewer: int, user: int) -> str:
    graph.remove_follower(viewer, user)
    return "{} no longer follows you."


def _dismiss(graph: Graph[User], viewer: int, user: int) -> str:
    graph.dismiss(viewer, user)
    return "{} is not suggested to you any more."
