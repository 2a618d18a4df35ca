"""Addresses in what somebody wrote, as links."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Final

from flask import Flask
from markupsafe import Markup, escape

#: Of the web alone: whatever else a link may do, nobody can write here.
_ADDRESS: Final = re.compile(r"\bhttps?://[^\s<>\"“”]+", re.IGNORECASE)

#: What ends a sentence, not an address.
_AFTER: Final = ".,;:!?'’…"

#: Nobody here vouches for what others link to, and where it leads does not learn of this page.
_LINK: Final = Markup('<a class="retinue-inline" href="{0}" rel="nofollow ugc noopener noreferrer">{0}</a>')


def init_app(app: Flask) -> None:
    """Give the templates of *app* the filter."""
    app.add_template_filter(linked)


def linked(text: str) -> Markup:
    """Return *text* as HTML in which each address of the web is a link that says where it leads."""
    done, at = Markup(), 0
    for found in _ADDRESS.finditer(text):
        address = _whole(found[0])
        if address.endswith("//"):
            continue
        done += escape(text[at : found.start()]) + _LINK.format(address)
        at = found.start() + len(address)
    return done + escape(text[at:])


def _whole(address: str) -> str:
    """Return as much of *address* as belongs to it: nothing unseen, and no end of a sentence or of a parenthesis."""
    address = "".join(takewhile(str.isprintable, address)).rstrip(_AFTER)
    while address.endswith(")") and address.count(")") > address.count("("):
        address = address[:-1].rstrip(_AFTER)
    return address
