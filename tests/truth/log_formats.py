"""Scores Apache ``LogFormat`` strings: each case is a string, a line and what its directives hold."""
# ruff: noqa: PLR0911 - one kind of node is asked for after another

from __future__ import annotations

import ast
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tests.truth.cases import Entry, flat, rows
from tests.truth.running import run
from tests.truth.scoring import Score, leaves_of, load_map

from logshed.errors import FormatError
from logshed.formats.adhoc import adhoc
from logshed.formats.choice import Choice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ZONED = '%h %l %u %t "%r" %>s %b'
_COMMON_LINE = '127.0.0.1 - - {} "GET / HTTP/1.1" 200 -'


def score(folder: Path) -> Score:
    """Parse each line with its own format string."""
    found = Score("apachelogs")
    table = load_map("apachelogs")
    for entry, log_format in cases(folder):
        records = _parsed(log_format, entry.text)
        if entry.rejected:
            taken = records is not None and records[0].error is None
            found.leaves.extend(
                leaves_of(
                    "apachelogs",
                    table,
                    Entry(entry.case, entry.format, 0, entry.text, {"rejected": not taken}),
                    {"@rejected": "true"},
                    "",
                )
            )
            continue
        values = records[0].values if records and records[0].error is None else {}
        taken_by = log_format if records else "no format"
        found.leaves.extend(leaves_of("apachelogs", table, entry, values, taken_by))
    return found


def _parsed(log_format: str, line: str) -> Any:
    """The records under ``--log-format``; None where it takes no such string."""
    try:
        form = adhoc("log_format", log_format)
    except FormatError:
        return None
    return run([line], choice=Choice((), (form.spelling,)))


def cases(folder: Path) -> Iterator[tuple[Entry, str]]:
    """Entries and their format strings; what is no line of a log (names of encodings, line ends) is left out."""
    for row in rows(folder, "apachelogs"):
        name, expect = row["format"], row["expect"]
        if "fmt" in expect:
            fields = dict(flat(expect["fields"]))
            yield Entry(row["id"], "format string", 0, expect["entry"], fields), expect["fmt"]
        elif name == "test_parse_bad_apache_timestamp":
            text = expect["value"]
            line = _COMMON_LINE.format(text if text.startswith("[") else f"[{text}]")
            yield Entry(row["id"], "time", 0, line, {}, rejected=True), _ZONED
        elif isinstance(expect.get("value"), str) and expect["value"].startswith("("):
            yield from _from_python(row, name)


def _from_python(row: dict[str, Any], name: str) -> Iterator[tuple[Entry, str]]:
    """Cases that are written as a Python tuple of literals, times and zones."""
    values = _value(ast.parse(row["expect"]["value"], mode="eval").body)
    if name == "test_parse_apache_timestamp":
        text, moment = values
        line = _COMMON_LINE.format(f"[{text.strip('[]')}]")
        yield Entry(row["id"], "time", 0, line, {"request_time": moment}), _ZONED
    elif len(values) == 3 and isinstance(values[2], dict):
        yield Entry(row["id"], "format string", 0, values[1], dict(flat(values[2]))), values[0]


def _value(node: ast.expr) -> Any:
    """The value of an expression of literals, ``datetime`` objects and zones such as ``w5`` (5 hours west)."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Tuple):
        return tuple(_value(one) for one in node.elts)
    if isinstance(node, ast.List):
        return [_value(one) for one in node.elts]
    if isinstance(node, ast.Dict):
        return {_value(key): _value(one) for key, one in zip(node.keys, node.values, strict=True) if key is not None}
    if isinstance(node, ast.UnaryOp):
        return -_value(node.operand)
    if isinstance(node, ast.Attribute) or (isinstance(node, ast.Name) and node.id == "utc"):
        return UTC
    if isinstance(node, ast.Name):
        return timezone(timedelta(hours=int(node.id[1:]) * (-1 if node.id[0] == "w" else 1)))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        kinds: dict[str, Any] = {"datetime": datetime, "date": date, "time": time, "mktz": _zone}
        made = {word.arg: _value(word.value) for word in node.keywords if word.arg}
        return kinds[node.func.id](*(_value(one) for one in node.args), **made)
    raise AssertionError(ast.dump(node))


def _zone(hours: int, minutes: int) -> timezone:
    return timezone(timedelta(hours=hours, minutes=minutes))
