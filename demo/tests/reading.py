"""Reading a page as a program does: where its links lead, and what its forms send."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Form:
    """A form, with what it sends when nothing is changed in it; one for each of its buttons."""

    method: str
    action: str
    fields: Fields

    @property
    def names(self) -> list[str]:
        """The names of what it sends, but its token."""
        return sorted(dict(self.fields).keys() - {"csrf_token"})


@dataclass
class _Draft:
    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    #: (name, value, where it sends the form: empty for where the form itself leads).
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


class Reading(HTMLParser):
    """
    The links and forms of a page.

    Args:
        path: Where the page was found: what its relative addresses start from.
        text: The page.
    """

    def __init__(self, path: str, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._path = path
        self._drafts: dict[str, _Draft] = {}
        self._open = ""
        self._option: dict[str, str] | None = None
        self.feed(text)
        for draft in self._drafts.values():
            for name, value, action in draft.buttons or [("", "", "")]:
                sent = [*draft.fields, (name, value)] if name else draft.fields
                self.forms.append(Form(draft.method, action or draft.action, tuple(sent)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what *tag* leads to or sends."""
        given = {name: value or "" for name, value in attrs}
        # An address that somebody has written leads wherever they like, and its link says whose it is.
        if tag == "a" and "href" in given and "ugc" not in given.get("rel", "").split():
            self.links.append(self._address(given["href"]))
        elif tag == "form":
            self._open = given.get("id") or f"form {len(self._drafts)}"
            draft = _Draft(given.get("method", "get").upper(), self._address(given.get("action", "")))
            # A button elsewhere on the page may have named it before.
            draft.buttons += self._drafts.pop(self._open, draft).buttons
            self._drafts[self._open] = draft
        elif tag in {"input", "button", "select", "textarea"}:
            self._control(tag, given)
        elif tag == "option":
            self._option = given
            self._choose(given.get("value"))

    def handle_endtag(self, tag: str) -> None:
        """Leave a form, or an option of a menu."""
        if tag == "form":
            self._open = ""
        elif tag == "option":
            self._option = None

    def handle_data(self, data: str) -> None:
        """Note the words of an option that has no value but them."""
        if self._option is not None and "value" not in self._option:
            self._choose(data.strip())

    def _control(self, tag: str, given: dict[str, str]) -> None:
        draft = self._drafts.setdefault(given["form"], _Draft("GET", "")) if "form" in given else None
        draft = draft or self._drafts.get(self._open)
        if draft is None or given.get("type") == "button":
            return
        pair = (given.get("name", ""), given.get("value", ""))
        if tag == "button" or given.get("type") == "submit":
            draft.buttons.append((*pair, self._address(given["formaction"]) if "formaction" in given else ""))
        elif pair[0] and (given.get("type") not in {"checkbox", "radio"} or "checked" in given):
            draft.fields.append(pair)

    def _choose(self, value: str | None) -> None:
        """Take an option of the menu that was read last: the first, or the selected one."""
        draft = self._drafts.get(self._open)
        if draft and draft.fields and value is not None:
            name, before = draft.fields[-1]
            if not before or "selected" in (self._option or {}):
                draft.fields[-1] = (name, value)

    def _address(self, target: str) -> str:
        return urljoin(self._path, target).partition("#")[0]
