"""The blueprint, and what all of its views share: a log-in where there must be one, and no forms from other sites."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from flask import Blueprint, current_app, request
from flask.sansio.app import App
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from retinue import ModelMissingError
from retinue.flask import config, origin
from retinue.flask.viewers import somebody

P = ParamSpec("P")
R = TypeVar("R", bound="ResponseReturnValue")


class _OnHost(BlueprintSetupState):
    """
    Puts all routes on the host that was given to ``register_blueprint()``, as Flask does with a subdomain.

    There is no page of a person where the application has its own.
    """

    def add_url_rule(self, rule: str, endpoint: str | None = None, view_func: Any = None, **options: Any) -> None:
        if endpoint == "person" and not self.options["has_person"]:
            return
        super().add_url_rule(rule, endpoint, view_func, **{"host": self.options["host"], **options})


class _Pages(Blueprint):
    def make_setup_state(self, app: App, options: dict[str, Any], first_registration: bool = False) -> _OnHost:
        return _OnHost(self, app, options, first_registration)


blueprint: Final = _Pages(
    "retinue", "retinue.flask", template_folder="templates", static_folder="static", static_url_path="/static/retinue"
)

#: What is there for everybody: the way to the log-in page, and the style that this page may have.
_OPEN: Final = frozenset({"retinue.log_in", "retinue.static"})


@blueprint.url_value_preprocessor
def _take_over(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    # For each request: the application may have put Flask-WTF on itself at any time before, or after.
    origin.take_over(blueprint)


def page(rule: str, **options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a view that answers a GET of *rule*."""
    return lambda view: _route(rule, "GET", view, options)


def form(rule: str, **options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a view that answers a POST to *rule*, if the form comes from a page of this site."""
    return lambda view: _route(rule, "POST", _checked(view), options)


def _route(rule: str, method: str, view: Callable[P, R], options: dict[str, Any]) -> Callable[P, R]:
    blueprint.add_url_rule(rule, view_func=view, methods=[method], **options)
    return view


def _checked(view: Callable[P, R]) -> Callable[P, R]:
    @wraps(view)
    def check_first(*args: P.args, **kwargs: P.kwargs) -> R:
        origin.check()
        return view(*args, **kwargs)

    return check_first


@blueprint.before_request
def _ask_to_log_in() -> None:
    """Let nobody in who is not logged in, where the application says so: but for the way to its log-in page."""
    needed = current_app.config[config.LOGIN_REQUIRED] and request.endpoint not in _OPEN
    if needed and request.method != "OPTIONS":
        somebody()


@blueprint.errorhandler(ModelMissingError)
def _not_there(_error: ModelMissingError) -> ResponseReturnValue:
    """A page whose model is not declared does not exist."""
    return current_app.handle_http_exception(NotFound())
