"""What a text does to a database, as far as its words say. No statements."""

from __future__ import annotations

import re
from typing import Final

COMMENTS: Final = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_FIRST_WORD: Final = re.compile(COMMENTS + r"(\w*)", re.DOTALL)

#: First words of texts that neither write nor begin a savepoint. A text that starts with WITH may write.
READS: Final = frozenset({"SELECT", "VALUES", "EXPLAIN", "PRAGMA"})

#: So many texts are remembered.
REMEMBERED: Final = 1000


def first_word(statement: str) -> str:
    """Return the word with which *statement* starts, in capitals, comments left out."""
    word = _FIRST_WORD.match(statement)
    return "" if word is None else word[1].upper()
