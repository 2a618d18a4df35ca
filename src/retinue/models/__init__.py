"""The mixins that become the application's tables, one line each; absent until declared."""

from retinue.models.columns import guards_of, key_of, kinds, line_of
from retinue.models.edges import FollowCountMixin, FollowMixin, FollowRequestMixin
from retinue.models.ids import RANDOM_BITS, id_at, new_id
from retinue.models.posts import Posts, declare_posts, values_of
from retinue.models.records import FollowEventMixin, NotificationMixin
from retinue.models.safety import BlockMixin, DismissedSuggestionMixin, MuteMixin
from retinue.models.search import SearchTexts, declare_search
from retinue.models.timeline import TimelineEntryMixin, readers_of, senders_of
from retinue.models.times import FIRST, LAST, UTCDateTime, aware, in_utc, now

__all__ = [
    "RANDOM_BITS",
    "FIRST",
    "LAST",
    "BlockMixin",
    "DismissedSuggestionMixin",
    "FollowCountMixin",
    "FollowEventMixin",
    "FollowMixin",
    "FollowRequestMixin",
    "MuteMixin",
    "NotificationMixin",
    "Posts",
    "SearchTexts",
    "TimelineEntryMixin",
    "UTCDateTime",
    "aware",
    "declare_posts",
    "declare_search",
    "guards_of",
    "id_at",
    "in_utc",
    "key_of",
    "kinds",
    "line_of",
    "new_id",
    "now",
    "readers_of",
    "senders_of",
    "values_of",
]
