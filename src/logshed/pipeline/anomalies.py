"""Finds anomalies: asks each detector's series of the lake, judges what is new, and writes it as findings."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from logshed.detections.anomalies import judging
from logshed.pipeline.anomaly_findings import Found, as_findings, finding_id
from logshed.queries.times import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from logshed.detections.anomalies.model import Detector

    Query = Callable[[str, Mapping[str, object]], pl.DataFrame]
    Known = defaultdict[tuple[str, str | None], list[tuple[str, datetime, datetime]]]

_KNOWN = ("finding_id", "timestamp", "end_timestamp")


def find(
    query: Query,
    detectors: Iterable[Detector],
    since: datetime,
    until: datetime,
    now: datetime,
    *,
    known: pl.DataFrame | None = None,
    collection: str | None = None,
) -> pl.DataFrame:
    """What the detectors find in the buckets of [since, until).

    The bucket that ``since`` lies in is judged whole; one that ends after ``until`` is not judged yet. History before
    is read for the baseline alone. Judging the same time again, after late rows came, gives the same findings their
    same ids.

    Args:
        query: Runs a statement in DuckDB's dialect over ``logs`` with its parameters.
        detectors: The detectors to ask.
        since: First moment to judge.
        until: First moment that no longer counts.
        now: When it is found.
        known: Findings of before, in any number: an alarm that goes on where one of them ended takes over its id and
            its beginning. Columns ``finding_id``, ``rule_id``, ``collection``, ``actor``, ``timestamp``,
            ``end_timestamp``.
        collection: The only collection to look at.

    Returns:
        Findings, ``schema.FINDINGS`` without ``batch``, by time.

    Raises:
        logshed.errors.QueryError: A detector's statement is wrong.
    """
    found: list[Found] = []
    for detector in detectors:
        before = _of_rule(known, detector)
        rows, first, end = _asked(query, detector, since, until, collection)
        found += _found(detector, rows, first, end, before)
    return as_findings(found, now)


def asked(
    since: str | datetime, until: str | datetime | None, now: datetime | None, timezone: str
) -> tuple[datetime, datetime, datetime]:
    """The first moment to judge, the first not to judge, and the present, all in UTC.

    Raises:
        logshed.errors.UsageError: A text is no time.
    """
    present = now or datetime.now(UTC)
    begin, end = (
        moment(one, now=present, timezone=timezone) if isinstance(one, str) else one
        for one in (since, present if until is None else until)
    )
    return begin, end, present


def _asked(
    query: Query, detector: Detector, since: datetime, until: datetime, collection: str | None
) -> tuple[pl.DataFrame, int, int]:
    """A detector's rows, and the first place to judge and the first not to judge."""
    first, end = int(since.timestamp()) // detector.bucket, int(until.timestamp()) // detector.bucket
    asked = {
        "since": _moment(max(0, first - judging.reach(detector)), detector),
        "until": _moment(max(0, end), detector),
        "width": detector.bucket,
        "collection": collection,
    }
    rows = judging.prepared(query(detector.sql, asked), detector)
    return rows, first, end


def _found(detector: Detector, rows: pl.DataFrame, first: int, end: int, known: Known) -> Iterator[Found]:
    """What one detector finds, slice by slice; each knows what the ones before it found."""
    newest: dict[str, Found] = {}
    for start, stop in _slices(rows, detector, first, end):
        for row in judging.alarms(rows, detector, start, stop).iter_rows(named=True):
            found = _continued(Found(detector, rows, row), known)
            newest[found.finding_id] = found
            known[found.collection, found.actor].append((found.finding_id, found.start, found.end))
    yield from newest.values()


def _slices(rows: pl.DataFrame, detector: Detector, first: int, end: int) -> Iterator[tuple[int, int]]:
    """The places to judge, in turns.

    Times without any record for longer than a detector's history cut the rows into archives: that one ends is no
    silence, and the years between two are not judged.
    """
    history = detector.history // detector.bucket
    places = rows.select(pl.col("place").unique().sort())
    archive = (pl.col("place").diff() > history).fill_null(value=False).cum_sum()
    cut = places.group_by(archive.alias("archive"), maintain_order=True).agg(
        start=pl.col("place").min(), stop=pl.col("place").max() + 1
    )
    spans = cut.select("start", "stop").rows()
    if spans and end - spans[-1][1] <= history:
        spans[-1] = spans[-1][0], end
    for start, stop in spans:
        for at in range(max(first, start), min(end, stop), judging.MOST_PLACES):
            yield at, min(end, stop, at + judging.MOST_PLACES)


def _of_rule(known: pl.DataFrame | None, detector: Detector) -> Known:
    """The findings of before that are this detector's."""
    found: Known = defaultdict(list)
    if known is not None:
        own = known.filter(pl.col("rule_id") == detector.id)
        for collection, actor, *rest in own.select("collection", "actor", *_KNOWN).iter_rows():
            found[collection, actor].append(tuple(rest))
    return found


def _continued(found: Found, known: Known) -> Found:
    """A finding with the id and the beginning of the one that it goes on from, where there is one.

    Several series may share an actor; the id tells whose a finding is.
    """
    quiet = timedelta(seconds=found.detector.alarm.quiet * found.detector.bucket)
    for one_id, start, end in known[found.collection, found.actor]:
        near = start - quiet <= found.end and found.start <= end + quiet
        if near and one_id == finding_id(found.detector, found.series, start):
            return found.going_on(start, end)
    return found


def _moment(place: int, detector: Detector) -> datetime:
    return datetime.fromtimestamp(place * detector.bucket, UTC)
