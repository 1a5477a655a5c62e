"""Makes conditions in DuckDB's SQL of Sigma's condition trees, and the guards that let most records be passed over.

Sigma matches texts without regard to letter case, with ``*`` and ``?``. Texts are compared in small letters by plain
functions, since LIKE is slower and depends on case in DuckDB; what is negated never is NULL.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import re2
from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SpecialChars,
)

from logshed.detections.model import Field, Guard, Predicate
from logshed.errors import DetectionError

if TYPE_CHECKING:
    from collections.abc import Callable

KEYWORDS = "keywords"
"""The field that stands for a record's whole text, where a rule names none."""

_OPERATORS = {
    CompareOperators.LT: "<",
    CompareOperators.LTE: "<=",
    CompareOperators.GT: ">",
    CompareOperators.GTE: ">=",
    CompareOperators.NEQ: "<>",
}
_FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
_ANY = {SpecialChars.WILDCARD_MULTI: ".*", SpecialChars.WILDCARD_SINGLE: "."}

Part = tuple[str, tuple[Guard, ...]]
"""A condition, and guards of which a record that meets it holds something each."""


def compile_condition(tree: Any, resolve: Callable[[str], Field]) -> Predicate:
    """The condition of a tree that pySigma has parsed.

    Args:
        tree: The root of a parsed condition.
        resolve: Gives what a rule's field is in ``logs``.

    Raises:
        DetectionError: It holds something that has no meaning here; the text names the field.
    """
    compiler = _Compiler(resolve)
    sql, guards = compiler.part(tree)
    return Predicate(sql, compiler.fields, guards)


class _Compiler:
    def __init__(self, resolve: Callable[[str], Field]) -> None:
        self._resolve = resolve
        self.fields: dict[str, Field] = {}

    def part(self, node: Any) -> Part:
        """A node's condition and guard."""
        match node:
            case ConditionAND():
                return _all([self.part(one) for one in node.args])
            case ConditionOR():
                return self._any(node)
            case ConditionNOT():
                return f"NOT coalesce({self.part(node.args[0])[0]}, false)", ()
        named = getattr(node, "field", None)
        return self._value(self._field(named), node.value) if named else self._keyword(node.value)

    def _keyword(self, value: Any) -> Part:
        """A value without a field: the record's text holds it, wherever."""
        if isinstance(value, SigmaNumber):
            value = SigmaString(str(value))
        if isinstance(value, SigmaString):
            many = SpecialChars.WILDCARD_MULTI
            value = value if value.startswith(many) else many + value
            value = value if value.endswith(many) else value + many
        return self._value(self._field(KEYWORDS), value)

    def _field(self, name: str) -> Field:
        if name not in self.fields:
            if alike := [one for one in self.fields if one.lower() == name.lower()]:
                raise DetectionError(
                    f"the fields {alike[0]} and {name} differ in letter case only, which SQL does not tell apart;"
                    " name one of them, and let the taxonomy say where both are"
                )
            self.fields[name] = self._resolve(name)
        return self.fields[name]

    def _any(self, node: ConditionOR) -> Part:
        """One of several; equal texts of one field go into one list."""
        equal: dict[str, list[str]] = {}
        others: list[Part] = []
        for one in node.args:
            value, named = getattr(one, "value", None), getattr(one, "field", None)
            if type(value) is SigmaString and not value.contains_special() and isinstance(named, str):
                field = self._field(named)
                if field.kind == "text":
                    equal.setdefault(field.name, []).append(_plain(value).lower())
                    continue
            others.append(self.part(one))
        for name, texts in equal.items():
            listed = ", ".join(map(_literal, dict.fromkeys(texts)))
            others.append((f"{_quoted(self.fields[name].lower)} IN ({listed})", _guard(name, *texts)))
        return _joined("OR", others), _one_of([guards for _, guards in others])

    def _value(self, field: Field, value: Any) -> Part:
        raw, lower = _quoted(field.raw), _quoted(field.lower)
        match value:
            case SigmaNull():
                return f"{raw} IS NULL", ()
            case SigmaExists():
                return f"{raw} IS {'NOT ' if value.exists else ''}NULL", ()
            case SigmaExpansion():
                parts = [self._value(field, one) for one in value.values]
                return _joined("OR", parts), _one_of([guards for _, guards in parts])
            case SigmaCIDRExpression():
                parts = [self._value(field, SigmaString(one)) for one in value.expand()]
                return _joined("OR", parts), ()
            case SigmaNumber():
                return _number(field, str(value)), ()
            case SigmaBool():
                return _boolean(field, value=bool(value.boolean)), ()
            case SigmaCompareExpression():
                return f"TRY_CAST({raw} AS DOUBLE) {_operator(field, value)} {value.number}", ()
            case SigmaFieldReference():
                other = _quoted(self._field(value.field).lower)
                if value.starts_with and value.ends_with:
                    return f"contains({lower}, {other})", ()
                if value.starts_with or value.ends_with:
                    return f"{'starts' if value.starts_with else 'ends'}_with({lower}, {other})", ()
                return f"{lower} = {other}", ()
            case SigmaRegularExpression():
                return f"regexp_matches({_text(field)}, {_literal(_expression(field, value))})", ()
            case SigmaString():
                return _matched(field, value)
        raise DetectionError(f"{field.name}: values of the kind {type(value).__name__} mean nothing here")


