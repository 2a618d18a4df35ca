"""The follow system, as the app has it: who follows whom, and where people's pages are."""

from __future__ import annotations

from flask import url_for

from retinue.flask import Retinue
from retinue_demo.models import User


def _profile(user: User) -> str:
    return url_for("pages.profile", username=user.username)


retinue = Retinue(user_model=User, user_url=_profile)
