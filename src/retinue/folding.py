"""Names as they are searched for: by any of their words, however these are spelt."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from retinue.settings import SEARCH_MOST

#: Words of one name by which somebody is found; names have no end where nobody has set one.
WORDS_MOST: Final = 10

#: Letters that do not fall apart into a plain one and an accent.
_PLAIN: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "\N{LATIN SMALL LETTER DOTLESS I}": "i"}
)

#: Accents of Latin, Greek and Cyrillic letters; the signs of other scripts are letters as others are.
_ACCENTS: Final = re.compile("[\u0300-\u036f]")


def fold_name(text: str) -> str:
    """
    Return the words of *text* as they are compared: without capital letters, accents and punctuation. No statement.

    "Zoë  O'Neil-Ødegård" is "zoe o neil odegard", "STRASSE" and "straße" are the same; what is no letter, number
    or symbol, in any script, only parts words. Empty, where nothing is left.
    """
    # Twice, as a letter may fall apart into capital ones, and a capital one into a letter and an accent.
    small = unicodedata.normalize("NFKD", text).casefold().translate(_PLAIN)
    whole = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", small)))
    return " ".join("".join(_read(whole)).split())


def search_texts(*names: str) -> list[str]:
    """
    Return the texts under which somebody of these *names* is found by any word of them: see `declare_search()`. No statement.

    One for each word: the name, folded, from that word on, and then what stands before it. So "Mary Ann Lee" is
    "mary ann lee", "ann lee mary" and "lee mary ann": whoever types "ann", "lee m" or "mary a" finds her. Each text is
    there once, and has at most 255 characters; of a name with more than 10 words the first 10 begin one.

    Args:
        names: What somebody is called: a name, a username.
    """
    texts: dict[str, None] = {}
    for name in names:
        words = fold_name(name).split()
        for first in range(min(len(words), WORDS_MOST)):
            texts[" ".join((*words[first:], *words[:first]))[:SEARCH_MOST].rstrip()] = None
    return list(texts)


def _read(text: str) -> Iterator[str]:
    """Yield the characters of *text*: a space for punctuation and the like, and nothing for what cannot be seen."""
    for character in text:
        kind = unicodedata.category(character)
        if kind[0] in "PZ" or kind in ("Cc", "Cs"):
            yield " "
        elif kind != "Cf":
            yield character
