"""Takes a line of an unknown log apart: times, levels, addresses, numbers, quoted texts, pairs, words, marks."""

from __future__ import annotations

import re
from dataclasses import dataclass

TIMES = (
    r"[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?(?:Z| ?[+-][0-9]{2}:?[0-9]{2})?",
    r"[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2}(?: [+-][0-9]{4})?",
    r"(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?: [0-9]{4})?",
    r"1[0-9]{9}(?:\.[0-9]+|[0-9]{3}|[0-9]{6}|[0-9]{9})?",
)
TIME = "|".join(TIMES)
_LEVEL = r"(?i:TRACE|DEBUG|INFO|INFORMATION|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|CRITICAL|CRIT|FATAL|ALERT|EMERG|PANIC)"
WORD = r"""[^ \t|,;\[\](){}"=:<>]+"""
_KINDS: tuple[tuple[str, str], ...] = (
    ("time", rf"(?:{TIME})(?![0-9A-Za-z:])"),
    ("quoted", r'"(?:[^"\\]|\\.)*"'),
    ("pair", r'[A-Za-z_][A-Za-z0-9_.-]*=(?:"(?:[^"\\]|\\.)*"|[^ ,;"\]\)]*)'),
    ("level", rf"{_LEVEL}(?![A-Za-z0-9_.])"),
    ("address", r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9.])|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![0-9A-Za-z:])"),
    ("number", r"-?[0-9]+(?:\.[0-9]+)?(?![0-9A-Za-z_.:/-])"),
    ("word", WORD),
    ("mark", r"."),
)
_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _KINDS), re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a line.

    Attributes:
        kind: time, quoted, pair, level, address, number, word, or mark (any single character).
        text: The piece.
    """

    kind: str
    text: str

    @property
    def key(self) -> str:
        """What two lines must share here to be of one shape."""
        if self.kind == "pair":
            return f"pair {self.text.partition('=')[0]}"
        return f"mark {self.text}" if self.kind == "mark" else self.kind


def tokens(record: str) -> list[Token]:
    """The tokens of a record's first line."""
    return [Token(found.lastgroup or "mark", found[0]) for found in _TOKEN.finditer(record.partition("\n")[0])]
