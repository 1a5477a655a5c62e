"""Compiles what a LogQL query selects: the condition on records, each one's line and labels, as SQL over ``logs``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from logshed.logql import comparing, labels, quantities, regexes, templates
from logshed.logql.labels import Found
from logshed.logql.line import contains, line, matches
from logshed.logql.model import (
    Capture,
    Choice,
    Compared,
    Decolorize,
    Joined,
    LabelFormat,
    LineFilter,
    LineFormat,
    Parser,
)
from logshed.search.model import Mistake
from logshed.search.sql import literal

if TYPE_CHECKING:
    from logshed.logql.model import Condition, Log, Matcher, Spot, Stage

_COLOURS = r"\x1b\[[0-9;]*[A-Za-z]"
_ERRORS = ("__error__", "__error_details__")
LONGEST_SQL = 400_000
"""Characters of a line or a label in SQL: formats put into formats grow without end."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a record at one place of a pipeline.

    Attributes:
        line: Its line.
        made: Labels that the pipeline made, each with its SQL.
        parsers: ``json`` and ``logfmt``, where the line was read by them.
        dropped: Labels that were dropped.
        kept: The only labels that were kept, or None.
        conditions: What must hold.
    """

    line: str
    made: dict[str, Found] = field(default_factory=dict)
    parsers: tuple[str, ...] = ()
    dropped: frozenset[str] = frozenset()
    kept: frozenset[str] | None = None
    conditions: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """All conditions."""
        return " AND ".join(one for one in self.conditions if one != "true") or "true"

    def label(self, name: str) -> Found:
        """What a label is here."""
        if name in self.made:
            return self.made[name]
        if not self.shows(name) or name in _ERRORS:
            return Found("CAST(NULL AS VARCHAR)")
        known = labels.found(name)
        if not self.parsers or labels.canonical(name) in labels.known():
            return known
        sides = [known.text, *(_READ[kind](self.line, labels.keys_of(name)) for kind in self.parsers)]
        return replace(known, text=f"coalesce({', '.join(sides)})")

    def shows(self, name: str) -> bool:
        """Whether a label that was there is still there."""
        own = labels.canonical(name)
        return own not in self.dropped and (self.kept is None or own in self.kept)

    def names(self) -> tuple[str, ...]:
        """The labels of its stream, and those that the pipeline made."""
        of_streams = [name for name in labels.streams() if self.shows(name) and name not in self.made]
        return (*of_streams, *self.made)


def row(log: Log) -> Row:
    """What the whole pipeline makes of a record.

    Raises:
        Mistake: A template or a stage is not supported.
    """
    start = Row(line(), conditions=tuple(matched(one) for one in log.matchers))
    return after(start, log.stages)


def after(found: Row, stages: tuple[Stage, ...]) -> Row:
    """What stages make of a record.

    Raises:
        Mistake: A template or a stage is not supported, or is too large.
    """
    for stage in stages:
        found = _staged(found, stage)
        if max(len(found.line), *(len(one.text) for one in found.made.values()), 0) > LONGEST_SQL:
            spot = getattr(stage, "spot", None)
            at, end = (spot.at, spot.end) if spot else (0, 1)
            raise Mistake("the pipeline grows too large", "use fewer formats inside each other", at, end)
    return found


def _staged(found: Row, stage: Stage) -> Row:  # noqa: PLR0911 - one branch a kind of stage
    match stage:
        case LineFilter():
            return _with(found, _filtered(found.line, stage))
        case Compared() | Joined():
            return _with(found, condition(found, stage))
        case Parser():
            return _parsed(found, stage)
        case Capture():
            return _captured(found, stage)
        case LineFormat():
            return replace(found, line=_template(found, stage.template, stage.spot))
        case LabelFormat():
            return _formatted(found, stage)
        case Choice():
            return _chosen(found, stage)
        case Decolorize():
            return replace(found, line=f"regexp_replace({found.line}, {literal(_COLOURS)}, '', 'g')")


def _with(found: Row, condition: str) -> Row:
    return replace(found, conditions=(*found.conditions, condition))


def condition(found: Row, of: Condition) -> str:
    """A condition on labels, as SQL; NULL is no match."""
    if isinstance(of, Joined):
        return "(" + f" {of.word} ".join(condition(found, part) for part in of.parts) + ")"
    if of.name in _ERRORS:
        return comparing.text("''", of.operator, str(of.value))
    return comparing.compared(found.label(of.name), of)


def matched(matcher: Matcher) -> str:
    """The condition of a selector's matcher."""
    return _matched(Row(""), matcher)


def _matched(found: Row, matcher: Matcher) -> str:
    return comparing.text(found.label(matcher.name).text, matcher.operator, matcher.value)


