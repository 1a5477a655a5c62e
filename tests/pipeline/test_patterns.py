"""Templates of a lake's messages: which are looked at, and what is new among them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from logshed.errors import QueryError, UsageError
from logshed.pipeline import patterns as mining

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.api import Lake

NOW = datetime(2026, 11, 10, tzinfo=UTC)
RECORDS = (
    (1, "INFO", "shop", "order 5 paid"),
    (1, "INFO", "shop", "old news"),
    (8, "INFO", "shop", "order 6 paid"),
    (9, "INFO", "shop", "order 7 paid"),
    (9, "ERROR", "mail", "disk is full"),
)


@pytest.fixture
def filled(lake: Lake, logs: Path) -> Lake:
    lines = [
        f'{{"timestamp":"2026-11-0{day}T12:00:00Z","level":"{level}","service":"{service}","message":"{body}"}}\n'
        for day, level, service, body in RECORDS
    ]
    (logs / "app.jsonl").write_text("".join(lines))
    (logs / "access.log").write_text('192.0.2.1 - - [09/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5\n' * 3)
    assert lake.ingest([logs]).totals.rejected == 0
    return lake


def _counts(found: mining.Patterns) -> dict[str, int]:
    return dict(found.frame.select("template", "count").iter_rows())


def test_only_messages_of_the_window_are_looked_at(filled: Lake) -> None:
    found = filled.patterns(now=NOW)
    assert _counts(found) == {"order <NUM> paid": 2, "disk is full": 1}
    assert found.messages == 3


@pytest.mark.parametrize(
    ("asked", "templates"),
    [
        ({"service": "mail"}, {"disk is full"}),
        ({"where": "severity_number < 17 -- no errors"}, {"order <NUM> paid", "old news"}),
        ({"where": "body LIKE 'old%' OR body LIKE 'disk%'", "service": "shop"}, {"old news"}),
        ({"collection": "nobody"}, set()),
        ({"until": "2026-11-02"}, {"order <NUM> paid", "old news"}),
    ],
)
def test_what_is_asked_for_narrows_it_down(filled: Lake, asked: dict[str, str], templates: set[str]) -> None:
    assert set(_counts(filled.patterns(since="all", now=NOW, **asked))) == templates


def test_new_templates_do_not_occur_in_the_time_before(filled: Lake) -> None:
    found = filled.patterns(change="new", since="2026-11-09", now=NOW)
    assert _counts(found) == {"disk is full": 1}
    assert (found.messages, found.before) == (2, 1)
    assert set(_counts(filled.patterns(change="new", since="2026-11-08", now=NOW))) == {"disk is full"}


def test_vanished_templates_occur_in_the_time_before_alone(filled: Lake) -> None:
    assert set(_counts(filled.patterns(change="vanished", since="2026-11-09", baseline="14d", now=NOW))) == {"old news"}
    assert _counts(filled.patterns(change="vanished", since="2026-11-09", baseline="2d", now=NOW)) == {}


def test_a_window_ends_where_it_is_said_and_begins_so_long_before() -> None:
    begin, end = mining.window(None, "2026-11-03", "24h", now=NOW)
    assert (begin, end) == (datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC))


def test_batches_make_no_difference(filled: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = filled.patterns(since="all", now=NOW).frame
    monkeypatch.setattr(mining, "ROWS_AT_ONCE", 1)
    assert filled.patterns(since="all", now=NOW).frame.equals(whole)


def test_a_wrong_condition_is_explained(filled: Lake) -> None:
    with pytest.raises(QueryError, match="severity_number"):
        filled.patterns(where="severity_numbr > 5")


def test_a_wrong_baseline_is_refused(filled: Lake) -> None:
    with pytest.raises(UsageError, match="cannot read the time"):
        filled.patterns(change="new", baseline="a while", now=NOW)
