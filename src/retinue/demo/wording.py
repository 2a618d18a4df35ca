"""Numbers and times in the demo's templates: the extension's words, by shorter names."""

from __future__ import annotations

from flask import Flask

from retinue.flask.wording import count, date_of, day, lately


def init_app(app: Flask) -> None:
    """Give the templates of *app* these words."""
    app.add_template_filter(day)
    app.add_template_filter(date_of, "date")
    app.add_template_filter(count)
    app.add_template_filter(lately)