def _filtered(side: str, stage: LineFilter) -> str:
    kind, refused = stage.operator[1], stage.operator[0] == "!"
    if kind == "=":
        parts = [contains(text, side) for text in stage.texts if text]
        parts = parts if len(parts) == len(stage.texts) else ["true"]
    else:
        texts = [regexes.of_form(text) if kind == ">" else text for text in stage.texts]
        parts = [matches(text, side) for text in texts]
    joined = parts[0] if len(parts) == 1 else "(" + " OR ".join(parts) + ")"
    return f"NOT coalesce({joined}, false)" if refused else joined


def _parsed(found: Row, stage: Parser) -> Row:
    if not stage.pairs:
        return replace(found, parsers=tuple(dict.fromkeys((*found.parsers, stage.kind))))
    made = dict(found.made)
    for name, path in stage.pairs:
        keys = ["_".join(_steps(path)), ".".join(_steps(path))] if stage.kind == "json" else [path]
        stored = labels.found("_".join(_steps(path))).text if stage.kind == "json" else labels.found(path).text
        made[name] = Found(f"coalesce({_READ[stage.kind](found.line, keys)}, {stored})")
    return replace(found, made=made, dropped=found.dropped - set(made))


def _captured(found: Row, stage: Capture) -> Row:
    made = dict(found.made)
    pattern = literal("(?s)" + stage.expression)
    for place, name in enumerate(stage.names, 1):
        if name:
            made[name] = Found(f"nullif(regexp_extract({found.line}, {pattern}, {place}), '')")
    return replace(found, made=made)


def _formatted(found: Row, stage: LabelFormat) -> Row:
    made, dropped = dict(found.made), set(found.dropped)
    for name, of, is_template in stage.pairs:
        if is_template:
            made[name] = Found(_template(found, of, stage.spot))
        else:
            made[name] = found.label(of)
            made.pop(of, None)
            dropped.add(labels.canonical(of))
        dropped.discard(labels.canonical(name))
    return replace(found, made=made, dropped=frozenset(dropped))


def _chosen(found: Row, stage: Choice) -> Row:
    if stage.keep:
        kept = frozenset(labels.canonical(name) for name, _ in stage.items)
        names = {name for name, _ in stage.items}
        left = replace(found, kept=kept, made={name: of for name, of in found.made.items() if name in names})
        return replace(left, made={**left.made, **_where(found, stage, drop=False)})
    plain = {name for name, matcher in stage.items if matcher is None}
    made = {name: of for name, of in found.made.items() if name not in plain}
    dropped = found.dropped | {labels.canonical(name) for name in plain}
    return replace(found, made={**made, **_where(found, stage, drop=True)}, dropped=dropped)


def _where(found: Row, stage: Choice, *, drop: bool) -> dict[str, Found]:
    """Labels that are there under a condition alone."""
    made = {}
    for name, matcher in stage.items:
        if matcher is None or name in _ERRORS:
            continue
        matched, text = _matched(found, matcher), found.label(name).text
        made[name] = Found(f"CASE WHEN {'NOT ' if drop else ''}coalesce({matched}, false) THEN {text} END")
    return made


def _template(found: Row, text: str, spot: Spot) -> str:
    return templates.template(text, spot, lambda name: found.label(name).text, found.line)


def _steps(path: str) -> list[str]:
    """The keys of a path such as ``request.headers["User-Agent"][0]``."""
    bare = path.replace("[", ".").replace("]", "")
    return [step.strip("\"'`") for step in bare.split(".") if step]


def _json(line: str, keys: list[str]) -> str:
    """What a line in JSON has under one of some keys, dots leading inside."""
    paths = []
    for key in keys:
        names = [step.replace('"', "") for step in key.split(".")]
        if not all(names):  # a path has no empty steps
            continue
        steps = [f"[{name}]" if name.isascii() and name.isdigit() else f'."{name}"' for name in names]
        paths.append(f"json_extract_string(l, {literal('$' + ''.join(steps))})")
    if not paths:
        return "CAST(NULL AS VARCHAR)"
    inner = paths[0] if len(paths) == 1 else f"coalesce({', '.join(paths)})"
    return quantities.once(line, "l", f"CASE WHEN starts_with(l, '{{') AND json_valid(l) THEN {inner} END")


def _logfmt(line: str, keys: list[str]) -> str:
    """What a line in logfmt has under one of some keys."""
    sides = []
    for key in keys:
        name = comparing.escaped(key)
        quoted = literal(rf'(?:^|\s){name}="((?:[^"\\]|\\.)*)"')
        bare = literal(rf'(?:^|\s){name}=([^"\s]\S*)')
        sides += [f"nullif(regexp_extract(l, {one}, 1), '')" for one in (quoted, bare)]
    return quantities.once(line, "l", f"coalesce({', '.join(sides)})")


_READ = {"json": _json, "logfmt": _logfmt}
