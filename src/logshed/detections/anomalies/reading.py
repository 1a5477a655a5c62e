"""Reads a detector's file, and refuses one with a wrong key by its name."""

from __future__ import annotations

import hashlib
import re
import string
import tomllib
import types
import typing
import uuid
from dataclasses import MISSING, fields
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from logshed.detections.anomalies.alarms import Alarm
from logshed.detections.anomalies.counting import Counts, Silence
from logshed.detections.anomalies.methods import Ewma, HourOfWeek, RobustZ
from logshed.detections.anomalies.model import Case, CaseSeries, Confidence, Detector, Fill, Level, Unit
from logshed.detections.anomalies.rows import FirstSeen, Peers
from logshed.detections.anomalies.seasons import Season
from logshed.detections.anomalies.series import NAMES as SPEC_NAMES
from logshed.detections.anomalies.series import Change, Spec
from logshed.errors import DetectionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

METHODS: dict[str, type[Any]] = {
    "robust_z": RobustZ,
    "ewma": Ewma,
    "hour_of_week": HourOfWeek,
    "counts": Counts,
    "silence": Silence,
    "peers": Peers,
    "first_seen": FirstSeen,
}
"""The methods by the names that files have for them."""

SENTENCE = {"value", "span", "start", "peak", "low", "high"}
"""What a sentence may name besides the key columns."""

