"""Compares an expected leaf with a record: right, wrong or honestly unparsed."""
# ruff: noqa: DTZ007, PLR0911 - times are read as they are written; one kind of value is asked for after another

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from logshed.formats.severities import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

Verdict = Literal["right", "wrong", "unparsed", "nothing"]

_NULLS = frozenset({"", "-", "null", "none", "nil", "(null)", "[]", "{}", "n/a"})
_DISTINCTIVE = 4
"""Characters from which on a value is not found in a record by chance."""
_NOT_LEAVES = frozenset({"timestamp_source", "log_format", "log_type", "severity_number", "timestamp"})


def verdict(
    name: str,
    expected: Any,
    targets: tuple[str, ...] | None,
    values: Mapping[str, Any],
    zones: Sequence[ZoneInfo] = (),
) -> Verdict:
    """Compare.

    Args:
        name: The leaf's name in its source.
        expected: Its value.
        targets: Where the map says it goes, the first being its place; None where the map does not know it.
        values: The record, attributes with ``@`` before their names.
        zones: Zones in which the source reads a time that names none, beside UTC.

    Returns:
        ``nothing`` where neither side has a value; ``unparsed`` where only we have none.
    """
    if is_null(expected):
        return "nothing"
    if not targets:
        return _own(name, expected, values)
    found = [(target, shown) for target in targets for shown in _shown(target, values, zones)]
    if any(_equal(target, expected, shown) for target, shown in found):
        return "right"
    first = targets[0]
    if first == "body" and "body" in values and isinstance(expected, str):
        return _message(_plain(expected), _plain(values["body"]), values)
    return "wrong" if any(target == first and not is_null(shown) for target, shown in found) else "unparsed"


def is_null(value: Any) -> bool:
    """Whether a value stands for none."""
    if isinstance(value, list):
        return not value
    return value is None or (isinstance(value, str) and value.strip().lower() in _NULLS)


def _message(expected: str, ours: str, values: Mapping[str, Any]) -> Verdict:
    """A message of which one side took more apart than the other.

    Ours may lack words at its beginning or end that are all in other fields of the record: that is right. Where ours
    holds the expected one and more, the rest is not taken apart: that is unparsed, and not a false statement.
    """
    if ours and ours in expected:
        before, _, after = expected.partition(ours)
        elsewhere = " ".join(str(value) for key, value in values.items() if key != "body")
        words = re.findall(r"[^\s\[\](){}:,;=|\"'<>-]+", f"{before} {after}")
        return "right" if all(word in elsewhere for word in words) else "wrong"
    return "unparsed" if expected in ours else "wrong"


def _own(name: str, expected: Any, values: Mapping[str, Any]) -> Verdict:
    """A format's own field: right where the record holds its value as a field under a name that fits it.

    A value of a few characters needs a name that shares a word with the expected one. A source that numbers the members
    of a list expects one of them.
    """
    wanted, last = _words(name), name.rsplit(".", 1)[-1]
    plain = _plain(expected)
    held = {key: value for key, value in values.items() if key not in _NOT_LEAVES}
    same = [key for key, value in held.items() if _equal(key, expected, value) or plain in _members(key, value)]
    if same and (len(plain) >= _DISTINCTIVE or any(_words(last) & _words(key) for key in same)):
        return "right"
    named = [
        key for key in values if key.startswith("@") and key.rsplit(".", 1)[-1].lstrip("@").lower() == last.lower()
    ]
    own = [key for key in named if _words(key) == wanted]
    return "wrong" if own and not same else "unparsed"


def _members(key: str, value: Any) -> list[str]:
    """The members of a list in an attribute, as JSON or between commas."""
    if not key.startswith("@") or not isinstance(value, str) or "," not in value:
        return []
    try:
        found = json.loads(value)
    except ValueError:
        found = value.split(",")
    return [_plain(one) for one in found] if isinstance(found, list) else []


def _words(name: str) -> set[str]:
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    words = set(re.split(r"[^a-z0-9]+", spaced.lower())) - {"", "parsed", "meta", "custom", "jsonpayload", "legacy"}
    return {_SYNONYMS.get(word, word) for word in words}


