"""Checks regular expressions of a query, and makes some of patterns such as ``<ip> - <_>``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import re2

from logshed.search.model import Mistake

if TYPE_CHECKING:
    from logshed.logql.model import Spot

_HOLE = re.compile(r"<([A-Za-z_][A-Za-z0-9_]*)>")
_PLAIN = re.compile(r"[^\\.+*?()|\[\]{}^$]*")


def compiled(expression: str, spot: Spot) -> re.Pattern[str]:
    """The expression, which a dot in takes line feeds too.

    Raises:
        Mistake: It is none.
    """
    options = re2.Options()
    options.log_errors = False
    try:
        found: re.Pattern[str] = re2.compile("(?s)" + expression, options)
    except re2.error as error:
        cause = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error.args[0])
        raise Mistake(cause, "correct the regular expression; RE2 has no look-around", spot.at, spot.end) from None
    return found


def groups(expression: str, spot: Spot) -> tuple[str | None, ...]:
    """The names of an expression's groups in order.

    Raises:
        Mistake: It is no expression, or none of its groups has a name.
    """
    found = compiled(expression, spot)
    named = {place: name for name, place in found.groupindex.items()}
    if not named:
        raise Mistake("no group has a name", "write (?P<label>...)", spot.at, spot.end)
    return tuple(named.get(place + 1) for place in range(found.groups))


def alternatives(expression: str) -> list[str] | None:
    """The texts of ``a|b|c``, where nothing else is in it."""
    parts = expression.split("|")
    return parts if all(part and _PLAIN.fullmatch(part) for part in parts) else None


def of_pattern(pattern: str, spot: Spot) -> tuple[str, tuple[str | None, ...]]:
    """The expression of a pattern, and the labels of its groups; what follows the last literal is left.

    Raises:
        Mistake: Nothing is named, a name stands twice, or two stand side by side.
    """
    pieces = _HOLE.split(pattern)
    names = tuple(None if name == "_" else name for name in pieces[1::2])
    named = [name for name in names if name]
    if not named:
        raise Mistake("the pattern names nothing", "write <label> for what is to be taken", spot.at, spot.end)
    if len(set(named)) < len(named):
        raise Mistake("a name stands twice in the pattern", "write <_> for what is not wanted", spot.at, spot.end)
    if any(not literal for literal in pieces[2:-1:2]):
        raise Mistake("two names stand side by side in the pattern", "put text between them", spot.at, spot.end)
    last = "" if pieces[-1] else "$"
    return "^" + "(.*?)".join(map(re.escape, pieces[0::2])) + last, names


def of_form(pattern: str) -> str:
    """The expression of a line filter's pattern, in which ``<_>`` is any text; it must match the whole line."""
    return "^" + ".*?".join(map(re.escape, pattern.split("<_>"))) + "$"
