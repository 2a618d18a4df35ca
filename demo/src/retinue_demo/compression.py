"""Files that change with a new version alone, compressed on their way."""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import Final

from flask import Flask, Response, request

#: Pages are not among them: a secret beside what a visitor can write there could be guessed by the size.
_FILES: Final = frozenset({"static", "retinue.static"})


def init_app(app: Flask) -> None:
    """Compress the style sheets, scripts and pictures of *app* for every browser that takes it so."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if request.endpoint not in _FILES:
        return response
    response.vary.add("Accept-Encoding")
    if (
        response.status_code == 200
        and request.accept_encodings["gzip"] > 0
        and "Content-Encoding" not in response.headers
    ):
        response.direct_passthrough = False
        response.set_data(_compressed(response.get_data()))
        response.headers["Content-Encoding"] = "gzip"
        # What is cached under the tag of the file must not be taken for the file.
        if tag := response.get_etag()[0]:
            response.set_etag(f"{tag}-gzip")
    return response


@lru_cache(maxsize=32)
def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
