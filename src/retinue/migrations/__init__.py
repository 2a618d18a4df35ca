"""
For Alembic and Flask-Migrate: make generated revisions run, and move the follows of an older table.

``env.py`` gives `render_item` and `prepare_revision` to Alembic; a revision calls `copy_follows()`, and
`copy_follows_back()` in its downgrade. docs/existing-app.md shows all of them at work.
"""

from __future__ import annotations

from retinue.migrations.copying import copy_follows, copy_follows_back
from retinue.migrations.revisions import prepare_revision, render_item

__all__ = ["copy_follows", "copy_follows_back", "prepare_revision", "render_item"]
