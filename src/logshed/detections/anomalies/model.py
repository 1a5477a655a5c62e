"""What a detector is: a series in SQL, a method, and the lines at which it alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.detections.anomalies.alarms import Alarm
    from logshed.detections.anomalies.counting import Counts, Silence
    from logshed.detections.anomalies.methods import Ewma, HourOfWeek, RobustZ
    from logshed.detections.anomalies.rows import FirstSeen, Peers
    from logshed.detections.anomalies.series import Spec

    GridMethod = RobustZ | Ewma | HourOfWeek | Counts | Silence
    RowsMethod = Peers | FirstSeen

Fill = Literal["zero", "missing"]
Unit = Literal["count", "milliseconds", "bytes", "buckets"]
Level = Literal["informational", "low", "medium", "high", "critical"]
Confidence = Literal["high", "low"]


@dataclass(frozen=True, slots=True)
class CaseSeries:
    """One generated series of a case, or many alike.

    Attributes:
        keys: Values of the key columns.
        spec: How it is made.
        copies: How many; each copy's actor gets a number behind its name.
    """

    keys: Mapping[str, str]
    spec: Spec
    copies: int = 1


@dataclass(frozen=True, slots=True)
class Case:
    """Series that must alarm so many times.

    Attributes:
        name: What it shows.
        alarms: Findings that must come of it; 0 is none.
        days: Days from the first bucket to the end.
        judge: Days at the end that are judged.
        series: The series.
    """

    name: str
    alarms: int
    days: float
    judge: float
    series: tuple[CaseSeries, ...]


@dataclass(frozen=True, slots=True)
class Detector:
    """One anomaly detector.

    Attributes:
        name: The file's stem.
        id: Its UUID.
        version: The file's date and the hash of its text.
        title: A few words.
        description: What it finds, and what it does not.
        level: Sigma's level.
        confidence: ``high``: made to alert; ``low``: counts towards scores only.
        technique: MITRE ATT&CK techniques, separated by blanks; empty where it is none.
        author: Who wrote it.
        actor: The key column that names the actor.
        keys: The columns that tell series apart, besides ``collection``.
        bucket: Seconds of a bucket.
        history: Seconds before the first judged bucket that are read.
        fill: What a bucket without a row is: ``zero`` for counts, ``missing`` for measures.
        unit: What values are shown as.
        sentence: The explanation, with names in braces.
        sql: The series: ``collection``, the keys, ``bucket``, ``value``, and ``exposure`` and ``events`` where given.
        method: How a bucket is judged.
        alarm: When that is an alarm.
        sources: Where each threshold comes from.
        cases: Series that must alarm, and series that must not.
    """

    name: str
    id: str
    version: str
    title: str
    description: str
    level: Level
    confidence: Confidence
    technique: str
    author: str
    actor: str
    keys: tuple[str, ...]
    bucket: int
    history: int
    fill: Fill
    unit: Unit
    sentence: str
    sql: str
    method: GridMethod | RowsMethod
    alarm: Alarm
    sources: Mapping[str, str]
    cases: tuple[Case, ...]
