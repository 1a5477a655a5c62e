"""What receivers write is read as the file path reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl
import pytest

from logshed.formats.choice import Choice
from logshed.formats.detect import detect
from logshed.formats.multiline import Joiner
from logshed.formats.parse import parse

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = 1_714_557_600_123_456_000
NGINX = '192.0.2.7 - ann [01/May/2024:10:00:00 +0000] "GET /a?b=c HTTP/1.1" 404 12 "-" "curl/8.5.0"'
LOG4J = "2024-05-01 10:00:00,123 ERROR [main] com.example.App - failed"


def line(**fields: Any) -> str:
    return orjson.dumps({"observed_time_unix_nano": MOMENT, **fields}).decode()


def parsed(*lines: str, choice: str = "received/") -> list[dict[str, Any]]:
    return parse(pl.Series(lines), Choice.parse(choice), observed=NOW).to_dicts()


def test_a_line_of_a_known_format_in_a_body_is_parsed_inside() -> None:
    written = line(body=NGINX, attributes={"team": "core"}, resource={"service.name": "web"})
    found = detect(pl.Series([written] * 3)).choice
    assert (found.envelopes, found.formats) == (("received",), ("apache_combined",))
    row = parse(pl.Series([written]), found, observed=NOW).row(0, named=True)
    assert (row["http_response_status_code"], row["url_path"], row["user_id"]) == (404, "/a", "ann")
    assert (row["service_name"], dict(row["attributes"])["team"]) == ("web", "core")


def test_a_line_that_goes_on_with_nothing_before_it_is_a_record_of_its_own() -> None:
    lines = [line(body=LOG4J), line(body="\tat com.example.App.run(App.java:1)"), line(body="java.io.IOException")]
    choice = Choice(("received",), tuple(detect(pl.Series([LOG4J])).choice.formats))
    frame = pl.DataFrame({"text": lines, "offset": [0, 1, 2]}, schema_overrides={"offset": pl.Int64()})
    frame = frame.with_columns(cut_bytes=pl.lit(None, pl.Int64()), escaped=pl.lit(False))
    joiner = Joiner(choice)
    records = pl.concat([joiner.push(frame), joiner.finish()])
    assert records["line_count"].to_list() == [1, 1, 1]


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"severity_number": 17}, ("ERROR", 17)),
        ({"severity_number": 10}, ("INFO2", 10)),
        ({"severity_number": 10, "severity_text": "note"}, ("NOTE", 10)),
        ({"severity_text": "warning"}, ("WARNING", 13)),
        ({"severity_number": 25, "severity_text": "warning"}, ("WARNING", 13)),
        ({}, (None, None)),
    ],
)
def test_a_severity_is_told_by_number_and_by_word(fields: dict[str, Any], severity: tuple[str | None, int]) -> None:
    row = parsed(line(body="x", **fields))[0]
    assert (row.get("severity_text"), row.get("severity_number")) == severity


def test_an_attribute_and_one_of_the_resource_with_the_same_name_are_both_kept_row_by_row() -> None:
    rows = parsed(
        line(attributes={"team": "a"}, resource={"team": "r"}),
        line(attributes={"team": "a"}),
        line(resource={"team": "r"}),
    )
    found = [dict(row["attributes"]) for row in rows]
    assert found == [{"team": "a", "resource.team": "r"}, {"team": "a"}, {"team": "r"}]


def test_columns_are_found_among_hundreds_of_attributes() -> None:
    many = {f"key{number}": number for number in range(400)}
    row = parsed(line(body="x", attributes={**many, "user.id": "u1"}, resource={"service.name": "shop"}))[0]
    assert (row["user_id"], row["service_name"]) == ("u1", "shop")
    assert orjson.loads(dict(row["attributes"])["attributes"])["key399"] == 399


@pytest.mark.parametrize("key", ["", "a/b", "a~b", "a'b", 'a"b', "a b", "ä", "a.b.c", "*", "$"])
def test_any_key_of_an_attribute_is_kept(key: str) -> None:
    row = parsed(line(body="x", attributes={key: "v", "other": 1}))[0]
    assert dict(row["attributes"]) == {key: "v", "other": "1"}


@pytest.mark.parametrize("moment", [1, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_time_that_cannot_be_is_kept_beside_the_one_of_reading(moment: int) -> None:
    row = parsed(line(time_unix_nano=moment, body="x"))[0]
    assert row["timestamp_source"] == "observed"
    assert str(moment) in dict(row["attributes"]).values()