_TEXTS = ("id", "title", "description", "level", "confidence", "author", "actor", "sentence", "sql", "unit", "fill")
_KEYS = {*_TEXTS, "date", "technique", "keys", "bucket", "history", "method", "alarm", "sources", "cases"}
_CHOICES = {"level": Level, "confidence": Confidence, "unit": Unit, "fill": Fill}
_DURATION = re.compile(r"(\d+)(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATIONS = {"window", "gap", "refresh", "warmup"}
_HINTS = {"Season": Season}
"""Names that annotations have and their modules import for type checkers only."""
_Made = TypeVar("_Made")


def parse(name: str, text: str) -> Detector:
    """A detector from its file's text.

    Args:
        name: The file's stem.
        text: TOML.

    Raises:
        logshed.errors.DetectionError: The text is no TOML or a key is wrong; the error names file and key.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise wrong(name, f"it is no TOML ({error})", "mend it") from error
    _known(name, "", table, _KEYS)
    texts = {key: _text(name, table, key) for key in _TEXTS}
    for key, choice in _CHOICES.items():
        if texts[key] not in get_args(choice):
            raise wrong(name, f"{key} is {texts[key]!r}", f"take one of {', '.join(get_args(choice))}")
    method, alarm = _method(name, table), _alarm(name, table)
    keys = tuple(_list(name, table, "keys"))
    _check(name, table, texts, keys)
    return Detector(
        name=name,
        version=_version(name, table, text),
        technique=str(table.get("technique", "")),
        keys=keys,
        bucket=_duration(name, "bucket", table.get("bucket")),
        history=_duration(name, "history", table.get("history")),
        method=method,
        alarm=alarm,
        sources=_sources(name, table),
        cases=tuple(_case(name, place, one) for place, one in enumerate(table.get("cases", []), start=1)),
        **texts,  # type: ignore[arg-type]  # the choices are checked above
    )


def method_name(detector: Detector) -> str:
    """The name that files have for a detector's method."""
    return next(name for name, kind in METHODS.items() if isinstance(detector.method, kind))


def wrong(name: str, cause: str, advice: str) -> DetectionError:
    """The error that names a detector's file."""
    return DetectionError(f"cannot load the anomaly detector {name}.toml: {cause}; {advice}")


def _known(name: str, where: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
    if unknown := sorted(set(table) - set(known)):
        raise wrong(name, f"it has the unknown key {where}{unknown[0]!s}", f"take {', '.join(sorted(known))}")


def _text(name: str, table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise wrong(name, f"{key} is missing or no text", f'write {key} = "..."')
    return value.strip() if key == "sql" else " ".join(value.split())


def _list(name: str, table: Mapping[str, Any], key: str) -> list[str]:
    value = table.get(key)
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise wrong(name, f"{key} is missing or no list of texts", f'write {key} = ["service_name"]')
    return value


def _duration(name: str, key: str, value: object) -> int:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None or not int(found[1]):
        raise wrong(name, f"{key} is {value!r}, no length of time", "write 10m, 2h or 28d")
    return int(found[1]) * _SECONDS[found[2]]


def _version(name: str, table: Mapping[str, Any], text: str) -> str:
    day = table.get("date")
    if not isinstance(day, date):
        raise wrong(name, "date is missing or no date", "write date = 2026-11-26, when it was last changed")
    return f"{day:%Y-%m-%d} {hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:12]}"


def _method(name: str, table: Mapping[str, Any]) -> Any:
    given = table.get("method")
    if not isinstance(given, dict) or given.get("name") not in METHODS:
        raise wrong(name, "method.name is missing or no method", f"take one of {', '.join(METHODS)}")
    return _made(name, "method.", METHODS[given["name"]], {key: one for key, one in given.items() if key != "name"})


def _alarm(name: str, table: Mapping[str, Any]) -> Alarm:
    given = table.get("alarm")
    if not isinstance(given, dict):
        raise wrong(name, "alarm is missing", "write [alarm] with direction, start and end")
    alarm = _made(name, "alarm.", Alarm, given)
    if alarm.end > alarm.start or alarm.over > alarm.among or alarm.over < 1:
        raise wrong(name, "alarm.end lies above start, or alarm.over above among", "let end <= start, over <= among")
    return alarm


def _made(name: str, where: str, kind: type[_Made], given: Mapping[str, Any]) -> _Made:
    """An object of a dataclass from a table that has its fields as keys."""
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]  # every kind here is a dataclass
    _known(name, where, given, known)
    kinds = typing.get_type_hints(kind, localns=_HINTS)
    missing = [key for key, one in known.items() if one.default is MISSING and key not in given]
    if missing:
        raise wrong(name, f"{where}{missing[0]} is missing", f"give {', '.join(missing)}")
    return kind(**{key: _value(name, where + key, key, kinds[key], value) for key, value in given.items()})


def _value(name: str, place: str, key: str, kind: Any, value: object) -> object:
    if key in _DURATIONS:
        return _duration(name, place, value)
    if get_origin(kind) is types.UnionType:
        kind = get_args(kind)[0]
    if get_origin(kind) is typing.Literal:
        fits, what = value in get_args(kind), f"one of {', '.join(get_args(kind))}"
    elif get_origin(kind) is tuple:
        fits, what = isinstance(value, list) and all(isinstance(one, str) for one in value), "a list of texts"
        value = tuple(value) if isinstance(value, list) else value
    elif kind in (int, float):
        fits = isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
        what = "a whole number" if kind is int else "a number"
    else:
        fits, what = isinstance(value, kind), "a text" if kind is str else kind.__name__
    if not fits:
        raise wrong(name, f"{place} is {value!r}", f"write {what}")
    return value


def _sources(name: str, table: Mapping[str, Any]) -> dict[str, str]:
    """Where every threshold comes from: each key of the method and of the alarm that is a number must be named."""
    given = table.get("sources")
    if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
        raise wrong(name, "sources is missing or no table of texts", "write [sources] with a line for each threshold")
    wanted = {key for part in ("method", "alarm") for key, one in table[part].items() if not isinstance(one, bool)}
    wanted -= {"name", "direction", "by", "novel"}
    if silent := sorted(wanted - set(given)):
        raise wrong(name, f"sources.{silent[0]} is missing", "say where that threshold comes from")
    _known(name, "sources.", given, wanted)
    return dict(given)


def _check(name: str, table: Mapping[str, Any], texts: Mapping[str, str], keys: tuple[str, ...]) -> None:
    try:
        uuid.UUID(texts["id"])
    except ValueError as error:
        raise wrong(name, f"id is {texts['id']!r}, no UUID", "write one as `uuidgen` gives it") from error
    if texts["actor"] not in keys:
        raise wrong(name, f"actor is {texts['actor']!r}, none of keys", "name one of keys")
    names = {found for _, found, _, _ in string.Formatter().parse(texts["sentence"]) if found is not None}
    _known(name, "sentence.", dict.fromkeys(names), {*SENTENCE, *keys})
    for key in ("novel", "by"):
        named = table["method"].get(key, [])
        if not {named} <= set(keys) if isinstance(named, str) else not set(named) <= set(keys):
            raise wrong(name, f"method.{key} is {named!r}, none of keys", "name one of keys")


def _case(name: str, place: int, given: Mapping[str, Any]) -> Case:
    where = f"cases[{place}]."
    _known(name, where, given, ("name", "alarms", "days", "judge", "series"))
    if missing := sorted({"name", "alarms", "series"} - set(given)):
        raise wrong(name, f"{where}{missing[0]} is missing", "give name, alarms and [[cases.series]]")
    series = tuple(_case_series(name, f"{where}series.", one) for one in given["series"])
    return Case(given["name"], given["alarms"], given.get("days", 16), given.get("judge", 2), series)


def _case_series(name: str, where: str, given: Mapping[str, Any]) -> CaseSeries:
    _known(name, where, given, {"keys", "copies", *SPEC_NAMES})
    changes = tuple(_made(name, f"{where}changes.", Change, one) for one in given.get("changes", ()))
    plain = {key: one for key, one in given.items() if key not in {"keys", "copies", "changes"}}
    made = _made(name, where, Spec, plain)
    spec = Spec(**{one: getattr(made, one) for one in SPEC_NAMES} | {"changes": changes})
    return CaseSeries(dict(given.get("keys", {})), spec, given.get("copies", 1))
