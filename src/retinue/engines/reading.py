"""
What a text does to a database, as far as its words say. No statements.

Only what is known by name is taken for a function that reads: any other may write, or mean a transaction.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

COMMENTS: Final = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_FIRST_WORD: Final = re.compile(COMMENTS + r"(\w*)", re.DOTALL)

#: First words of texts that neither write nor begin a savepoint. A text that starts with WITH may write.
READS: Final = frozenset({"SELECT", "VALUES", "EXPLAIN", "PRAGMA"})

#: So many texts are remembered, of no more characters each: those that are longer are few, and hold long lists.
_REMEMBERED: Final = 300
_LONGEST: Final = 20_000

#: What makes a text more than one that reads: another statement, a comment (a name before it may be that of a function),
#: a lock, a time that is the transaction's, something that is written.
_MORE: Final = re.compile(
    r";|--|/\*|\b(?:INSERT|UPDATE|DELETE|MERGE|INTO|SHARE|CURRENT_(?:DATE|TIME|TIMESTAMP)|LOCALTIME|LOCALTIMESTAMP)\b",
    re.IGNORECASE,
)
#: What stands before a parenthesis; nothing, where that is the name AS of something, whose columns are in it. Any sign
#: beyond ASCII may be in a name.
_BEFORE_PARENTHESIS: Final = re.compile(r"""(?:\bAS\s+[\w$"]+|([\w$."'\u0080-\U0010ffff]*))\s*\(""", re.IGNORECASE)
#: What may stand before a parenthesis, beside signs: words of the language, types, functions of each PostgreSQL.
_WORDS: Final = """
    ALL AND ANY ARRAY AS BETWEEN BY CASE DISTINCT ELSE EXCEPT EXISTS FILTER FROM GROUP HAVING ILIKE IN INTERSECT IS JOIN
    LATERAL LIKE LIMIT MATERIALIZED NOT OFFSET ON OR OVER ROW SELECT SOME THEN UNION USING VALUES WHEN WHERE

    CAST CHAR DECIMAL FLOAT INTERVAL NUMERIC TIME TIMESTAMP VARCHAR

    ABS ARRAY_AGG AVG BOOL_AND BOOL_OR CEIL CHAR_LENGTH COALESCE CONCAT COUNT DATE_TRUNC DENSE_RANK EVERY EXP EXTRACT
    FIRST_VALUE FLOOR GENERATE_SERIES GREATEST LAG LAST_VALUE LEAD LEAST LEFT LENGTH LN LOG LOWER MAX MIN MOD NULLIF POSITION
    POWER RANK REPLACE RIGHT ROUND ROW_NUMBER SQRT STRING_AGG STRPOS SUBSTR SUBSTRING SUM TIMEZONE TRIM UNNEST UPPER
"""
_KNOWN: Final = frozenset(_WORDS.split()) | {""}


def first_word(statement: str) -> str:
    """Return the word with which *statement* starts, in capitals, comments left out."""
    word = _FIRST_WORD.match(statement)
    return "" if word is None else word[1].upper()


def only_reads(statement: str) -> bool:
    """Return whether *statement* of PostgreSQL's does nothing but read, by itself as well as in a transaction."""
    return len(statement) <= _LONGEST and _only_reads(statement)


@lru_cache(_REMEMBERED)
def _only_reads(statement: str) -> bool:
    if first_word(statement) not in ("SELECT", "WITH") or _MORE.search(statement):
        return False
    return all(word.upper() in _KNOWN for word in _BEFORE_PARENTHESIS.findall(statement))
