"""Every address that the demo answers, as its own map of them says: what is new cannot be forgotten."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from flask import Flask

#: No pages: what a page fetches for its look and its script.
_FILES: Final = re.compile(r"(^|\.)static$")

_PART: Final = re.compile(r"<(?:(?P<converter>\w+)(?:\((?P<arguments>[^)]*)\))?:)?(?P<name>\w+)>")


def addresses(app: Flask, method: str, parts: Mapping[str, Sequence[str]]) -> list[str]:
    """
    Return every address of *app* that takes *method*.

    Args:
        app: The demo.
        method: "GET" or "POST".
        parts: What may stand for each part of an address, as in ``{"username": ["ada"]}``; a part that is
            one of several words is each of them by itself.

    Raises:
        AssertionError: An address has a part that is not in *parts*.
    """
    rules = [rule for rule in app.url_map.iter_rules() if method in (rule.methods or ())]
    return sorted(
        {address for rule in rules if not _FILES.search(rule.endpoint) for address in _filled(rule.rule, parts)}
    )


def _filled(rule: str, parts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    found = list(_PART.finditer(rule))
    for words in itertools.product(*(_words(part, parts, rule) for part in found)):
        chosen = iter(words)
        yield _PART.sub(lambda _: next(chosen), rule)  # noqa: B023 - used up before the loop goes on


def _words(part: re.Match[str], parts: Mapping[str, Sequence[str]], rule: str) -> Sequence[str]:
    if part["converter"] == "any":
        return [word.strip(" '\"") for word in part["arguments"].split(",")]
    assert part["name"] in parts, f"what may stand for <{part['name']}> in {rule}? Say so where addresses() is called"
    return parts[part["name"]]
