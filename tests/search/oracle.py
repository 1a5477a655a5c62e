"""Says whether a record matches a search's tree, in plain Python, from what docs/search.md promises."""

from __future__ import annotations

import fnmatch
import ipaddress
import math
import operator as operators
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from logshed.search import And, Everything, Match, Node, Not, Or, Value, Word

COLUMNS = {
    "status": "http_response_status_code",
    "service": "service_name",
    "path": "url_path",
    "client": "client_address",
    "size": "http_response_body_size",
    "duration": "duration_ms",
    "user": "user_id",
    "time": "timestamp",
    "message": "body",
    "method": "http_request_method",
    "exception": "exception_type",
}
ANYWHERE = ("body", "url_path", "url_query", "user_agent_original", "http_referrer", "exception_message")
LEVELS = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "warning": 13, "error": 17, "fatal": 21}
UNITS = {"": 1, "ms": 1, "s": 1000, "m": 60_000, "kb": 1000, "mb": 10**6, "gb": 10**9, "kib": 1024, "mib": 2**20}
COMPARED: dict[str, Any] = {">": operators.gt, ">=": operators.ge, "<": operators.lt, "<=": operators.le}


def matches(node: Node, record: dict[str, Any]) -> bool:  # noqa: PLR0911 - one branch a kind of node
    match node:
        case Everything():
            return True
        case And():
            return all(matches(part, record) for part in node.parts)
        case Or():
            return any(matches(part, record) for part in node.parts)
        case Not():
            return not matches(node.of, record)
        case Word():
            return _anywhere(node, record)
        case Match(operator="!="):
            return not any(_one(node.name, "=", value, record) for value in node.values)
        case Match():
            return any(_one(node.name, node.operator, value, record) for value in node.values)


def _anywhere(node: Word, record: dict[str, Any]) -> bool:
    texts = [record.get(name) for name in ANYWHERE]
    texts.append("\x1f".join(value for value in (record.get("attributes") or {}).values() if value is not None))
    pattern = node.value.text if node.regex else _pattern(node.value)
    flags = re.DOTALL if node.regex else re.DOTALL | re.IGNORECASE
    return any(text is not None and re.search(pattern, text, flags) for text in texts)


def _pattern(value: Value) -> str:
    if value.quoted:
        return re.escape(value.text)
    return "".join({"*": ".*", "?": "."}.get(sign) or re.escape(sign) for sign in value.text)


def _one(name: str, operator: str, value: Value, record: dict[str, Any]) -> bool:  # noqa: PLR0911
    have = _have(name, record)
    if have is None:
        return False
    wild = operator == ":" and not value.quoted
    if wild and value.text == "*":
        return True
    if operator == "~":
        return re.search(value.text, str(have), re.DOTALL) is not None
    if name == "client" and wild and "/" in value.text:
        return _in_network(have, value.text)
    if isinstance(have, bool):
        return have == (value.text == "true")
    if isinstance(have, str) and not (name.startswith("attributes.") and _is_numeric(operator, value)):
        return _text(have, operator, value)
    return _measured(name, have, operator, value)


def _have(name: str, record: dict[str, Any]) -> Any:
    if name.startswith("attributes."):
        return (record.get("attributes") or {}).get(name.removeprefix("attributes."))
    return record.get("severity_number" if name == "level" else COLUMNS.get(name, name))


def _in_network(have: str, network: str) -> bool:
    return ":" not in have and ipaddress.ip_address(have) in ipaddress.ip_network(network, strict=False)


def _is_numeric(operator: str, value: Value) -> bool:
    number = r"[+-]?\d+(\.\d+)?"
    if operator in COMPARED:
        return re.fullmatch(number, value.text) is not None
    return operator == ":" and not value.quoted and re.fullmatch(rf"({number})?\.\.({number})?", value.text) is not None


def _text(have: str, operator: str, value: Value) -> bool:
    if operator == "=":
        return have == value.text
    if operator in COMPARED:
        return bool(COMPARED[operator](have, value.text))
    if value.quoted:
        return have.lower() == value.text.lower()
    return re.fullmatch(_pattern(value).lower(), have.lower(), re.DOTALL) is not None


def _measured(name: str, have: Any, operator: str, value: Value) -> bool:
    if isinstance(have, str):
        try:
            have = float(have)
        except ValueError:
            return False
    if isinstance(have, float) and math.isnan(have):
        return False
    if operator == ":" and not value.quoted and ".." in value.text:
        first, last = value.text.split("..")
        return (not first or have >= _bounds(first)[0]) and (not last or have <= _bounds(last)[1])
    if operator == ":" and not value.quoted and set(value.text) & {"*", "?"} and name != "time":
        return fnmatch.fnmatchcase(str(have), value.text)
    low, high = _bounds(value.text)
    return (
        bool(COMPARED[operator](have, low if operator in {">=", "<"} else high))
        if operator in COMPARED
        else low <= have <= high
    )


def _bounds(text: str) -> tuple[Any, Any]:
    if text in LEVELS:
        return LEVELS[text], LEVELS[text] + 3
    if re.fullmatch(r"\dxx", text):
        return int(text[0]) * 100, int(text[0]) * 100 + 99
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        day = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return day, day + timedelta(days=1, microseconds=-1)
    found = re.fullmatch(r"([\d.+-]+)([a-zA-Z]*)", text)
    assert found
    amount = float(found[1]) * UNITS[found[2].lower()]
    return amount, amount
