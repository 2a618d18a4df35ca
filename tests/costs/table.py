"""
How many statements each call takes: on SQLite, PostgreSQL and MariaDB, with whichever models are declared.

It is a promise of every docstring, and `test_table.py` counts each number: for few rows and for many, given keys
and given instances that a commit has expired. What begins and ends transactions and savepoints is not counted.
After a change on purpose, the docstring changes, too.

What goes on in batches, in sessions of its own (`recount()`, the import, the export, the units of `fanout`,
`purge()`), takes so many statements for each batch, and is counted beside what it does; pages of the Flask
extension and of the demo are counted as requests, beside their views.
"""

from __future__ import annotations

from typing import Final, NamedTuple

ENGINES: Final = ("sqlite", "postgresql", "mariadb")

#: The same on each of `ENGINES`, or one number for each; None where the call needs a model that is not declared.
Number = int | tuple[int, int, int] | None
___: Final = None


class Row(NamedTuple):
    """What a call takes in each of `GRAPHS`."""

    plain: Number
    counted: Number
    every_model: Number
    #: What is done first, and returns what the call names ``found``.
    first: str | None = None

    def statements(self, graph: str, engine: str) -> int | None:
        """Return how many statements it takes in one graph, on one engine."""
        number: Number = getattr(self, graph.replace(" ", "_"))
        return number[ENGINES.index(engine)] if isinstance(number, tuple) else number


