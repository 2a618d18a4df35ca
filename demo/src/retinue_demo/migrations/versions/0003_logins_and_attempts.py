"""A log-in is ended where it is kept, and attempts are counted before they are made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import retinue

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Go from the revision before to this one: whoever is logged in has to log in again."""
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("at", retinue.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_attempts_at", "attempts", ["at"])
    op.create_index("ix_attempts_what", "attempts", ["what", "at"])
    op.create_table(
        "logins",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", retinue.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_logins_user_id", "logins", ["user_id"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("logins")
    op.drop_table("attempts")
