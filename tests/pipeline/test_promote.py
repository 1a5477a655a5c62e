"""An attribute that became a column is one column, of old records and of new ones, on both engines."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from logshed.errors import UsageError
from logshed.lake.names import LOGS
from logshed.lake.scan import iceberg_files, paths

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.api import Lake

KINDS = {"tenant.id": "string", "tries": "int", "hitRatio": "double", "flag": "bool", "when": "timestamp"}
TEN = datetime(2026, 11, 1, 10, tzinfo=UTC)
GIVEN = [
    ("acme", "7", "1.5", "true", "2026-11-01T10:00:00Z"),
    ("it's", "x", "1e3", "False", "2026-11-01T11:00:00+01:00"),
    ("", "-12", "abc", "no", "yesterday"),
    ("b", "9223372036854775807", ".5", "TRUE", "2026-11-01 10:00:00.25Z"),
    ("c", " 8", "nan", "1", "2026-13-01T10:00:00Z"),
]
EXPECTED = [
    ("acme", 7, 1.5, True, TEN),
    ("it's", None, 1000.0, False, TEN),
    ("", -12, None, None, None),
    ("b", None, 0.5, True, TEN.replace(microsecond=250_000)),
    ("c", None, None, None, None),
    (None, None, None, None, None),
]
COLUMNS = 'SELECT tenant_id, tries, hit_ratio, flag, "when" FROM logs ORDER BY "offset"'


def write(lake: Lake, file: Path) -> None:
    """Six records more: the last has none of the attributes."""
    rows = [dict(zip(KINDS, values, strict=True)) for values in GIVEN] + [{}]
    with file.open("a") as opened:
        for number, row in enumerate(rows):
            own = {"timestamp": f"2026-11-01T12:00:0{number}Z", "message": "m", "level": "info"}
            opened.write(json.dumps(own | row) + "\n")
    lake.ingest([file])


def asked(lake: Lake, sql: str) -> list[tuple[object, ...]]:
    """The same rows by both engines."""
    rows = lake.query(sql).rows()
    assert lake.query(sql, engine="clickhouse").rows() == rows, sql
    return rows


def test_old_records_and_new_ones_answer_alike_and_what_does_not_fit_stays_an_attribute(lake: Lake, logs: Path) -> None:
    write(lake, logs / "a.log")
    for key, kind in KINDS.items():
        told = lake.promote(key, kind, dry_run=True)
        assert lake.promote(key, kind) == told == lake.promote(key, kind)
    assert (told.records, told.fit) == (5, 4)  # that month is none, which its form does not tell
    assert asked(lake, COLUMNS) == EXPECTED
    write(lake, logs / "a.log")
    assert asked(lake, COLUMNS) == EXPECTED * 2
    assert asked(lake, "SELECT attributes['tries'] FROM logs WHERE tries IS NULL ORDER BY \"offset\"")[:2] == [
        ("x",),
        ("9223372036854775807",),
    ]
    for where, count in {
        "tries = 7": 2,
        "tenant_id = 'acme'": 2,
        "flag": 4,
        "tries < 0 AND hit_ratio IS NULL": 2,
    }.items():
        assert asked(lake, f"SELECT count(*) FROM logs WHERE {where}") == [(count,)], where
    for _ in range(3):
        write(lake, logs / "a.log")
    lake.maintain(["compact"])
    store = lake._opened()
    (file,) = paths(iceberg_files(store.table(LOGS)))
    assert {"tenant_id", "when"} <= set(pq.read_schema(file).names)
    assert asked(lake, COLUMNS) == EXPECTED * 5
    lake.reparse("all")
    assert asked(lake, COLUMNS) == EXPECTED * 5
    assert lake.audit().ok
    verbs = lake.query("SELECT target, outcome FROM audit WHERE verb = 'promote' ORDER BY sequence LIMIT 1").rows()
    assert verbs == [("tenant.id", "ok")]


def test_frequent_attributes_are_listed_with_the_type_that_all_their_values_fit(lake: Lake, logs: Path) -> None:
    rows = [{"team": "a", "tries": "1", "on": "true", "at": "2026-11-01T10:00:00Z"}, {"team": "b", "tries": "2"}]
    own = {"timestamp": "2026-11-01T12:00:00Z", "message": "m", "level": "info"}
    (logs / "a.log").write_text("".join(json.dumps(own | row) + "\n" for row in rows))
    lake.ingest([logs])
    lake.promote("on", "bool", name="switched_on")
    found = [(one.key, one.records, one.type, one.column) for one in lake.attributes("all")]
    assert found == [
        ("on", 1, "bool", "switched_on"),
        ("team", 2, "string", ""),
        ("tries", 2, "int", ""),
        ("at", 1, "timestamp", ""),
    ]
    assert [one.records for one in lake.attributes("2026-11-02")] == [0]


@pytest.mark.parametrize(
    ("key", "kind", "name", "message"),
    [
        ("team", "number", None, "there is no such type; take string, int, double, bool, timestamp"),
        ("team", "string", "body", "logs has one of that name; give another --name"),
        ("team", "string", "record_id", "logs has one of that name; give another --name"),
        ("team", "string", 'x"; DROP', "a letter first; give --name"),
        ("7", "string", None, "a letter first; give --name"),
        ("taken", "int", "other", "it is the column taken already; use that one"),
    ],
)
def test_names_and_types_that_cannot_be_are_told(
    key: str, kind: str, name: str | None, message: str, lake: Lake
) -> None:
    lake.promote("taken")
    with pytest.raises(UsageError, match=message):
        lake.promote(key, kind, name=name)
