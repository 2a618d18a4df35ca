"""The mixins that become the application's tables, one line each; absent until declared."""

from retinue.models.columns import guards_of
from retinue.models.edges import FollowCountMixin, FollowMixin, FollowRequestMixin
from retinue.models.ids import new_id
from retinue.models.posts import Posts, declare_posts
from retinue.models.records import FollowEventMixin, NotificationMixin
from retinue.models.safety import BlockMixin, MuteMixin
from retinue.models.times import UTCDateTime, now

__all__ = [
    "BlockMixin",
    "FollowCountMixin",
    "FollowEventMixin",
    "FollowMixin",
    "FollowRequestMixin",
    "MuteMixin",
    "NotificationMixin",
    "Posts",
    "UTCDateTime",
    "declare_posts",
    "guards_of",
    "new_id",
    "now",
]
