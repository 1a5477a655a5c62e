"""Writes a tree as a search's text: parsed again, it is the same tree."""

from __future__ import annotations

import re

from logshed.search.model import And, Everything, Match, Node, Not, Or, Value, Word

_PLAIN_NAME = re.compile(r"[^\W\d][\w@./-]*|@[\w@./-]*")


def printed(node: Node) -> str:
    """The search's text."""
    match node:
        case Everything():
            return "*"
        case Word():
            return ("~" if node.regex else "") + _value(node.value)
        case Match():
            values = ",".join(map(_value, node.values))
            return f"{_name(node.name)}{node.operator}" + (f"({values})" if len(node.values) > 1 else values)
        case Not():
            return f"-{_inner(node.of)}"
        case And():
            return " ".join(map(_inner, node.parts))
        case Or():
            return " OR ".join(_inner(part) for part in node.parts)


def _inner(node: Node) -> str:
    return f"({printed(node)})" if isinstance(node, And | Or) else printed(node)


def _value(value: Value) -> str:
    return _quoted(value.text) if value.quoted else value.text


def _name(name: str) -> str:
    key = name.removeprefix("attributes.")
    if key == name or _PLAIN_NAME.fullmatch(key):
        return name
    return f"attributes.{_quoted(key)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
