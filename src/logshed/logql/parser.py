"""Makes a tree of a LogQL query.

From loosest to tightest: ``or``; ``and``, ``unless``; comparisons; ``+ -``; ``* / %``; ``^``; functions, brackets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.logql import amounts, functions, regexes, stages
from logshed.logql.model import (
    Aggregation,
    Binary,
    Grouping,
    Log,
    Number,
    Query,
    Range,
    Replaced,
    Spot,
    Vector,
)
from logshed.logql.walk import Tokens
from logshed.search.model import Mistake

if TYPE_CHECKING:
    from logshed.logql.model import Matcher, Metric, Unwrap

_LEVELS = (("or",), ("and", "unless"), ("==", "!=", ">", ">=", "<", "<="), ("+", "-"), ("*", "/", "%"), ("^",))
_COMPARISONS, _SETS = _LEVELS[2], (*_LEVELS[0], *_LEVELS[1])
_MICROSECONDS = 1_000_000
_SHORTEST, _LONGEST = 0.001, 20 * 365 * 86_400


def parse(text: str) -> Query:
    """The tree of a query.

    Raises:
        logshed.errors.QueryError: The text is wrong, or means something that is not supported; the error points at
            the place.
    """
    try:
        return tree(text)
    except Mistake as mistake:
        raise mistake.told(text) from None


def tree(text: str) -> Query:
    """The same, raising what stands at which place.

    Raises:
        Mistake: The text is wrong.
    """
    tokens = Tokens(text)
    found: Query
    if tokens.sees("{"):
        found, unwrap = stages.selected(tokens)
        if unwrap is not None:
            raise Mistake(
                "a number is unwrapped, but nothing computed",
                "write sum_over_time({…} | unwrap x [5m])",
                unwrap.spot.at,
                unwrap.spot.end,
            )
    else:
        found = _metric(tokens, 0)
    if tokens.ahead.kind != "end":
        raise tokens.wrong(f"{tokens.ahead.text!r} cannot stand here", "take it out")
    return found


def selection(text: str) -> tuple[Matcher, ...]:
    """The matchers of a text that is a selector, of which lists of labels and series are asked.

    Raises:
        logshed.errors.QueryError: It is none.
    """
    found = parse(text)
    if isinstance(found, Log):
        return found.matchers
    raise Mistake("labels and series are told of a selector", 'write {service_name="shop"}', 0, len(text)).told(text)


def _metric(tokens: Tokens, level: int) -> Metric:
    if level == len(_LEVELS):
        return _one(tokens)
    left = _metric(tokens, level + 1)
    while tokens.sees(*_LEVELS[level]):
        tokens.joined()
        operator = tokens.take()
        flag, matching = _modifiers(tokens, operator.text)
        # ^ binds to the right: 2^3^2 is 2^9.
        right = _metric(tokens, level if operator.text == "^" else level + 1)
        left = _binary(operator.text, left, right, flag=flag, matching=matching, spot=operator.spot)
    return left


def _modifiers(tokens: Tokens, operator: str) -> tuple[bool, Grouping | None]:
    flag = tokens.sees("bool")
    if flag and operator not in _COMPARISONS:
        raise tokens.wrong("bool belongs to a comparison", "take it out")
    tokens.skip("bool")
    matching = None
    if tokens.sees("on", "ignoring"):
        matching = Grouping(without=tokens.take().text == "ignoring", names=_names(tokens))
    if tokens.sees("group_left", "group_right"):
        raise tokens.wrong("many series to one are not supported", "sum the many by the labels of the one first")
    return flag, matching


def _binary(operator: str, left: Metric, right: Metric, *, flag: bool, matching: Grouping | None, spot: Spot) -> Metric:
    plain = isinstance(left, Number) or isinstance(right, Number)
    if operator in _SETS and plain:
        raise Mistake(
            f"{operator} chooses among series, and one side is a number", "write vector(…)", spot.at, spot.end
        )
    if operator in _COMPARISONS and isinstance(left, Number) and isinstance(right, Number) and not flag:
        raise Mistake("two numbers are compared", f"write {operator} bool", spot.at, spot.end)
    return Binary(operator, left, right, flag, matching, spot)


def _one(tokens: Tokens) -> Metric:
    token = tokens.ahead
    if tokens.skip("("):
        tokens.deeper()
        inner = _metric(tokens, 0)
        tokens.expect(")", "close the bracket with )")
        tokens.depth -= 1
        return inner
    if tokens.sees("-", "+") or token.kind == "number":
        return Number(_number(tokens))
    if token.kind == "name":
        return _called(tokens)
    if tokens.sees("{"):
        raise tokens.wrong("lines are no metric", "count them: count_over_time({…}[5m])")
    raise tokens.wrong("a metric is missing here", "write count_over_time({…}[5m]), or a number")


def _called(tokens: Tokens) -> Metric:
    name = tokens.take()
    if name.text in functions.known()["aggregation"]:
        return _aggregation(tokens, name.text)
    if name.text in functions.known()["range"] and name.text != "rate_of_number":
        return _range(tokens, name.text, name.spot)
    if name.text == "vector":
        tokens.expect("(", "write vector(1)")
        value = _number(tokens)
        tokens.expect(")", "close the bracket with )")
        return Vector(value)
    if name.text == "label_replace":
        return _replaced(tokens)
    if name.text in {"sort", "sort_desc"}:  # series come in the order of their labels, as Grafana sorts them itself
        tokens.expect("(", "write sort(…)")
        tokens.deeper()
        inner = _metric(tokens, 0)
        tokens.expect(")", "close the bracket with )")
        return inner
    known = ", ".join([*functions.known()["range"], *functions.known()["aggregation"]])
    raise Mistake(f"there is no function {name.text}", f"take one of {known}", name.spot.at, name.spot.end)


def _aggregation(tokens: Tokens, name: str) -> Aggregation:
    grouping = _grouping(tokens)
    tokens.expect("(", f"write {name}(…)")
    tokens.deeper()
    parameter = None
    if functions.of_series(name).order:
        spot = tokens.ahead.spot
        amount = _number(tokens)
        if amount != int(amount) or amount < 1:
            raise Mistake("so many series cannot be kept", f"write {name}(10, …)", spot.at, spot.end)
        parameter = int(amount)
        tokens.expect(",", f"write {name}(10, …)")
    of = _metric(tokens, 0)
    tokens.expect(")", "close the bracket with )")
    tokens.depth -= 1
    return Aggregation(name, of, parameter, grouping or _grouping(tokens))


def _range(tokens: Tokens, name: str, spot: Spot) -> Range:
    tokens.expect("(", f"write {name}({{…}}[5m])")
    parameter = None
    if functions.of_range(name).parameter:
        parameter = _number(tokens)
        if not 0 <= parameter <= 1:
            raise Mistake("a quantile is from 0 to 1", "write 0.95", spot.at, tokens.ahead.spot.at)
        tokens.expect(",", f"write {name}(0.95, {{…}} | unwrap x [5m])")
    bracketed = tokens.skip("(")
    matchers = stages.selector(tokens)
    early = _window(tokens) if tokens.sees("[") else None
    steps, unwrap = stages.pipeline(tokens)
    if bracketed:
        tokens.expect(")", "close the bracket with )")
    window = early or _window(tokens)
    offset = _offset(tokens)
    tokens.expect(")", "close the bracket with )")
    function = _checked(name, unwrap, spot)
    return Range(function, Log(matchers, steps), unwrap, window, offset, parameter, _grouping(tokens), spot)


def _checked(name: str, unwrap: Unwrap | None, spot: Spot) -> str:
    if name == "rate" and unwrap is not None:
        return "rate_of_number"
    numbers = functions.of_range(name).of == "number"
    if numbers and unwrap is None:
        raise Mistake(f"{name} computes with numbers", "unwrap one: {…} | unwrap duration_ms [5m]", spot.at, spot.end)
    if unwrap is not None and not numbers:
        raise Mistake(
            f"{name} counts lines, and a number is unwrapped",
            "take sum_over_time, or leave unwrap out",
            spot.at,
            spot.end,
        )
    return name


def _window(tokens: Tokens) -> int:
    tokens.expect("[", "say how long the window is: [5m]")
    window = _duration(tokens)
    tokens.expect("]", "close the window with ]")
    return window


def _duration(tokens: Tokens) -> int:
    token = tokens.kind("number", "a duration", "write 30s, 5m, 1h")
    seconds = amounts.duration(token.text)
    if seconds is None or not _SHORTEST <= seconds <= _LONGEST:
        raise Mistake(
            f"{token.text} is no duration to compute with", "write 30s, 5m, 1h", token.spot.at, token.spot.end
        )
    return round(seconds * _MICROSECONDS)


def _offset(tokens: Tokens) -> int:
    if not tokens.skip("offset"):
        return 0
    sign = -1 if tokens.skip("-") else 1
    return sign * _duration(tokens)


def _grouping(tokens: Tokens) -> Grouping | None:
    if tokens.sees("by", "without"):
        return Grouping(without=tokens.take().text == "without", names=_names(tokens))
    return None


def _names(tokens: Tokens) -> tuple[str, ...]:
    tokens.expect("(", "write the labels in brackets: by (level)")
    found = tokens.listed(lambda: tokens.kind("name", "a label", "write by (level, service_name)").text, ")")
    return tuple(dict.fromkeys(found))


def _number(tokens: Tokens) -> float:
    sign = 1.0
    while tokens.sees("-", "+"):
        sign *= -1.0 if tokens.take().text == "-" else 1.0
    token = tokens.kind("number", "a number", "write 0.5 or 10")
    value = amounts.number(token.text)
    if value is None:
        raise Mistake(f"{token.text} is no number", "write 0.5 or 10", token.spot.at, token.spot.end)
    return sign * value


def _replaced(tokens: Tokens) -> Replaced:
    tokens.expect("(", 'write label_replace(…, "new", "$1", "old", "(.*)")')
    of = _metric(tokens, 0)
    texts = []
    for _ in range(4):
        tokens.expect(",", 'write label_replace(…, "new", "$1", "old", "(.*)")')
        texts.append(tokens.kind("string", "a text in quotes", 'write label_replace(…, "new", "$1", "old", "(.*)")'))
    tokens.expect(")", "close the bracket with )")
    target, template, source, expression = texts
    regexes.compiled(expression.text, expression.spot)
    return Replaced(of, target.text, template.text, source.text, expression.text)