_SYNONYMS = {
    "src": "source", "dst": "destination", "dest": "destination", "srv": "server", "fe": "frontend", "be": "backend",
    "ip": "address", "addr": "address", "clientip": "address", "tid": "thread", "hostname": "host", "usr": "user",
    "username": "user", "useragent": "agent", "proto": "protocol", "iface": "interface", "verb": "method",
    "msg": "message", "size": "bytes", "length": "bytes", "len": "bytes", "conn": "connection",
    "connections": "connection", "func": "function", "db": "database", "dbname": "database", "lineno": "line",
    "queries": "query", "retry": "retries", "sec": "time", "duration": "time", "cnt": "count", "num": "count",
}  # fmt: skip


def _shown(target: str, values: Mapping[str, Any], zones: Sequence[ZoneInfo] = ()) -> Iterator[Any]:
    """What a target holds; those that begin with ``$`` are put together from several columns."""
    if target.startswith("$"):
        yield from _PUT_TOGETHER[target](values)
    elif target.startswith("time:"):
        column = target.removeprefix("time:")
        if column in values:
            moments = [values[column]]
            unsure = values.get("timestamp_source") if column == "timestamp" else None
            if unsure in {"inferred_zone", "inferred_year"}:
                moments += [values[column].replace(tzinfo=zone).astimezone(UTC) for zone in zones]
            yield from (_Yearless(moment) if unsure == "inferred_year" else moment for moment in moments)
    elif target == "*":
        yield from values.values()
    elif target in values:
        yield values[target]


class _Yearless:
    """A time whose year was not in the log."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment


def _urls(values: Mapping[str, Any]) -> Iterator[str]:
    path = values.get("url_path")
    if path is None:
        yield from (values[key] for key in ("@http.request.line", "@url.original") if key in values)
        return
    whole = path + (f"?{values['url_query']}" if values.get("url_query") is not None else "")
    yield whole
    yield path
    yield whole + "?"
    if "url_domain" in values:
        port = values.get("@url.port", "")
        for scheme in ("http", "https", values.get("@url.scheme", "")):
            yield f"{scheme}://{values['url_domain']}{':' if port else ''}{port}{whole}"
            yield f"{scheme}://{values['url_domain']}{whole}"
        yield f"{values['url_domain']}{':' if port else ''}{port}{whole}"
        yield f"{values['url_domain']}:{port or values.get('@server.port', '')}"


def _queries(values: Mapping[str, Any]) -> Iterator[str]:
    if "url_query" in values:
        yield from (values["url_query"], f"?{values['url_query']}")


def _requests(values: Mapping[str, Any]) -> Iterator[str]:
    if "http_request_method" in values:
        for url in _urls(values):
            for version in _versions(values):
                yield f"{values['http_request_method']} {url} {version}"
            yield f"{values['http_request_method']} {url}"
    if "@http.request.line" in values:
        yield values["@http.request.line"]


def _versions(values: Mapping[str, Any]) -> Iterator[str]:
    version = values.get("network_protocol_version")
    if version is not None:
        yield from (version, f"HTTP/{version}", f"{version}.0")
        yield version.removeprefix("HTTP/")


def _severities(values: Mapping[str, Any]) -> Iterator[Any]:
    if "severity_text" in values:
        yield values["severity_text"]
    if "severity_number" in values:
        yield _Severity(values["severity_number"])


class _Severity:
    """OpenTelemetry's number of a severity."""

    def __init__(self, number: int) -> None:
        self.number = number


def _durations(values: Mapping[str, Any], factor: float) -> Iterator[Any]:
    if "duration_ms" in values:
        yield values["duration_ms"] * factor


_PUT_TOGETHER = {
    "$url": _urls,
    "$request": _requests,
    "$version": _versions,
    "$severity": _severities,
    "$query": _queries,
    "$duration_s": lambda values: _durations(values, 0.001),
    "$duration_us": lambda values: _durations(values, 1000.0),
    "$duration_ns": lambda values: _durations(values, 1_000_000.0),
}
_LEVEL_LETTERS = {"T": 1, "D": 5, "I": 9, "N": 10, "W": 13, "E": 17, "C": 18, "F": 21, "A": 19}
_DATADOG = {"ok": 9, "emergency": 21, "critical": 18}


