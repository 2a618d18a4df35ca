"""The community: people, who follows whom, and what they post."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import retinue

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Go from the revision before to this one."""
    op.create_table(
        "follow_events",
        sa.Column("follower_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("following_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("timestamp", retinue.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("follower_id", "id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_follow_events_following", "follow_events", ["following_id", "timestamp", "kind", "follower_id", "id"]
    )
    op.create_index("ix_follow_events_lately", "follow_events", ["follower_id", "timestamp", "kind"])
    op.create_index("ix_follow_events_pair", "follow_events", ["follower_id", "following_id", "id"])

    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("bio", sa.String(length=160), nullable=False),
        sa.Column("circle", sa.String(length=32), nullable=False),
        sa.Column("joined_at", retinue.UTCDateTime(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("hide_followers", sa.Boolean(), nullable=False),
        sa.Column("hide_following", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("username"),
    )
    _index_names()

    op.create_table(
        "blocks",
        sa.Column("blocker_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("blocked_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("timestamp", retinue.UTCDateTime(), nullable=False),
        sa.Column("until", retinue.UTCDateTime(), nullable=True),
        sa.Column("cut_following", retinue.UTCDateTime(), nullable=True),
        sa.Column("cut_followed_by", retinue.UTCDateTime(), nullable=True),
        sa.Column("cut_requested", retinue.UTCDateTime(), nullable=True),
        sa.Column("cut_requested_by", retinue.UTCDateTime(), nullable=True),
        sa.CheckConstraint("blocker_id != blocked_id", name="ck_blocks_not_self"),
        sa.ForeignKeyConstraint(["blocked_id"], ["users.id"], name="fk_blocks_blocked_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["blocker_id"], ["users.id"], name="fk_blocks_blocker_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("blocker_id", "blocked_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_blocks_list", "blocks", ["blocker_id", "timestamp", "blocked_id"])
    op.create_index("ix_blocks_reverse", "blocks", ["blocked_id", "blocker_id"])

    op.create_table(
        "dismissed_suggestions",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("suggested_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("timestamp", retinue.UTCDateTime(), nullable=False),
        sa.CheckConstraint("user_id != suggested_id", name="ck_dismissed_suggestions_not_self"),
        sa.ForeignKeyConstraint(
            ["suggested_id"], ["users.id"], name="fk_dismissed_suggestions_suggested_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_dismissed_suggestions_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "suggested_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_dismissed_suggestions_reverse", "dismissed_suggestions", ["suggested_id", "user_id"])

    op.create_table(
        "follow_counts",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("followers", sa.BigInteger(), nullable=False),
        sa.Column("following", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_follow_counts_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "slot"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "follow_requests",
        sa.Column("follower_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("following_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("timestamp", retinue.UTCDateTime(), nullable=False),
        sa.Column("rejected_at", retinue.UTCDateTime(), nullable=True),
        sa.CheckConstraint("follower_id != following_id", name="ck_follow_requests_not_self"),
        sa.ForeignKeyConstraint(
            ["follower_id"], ["users.id"], name="fk_follow_requests_follower_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["following_id"], ["users.id"], name="fk_follow_requests_following_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("follower_id", "following_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_follow_requests_followers", "follow_requests", ["following_id", "timestamp", "follower_id"])
    op.create_index("ix_follow_requests_following", "follow_requests", ["follower_id", "timestamp", "following_id"])

    op.create_table(
        "follows",
        sa.Column("follower_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("following_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("timestamp", retinue.UTCDateTime(), nullable=False),
        sa.CheckConstraint("follower_id != following_id", name="ck_follows_not_self"),
        sa.ForeignKeyConstraint(["follower_id"], ["users.id"], name="fk_follows_follower_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["following_id"], ["users.id"], name="fk_follows_following_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("follower_id", "following_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_follows_followers", "follows", ["following_id", "timestamp", "follower_id"])
    op.create_index("ix_follows_following", "follows", ["follower_id", "timestamp", "following_id"])

    op.create_table(
        "mutes",
        sa.Column("muter_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("muted_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("timestamp", retinue.UTCDateTime(), nullable=False),
        sa.Column("until", retinue.UTCDateTime(), nullable=True),
        sa.Column("notifications", sa.Boolean(), nullable=False),
        sa.CheckConstraint("muter_id != muted_id", name="ck_mutes_not_self"),
        sa.ForeignKeyConstraint(["muted_id"], ["users.id"], name="fk_mutes_muted_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["muter_id"], ["users.id"], name="fk_mutes_muter_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("muter_id", "muted_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_mutes_list", "mutes", ["muter_id", "timestamp", "muted_id"])
    op.create_index("ix_mutes_reverse", "mutes", ["muted_id", "muter_id"])

    op.create_table(
        "notifications",
        sa.Column("recipient_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("actor_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", retinue.UTCDateTime(), nullable=False),
        sa.Column("read_at", retinue.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name="fk_notifications_actor_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["users.id"], name="fk_notifications_recipient_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("recipient_id", "actor_id", "kind"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_notifications_actor", "notifications", ["actor_id"])
    op.create_index("ix_notifications_list", "notifications", ["recipient_id", "timestamp", "id"])

    op.create_table(
        "posts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("created_at", retinue.UTCDateTime(), nullable=False),
        sa.Column("body", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_posts_author", "posts", ["author_id", "created_at", "id"])
    op.create_index("ix_posts_time", "posts", ["created_at", "id"])

    op.create_table(
        "users_follow_guards",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_users_follow_guards_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id"),
        sqlite_with_rowid=False,
    )


def _index_names() -> None:
    """Each engine has its own way to search and sort by name."""
    engine, name = op.get_bind().dialect.name, sa.column("name", sa.String)
    expressions: dict[str, list[str | sa.ColumnElement[str]]] = {
        "sqlite": [name.collate("NOCASE"), "id"],
        "postgresql": [sa.func.lower(name).collate("C"), "id"],
    }
    op.create_index(f"ix_users_name_{engine}", "users", expressions.get(engine, ["name"]))


def downgrade() -> None:
    """Go back."""
    op.drop_table("users_follow_guards")
    op.drop_table("posts")
    op.drop_table("notifications")
    op.drop_table("mutes")
    op.drop_table("follows")
    op.drop_table("follow_requests")
    op.drop_table("follow_counts")
    op.drop_table("dismissed_suggestions")
    op.drop_table("blocks")
    op.drop_table("users")
    op.drop_table("follow_events")
