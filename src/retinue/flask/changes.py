"""What a request has asked is true until something changes it: the place where that is kept, and when it is dropped."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final

from flask import has_request_context, request
from sqlalchemy import Engine, event

from retinue.engines import COMPILED
from retinue.engines.reading import READS, first_word
from retinue.work.prepared import writes

#: Where a request keeps what it has asked.
_KEPT: Final = "retinue.asked"


def kept() -> MutableMapping[str, Any]:
    """Return what this request has asked since it last changed something."""
    found: MutableMapping[str, Any] = request.environ.setdefault(_KEPT, {})
    return found


def watch(engine: Engine) -> None:
    """Drop what a request has asked when it writes to the database of *engine*, or takes back what it wrote."""
    if not event.contains(engine, "after_cursor_execute", _after_statement):
        event.listen(engine, "after_cursor_execute", _after_statement)
        event.listen(engine, "rollback", _forget)
        event.listen(engine, "rollback_savepoint", _forget)


def _after_statement(_connection: Any, _cursor: Any, statement: str, _given: Any, context: Any, _many: bool) -> None:
    if _KEPT in _environ() and _changes(statement, context):
        _forget()


def _changes(statement: str, context: Any) -> bool:
    """Return whether a *statement* may have changed something."""
    word = first_word(statement)
    if word != "WITH":
        return word not in READS
    compiled = context.compiled or context.execution_options.get(COMPILED)
    return compiled is None or writes(compiled.statement)


def _forget(*_: Any) -> None:
    _environ().pop(_KEPT, None)


def _environ() -> MutableMapping[str, Any]:
    return request.environ if has_request_context() else {}