def _equal(target: str, expected: Any, shown: Any) -> bool:
    if isinstance(shown, _Severity):
        return _same_severity(expected, shown.number)
    if isinstance(shown, (datetime, _Yearless)):
        return _same_time(expected, shown)
    if isinstance(shown, bool) or isinstance(expected, bool):
        return str(shown).lower() == str(expected).lower()
    if isinstance(expected, list):
        return _same_list(expected, shown)
    left, right = _plain(expected), _plain(shown)
    if left == right or left.strip("\"'") == right:
        return True
    if target == "$severity":
        return left.lower() == right.lower()
    return _number(left) is not None and _number(left) == _number(right)


def _same_list(expected: list[Any], shown: Any) -> bool:
    """A list, or its only member."""
    text = str(shown)
    if _plain(text) in {
        json.dumps(expected, separators=(",", ":")),
        json.dumps(expected),
        ",".join(map(str, expected)),
    }:
        return True
    try:
        return bool(json.loads(text) == expected)
    except ValueError:
        return _plain(text) == ", ".join(map(str, expected)) or (
            len(expected) == 1 and _plain(expected[0]) == _plain(text)
        )


def _plain(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return float(f"{value:.9g}") if abs(value) < 2**53 else None


def _same_severity(expected: Any, number: int) -> bool:
    word = str(expected).strip()
    wanted = SEVERITIES.get(word.upper()) or _DATADOG.get(word.lower()) or _LEVEL_LETTERS.get(word)
    if wanted is None and re.fullmatch(r"[0-9]+(?:\.0)?", word) and float(word) >= 100:
        return (number - 1) // 4 in _GOOGLE.get(int(float(word)), ())
    return wanted is not None and (wanted - 1) // 4 == (number - 1) // 4


_GOOGLE = {100: (0, 1), 200: (2,), 300: (2,), 400: (3,), 500: (4,), 600: (4, 5), 700: (4, 5), 800: (5,)}
"""Google's severities to OpenTelemetry's ranges of four; critical and alert lie on both sides of FATAL."""


def _same_time(expected: Any, shown: datetime | _Yearless) -> bool:
    wanted = instant(expected)
    if wanted is None:
        return False
    if isinstance(shown, _Yearless) or wanted.year == NO_YEAR:
        moment = shown.moment if isinstance(shown, _Yearless) else shown
        return (wanted.month, wanted.day, wanted.time().replace(microsecond=0)) == (
            moment.month,
            moment.day,
            moment.time().replace(microsecond=0),
        )
    if wanted.microsecond == 0 and wanted == shown.replace(microsecond=0):
        return True  # sources that keep whole seconds
    return abs((wanted - shown).total_seconds()) < 0.0011


_EPOCHS = ((1e17, 1e-9), (1e14, 1e-6), (1e10, 1e-3), (0.0, 1.0))


def instant(value: Any) -> datetime | None:
    """An expected time, in UTC where it names no zone; None where it is none."""
    text = str(value).strip()
    if isinstance(value, (int, float)) or re.fullmatch(r"-?[0-9]{9,19}(?:\.[0-9]+)?(?:E9)?", text):
        number = float(text)
        scale = next(scale for size, scale in _EPOCHS if abs(number) >= size)
        try:
            return datetime.fromtimestamp(number * scale, UTC)
        except (ValueError, OverflowError, OSError):
            return None
    text = re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text.replace(" UTC", ""))
    text = re.sub(r" ([+-][0-9]{2}):?([0-9]{2})$", r"\1:\2", text)
    moment = _read(text)
    if moment is None:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


_FORMS = (
    *("%d/%b/%Y:%H:%M:%S%z", "%d/%b/%Y:%H:%M:%S.%f", "%a %b %d %H:%M:%S.%f %Y", "%a %b %d %H:%M:%S %Y"),
    *("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M:%S.%f", "%d %b %Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S.%f"),
    *("%Y-%m-%d %H:%M:%S.%f", "%m/%d/%Y-%H:%M:%S.%f", "%d-%b-%Y %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S%z"),
    *("%Y %b %d %H:%M:%S", "%Y %b %d %H:%M:%S.%f"),
)
"""How the sources write times; written here anew so that the program is not measured by itself."""
NO_YEAR = 1904


def _read(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        text = " ".join(text.strip("[]").replace(",", ".").split())
    for written, form in ((text, form) for form in _FORMS):
        try:
            return datetime.strptime(written, form)
        except ValueError:
            continue
    try:
        return datetime.strptime(f"{NO_YEAR} {text}", "%Y %b %d %H:%M:%S")
    except ValueError:
        return None
