"""The blueprint, and what all of its views share: errors as HTTP errors, and no forms from other sites."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

from retinue import (
    InvalidCursor,
    ModelMissingError,
    NotVisibleError,
    SelfFollowError,
    UnknownUserError,
)
from retinue.flask import origin

P = ParamSpec("P")
R = TypeVar("R", bound="ResponseReturnValue")

blueprint: Final = Blueprint(
    "retinue", "retinue.flask", template_folder="templates", static_folder="static", static_url_path="/static/retinue"
)


def page(rule: str, **options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a view that answers a GET of *rule*."""
    return lambda view: _route(rule, "GET", view, options)


def form(rule: str, **options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a view that answers a POST to *rule*, if the form comes from a page of this site."""
    return lambda view: _route(rule, "POST", _checked(view), options)


def _route(rule: str, method: str, view: Callable[P, R], options: dict[str, Any]) -> Callable[P, R]:
    answer = _readable(view)
    blueprint.add_url_rule(rule, view_func=answer, methods=[method], **options)
    return answer


def _checked(view: Callable[P, R]) -> Callable[P, R]:
    @wraps(view)
    def check_first(*args: P.args, **kwargs: P.kwargs) -> R:
        origin.check()
        return view(*args, **kwargs)

    return check_first


def _readable(view: Callable[P, R]) -> Callable[P, R]:
    """Return *view* with the errors of the graph as HTTP errors, for which the application may have pages."""

    @wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return view(*args, **kwargs)
        except InvalidCursor:
            abort(400, "A link into a list works only for the person who was given it, and only for that list.")
        except SelfFollowError:
            abort(400, "One can follow, mute or block others, but not oneself.")
        except UnknownUserError:
            abort(404, "This person is no longer here.")
        except (NotVisibleError, ModelMissingError):
            abort(404)

    return answer
