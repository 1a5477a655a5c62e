"""Parses the part of LogQL that selects lines: streams, filters, parsers, formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from logshed.logql import conditions, regexes
from logshed.logql.model import (
    Capture,
    Choice,
    Decolorize,
    LabelFormat,
    LineFilter,
    LineFormat,
    Log,
    Matcher,
    Parser,
    Unwrap,
)
from logshed.search.model import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from logshed.logql.model import Comparing, Stage
    from logshed.logql.walk import Tokens

_LINE = ("|=", "!=", "|~", "!~", "|>", "!>")
_MATCHING = ("=", "!=", "=~", "!~")
_CONVERSIONS = {"duration": "duration", "duration_seconds": "duration", "bytes": "bytes"}


def selected(tokens: Tokens) -> tuple[Log, Unwrap | None]:
    """Streams with their pipeline, and what is unwrapped of it."""
    matchers = selector(tokens)
    stages, unwrap = pipeline(tokens)
    return Log(matchers, stages), unwrap


def selector(tokens: Tokens) -> tuple[Matcher, ...]:
    """``{label="value", …}``.

    Raises:
        Mistake: It is none, or it would match streams without any of its labels.
    """
    opener = tokens.expect("{", 'begin with a selector such as {service_name="shop"}')
    found = tokens.listed(lambda: _matcher(tokens), "}")
    if not any(_narrows(one) for one in found):
        advice = 'name what is looked for: {service_name="shop"} or {collection=~".+"}'
        raise Mistake("nothing in this selector must be there", advice, opener.spot.at, tokens.ahead.spot.at)
    return found


def _matcher(tokens: Tokens) -> Matcher:
    name = tokens.kind("name", "a label", 'write label="value"')
    if not tokens.sees(*_MATCHING):
        raise tokens.wrong("no comparison stands behind the label", 'write label="value", or !=, =~, !~')
    operator = tokens.take().text
    value = tokens.kind("string", "a text in quotes", 'write label="value"')
    if operator in {"=~", "!~"}:
        regexes.compiled(value.text, value.spot)
    return Matcher(name.text, cast("Comparing", operator), value.text, value.spot)


def _narrows(matcher: Matcher) -> bool:
    """Whether a stream without the label does not match."""
    if matcher.operator == "=":
        return bool(matcher.value)
    if matcher.operator == "!=":
        return not matcher.value
    empty = regexes.compiled(matcher.value, matcher.spot).fullmatch("") is not None
    return empty if matcher.operator == "!~" else not empty


def pipeline(tokens: Tokens) -> tuple[tuple[Stage, ...], Unwrap | None]:
    """What follows a selector; stages behind ``unwrap`` belong to it."""
    stages: list[Stage] = []
    unwrap: tuple[str, str, object] | None = None
    before: tuple[Stage, ...] = ()
    while True:
        if tokens.sees(*_LINE):
            stages.append(_line_filter(tokens))
        elif tokens.skip("|"):
            if tokens.sees("unwrap") and unwrap is None:
                unwrap, before, stages = _unwrap(tokens), tuple(stages), []
            else:
                stages.append(_stage(tokens))
        else:
            break
    if unwrap is None:
        return tuple(stages), None
    name, conversion, spot = unwrap
    return before, Unwrap(name, conversion, tuple(stages), spot)  # type: ignore[arg-type]


def _line_filter(tokens: Tokens) -> LineFilter:
    operator = tokens.take()
    texts = [_looked_for(tokens, operator.text)]
    while tokens.skip("or"):
        texts.append(_looked_for(tokens, operator.text))
    return LineFilter(operator.text, tuple(texts), operator.spot)


def _looked_for(tokens: Tokens, operator: str) -> str:
    if tokens.sees("ip"):
        raise tokens.wrong(
            "a line is not searched for addresses", 'compare a label: | client_address = ip("10.0.0.0/8")'
        )
    token = tokens.kind("string", "a text in quotes", 'write |= "text"')
    if operator[1] == "~":
        regexes.compiled(token.text, token.spot)
    return token.text


def _stage(tokens: Tokens) -> Stage:
    reader = _STAGES.get(tokens.ahead.text) if tokens.ahead.kind == "name" else None
    if reader is None or tokens.beyond().text in {"=", "!=", "==", ">", "<", ">=", "<=", "=~", "!~"}:
        return conditions.condition(tokens)
    return reader(tokens)


def _parser(tokens: Tokens) -> Parser:
    word = tokens.take()
    while tokens.skip("-"):  # --strict and --keep-empty change nothing here
        if tokens.ahead.kind == "name":
            tokens.take()
    pairs: list[tuple[str, str]] = []
    while tokens.ahead.kind == "name":
        name = tokens.take().text
        pairs.append(
            (name, tokens.kind("string", "a text in quotes", 'write label="key"').text if tokens.skip("=") else name)
        )
        if not tokens.skip(","):
            break
    return Parser(cast('Literal["json", "logfmt"]', word.text), tuple(pairs), word.spot)


def _regexp(tokens: Tokens) -> Capture:
    tokens.take()
    token = tokens.kind("string", "a regular expression", "write | regexp `(?P<label>...)`")
    return Capture(token.text, regexes.groups(token.text, token.spot))


def _pattern(tokens: Tokens) -> Capture:
    tokens.take()
    token = tokens.kind("string", "a pattern", "write | pattern `<ip> - <_>`")
    return Capture(*regexes.of_pattern(token.text, token.spot))


def _line_format(tokens: Tokens) -> LineFormat:
    tokens.take()
    token = tokens.kind("string", "a template", "write | line_format `{{.label}}`")
    return LineFormat(token.text, token.spot)


def _label_format(tokens: Tokens) -> LabelFormat:
    spot = tokens.take().spot
    pairs = []
    while True:
        name = tokens.kind("name", "a label", "write | label_format new=old")
        tokens.expect("=", "write | label_format new=old, or new=`{{.old}}`")
        if tokens.ahead.kind not in {"name", "string"}:
            raise tokens.wrong("a label or a template is missing", "write new=old, or new=`{{.old}}`")
        made = tokens.take()
        pairs.append((name.text, made.text, made.kind == "string"))
        if not tokens.skip(","):
            return LabelFormat(tuple(pairs), spot)


def _choice(tokens: Tokens) -> Choice:
    keep = tokens.take().text == "keep"
    items: list[tuple[str, Matcher | None]] = []
    while True:
        if tokens.beyond().text in _MATCHING and tokens.ahead.kind == "name":
            matcher = _matcher(tokens)
            items.append((matcher.name, matcher))
        else:
            items.append((tokens.kind("name", "a label", "name at least one").text, None))
        if not tokens.skip(","):
            return Choice(keep, tuple(items))


def _decolorize(tokens: Tokens) -> Decolorize:
    tokens.take()
    return Decolorize()


def _refused(tokens: Tokens) -> Stage:
    word = tokens.ahead.text
    raise tokens.wrong(f"{word} is not supported", "take json, logfmt, regexp or pattern; or `logshed query` with SQL")


def _unwrapped_twice(tokens: Tokens) -> Stage:
    raise tokens.wrong("a second unwrap", "one number is computed with; take one out")


def _unwrap(tokens: Tokens) -> tuple[str, str, object]:
    tokens.take()
    name = tokens.kind("name", "a label", "write | unwrap label, or | unwrap duration(label)")
    if not tokens.skip("("):
        return name.text, "", name.spot
    if name.text not in _CONVERSIONS:
        cause = f"there is no conversion {name.text}"
        raise Mistake(cause, f"take one of {', '.join(_CONVERSIONS)}", name.spot.at, name.spot.end)
    inner = tokens.kind("name", "a label", "write duration(label)")
    tokens.expect(")", "close it with )")
    return inner.text, _CONVERSIONS[name.text], inner.spot


_STAGES: dict[str, Callable[[Tokens], Stage]] = {
    "json": _parser,
    "logfmt": _parser,
    "regexp": _regexp,
    "pattern": _pattern,
    "line_format": _line_format,
    "label_format": _label_format,
    "drop": _choice,
    "keep": _choice,
    "decolorize": _decolorize,
    "unpack": _refused,
    "distinct": _refused,
    "unwrap": _unwrapped_twice,
}
