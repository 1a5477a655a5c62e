"""Compiles a search's tree to a condition in DuckDB's dialect over ``logs``.

A condition may be NULL where a column is; what is negated is made false first, so that NOT finds the records without
the field. Plain comparisons of columns stay as they are, since by them data files are passed over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import re2

from logshed.schema import UNMAPPED
from logshed.search import sql, values
from logshed.search.fields import TEXTS, field
from logshed.search.model import And, Everything, Match, Mistake, Node, Not, Or, Value, Word

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.search.fields import Field
    from logshed.search.values import ReadTime, Span

ATTRIBUTES = f"array_to_string(map_values({UNMAPPED}), chr(31))"
"""The values of a record's attributes as one text, with a sign between them that nobody looks for."""
_ORDERS = {">", ">=", "<", "<="}
_RANGE = re.compile(r"(.*?)\.\.(.*)", re.DOTALL)
_NUMERIC = re.compile(r"[+-]?\d+(\.\d+)?")
WITH_FORM = {"text", "address", "attribute", "integer", "size", "level"}
"""Kinds whose values have a form for wildcards: fractions and times are written in too many ways."""
WITH_NAN = {"number", "duration", "attribute"}
"""Kinds with NaN, which DuckDB takes for the greatest number and ClickHouse for none."""


def condition(node: Node, read_time: ReadTime) -> str:
    """The condition of a tree.

    Args:
        node: The tree.
        read_time: Reads a time that a user writes; raises ``logshed.errors.UsageError`` where it is none.

    Raises:
        Mistake: A field is unknown, or a value does not fit it.
    """
    return _Compiler(read_time).node(node)


class _Compiler:
    def __init__(self, read_time: ReadTime) -> None:
        self._readers: dict[str, Callable[[Value, str | None], Span]] = {
            "level": values.level,
            "integer": values.integer,
            "number": values.number,
            "size": values.size,
            "duration": values.duration,
            "attribute": values.number,
            "time": lambda value, text: values.time(value, read_time, text),
        }

    def node(self, node: Node) -> str:  # noqa: PLR0911 - one branch a kind of node
        """The condition of a node."""
        match node:
            case Everything():
                return "true"
            case Word():
                return _anywhere(node)
            case Not(Match(name, ":", (Value("*", quoted=False),), at, end)):
                return f"{field(name, at, end).sql} IS NULL"
            case Not():
                return f"NOT coalesce({self.node(node.of)}, false)"
            case And():
                return "(" + " AND ".join(map(self.node, node.parts)) + ")"
            case Or():
                return "(" + " OR ".join(map(self.node, node.parts)) + ")"
            case Match():
                return self._match(node)

    def _match(self, node: Match) -> str:
        found = field(node.name, node.at, node.end)
        if node.operator == "!=":
            equal = Match(node.name, "=", node.values, node.at, node.end)
            return f"NOT coalesce({self._match(equal)}, false)"
        if node.operator == "~":
            _check_regex(node.values[0])
            return _regex(_as_text(found), node.values[0].text)
        if node.operator in _ORDERS:
            return self._ordered(found, node)
        plain, parts = [], []
        for value in node.values:
            if _is_plain(found, value, node.operator):
                plain.append(value.text if node.operator == "=" else lowered(value.text))
            else:
                parts.append(self._equal(found, value, wild=node.operator == ":"))
        if plain:
            side = found.sql if node.operator == "=" else f"lower({found.sql})"
            listed = ", ".join(map(sql.literal, dict.fromkeys(plain)))
            parts.append(f"{side} = {listed}" if len(plain) == 1 else f"{side} IN ({listed})")
        return parts[0] if len(parts) == 1 else "(" + " OR ".join(parts) + ")"

    def _equal(self, found: Field, value: Value, *, wild: bool) -> str:
        """Equality with one value that is no plain text: a wildcard, a range, a number, a time ..."""
        special = self._special(found, value) if wild and not value.quoted else None
        if special is not None:
            return special
        if found.kind == "boolean":
            return f"{found.sql} = {'true' if values.boolean(value) else 'false'}"
        return _within(found.sql, self._readers[found.kind](value, None))

    def _special(self, found: Field, value: Value) -> str | None:
        """What only an unquoted value behind a colon can be: any, a network, a range, a form."""
        if set(value.text) == {"*"}:
            return f"{found.sql} IS NOT NULL"
        if found.kind == "address" and (network := values.network(value)):
            return _regex(found.sql, network)
        if (bounds := _RANGE.fullmatch(value.text)) and _ranges(found, bounds):
            return self._between(found, value, bounds[1], bounds[2])
        if not _is_wild(value.text) or found.kind not in WITH_FORM:
            return None
        side = "severity_text" if found.kind == "level" else _as_text(found)
        return wildcard(f"lower({side})", lowered(value.text))

    def _between(self, found: Field, value: Value, first: str, last: str) -> str:
        side, read = _comparable(found), self._readers[found.kind]
        parts = []
        if first:
            parts.append(_bound(side, ">=", read(value, first)))
        if last:
            parts.append(_bound(side, "<=", read(value, last)))
        elif found.kind in WITH_NAN:
            parts.append(f"NOT isnan({side})")
        if not parts:
            raise Mistake("the range has no ends", "write 500..599, 500.. or ..599", value.at, value.end)
        return "(" + " AND ".join(parts) + ")"

    def _ordered(self, found: Field, node: Match) -> str:
        value = node.values[0]
        if found.kind in {"text", "address"} or (found.kind == "attribute" and not _NUMERIC.fullmatch(value.text)):
            return f"{found.sql} {node.operator} {sql.literal(value.text)}"
        if found.kind == "boolean":
            raise Mistake(f"{found.label} is true or false", "write field:true", value.at, value.end)
        side = _comparable(found)
        bound = _bound(side, node.operator, self._readers[found.kind](value, None))
        return f"({bound} AND NOT isnan({side}))" if found.kind in WITH_NAN and node.operator[0] == ">" else bound


