"""Parses conditions on labels: ``status >= 500 and (duration > 10s or size > 2KB)``."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Literal, cast

from logshed.logql import amounts, regexes
from logshed.logql.model import Compared, Condition, Joined
from logshed.search.model import Mistake

if TYPE_CHECKING:
    from logshed.logql.lexer import Token
    from logshed.logql.model import Comparing, Unit
    from logshed.logql.walk import Tokens

_TEXTS = {"=", "==", "!=", "=~", "!~"}
_OPERATORS = (*sorted(_TEXTS), ">", ">=", "<", "<=")


def condition(tokens: Tokens) -> Condition:
    """Conditions with ``or``, ``and`` or a comma between them."""
    return _joined(tokens, "OR")


def _joined(tokens: Tokens, word: Literal["AND", "OR"]) -> Condition:
    parts = [_one(tokens) if word == "AND" else _joined(tokens, "AND")]
    while _goes_on(tokens, word):
        parts.append(_one(tokens) if word == "AND" else _joined(tokens, "AND"))
    return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))


def _goes_on(tokens: Tokens, word: str) -> bool:
    if word == "OR":
        return tokens.skip("or")
    if tokens.skip("and") or tokens.skip(","):
        return True
    return tokens.sees("(") or (
        tokens.ahead.kind == "name" and not tokens.sees("or") and tokens.beyond().text in _OPERATORS
    )


def _one(tokens: Tokens) -> Condition:
    if tokens.skip("("):
        tokens.deeper()
        inner = condition(tokens)
        tokens.expect(")", "close the bracket with )")
        tokens.depth -= 1
        return inner
    name = tokens.kind("name", "a label or a stage", 'write | label = "value", | json, | line_format …')
    if not tokens.sees(*_OPERATORS):
        raise Mistake(
            f"{name.text} is no stage", 'write | label = "value", or a stage such as json', name.spot.at, name.spot.end
        )
    operator = tokens.take().text
    if tokens.ahead.kind == "string":
        return _with_text(name, operator, tokens.take())
    if tokens.sees("ip"):
        return _with_network(name, operator, tokens)
    return _with_amount(name, operator, tokens)


def _with_text(name: Token, operator: str, value: Token) -> Compared:
    if operator not in _TEXTS:
        raise Mistake(
            "texts have no order here", "compare with a number, a duration or a size", value.spot.at, value.spot.end
        )
    if operator in {"=~", "!~"}:
        regexes.compiled(value.text, value.spot)
    own = "=" if operator == "==" else operator
    return Compared(name.text, cast("Comparing", own), value.text, "text", name.spot)


def _with_network(name: Token, operator: str, tokens: Tokens) -> Compared:
    tokens.take()
    tokens.expect("(", 'write ip("10.0.0.0/8")')
    value = tokens.kind("string", "a network in quotes", 'write ip("10.0.0.0/8")')
    tokens.expect(")", 'write ip("10.0.0.0/8")')
    try:
        network = ipaddress.ip_network(value.text, strict=False)
    except ValueError:
        raise Mistake(
            "this is no network", 'write ip("10.0.0.0/8"); no ranges', value.spot.at, value.spot.end
        ) from None
    if network.version != 4:  # noqa: PLR2004 - IPv4
        raise Mistake(
            "only networks of IPv4 are known here", 'write label =~ "2001:db8:.*"', value.spot.at, value.spot.end
        )
    if operator not in {"=", "==", "!="}:
        raise Mistake("a network has no order", "compare it by = or !=", value.spot.at, value.spot.end)
    return Compared(name.text, "!=" if operator == "!=" else "=", value.text, "ip", name.spot)


def _with_amount(name: Token, operator: str, tokens: Tokens) -> Compared:
    sign = -1.0 if tokens.skip("-") else 1.0
    value = tokens.kind("number", "a value", 'write "text", 500, 10s or 20KB')
    if operator in {"=~", "!~"}:
        raise Mistake("a number is no regular expression", "write it in quotes", value.spot.at, value.spot.end)
    readers: tuple[tuple[Unit, float | None], ...] = (
        ("number", amounts.number(value.text)),
        ("duration", amounts.duration(value.text)),
        ("bytes", amounts.size(value.text)),
    )
    found = next(((unit, amount) for unit, amount in readers if amount is not None), None)
    if found is None:
        raise Mistake(
            f"{value.text} is no number, duration or size", "write 500, 1.5s, 20KB", value.spot.at, value.spot.end
        )
    own = "=" if operator == "==" else operator
    return Compared(name.text, cast("Comparing", own), sign * found[1], found[0], name.spot)
