"""Reads a rule file: one Sigma rule, or correlations with the rules that they are about; ours, and what users bring."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, cast, get_args
from uuid import NAMESPACE_URL, UUID, uuid5

import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError

from logshed.detections import taxonomy
from logshed.detections.conditions import compile_condition
from logshed.detections.model import LEVELS, Bucket, Case, Confidence, Correlation, CorrelationKind, Novelty, Rule
from logshed.errors import DetectionError
from logshed.schema import SILVER_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from sigma.rule import SigmaRule

_COUNTS = {"bucket", "per_value", "novel", "travel"}
"""Keys of ``logshed:`` in a correlation alone."""
_OWN = {"confidence", "actor", "explanation", "finds", "ignores"} | _COUNTS
"""Keys of ``logshed:`` in a rule."""
_CASE = {"title", "lines", "format", "events", "repeat", "every"}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SPAN = re.compile(r"([0-9.]+)(ms|[smhd])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_ACTORS = ("client_address", "user_id", "service_name", "host_name")


def read_rules(stem: str, text: str, file: str, extra: Iterable[Path] = ()) -> list[Rule]:
    """The rules of a file that find something by themselves; those that a correlation names stand behind it.

    Args:
        stem: The file's name without its ending; a file's only rule bears it.
        text: Its YAML.
        file: Where it is, for errors.
        extra: More plug-in roots.

    Raises:
        DetectionError: It is wrong; the text names the file, and the line or the key.
    """
    try:
        documents = _documents(text)
        collection = SigmaCollection.from_dicts(documents)
    except yaml.YAMLError as error:
        raise DetectionError(f"cannot load rule {file}: {_where(error)}; correct the file") from error
    except SigmaError as error:
        raise DetectionError(f"cannot load rule {file}: {error}; correct the file") from error
    except (AttributeError, TypeError, KeyError, ValueError) as error:  # pySigma meets texts where it wants tables
        raise DetectionError(f"cannot load rule {file}: it is no Sigma rule ({error}); correct the file") from error
    if not collection.rules:
        raise DetectionError(f"cannot load rule {file}: it holds no rule; correct the file")
    try:
        return _File(stem, text, file, tuple(extra)).rules(collection, documents)
    except DetectionError as error:
        raise DetectionError(f"cannot load rule {file}: {error}; correct the file") from error
    except SigmaError as error:
        raise DetectionError(f"cannot load rule {file}: {error}; correct the file") from error


class _File:
    def __init__(self, stem: str, text: str, file: str, extra: tuple[Path, ...]) -> None:
        self._stem, self._text, self._file, self._extra = stem, text, file, extra

    def rules(self, collection: SigmaCollection, documents: list[dict[str, Any]]) -> list[Rule]:
        plain: dict[str, Rule] = {}
        found: list[Rule] = []
        pairs = list(zip(collection.rules, documents, strict=False))
        alone = len(pairs) == 1
        for one, said in pairs:
            if isinstance(one, SigmaCorrelationRule):
                continue
            rule = self._plain(one, said, alone=alone)
            plain |= {rule.name: rule, rule.id: rule}
        used: set[str] = set()
        correlated = [(one, said) for one, said in pairs if isinstance(one, SigmaCorrelationRule)]
        for one, said in correlated:
            rule = self._correlation(one, said, plain, first=one is correlated[0][0])
            used |= {base.name for base in rule.bases}
            found.append(rule)
        return [*(rule for name, rule in plain.items() if name == rule.name and name not in used), *found]

    def _plain(self, one: SigmaRule, said: Mapping[str, Any], *, alone: bool) -> Rule:
        if one.detection is None:
            raise DetectionError("detection: it is missing")
        source = {key: getattr(one.logsource, key) for key in ("category", "product", "service")}
        known = taxonomy.find(source, self._extra)
        conditions = one.detection.parsed_condition
        if len(conditions) != 1:
            raise DetectionError("detection.condition: exactly one is taken")
        predicate = compile_condition(conditions[0].parsed, known.resolve)
        name = self._stem if alone else (one.name or f"{self._stem}_{str(one.id or one.title)[:8]}")
        logsource = " ".join(f"{key}={value}" for key, value in source.items() if value)
        return self._rule(one, said, name, where=known.where, predicate=predicate, logsource=logsource)

    def _correlation(
        self, one: SigmaCorrelationRule, said: Mapping[str, Any], plain: Mapping[str, Rule], *, first: bool
    ) -> Rule:
        named = [reference.reference for reference in one.rules or ()]
        missing = [name for name in named if name not in plain]
        if missing:
            raise DetectionError(f"correlation.rules: there is no rule {missing[0]} in this file")
        bases = tuple(plain[name] for name in named)
        aliases = {alias.alias for alias in one.aliases}
        group_by = tuple(one.group_by or ())
        value = getattr(one.condition, "fieldref", None)
        value = (value[0] if isinstance(value, list) else value) or ""
        for key in (*group_by, *((value,) if value else ())):
            if key not in SILVER_BY_NAME and key not in aliases and not key.startswith("attributes."):
                raise DetectionError(f"correlation: {key} is no column of logs; name one, or attributes.<key>")
        kind = one.type.name.lower()
        if kind not in get_args(CorrelationKind):
            raise DetectionError(f"correlation.type: {kind} is unknown")
        own = said.get("logshed", {})
        correlation = Correlation(
            kind=cast("CorrelationKind", kind),
            rules=tuple(base.name for base in bases),
            group_by=group_by,
            timespan_s=one.timespan.seconds,
            op=one.condition.op.name.lower() if hasattr(one.condition, "op") else "gte",
            count=float(getattr(one.condition, "count", 1) or 0),
            value=value,
            percentile=getattr(one.condition, "percentile", None) or 50,
            bucket=_bucket(own["bucket"]) if "bucket" in own else None,
            per_value=_positive("logshed.per_value", own.get("per_value", 0)),
            novelty=_novelty(own["novel"]) if "novel" in own else None,
            travel_kmh=_positive("logshed.travel", own.get("travel", 0)),
        )
        name = self._stem if first else (one.name or f"{self._stem}_{kind}")
        fallback = {"author": bases[0].author, "license": bases[0].license, "tags": bases[0].tags}
        actors = tuple(key for key in group_by if key in SILVER_BY_NAME)
        return self._rule(
            one,
            said,
            name,
            correlation=correlation,
            bases=bases,
            fallback=fallback,
            actors=actors,
            logsource=bases[0].logsource,
        )

    def _rule(
        self,
        one: SigmaRule | SigmaCorrelationRule,
        said: Mapping[str, Any],
        name: str,
        *,
        fallback: Mapping[str, Any] | None = None,
        actors: tuple[str, ...] = (),
        **parts: Any,
    ) -> Rule:
        own = said.get("logshed", {})
        if not isinstance(own, dict) or not set(own) <= _OWN:
            raise DetectionError(f"logshed: it takes {', '.join(sorted(_OWN))}")
        level = one.level.name.lower() if one.level else "medium"
        if level not in LEVELS:
            raise DetectionError(f"level: {level} is unknown")
        confidence = own.get("confidence", "high")
        if confidence not in get_args(Confidence):
            raise DetectionError(f"logshed.confidence: {confidence} is unknown; it is high or low")
        named = own.get("actor", [])
        fallback = fallback or {}
        tags = tuple(f"{tag.namespace}.{tag.name}" for tag in one.tags)
        return Rule(
            name=name,
            id=str(one.id or UUID(str(uuid5(NAMESPACE_URL, f"logshed:{name}")))),
            title=one.title or name,
            description=" ".join((one.description or "").split()),
            version=f"{one.modified or one.date or 'undated'} {hashlib.sha256(self._text.encode()).hexdigest()[:8]}",
            author=one.author or fallback.get("author", ""),
            license=one.license or fallback.get("license", ""),
            status=one.status.name.lower() if one.status else "test",
            level=level,
            confidence=confidence,
            tags=tags or fallback.get("tags", ()),
            references=tuple(one.references or ()),
            falsepositives=tuple(map(str, one.falsepositives or ())),
            actors=_columns("logshed.actor", [named] if isinstance(named, str) else named) or actors or _ACTORS,
            explanation=str(own.get("explanation", "")),
            file=self._file,
            text=self._text,
            cases=tuple(_cases(own)),
            **parts,
        )


def _columns(key: str, names: list[str]) -> tuple[str, ...]:
    for name in names:
        if name not in SILVER_BY_NAME:
            raise DetectionError(f"{key}: {name} is no column of logs")
    return tuple(names)


def _cases(own: Mapping[str, Any]) -> Iterator[Case]:
    for key, holds in (("finds", True), ("ignores", False)):
        for number, said in enumerate(own.get(key) or (), 1):
            place = f"logshed.{key} {number}"
            if not isinstance(said, dict) or not set(said) <= _CASE or not (said.get("lines") or said.get("events")):
                raise DetectionError(f"{place}: it has title, and lines (with format) or events, repeat and every")
            yield Case(
                title=str(said.get("title", "")),
                holds=holds,
                lines=tuple(map(str, said.get("lines", ()))),
                format=said.get("format", ""),
                events=tuple(said.get("events", ())),
                repeat=int(said.get("repeat", 1)),
                every_s=seconds(f"{place}.every", said.get("every", "1s")),
            )


def _bucket(said: Any) -> Bucket:
    if not isinstance(said, dict) or not {"capacity", "leakspeed"} <= set(said) <= {
        "capacity",
        "leakspeed",
        "distinct",
    }:
        raise DetectionError("logshed.bucket: it has capacity and leakspeed, and distinct if only new values count")
    if not isinstance(said["capacity"], int) or said["capacity"] < 1:
        raise DetectionError("logshed.bucket.capacity: it is a whole number of at least 1")
    return Bucket(said["capacity"], seconds("logshed.bucket.leakspeed", said["leakspeed"]), said.get("distinct", ""))


def _novelty(said: Any) -> Novelty:
    if not isinstance(said, dict) or set(said) != {"field", "after"} or not isinstance(said["after"], int):
        raise DetectionError("logshed.novel: it has field, a column, and after, how many records come before")
    return Novelty(_columns("logshed.novel.field", [said["field"]])[0], said["after"])


def _positive(key: str, said: Any) -> float:
    if not isinstance(said, int | float) or said < 0:
        raise DetectionError(f"{key}: {said!r} is no number above 0")
    return float(said)


def seconds(key: str, text: object) -> float:
    """A span such as ``10s``, ``5m``, ``1h`` in seconds.

    Raises:
        DetectionError: It is none.
    """
    found = _SPAN.fullmatch(str(text))
    if found is None:
        raise DetectionError(f"{key}: {text!r} is no span of time; write 10s, 5m, 1h")
    return float(found[1]) * _SECONDS[found[2]]


def _documents(text: str) -> list[dict[str, Any]]:
    """The documents of a file, read by libyaml where it is there: Python's own reader takes ten times as long.

    Raises:
        YAMLError: It is no YAML, or it has aliases, by which a hostile file could build up.
    """
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_LOADER)):
        raise yaml.YAMLError("aliases are not taken in rules")
    return [one for one in yaml.load_all(text, Loader=_LOADER) if one]


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}: {said}" if mark else str(said)
