"""What all commands share: the option ``--json``, and errors as one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from functools import update_wrapper
from typing import Any

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from retinue import RetinueError
from retinue.flask.state import current

#: A command: it gets the application's state, whether JSON is wanted, and its own options.
Work = Callable[..., int | None]


def command(name: str, *parameters: Callable[[Any], Any], failed: int = 1) -> Callable[[Work], click.Command]:
    """
    Make a command of a function ``work(state, as_json, **options)``, which returns an exit code; None is 0.

    What can go wrong with an operator's input or database becomes one sentence and the exit code *failed*.
    """

    def decorate(work: Work) -> click.Command:
        def run(*, as_json: bool, **options: Any) -> None:
            try:
                code = _run(work, as_json, options)
            except click.ClickException as error:
                if error.exit_code >= failed:
                    raise
                error.show()
                code = failed
            if code:
                click.get_current_context().exit(code)

        decorated: Any = with_appcontext(update_wrapper(run, work))
        json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
        for parameter in reversed((*parameters, json_option)):
            decorated = parameter(decorated)
        return click.command(name)(decorated)

    return decorate


def _run(work: Work, as_json: bool, options: Mapping[str, Any]) -> int | None:
    try:
        state = current()
    except RuntimeError as error:
        raise click.ClickException(_sentence(str(error))) from error
    try:
        state.session()  # no statement: it prepares the engine, also for new sessions
        return work(state, as_json, **options)
    except BrokenPipeError:
        raise  # whoever reads the output has closed it, which is no error: click ends quietly
    except (RetinueError, OSError, ValueError) as error:
        raise click.ClickException(_sentence(str(error) or type(error).__name__)) from error
    except DBAPIError as error:
        message = _sentence(f"the database refuses: {error.orig}")
        raise click.ClickException(
            f"{message}\nIs it there, with all its tables? `flask db upgrade` makes those that are missing."
        ) from error
    except SQLAlchemyError as error:
        raise click.ClickException(_sentence(str(error))) from error


def _sentence(text: str) -> str:
    """Return the first line of *text*, beginning with a capital letter and ending with a full stop."""
    line = text.strip().partition("\n")[0].rstrip(".")
    return f"{line[:1].upper()}{line[1:]}."


def print_json(document: Mapping[str, Any]) -> None:
    """Print *document* as JSON: times in ISO 8601, keys of any type as text if they are no numbers."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)
