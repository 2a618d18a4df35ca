"""People are found by any word of their name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import retinue

revision = "0002"
down_revision = "0001"

#: Users of one statement.
_EACH = 1_000


def upgrade() -> None:
    """Go from the revision before to this one."""
    text = sa.String(length=255).with_variant(sa.String(255, collation="utf8mb4_bin"), "mysql", "mariadb")
    texts = op.create_table(
        "search_texts",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("text", text, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "text"),
    )
    bind = op.get_bind()
    users = sa.table("users", sa.column("id"), sa.column("name"), sa.column("username"))
    last = None
    while True:
        some = sa.select(users).order_by(users.c.id).limit(_EACH)
        found = bind.execute(some if last is None else some.where(users.c.id > last)).all()
        if not found:
            break
        last = found[-1].id
        rows = [(user.id, one) for user in found for one in retinue.search_texts(user.name, user.username)]
        bind.execute(sa.insert(texts), [{"user_id": key, "text": one} for key, one in rows])
    column = sa.column("text", sa.String)
    expressions: dict[str, list[str | sa.ColumnElement[str]]] = {
        "sqlite": [column.collate("NOCASE"), "user_id"],
        "postgresql": [sa.func.lower(column).collate("C"), "user_id"],
    }
    engine = bind.dialect.name
    op.create_index(f"ix_search_texts_{engine}", "search_texts", expressions.get(engine, ["text"]))


def downgrade() -> None:
    """Go back."""
    op.drop_table("search_texts")
