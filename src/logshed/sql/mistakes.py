"""Says what is wrong with a statement: the cause, the place in its text, and the nearest name that exists."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logshed.errors import QueryError, gone

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KIND = re.compile(r"^[A-Z][A-Za-z ]* Error: ")
_NO_MEMBER = re.compile(r'does not have a column named "(.*?)"')
_LINE_BLOCK = re.compile(r"\n\nLINE \d+:.*", re.DOTALL)
WIDEST = 100
"""Letters of a statement's line that are shown."""


@dataclass(frozen=True, slots=True)
class _Mistake:
    message: str
    name: str = ""
    kind: str = ""
    subtype: str = ""
    candidates: tuple[str, ...] = ()
    position: int | None = None


def explained(error: Exception, sql: str, known: Mapping[str, Iterable[str]], shift: int = 0) -> QueryError:
    """The error to raise for one of DuckDB's.

    Args:
        error: DuckDB's error, its text plain or JSON (``errors_as_json``).
        sql: The statement.
        known: The columns of every table that the statement could read, by the table's name.
        shift: Bytes that stood before the statement when DuckDB read it.
    """
    mistake = _read(str(error), sql, shift)
    if isinstance(error, FileNotFoundError) or mistake.message.startswith("No files found that match the pattern"):
        return QueryError(gone(error if isinstance(error, FileNotFoundError) else QueryError(mistake.message)))
    cause, advice = _cause(mistake, sql, known)
    place = _place(sql, mistake)
    return QueryError(f"cannot run the query: {cause}; {advice}{place}")


def _read(text: str, sql: str, shift: int) -> _Mistake:
    try:
        found = json.loads(text[text.index("{") :])
    except ValueError:  # a text that is not JSON
        return _Mistake(_KIND.sub("", _LINE_BLOCK.sub("", text)).strip())
    position = int(found["position"]) - shift if "position" in found else None
    if position is not None and not 0 <= position <= len(sql.encode()):
        position = None
    return _Mistake(
        message=str(found.get("exception_message", text)).strip(),
        name=str(found.get("name", "")),
        kind=str(found.get("type", "")),
        subtype=str(found.get("error_subtype", "")),
        candidates=tuple(name.strip('" ') for name in str(found.get("candidates", "")).split(",") if name.strip()),
        position=position,
    )


def _cause(mistake: _Mistake, sql: str, known: Mapping[str, Iterable[str]]) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    member = _NO_MEMBER.search(mistake.message)
    if mistake.subtype == "COLUMN_NOT_FOUND" or member:
        name = member[1] if member else mistake.name
        columns = [column for table, names in known.items() if _mentioned(table, sql) for column in names]
        return f'no column "{name}"', _advice(name, columns, mistake, "DESCRIBE logs lists the columns of logs")
    if mistake.kind == "Table":
        return f'no table "{mistake.name}"', _advice(mistake.name, known, None, f"there are {', '.join(known)}")
    first, *rest = mistake.message.splitlines() or [""]
    hint = next((line for line in rest if line.startswith("Did you mean")), "")
    return first.rstrip(".!"), hint.replace("Did", "did") or "mend the statement"


def _mentioned(table: str, sql: str) -> bool:
    return table.lower().removeprefix("iceberg.") in sql.lower()


def _advice(name: str, names: Iterable[str], mistake: _Mistake | None, otherwise: str) -> str:
    near = nearest(name, names) or next(iter(mistake.candidates if mistake else ()), None)
    return f'did you mean "{near}"?' if near else otherwise


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant: one that holds it as a word, else one that is spelt like it."""
    words = [other for other in names if f"_{name.lower()}_" in f"_{other.lower()}_"]
    if words:
        return min(words, key=len)
    near = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.6)
    return near[0] if near else None


def _place(sql: str, mistake: _Mistake) -> str:
    """The line of the statement with a caret under the mistake."""
    if mistake.position is None:
        return ""
    before = sql.encode()[: mistake.position].decode(errors="ignore")
    number = before.count("\n")
    column = len(before) - (before.rfind("\n") + 1)
    line, column = _around(sql.split("\n")[number], column)
    label = f"  line {number + 1}: "
    width = max(1, len(mistake.name)) if line[column:].startswith(mistake.name) else 1
    return f"\n{label}{line}\n{' ' * (len(label) + column)}{'^' * width}"


def _around(line: str, column: int) -> tuple[str, int]:
    """What of a long line is around a place, and where in it that is: a caret under a line that wraps shows nothing."""
    if len(line) <= WIDEST:
        return line, column
    begin = max(0, min(column - WIDEST // 2, len(line) - WIDEST))
    left, right = "…" if begin else "", "…" if begin + WIDEST < len(line) else ""
    return f"{left}{line[begin : begin + WIDEST]}{right}", column - begin + len(left)