def lowered(text: str) -> str:
    """Small letters, one for each letter, as SQL's ``lower`` makes them."""
    return "".join(small if len(small := sign.lower()) == 1 else sign for sign in text)


def wildcard(side: str, pattern: str) -> str:
    """The condition that a text has a form: ``*`` any signs, ``?`` one."""
    pieces = re.split(r"([*?])", re.sub(r"\*+", "*", pattern))
    match [piece for piece in pieces if piece]:
        case [text, "*"] if text not in {"*", "?"}:
            return f"starts_with({side}, {sql.literal(text)})"
        case ["*", text] if text not in {"*", "?"}:
            return f"ends_with({side}, {sql.literal(text)})"
        case ["*", text, "*"] if text not in {"*", "?"}:
            return f"contains({side}, {sql.literal(text)})"
    return _regex(side, f"^{_expression(pieces)}$")


def _expression(pieces: list[str]) -> str:
    return "".join({"*": ".*", "?": "."}.get(piece) or re.escape(piece) for piece in pieces)


def _regex(side: str, expression: str) -> str:
    """A dot takes line feeds too, on either engine."""
    return f"regexp_matches({side}, {sql.literal('(?s)' + expression)})"


def _check_regex(value: Value) -> None:
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile("(?s)" + value.text, options)
    except re2.error as error:
        cause = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error.args[0])
        advice = "correct the regular expression; RE2 has no look-around"
        raise Mistake(cause, advice, value.at, value.end) from None


def _anywhere(word: Word) -> str:
    """A word in any of the columns with text, or in the attributes' values."""
    value = word.value
    bare = value.text if value.quoted or word.regex else value.text.strip("*")
    sides = [*TEXTS, ATTRIBUTES]
    if word.regex:
        _check_regex(value)
        return "(" + " OR ".join(_regex(side, value.text) for side in sides) + ")"
    if not value.quoted and _is_wild(bare):
        pieces = re.split(r"([*?])", lowered(bare))
        return "(" + " OR ".join(_regex(f"lower({side})", _expression(pieces)) for side in sides) + ")"
    text = sql.literal(lowered(bare))
    return "(" + " OR ".join(f"contains(lower({side}), {text})" for side in sides) + ")"


def _is_wild(text: str) -> bool:
    return "*" in text or "?" in text


def _is_plain(found: Field, value: Value, operator: str) -> bool:
    """Whether it is a text that a column's text must be equal to."""
    if found.kind not in {"text", "address", "attribute"}:
        return False
    if value.quoted or operator == "=":
        return True
    if found.kind == "address" and "/" in value.text:
        return False
    bounds = _RANGE.fullmatch(value.text)
    return not _is_wild(value.text) and not (bounds and _ranges(found, bounds))


def _ranges(found: Field, bounds: re.Match[str]) -> bool:
    """Whether ``a..b`` is a range: of texts there are none, of attributes those between numbers."""
    if found.kind == "attribute":
        ends = [end for end in bounds.groups() if end]
        return bool(ends) and all(_NUMERIC.fullmatch(end) for end in ends)
    return found.kind not in {"text", "address", "boolean"}


def _as_text(found: Field) -> str:
    return found.sql if found.kind in {"text", "address", "attribute"} else f"CAST({found.sql} AS VARCHAR)"


def _comparable(found: Field) -> str:
    return f"TRY_CAST({found.sql} AS DOUBLE)" if found.kind == "attribute" else found.sql


def _within(side: str, span: Span) -> str:
    if span.first == span.last:
        return f"{side} = {_literal(span.first)}"
    return f"({_bound(side, '>=', span)} AND {_bound(side, '<=', span)})"


def _bound(side: str, operator: str, span: Span) -> str:
    """The comparison with what a value stands for: above a day is behind all of it."""
    if operator in {">=", "<"}:
        return f"{side} {operator} {_literal(span.first)}"
    if span.open:
        return f"{side} {'>=' if operator == '>' else '<'} {_literal(span.last)}"
    return f"{side} {operator} {_literal(span.last)}"


def _literal(value: object) -> str:
    return sql.number(value) if isinstance(value, int | float) else sql.time(value)  # type: ignore[arg-type]
