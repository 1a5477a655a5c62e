"""Makes SQL of a template such as ``{{.method}} {{.path | ToUpper}}``: labels, texts and a few functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from logshed.search.model import Mistake
from logshed.search.sql import literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.logql.model import Spot

_ACTION = re.compile(r"(\s*)\{\{(-\s)?(.*?)(\s-)?\}\}(\s*)", re.DOTALL)
_PIECE = re.compile(
    r"""\s+|(?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?P<label>\.[A-Za-z_][A-Za-z0-9_]*)|(?P<number>-?\d+)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<pipe>\|)""",
    re.VERBOSE,
)
FUNCTIONS = {
    "ToUpper": "upper({0})",
    "upper": "upper({0})",
    "ToLower": "lower({0})",
    "lower": "lower({0})",
    "trim": "trim({0})",
    "TrimSpace": "trim({0})",
    "trimPrefix": "CASE WHEN starts_with({1}, {0}) THEN substr({1}, length({0}) + 1) ELSE {1} END",
    "trimSuffix": "CASE WHEN ends_with({1}, {0}) THEN left({1}, length({1}) - length({0})) ELSE {1} END",
    "Replace": "replace({0}, {1}, {2})",
    "replace": "replace({2}, {0}, {1})",
    "default": "coalesce(nullif({1}, ''), {0})",
    "trunc": "CASE WHEN {0} < 0 THEN right({1}, -({0})) ELSE left({1}, {0}) END",
    "substr": "substr({2}, {0} + 1, greatest({1} - {0}, 0))",
    "alignLeft": "rpad(left({1}, {0}), {0}, ' ')",
    "alignRight": "lpad(right({1}, {0}), {0}, ' ')",
}
"""Functions of a template in SQL; what stands before a pipe is the last of what they are given."""
LINE = "__line__"


def template(text: str, spot: Spot, label: Callable[[str], str], line: str) -> str:
    """A template as SQL.

    Args:
        text: The template.
        spot: Where it stands.
        label: Gives a label's text, in SQL.
        line: The line, in SQL.

    Raises:
        Mistake: Something in it is not known.
    """
    parts: list[str] = []
    at = 0
    for action in _ACTION.finditer(text):
        before = text[at : action.start()] + ("" if action[2] else action[1])
        if before:
            parts.append(literal(before))
        parts.append(_action(action[3], spot, label, line))
        at = action.end() if action[4] else action.start(5)
    if text[at:]:
        parts.append(literal(text[at:]))
    return f"concat({', '.join(parts)})" if parts else "''"


def _action(text: str, spot: Spot, label: Callable[[str], str], line: str) -> str:
    value: str | None = None
    command: list[tuple[str, str]] = []
    for kind, piece in [*_pieces(text, spot), ("pipe", "|")]:
        if kind != "pipe":
            command.append((kind, piece))
            continue
        value = _command(command, value, spot, lambda name: f"coalesce({label(name)}, '')", line)
        command = []
    return value or "''"


def _pieces(text: str, spot: Spot) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            raise _mistake(f"{text[at:].strip()!r} in the template is not known", spot)
        if piece.lastgroup:
            found.append((piece.lastgroup, piece[0]))
        at = piece.end()
    return found


def _command(
    command: list[tuple[str, str]], piped: str | None, spot: Spot, label: Callable[[str], str], line: str
) -> str:
    if not command:
        raise _mistake("the template has an empty place", spot)
    (kind, head), rest = command[0], command[1:]
    if kind != "name" or head == LINE:
        if rest or piped is not None:
            raise _mistake(f"{head} is no function", spot)
        return _value(kind, head, spot, label, line)
    if head not in FUNCTIONS:
        raise _mistake(f"the template's {head} is not supported", spot)
    given = [_value(*one, spot, label, line) for one in rest] + ([] if piped is None else [piped])
    wanted = 1 + max(int(place) for place in re.findall(r"\{(\d)\}", FUNCTIONS[head]))
    if len(given) != wanted:
        raise _mistake(f"the template's {head} takes {wanted} values", spot)
    return FUNCTIONS[head].format(*given)


def _value(kind: str, piece: str, spot: Spot, label: Callable[[str], str], line: str) -> str:
    match kind:
        case "label":
            return label(piece[1:])
        case "number":
            return piece
        case "text":
            return literal(piece[1:-1] if piece[0] == "`" else re.sub(r"\\(.)", r"\1", piece[1:-1]))
    if piece == LINE:
        return line
    raise _mistake(f"the template's {piece} is not supported here", spot)


def _mistake(cause: str, spot: Spot) -> Mistake:
    return Mistake(cause, f"write {{{{.label}}}}, or one of {', '.join(FUNCTIONS)}", spot.at, spot.end)
