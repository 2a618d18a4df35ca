"""What the users of the Django peers write."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class Post(models.Model):
    """A post."""

    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    body = models.CharField(max_length=140)
    created = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.body
