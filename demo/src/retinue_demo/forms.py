"""Forms that are filled in: what was typed, what is wrong with it, and what a good answer is."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import request

from retinue_demo import passwords, people

#: Characters of a name, and of what people say of themselves: as many as their columns hold.
NAME_MOST = 64
BIO_MOST = 160

#: Joiners that some scripts, and pictures made of several, cannot do without.
_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
#: Letters, as far as Unicode goes, of which nothing is to be seen.
_BLANK = "\u115f\u1160\u3164\uffa0"


@dataclass(slots=True)
class Form:
    """What was typed, and what is wrong with it, each by the name of its field."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def read(self, name: str, clean: Callable[[str], str], check: Callable[[str], str]) -> str:
        """Take a field from the request, tidied up by *clean*; what *check* says of it, if anything, is its error."""
        value = self.values[name] = clean(request.form.get(name, ""))
        if problem := check(value):
            self.errors[name] = problem
        return value


def as_typed(text: str) -> str:
    """Return *text*: each character of a password counts."""
    return text


def tidy(text: str) -> str:
    """Return *text* in one line, without what is left and right of it, its accents in one piece with their letters."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def tidy_username(text: str) -> str:
    """Return *text* as usernames are written, however a telephone has spelt it: " @Ada" is "ada"."""
    return text.strip().lower().removeprefix("@")


def check_username(username: str) -> str:
    """Say what is wrong with a *username* for somebody new."""
    if not username:
        return "Choose a username."
    if len(username) < 2:
        return "A username needs at least 2 characters."
    if len(username) > NAME_MOST:
        return f"A username can have up to {NAME_MOST} characters."
    if not people.USERNAME.fullmatch(username):
        return "Use only the letters a to z, digits and _."
    return ""


def check_name(name: str) -> str:
    """Say what is wrong with a *name*."""
    if not name:
        return "Enter a name."
    if len(name) > NAME_MOST:
        return f"That’s {len(name)} characters. A name can have up to {NAME_MOST}."
    if not any(char.isalnum() and char not in _BLANK for char in name):
        return "A name needs at least one letter or digit."
    return _unseen(name)


def check_bio(bio: str) -> str:
    """Say what is wrong with what somebody says of themselves."""
    if len(bio) > BIO_MOST:
        return f"That’s {len(bio)} characters. You can use up to {BIO_MOST}."
    return _unseen(bio)


def check_new_password(password: str) -> str:
    """Say what is wrong with a *password* for the time to come."""
    if len(password) < passwords.SHORTEST:
        return f"A password needs at least {passwords.SHORTEST} characters."
    if len(password) > passwords.LONGEST:
        return f"A password can have up to {passwords.LONGEST} characters."
    if password == passwords.PASSWORD:
        return "That password is on the log-in page, so everyone knows it."
    return ""


def needed(sentence: str) -> Callable[[str], str]:
    """Return a check that says *sentence* where nothing was typed."""
    return lambda text: "" if text else sentence


def _unseen(text: str) -> str:
    """Say so if there are characters in *text* that nobody sees, such as those that turn the rest of a line around."""
    for char in text:
        if unicodedata.category(char) in {"Cc", "Cf", "Cs"} and char not in _JOINERS:
            return "This has an invisible character in it. Try typing it again."
    return ""