# fmt: off
TABLE: Final = {
    # plain        the user, Follow, and posts
    # counted      FollowCount as well
    # every model  all the others as well; and a user has all flags that there are
    #
    # Who the people are, and whatever else a call names, stands in `scene.py`.
    #
    #                                                                        plain      counted       every model
    # Follow and unfollow.
    "follow(me, stranger)":                                              Row(1,         (2, 1, 3),    (6, 1, 8)),
    "follow(stranger, me)":                                              Row(1,         (2, 1, 3),    (6, 1, 8)),
    "follow(me, fan)":                                                   Row(1,         1,            (1, 1, 4)),  # they do
    "follow(uncounted, uncounted_too)":                                  Row(1,         (4, 4, 7),    (8, 4, 12)),  # their first change ever
    "follow(me, locked)":                                                Row(___,       ___,          (4, 1, 5)),  # a request
    "follow(asker, locked)":                                             Row(___,       ___,          (1, 1, 4)),  # they asked
    "unfollow(me, fan)":                                                 Row(1,         (2, 1, 3),    (6, 1, 8)),
    "unfollow(me, stranger)":                                            Row(2,         2,            (4, 2, 5)),  # they do not
    "unfollow(asker, locked)":                                           Row(___,       ___,          (4, 1, 5)),  # they asked
    "remove_follower(me, fan)":                                          Row(1,         (2, 1, 3),    (4, 1, 5)),
    "remove_follower(me, stranger)":                                     Row(2,         2,            2),  # they are none

    # Requests.
    "accept(locked, asker)":                                             Row(___,       ___,          (8, 4, 10)),
    "accept(locked, stranger)":                                          Row(___,       ___,          (2, 3, 3)),  # they did not ask
    "reject(locked, asker)":                                             Row(___,       ___,          (3, 4, 4)),
    "reject(locked, stranger)":                                          Row(___,       ___,          (2, 3, 3)),
    "accept_all(locked)":                                                Row(___,       ___,          14),
    "accept_all(stranger)":                                              Row(___,       ___,          2),
    "reject_all(locked)":                                                Row(___,       ___,          6),
    "reject_all(stranger)":                                              Row(___,       ___,          2),
    "unlock(found)":                                                     Row(___,       ___,          (15, 16, 16), first="user(locked)"),  # loaded
    "unlock(key(locked))":                                               Row(___,       ___,          (16, 17, 17)),

    # Blocks, mutes, dismissals.
    "block(me, stranger)":                                               Row(___,       ___,          (7, 1, 8)),
    "block(me, followed)":                                               Row(___,       ___,          (12, 1, 14)),
    "block(me, fan)":                                                    Row(___,       ___,          (14, 1, 15)),
    "block(me, blocked)":                                                Row(___,       ___,          (2, 1, 3)),  # they are
    "unblock(me, blocked)":                                              Row(___,       ___,          (2, 3, 3)),
    "unblock(me, stranger)":                                             Row(___,       ___,          (2, 3, 3)),
    "unblock(me, followed, restore=True)":                               Row(___,       ___,          (7, 9, 9), first="block(me, followed)"),
    "mute(me, stranger)":                                                Row(___,       ___,          1),
    "mute(me, muted)":                                                   Row(___,       ___,          3),
    "unmute(me, muted)":                                                 Row(___,       ___,          2),
    "unmute(me, stranger)":                                              Row(___,       ___,          2),
    "dismiss(me, stranger)":                                             Row(___,       ___,          1),
    "dismiss(me, dismissed)":                                            Row(___,       ___,          2),
    "undismiss(me, dismissed)":                                          Row(___,       ___,          1),
    "undismiss(me, stranger)":                                           Row(___,       ___,          2),

    # Notifications, history, timelines.
    "mark_read(me)":                                                     Row(___,       ___,          1),
    "erase_history(me)":                                                 Row(___,       ___,          1),
    "expire()":                                                          Row(0,         0,            6),
    "mark_active(me)":                                                   Row(___,       ___,          1),  # they were just here
    "mark_active(back)":                                                 Row(___,       ___,          2),  # they were here two hours ago
    "mark_active(stranger)":                                             Row(___,       ___,          3),  # for the first time
    "note_posts([1, 2, 3])":                                             Row(___,       ___,          2),
    "note_posts([9_999])":                                               Row(___,       ___,          1),

    # Questions.
    "is_following(me, fan)":                                             Row(1,         1,            1),
    "is_following(me, nobody)":                                          Row(1,         1,            1),
    "relationships(me, fans)":                                           Row(1,         1,            1),
    "relationships(nobody, fans)":                                       Row(1,         1,            1),
    "relationships(me, [nobody])":                                       Row(1,         1,            1),
    "counts([me, *fans])":                                               Row(1,         1,            1),
    "counts([me])":                                                      Row(1,         1,            1),
    "counts([uncounted, *fans])":                                        Row(1,         1,            1),
    "counts([uncounted, uncounted_too])":                                Row(1,         1,            1),
    "counts([nobody])":                                                  Row(1,         1,            1),
    "unread_notifications(me)":                                          Row(___,       ___,          1),
    "visible_to(me)":                                                    Row(0,         0,            0),
    "suggestions(settled)":                                              Row(4,         4,            4),
    "suggestions(newcomer)":                                             Row(5,         5,            5),  # they follow fewer than twenty
    "suggested_keys(settled)":                                           Row(3,         3,            3),
    "suggested_keys(newcomer)":                                          Row(4,         4,            4),

    # Lists.
    "followers(me)":                                                     Row(1,         1,            1),
    "followers(me, viewer=stranger)":                                    Row(1,         1,            1),
    "followers(me, viewer=None)":                                        Row(1,         1,            1),
    "followers(me, viewer=me)":                                          Row(1,         1,            1),
    "followers(nobody)":                                                 Row(1,         1,            1),
    "followers(me, cursor=found.next)":                                  Row(1,         1,            1, first="followers(me, limit=1)"),
    "followers(me, cursor=found.prev)":                                  Row(1,         1,            1, first="second(followers)"),
    "followers(me, search='u')":                                         Row(1,         1,            1),
    "followers(me, search='u', viewer=stranger)":                        Row(1,         1,            1),
    "followers(me, search='u', viewer=None)":                            Row(1,         1,            1),
    "followers(me, search='u', viewer=me)":                              Row(1,         1,            1),
    "followers(me, sort=Sort.NAME)":                                     Row(1,         1,            1),
    "followers(me, sort=Sort.NAME, viewer=stranger)":                    Row(1,         1,            1),
    "followers(me, sort=Sort.NAME, viewer=None)":                        Row(1,         1,            1),
    "followers(me, sort=Sort.NAME, viewer=me)":                          Row(1,         1,            1),
    "followers(me, only=Only.MUTUAL)":                                   Row(1,         1,            1),
    "followers(me, only=Only.MUTUAL, viewer=stranger)":                  Row(1,         1,            1),
    "followers(me, only=Only.MUTUAL, viewer=None)":                      Row(1,         1,            1),
    "followers(me, only=Only.MUTUAL, viewer=me)":                        Row(1,         1,            1),
    "following(me)":                                                     Row(1,         1,            1),
    "following(me, viewer=stranger)":                                    Row(1,         1,            1),
    "following(me, cursor=found.next)":                                  Row(1,         1,            1, first="following(me, limit=1)"),
    "following(me, cursor=found.prev)":                                  Row(1,         1,            1, first="second(following)"),
    "mutuals(me)":                                                       Row(1,         1,            1),
    "mutuals(me, viewer=stranger)":                                      Row(1,         1,            1),
    "mutuals(me, viewer=me)":                                            Row(1,         1,            1),
    "mutuals(me, cursor=found.next)":                                    Row(1,         1,            1, first="mutuals(me, limit=1)"),
    "mutuals(me, cursor=found.prev)":                                    Row(1,         1,            1, first="second(mutuals)"),
    "followers_you_know(settled, idol)":                                 Row(1,         1,            1),
    "requests(locked)":                                                  Row(___,       ___,          1),
    "sent_requests(me)":                                                 Row(___,       ___,          1),
    "blocks(me)":                                                        Row(___,       ___,          1),
    "mutes(me)":                                                         Row(___,       ___,          1),
    "notifications(me)":                                                 Row(___,       ___,          1),
    "history(me, fan)":                                                  Row(___,       ___,          3),
    "[post.author.username for post in home_timeline(me)]":              Row(1,         1,            1),
    "home_timeline(me, viewer=me)":                                      Row(1,         1,            1),
    "home_timeline(me, cursor=found.next)":                              Row(1,         1,            1, first="home_timeline(me, limit=1)"),
    "home_timeline(me, cursor=found.prev)":                              Row(1,         1,            1, first="second(home_timeline)"),
    "home_timeline(stranger)":                                           Row(___,       ___,          1, first="mark_active(stranger)"),  # kept, and not yet filled
    "home_timeline(followed)":                                           Row(1,         1,            1),  # not kept
    "home_timeline(nobody)":                                             Row(1,         1,            1),

    # A user's own methods, which the lesson teaches.
    "myself.follow(stranger)":                                           Row(1,         (2, 1, 3),    (6, 1, 8)),
    "myself.follow(fan)":                                                Row(1,         1,            (1, 1, 4)),
    "myself.unfollow(fan)":                                              Row(1,         (2, 1, 3),    (6, 1, 8)),
    "myself.unfollow(stranger)":                                         Row(2,         2,            (4, 2, 5)),
    "myself.is_following(fan)":                                          Row(1,         1,            1),
    "myself.is_a_follower(fan)":                                         Row(1,         1,            1),
    "myself.graph":                                                      Row(0,         0,            0),
    "[user.username for user in myself.follows]":                        Row(1,         1,            1),
    "[user.username for user in myself.followed_by]":                    Row(1,         1,            1),
    "read(myself.followers.all())":                                      Row(1,         1,            1),
    "read(myself.following.all())":                                      Row(1,         1,            1),

    # What applications write through the ORM.
    "session.add(Follow(follower=myself, following=found))":             Row(1,         (2, 3, 3),    (7, 9, 9), first="user(stranger)"),
    "session.delete(found)":                                             Row(3,         (4, 5, 5),    (6, 7, 7), first="session.get(Follow, (key(me), key(fan)))"),
    "session.add_all(posts(1))":                                         Row(1,         1,            2),
    "session.add_all(posts(20))":                                        Row(1,         1,            2),
    "session.delete(myself)":                                            Row(4,         9,            24),
    "session.delete(session.get(User, key(me)))":                        Row(5,         10,           25),
    "session.execute(delete(User).where(User.id.in_(map(key, fans))))":  Row((6, 7, 7), (11, 12, 12), (26, 27, 27)),

    # Numbers.
    "follower_growth(session, User, me)":                                Row(___,       ___,          2),
    "churn(session, User, me)":                                          Row(___,       ___,          2),
    "top_new_followers(session, User, me)":                              Row(___,       1,            1),
    "statistics(session, User)":                                         Row(4,         4,            4),
}
# fmt: on