def _matched(field: Field, value: SigmaString) -> Part:
    cased = isinstance(value, SigmaCasedString)
    column = _text(field) if cased else _quoted(field.lower)
    parts = [one if isinstance(one, SpecialChars) or cased else str(one).lower() for one in value.s]
    texts = [str(one) for one in parts if not isinstance(one, SpecialChars)]
    guard = _guard(field.name, max(texts, key=len).lower()) if texts else ()
    many = SpecialChars.WILDCARD_MULTI
    match parts:
        case []:
            return f"{column} = ''", ()
        case [str() as text]:
            return f"{column} = {_literal(text)}", guard
        case [one] if one is many:
            return f"{column} IS NOT NULL", ()
        case [str() as text, one] if one is many:
            return f"starts_with({column}, {_literal(text)})", guard
        case [one, str() as text] if one is many:
            return f"ends_with({column}, {_literal(text)})", guard
        case [first, str() as text, last] if first is many and last is many:
            return f"contains({column}, {_literal(text)})", guard
    expression = "".join(_ANY[one] if isinstance(one, SpecialChars) else re.escape(str(one)) for one in parts)
    return f"regexp_matches({column}, {_literal(f'(?s)^{expression}$')})", guard


def _number(field: Field, text: str) -> str:
    if field.kind == "number":
        return f"{_quoted(field.raw)} = {text}"
    return f"{_quoted(field.lower)} = {_literal(text)}"


def _boolean(field: Field, *, value: bool) -> str:
    text = "true" if value else "false"
    return f"{_quoted(field.raw)} = {text}" if field.kind == "boolean" else f"{_quoted(field.lower)} = '{text}'"


def _operator(field: Field, value: SigmaCompareExpression) -> str:
    operator = _OPERATORS.get(value.op)
    if operator is None or not isinstance(value.number, SigmaNumber):
        raise DetectionError(f"{field.name}: only numbers are compared here")
    return operator


def _expression(field: Field, value: SigmaRegularExpression) -> str:
    """The expression with its flags inside; RE2 has neither look-around nor back-references, and cannot hang."""
    text = str(value.regexp.to_plain()) if hasattr(value.regexp, "to_plain") else str(value.regexp)
    flags = "".join(sorted(_FLAGS[flag] for flag in value.flags if flag in _FLAGS))
    expression = f"(?{flags}){text}" if flags else text
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(expression, options)
    except re2.error as error:
        raise DetectionError(f"{field.name}|re: {text!r} is no expression of RE2 ({error})") from error
    return expression


def _text(field: Field) -> str:
    return _quoted(field.raw) if field.kind == "text" else f"CAST({_quoted(field.raw)} AS VARCHAR)"


def _plain(value: SigmaString) -> str:
    return "".join(str(one) for one in value.s)


def _guard(name: str, *texts: str) -> tuple[Guard, ...]:
    return (frozenset((name, text) for text in texts),) if all(texts) else ()


def _one_of(guards: list[tuple[Guard, ...]]) -> tuple[Guard, ...]:
    """The guard of an OR: what any of its parts may hold, of each the guard with the fewest and longest texts."""
    if not all(guards):
        return ()
    best = [min(own, key=lambda guard: (len(guard), -min(len(text) for _, text in guard))) for own in guards]
    return (frozenset().union(*best),)


def _all(parts: list[Part]) -> Part:
    """All of several: the guards of all hold."""
    return _joined("AND", parts), tuple(dict.fromkeys(guard for _, guards in parts for guard in guards))


def _joined(word: str, parts: list[Part]) -> str:
    return parts[0][0] if len(parts) == 1 else "(" + f" {word} ".join(sql for sql, _ in parts) + ")"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
