"""Proposes a format file from sample lines: a pattern that takes them, with names for what is plain to see."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.errors import FormatError
from logshed.formats.parse import parse
from logshed.formats.reader import format_from
from logshed.formats.samples import choice_of, samples_fail
from logshed.pipeline.tokens import TIME, TIMES, WORD, Token, tokens
from logshed.schema import UNMAPPED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.formats.model import Format

_GROUPS = {
    "time": f"(?:{TIME})",
    "level": "[A-Za-z]+",
    "address": "[0-9A-Fa-f.:]+",
    "number": "-?[0-9]+(?:\\.[0-9]+)?",
}
_REQUEST = re.compile(r'"[A-Z]+ [^ "]+ HTTP/[0-9.]+"')
_OBSERVED = datetime(2100, 1, 1, tzinfo=UTC)
_MOST_PATTERNS = 5
_SAMPLES = 3
_MOST_WORDS = 2
_CERTAIN = 5
"""Lines after which a word that never changes is taken for a part of the form."""

_STATUS = re.compile(r"[1-5][0-9]{2}")


@dataclass(slots=True)
class Proposal:
    """A format file that is proposed.

    Attributes:
        text: The file.
        form: The format as it is read.
        lines: Sample lines, redacted; those that go on with a record counted in.
        unparsed: Those that the format does not take.
    """

    text: str
    form: Format
    lines: int
    unparsed: list[str] = field(default_factory=list)


def propose(name: str, lines: Sequence[str]) -> Proposal:
    """Propose a format of kind ``regex``.

    Args:
        name: Its name.
        lines: Sample lines, redacted.

    Raises:
        FormatError: No pattern takes the lines.
    """
    own = [line for line in lines if line.strip()]
    if not own:
        raise FormatError("cannot propose a format: there is no line in the sample; give some")
    shapes = _shapes(own)
    start = _start(shapes)
    records = _joined(own, start) if start else own
    groups: dict[str, str] = {}
    patterns = [_pattern(shape, groups) for shape in _shapes(records)][:_MOST_PATTERNS]
    if start:  # what follows the first line belongs to the message, and a stack trace is taken out of it
        patterns = [_over_lines(pattern) for pattern in patterns]
    keys: dict[str, Any] = {"patterns": patterns, "groups": groups, "start": start}
    bare = format_from(name, tomllib.loads(_toml(name, keys, [], {})), name)
    parsed = _parsed(bare, records)
    taken = parsed["parse_error"].is_null()
    if not taken.any():
        raise FormatError("cannot propose a format: no pattern takes the sample lines; write one, see docs/formats.md")
    chosen = [line for line, ok in zip(records, taken, strict=True) if ok]
    chosen = sorted(
        dict.fromkeys([*(min(chosen, key=len), max(chosen, key=len)), *chosen[:_SAMPLES]]), key=chosen.index
    )
    expected = {line: _expected(bare, line) for line in chosen[:_SAMPLES]}
    text = _toml(name, keys, chosen[:_SAMPLES], expected)
    form = format_from(name, tomllib.loads(text), name)
    if wrong := samples_fail(form):
        raise FormatError(f"cannot propose a format: {wrong[0]}; write one, see docs/formats.md")
    return Proposal(text, form, len(own), [line for line, ok in zip(records, taken, strict=True) if not ok])


def _joined(lines: Sequence[str], start: str) -> list[str]:
    """Records of several lines; what comes before the first one that begins is left out."""
    found: list[str] = []
    for line in lines:
        if re.match(start, line):
            found.append(line)
        elif found:
            found[-1] += f"\n{line}"
    return found


def _over_lines(pattern: str) -> str:
    body = "(?P<body>(?s:.*))$"
    ending = "(?P<body>.*)$"
    return pattern.removesuffix(ending) + body if pattern.endswith(ending) else pattern.removesuffix("$") + body


def _shapes(lines: Sequence[str]) -> list[list[str]]:
    """The lines by how they begin, the commonest beginning first."""
    found: dict[tuple[str, ...], list[str]] = {}
    for line in lines:
        found.setdefault(tuple(token.key for token in tokens(line)[:4]), []).append(line)
    ordered = sorted(found.values(), key=len, reverse=True)
    if len(ordered) <= _MOST_PATTERNS:
        return ordered
    coarse: dict[str, list[str]] = {}
    for line in lines:
        coarse.setdefault(next((token.key for token in tokens(line)), ""), []).append(line)
    return sorted(coarse.values(), key=len, reverse=True)


def _start(shapes: list[list[str]]) -> str:
    """How a record of several lines begins: with a time that some lines lack, of which the first line is none."""
    timed = [shape for shape in shapes if re.match(rf"\[?(?:{TIME})", shape[0])]
    lacking = [shape for shape in shapes if shape not in timed]
    indented = [
        shape for shape in lacking if re.match(r"[ \t]|Caused by|Traceback|[a-zA-Z.]+(?:Exception|Error)", shape[0])
    ]
    return rf"^\[?(?:{TIME})" if timed and lacking and indented else ""


def _pattern(lines: Sequence[str], groups: dict[str, str]) -> str:
    """One pattern for lines of one shape: fields as far as all are alike, the rest is the message."""
    rows = [tokens(line) for line in lines]
    built = ["^"]
    names: Counter[str] = Counter()
    before = ""
    for place, column in enumerate(zip(*rows, strict=False)):
        kinds, texts = {token.key for token in column}, {token.text for token in column}
        constant = len(texts) == 1
        if column[0].kind == "word" and constant and _is_prose(rows, place):
            return "".join([*built, "(?P<body>.*)$"])
        if constant and (column[0].kind == "mark" or (column[0].kind == "word" and len(lines) >= _CERTAIN)):
            built.append(re.escape(column[0].text).replace("\\ ", " ").replace('\\"', '"'))
            continue
        after = {row[place + 1].text[:1] if place + 1 < len(row) else "" for row in rows}
        alike = len(kinds) == 1 and column[0].kind not in ("mark", "word")
        if not alike and (any(token.kind in ("mark", "quoted", "pair") for token in column) or len(after) > 1):
            return "".join([*built, "(?P<body>.*)$"])
        kind = column[0].kind if alike else "word"
        if kind == "word" and _is_prose(rows, place):
            return "".join([*built, "(?P<body>.*)$"])
        group, before = _group(kind, column, names, groups, before)
        built.append(group)
    longest = max(map(len, rows))
    return "".join(built) + ("$" if all(len(row) == longest for row in rows) else "(?P<body>.*)$")


def _is_prose(rows: list[list[Token]], place: int) -> bool:
    """Whether a message begins here: three words in a row, or two and the end."""
    for row in rows:
        words = 0
        for token in row[place:]:
            if token.kind not in ("word", "number", "level") and token.text != " ":
                break
            words += token.kind == "word"
        else:
            words += 1
        if words > _MOST_WORDS:
            return True
    return False


def _group(
    kind: str, column: Sequence[Token], names: Counter[str], groups: dict[str, str], before: str
) -> tuple[str, str]:
    """The group of one field, and its name."""
    first = column[0].text
    if kind == "pair":
        key = first.partition("=")[0]
        name = _free(re.sub(r"[^A-Za-z0-9_]", "_", key), names)
        if name != key:
            groups[name] = key
        quoted = all(token.text.endswith('"') for token in column)
        value = rf'"(?P<{name}>(?:[^"\\]|\\.)*)"' if quoted else rf'(?P<{name}>"(?:[^"\\]|\\.)*"|[^ ,;"\]\)]*)'
        return f"{re.escape(key)}={value}", name
    if kind == "quoted":
        name = _free(_quoted_name(column), names)
        return rf'"(?P<{name}>(?:[^"\\]|\\.)*)"', name
    if kind == "number" and before == "request_line" and all(_STATUS.fullmatch(token.text) for token in column):
        name = _free("http_response_status_code", names)
    else:
        usual = {"time": "timestamp", "level": "severity_text", "address": "client_address"}
        name = _free(usual.get(kind, f"field_{names.total() + 1}"), names)
    inner = _time(column) if kind == "time" else _GROUPS.get(kind, WORD)
    return f"(?P<{name}>{inner})", name


def _time(column: Sequence[Token]) -> str:
    """The one form that all these times have, or any."""
    return next((form for form in TIMES if all(re.fullmatch(form, token.text) for token in column)), f"(?:{TIME})")


def _quoted_name(column: Sequence[Token]) -> str:
    texts = [token.text for token in column]
    if any(_REQUEST.fullmatch(text) for text in texts):
        return "request_line"
    if any("Mozilla/" in text for text in texts):
        return "user_agent_original"
    return "http_referrer" if any(text.startswith('"http') for text in texts) else "quoted"


def _free(name: str, names: Counter[str]) -> str:
    """The name, with a number where it is taken already."""
    name = name if re.match(r"[A-Za-z_]", name) else f"_{name}"
    names[name] += 1
    return name if names[name] == 1 else f"{name}_{names[name]}"


def _parsed(form: Format, lines: Sequence[str]) -> pl.DataFrame:
    return parse(pl.Series(lines, dtype=pl.String), choice_of(form), observed=_OBSERVED, formats={form.name: form})


def _expected(form: Format, line: str) -> dict[str, Any]:
    row = _parsed(form, [line]).row(0, named=True)
    attributes = row.pop(UNMAPPED) or {}
    left_out = {"row", "item", "log_format", "log_type", "parse_error", "timestamp_source"}
    columns = {name: value for name, value in row.items() if name not in left_out and value is not None}
    return {**columns, **{f"{UNMAPPED}.{name}": value for name, value in attributes.items() if value is not None}}


def _toml(name: str, keys: dict[str, Any], samples: Sequence[str], expected: dict[str, dict[str, Any]]) -> str:
    """The file's text."""
    is_access = any("<request_line>" in pattern for pattern in keys["patterns"])
    lines = [
        f"title = {_quoted(f'{name}: say what writes this log')}",
        'kind = "regex"',
        f'log_type = "{"access" if is_access else "application"}"',
        "specificity = 60",
        'times = ["iso", "epoch", "any"]',
        'nulls = ["-", ""]',
        "patterns = [",
        *(f"    {_quoted(pattern)}," for pattern in keys["patterns"]),
        "]",
    ]
    if keys["groups"]:
        lines += ["", "[groups]", *(f"{group} = {_quoted(to)}" for group, to in keys["groups"].items())]
    if keys["start"]:
        lines.insert(lines.index("patterns = ["), "traces = true")
        lines += ["", "[multiline]", f"start = {_quoted(keys['start'])}"]
    for line in samples:
        lines += ["", "[[sample]]", f"line = {_quoted(line)}", "[sample.expect]"]
        lines += [f"{_key(column)} = {_value(value)}" for column, value in expected[line].items()]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)


def _value(value: Any) -> str:
    if isinstance(value, datetime):
        return _quoted(value.isoformat().replace("+00:00", "Z"))
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    """A TOML string, a literal one where it can be, so that patterns are readable."""
    if "'" not in text and not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text):
        return f"'{text}'"
    if "'''" not in text and not text.startswith("'") and not text.endswith("'") and text.isprintable():
        return f"'''{text}'''"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
