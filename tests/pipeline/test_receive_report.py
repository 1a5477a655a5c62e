"""How receiving stands."""

from __future__ import annotations

from logshed.cli.receive import told
from logshed.doors.receive_counts import Counts
from logshed.pipeline.receive_report import ReceiveReport


def test_records_that_no_format_could_read_are_in_the_lake_too() -> None:
    counts = Counts()
    counts.accepted("lines", "web", 10, 100)
    counts.stored("web", 9, 1)
    report = ReceiveReport(counts, seconds=2.0)
    assert (report.stored, report.in_lake) == (9, 10)
    assert list(told(report, into_lake=True)) == ["10 records came in 2.0 s; 10 are in the lake."]
