"""What the users of the Django peers write."""

from __future__ import annotations

from importlib import import_module
from typing import Any

models: Any = import_module("django.db.models")


class Post(models.Model):  # type: ignore[misc]
    """A post."""

    author = models.ForeignKey("auth.User", on_delete=models.CASCADE)
    body = models.CharField(max_length=140)
    created = models.DateTimeField(default=import_module("django.utils.timezone").now, db_index=True)

    def __str__(self) -> str:
        return f"post {self.pk}"
