"""Writes an alarm as a finding: its id, its sentence, its score and the history behind it."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import polars as pl

from logshed import schema
from logshed.detections.anomalies.reading import method_name
from logshed.pipeline.findings import score

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from logshed.detections.anomalies.model import Detector, Unit

HISTORY_BUCKETS = 48
"""Buckets of history that a finding keeps for a chart: as many as fit into a line of a terminal."""

KINDS = ("client_address", "user_id", "service_name")
"""Columns of a finding that a key column of the same name fills."""


@dataclass(frozen=True)
class Found:
    """An alarm on its way to a finding.

    Attributes:
        detector: Whose it is.
        rows: The detector's rows, as ``judging.prepared`` gives them.
        row: The alarm, as ``judging.alarms`` gives it.
        known_start: When it began, where it goes on from an earlier finding.
        known_end: When that one ended.
    """

    detector: Detector
    rows: pl.DataFrame
    row: Mapping[str, Any]
    known_start: datetime | None = None
    known_end: datetime | None = None

    def going_on(self, start: datetime, end: datetime) -> Found:
        """The same with an earlier beginning."""
        return replace(self, known_start=start, known_end=end)

    @cached_property
    def own(self) -> pl.DataFrame:
        """The rows of its series."""
        return self.rows.filter(pl.col("series") == self.row["series"])

    @cached_property
    def keys(self) -> dict[str, str]:
        """Its series' key columns; "" where a record has none."""
        return self.own.select("collection", *self.detector.keys).row(0, named=True)

    @property
    def collection(self) -> str:
        """Its collection."""
        return self.keys["collection"]

    @property
    def actor(self) -> str | None:
        """What the detector's actor column holds."""
        return self.keys[self.detector.actor] or None

    @property
    def series(self) -> tuple[str, ...]:
        """What tells its series from the detector's others."""
        return tuple(self.keys.values())

    @property
    def start(self) -> datetime:
        """Start of its first bucket."""
        own = self.at(self.row["first"])
        return own if self.known_start is None else self.known_start

    @property
    def end(self) -> datetime:
        """End of its last bucket."""
        own = self.at(self.row["last"] + 1)
        return own if self.known_end is None else max(own, self.known_end)

    @property
    def finding_id(self) -> str:
        """The same whenever it is found."""
        return finding_id(self.detector, self.series, self.start)

    def at(self, place: int) -> datetime:
        """Start of a bucket."""
        return datetime.fromtimestamp(place * self.detector.bucket, UTC)


def finding_id(detector: Detector, series: Sequence[str], start: datetime) -> str:
    """The md5 of rule, series (collection, actor and further keys) and the first bucket's start."""
    text = "|".join((detector.id, *series, start.astimezone(UTC).isoformat()))
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def as_findings(found: Sequence[Found], now: datetime) -> pl.DataFrame:
    """Findings by time, ``schema.FINDINGS`` without ``batch``."""
    columns = {name: kind for name, kind in schema.polars_schema(schema.FINDINGS).items() if name != "batch"}
    rows = [_finding(one, now) for one in found]
    made = {name: pl.Series(name, [row.get(name) for row in rows], dtype=kind) for name, kind in columns.items()}
    return pl.DataFrame(made).sort("timestamp", "rule_name", "actor")


