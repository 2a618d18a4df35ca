"""What no answer of the demo may be, whoever asks for whatever."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote

from werkzeug.test import TestResponse

#: A value that was typed into a form; where a page has it like this, it has become part of the page.
EVIL = "\"'><zzx onfocus=alert(1) autofocus>"
_OBEYED = re.compile(r"<zzx|['\"]><zzx", re.IGNORECASE)

_HEADERS = {
    "Content-Security-Policy": r"default-src 'none'(?!.*unsafe)(?!.*\*).*frame-ancestors 'none'",
    "X-Content-Type-Options": r"nosniff",
    "X-Frame-Options": r"DENY",
    "Referrer-Policy": r"same-origin|no-referrer",
    "Cross-Origin-Opener-Policy": r"same-origin",
}
_HTML_HEADERS = {"Cache-Control": r"private|no-store"}


@dataclass(frozen=True)
class Secrets:
    """What one viewer must not come to know, from no answer, however they ask."""

    #: Nowhere: who blocks them, who is away, what private people wrote.
    nowhere: frozenset[str] = frozenset()
    #: On a page about one of these, or in a row about them, none of those: their hidden lists.
    of: tuple[tuple[str, str], ...] = ()


def faults(path: str, response: TestResponse, secrets: Secrets) -> Iterator[str]:
    """Yield what is wrong with the answer for *path*."""
    text = response.get_data(as_text=True)
    if response.status_code >= 500:
        yield f"answers {response.status_code}"
    yield from _wrong_headers(response)
    place = response.headers.get("Location", "/")
    if not re.match(r"/(?![/\\])", place) or re.search(r"[\x00-\x20\\]", place):
        yield f"leads to {place!r}"
    if response.mimetype == "text/html" and _OBEYED.search(text):
        yield "takes a value for markup"
    said = unescape(text)
    # What stands in the address is the viewer's own word, and no secret.
    for word in re.findall(r"/@\w+", unquote(path)):
        said = re.sub(re.escape(word) + r"(?!\w)", "", said)
    for secret in secrets.nowhere:
        if secret in said:
            yield f"tells {secret!r}"
    for owner, member in secrets.of:
        # What was done to somebody is said on whichever page comes next.
        about = (
            [re.sub(r'<p class="flash.*?</p>', "", said, flags=re.DOTALL)]
            if path.startswith(f"/@{owner}")
            else _rows_about(owner, said)
        )
        if any(member in part for part in about):
            yield f"tells that {member!r} is on a list of {owner!r}"


def _wrong_headers(response: TestResponse) -> Iterator[str]:
    wanted = _HEADERS | (_HTML_HEADERS if response.mimetype == "text/html" else {})
    for name, pattern in wanted.items():
        if not re.search(pattern, response.headers.get(name, "")):
            yield f"has {name}: {response.headers.get(name)}"
    for cookie in response.headers.getlist("Set-Cookie"):
        if not ("HttpOnly" in cookie and re.search(r"SameSite=(Lax|Strict)", cookie)):
            yield f"sets the cookie {cookie.partition('=')[0]} without HttpOnly or SameSite"


def _rows_about(username: str, text: str) -> Iterable[str]:
    rows = re.findall(r"<li\b.*?</li>", text, re.DOTALL)
    return [row for row in rows if f'href="/@{username}"' in row.partition("</a>")[0]]