def _finding(found: Found, now: datetime) -> dict[str, Any]:
    detector, keys = found.detector, found.keys
    low, high = _range(found)
    first = min(found.row["first"], int(found.start.timestamp()) // detector.bucket)  # late rows may lie before it
    within = found.own.filter(pl.col("place").is_between(first, found.row["last"]))
    events = int(within["events"].sum())
    return {
        "finding_id": found.finding_id,
        "timestamp": found.start,
        "end_timestamp": found.end,
        "observed_timestamp": now,
        "collection": found.collection,
        "rule_id": detector.id,
        "rule_name": detector.name,
        "rule_title": detector.title,
        "rule_version": detector.version,
        "rule_author": detector.author,
        "rule_kind": "anomaly",
        "level": detector.level,
        "confidence": detector.confidence,
        "technique": detector.technique or None,
        "actor_type": detector.actor,
        "actor": found.actor,
        **{name: keys.get(name) or None for name in KINDS},
        "event_count": events,
        "score": score(detector.level, detector.confidence, events),
        "explanation": _explanation(found, low, high),
        "evidence": None,
        schema.UNMAPPED: {
            **{name: keys[name] for name in detector.keys if name not in KINDS and keys[name]},
            "method": method_name(detector),
            "bucket": _span(detector.bucket),
            "value": _number(found.row["value"]),
            "expected_low": _number(low),
            "expected_high": _number(high),
            "history": history(found),
        },
    }


def history(found: Found) -> str:
    """The buckets around its beginning as JSON: ``from``, ``width`` in seconds, ``values`` (null: unknown).

    They end with the alarm, or half of them after its beginning where it lasts longer.
    """
    detector = found.detector
    stop = min(found.row["last"], found.row["first"] + HISTORY_BUCKETS // 2) + 1
    shown = pl.DataFrame({"place": range(stop - HISTORY_BUCKETS, stop)}, schema={"place": pl.Int64})
    joined = shown.join(found.own.select("place", "value"), on="place", how="left", maintain_order="left")
    values = joined["value"]
    if detector.fill == "zero":
        values = joined.select(
            pl.when(pl.col("place") >= found.own["place"].min()).then(pl.col("value").fill_null(0.0))
        ).to_series()
    rounded = [None if value is None else _rounded(value) for value in values]
    begin = found.at(stop - HISTORY_BUCKETS).strftime("%Y-%m-%dT%H:%M:%SZ")
    return orjson.dumps({"from": begin, "width": detector.bucket, "values": rounded}).decode()


def _range(found: Found) -> tuple[float, float]:
    row, detector = found.row, found.detector
    centre, spread = np.array([row["centre"]]), np.array([row["spread"]])
    low, high = detector.method.bounds(centre, spread, detector.alarm.start)
    return float(low[0]), float(high[0])


def _explanation(found: Found, low: float, high: float) -> str:
    detector = found.detector
    shown = _UNITS[detector.unit]
    length = int((found.end - found.start).total_seconds())
    names = {name: found.keys[name] or f"(no {name})" for name in detector.keys}
    text = detector.sentence.format(
        **names,
        value=shown(found.row["value"], detector),
        low=shown(math.floor(low) if detector.unit == "count" else low, detector),
        high=shown(math.ceil(high) if detector.unit == "count" else high, detector),
        span=_span(detector.bucket),
        start=f"{found.start:%Y-%m-%d %H:%M}",
        peak=f"{found.at(found.row['place']):%Y-%m-%d %H:%M}",
    )
    told = length <= detector.bucket or detector.alarm.direction != "high" or found.row["off"] == math.inf
    return text if told else f"{text}; it lasted {_span(length)} from {found.start:%H:%M}"


def _rounded(value: float) -> float | int:
    return int(value) if value == int(value) else float(f"{value:.4g}")


def _number(value: float) -> str:
    return str(_rounded(value)) if math.isfinite(value) else ""


def _span(seconds: float) -> str:
    """A length of time in words: ``10 min``, ``3 h 20 min``, ``2 d 4 h``."""
    left, parts = round(seconds), []
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if left >= size:
            parts.append(f"{left // size} {name}")
            left %= size
    return " ".join(parts[:2]) or "0 s"


def _milliseconds(value: float, _: Detector) -> str:
    return f"{value:,.0f} ms" if value < 10_000 else _span(value / 1000)  # noqa: PLR2004 - ten seconds


def _bytes(value: float, _: Detector) -> str:
    size = max(0, min(4, int(math.log(max(value, 1), 1000))))
    return f"{value / 1000**size:,.{1 if size else 0}f} {('B', 'kB', 'MB', 'GB', 'TB')[size]}"


_UNITS: dict[Unit, Callable[[float, Detector], str]] = {
    "count": lambda value, _: f"{value:,.0f}",
    "milliseconds": _milliseconds,
    "bytes": _bytes,
    "buckets": lambda value, detector: _span(value * detector.bucket),
}
