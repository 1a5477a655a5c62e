"""CSV, W3C, several records in one text, and what a format file can say beside its patterns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from logshed.errors import FormatError
from logshed.formats import registry
from logshed.formats.choice import Choice
from logshed.formats.detect import detect
from logshed.formats.multiline import Joiner, splittable
from logshed.formats.parse import parse
from logshed.formats.reader import format_from

NOW = datetime(2026, 1, 1, tzinfo=UTC)
W3C = [
    "#Version: 1.0",
    "#Fields: date time c-ip cs-method cs-uri-stem sc-status",
    "2024-01-01 00:00:01 192.0.2.1 GET /a 200",
    "2024-01-01 00:00:02 192.0.2.1 GET /b 200",
    "#Fields: date time cs-method c-ip sc-status",
    "2024-01-01 00:00:03 POST 2001:db8::2 500",
    "2024-01-01 00:00:04 POST 2001:db8::2 500",
]


def joined(lines: list[str], choice: Choice, step: int) -> pl.Series:
    frame = pl.DataFrame({"text": lines}).with_columns(
        pl.int_range(pl.len()).alias("offset") * 100, pl.lit(None, pl.Int64).alias("cut_bytes"), escaped=False
    )
    joiner = Joiner(choice)
    pieces = [joiner.push(frame[start : start + step]) for start in range(0, len(lines), step)]
    return pl.concat([*pieces, joiner.finish()])["text"]


def rows(text: pl.Series | list[str], choice: str | Choice, **more: Any) -> list[dict[str, Any]]:
    known = Choice.parse(choice) if isinstance(choice, str) else choice
    return parse(pl.Series(text), known, observed=NOW, **more).to_dicts()


def form(**keys: Any) -> dict[str, Any]:
    data = {"title": "t", "log_type": "application", "specificity": 1, **keys}
    return {"x": format_from("x", data, "x.toml")}


def test_a_w3c_header_may_change_in_the_middle_of_a_file_however_it_is_read() -> None:
    found = detect(pl.Series(W3C), names=["w3c"])
    assert found.share == 1.0
    assert not splittable(found.choice)
    for step in (1, 2, 3, 7):
        records = rows(joined(W3C, found.choice, step), found.choice)
        assert [row["client_address"] for row in records] == ["192.0.2.1"] * 2 + ["2001:db8::2"] * 2
        assert [row["http_response_status_code"] for row in records] == [200, 200, 500, 500]


def test_a_csv_is_read_by_its_header_and_its_quotes() -> None:
    lines = [
        "timestamp,level,message,user_id",
        '2024-01-01T00:00:00Z,INFO,"a, ""b""",u1',
        "2024-01-01T00:00:01Z,WARN,,u2",
    ]
    found = detect(pl.Series(lines))
    assert found.winner == "csv"
    records = rows(joined(lines, found.choice, 1), found.choice)
    assert [(row["body"], row["user_id"]) for row in records] == [('a, "b"', "u1"), (None, "u2")]


def test_a_csv_line_with_too_many_fields_is_none() -> None:
    table = form(kind="csv", fields=["body", "user_id", "shard"], fewest=2)
    found = rows(["a,b", "a,b,c", "a,b,c,d", "a"], "x", formats=table)
    assert [row["parse_error"] is None for row in found] == [True, True, False, False]


def test_each_record_of_an_envelope_is_a_row_with_its_item() -> None:
    text = '{"owner":"1","Records":[{"msg":"a","n":12345678901234567890},{"msg":"b"}]}'
    found = rows([text, '[{"msg":"c"}]', '{"msg":"d"}', "none"], "json_items/json")
    assert [(row["row"], row["item"], row["body"]) for row in found[:4]] == [
        (0, 0, "a"),
        (0, 1, "b"),
        (1, 0, "c"),
        (2, 0, "d"),
    ]
    assert found[0]["attributes"]["n"] == "12345678901234567890"
    assert found[4]["parse_error"] is not None


def test_a_document_over_many_lines_is_joined_and_unwrapped() -> None:
    lines = ["{", '  "Records": [', '    {"msg": "a"},', '    {"msg": "b"}', "  ]", "}"]
    found = detect(pl.Series(lines))
    assert str(found.choice) == "json_items/json"
    assert [row["body"] for row in rows(joined(lines, found.choice, 2), found.choice)] == ["a", "b"]


def test_shapes_steps_and_values_say_what_a_match_means() -> None:
    table = form(
        kind="regex",
        shape=[
            {"pattern": r"^login (?P<user_id>\w+)(?P<rest>.*)$", "set": {"event_name": "login"}, "literal": "login"},
            {"pattern": r"^logout (?P<user_id>\w+)(?P<rest>.*)$", "set": {"event_name": "logout"}},
        ],
        step=[
            {
                "source": "rest",
                "pairs": r"(?P<key>\w+)=(?P<value>\S+)",
                "groups": {"ip": "client_address"},
                "prefix": "app.",
            },
            {
                "source": "rest",
                "pattern": "failed",
                "set": {"event_outcome": "bad"},
                "otherwise": {"event_outcome": "good"},
            },
        ],
        values={"event_outcome": {"good": "success", "^b": "failure"}},
    )
    first, second = rows(["login ann ip=::1 shard=3", "logout bob failed"], "x", formats=table)
    assert (first["event_name"], first["client_address"], first["event_outcome"]) == ("login", "::1", "success")
    assert first["attributes"]["app.shard"] == "3"
    assert (second["event_name"], second["user_id"], second["event_outcome"]) == ("logout", "bob", "failure")


def test_json_in_a_field_is_taken_apart() -> None:
    table = form(
        kind="regex",
        pattern=r"^(?P<body>[^{]*)(?P<context>\{.*\})?$",
        step=[{"source": "context", "json": True, "groups": {"user.id": "user_id"}, "prefix": "ctx.", "consume": True}],
    )
    (row,) = rows(['hello {"user":{"id":"u1"},"n":{"m":[1]}}'], "x", formats=table)
    assert (row["user_id"], row["attributes"]) == ("u1", {"ctx.n.m": "[1]"})


def test_shared_steps_stand_where_they_are_named() -> None:
    table = form(
        kind="regex",
        pattern=r"^(?P<body>.*)$",
        step=[{"shared": "modsecurity"}, {"source": "modsecurity.uri", "pattern": "^(?P<url_original>/.*)$"}],
    )
    line = '[client "192.0.2.7"] Coraza: Warning. bad [id "7"] [data "a "b" c"] [tag "x"] [tag "y"] [uri "/p?q=1"]'
    first, second = rows([line, "no such message"], "x", formats=table)
    assert "modsecurity.rest" not in first["attributes"]
    assert (first["body"], first["client_address"], first["url_path"]) == ("Warning. bad", "192.0.2.7", "/p")
    assert first["attributes"]["rule.id"] == "7"
    assert first["attributes"]["modsecurity.data"] == 'a "b" c'
    assert first["attributes"]["modsecurity.tags"] == "x,y"
    assert (second["body"], second["attributes"]) == ("no such message", None)
    with pytest.raises(FormatError, match="no shared steps"):
        form(kind="regex", pattern="^$", step=[{"shared": "none"}])


def test_logfmt_may_demand_keys_and_what_they_hold() -> None:
    table = form(kind="logfmt", requires=["msg ~ ^login", "user | name"], columns={"body": ["msg"]})
    lines = ['msg="login ok" user=ann', 'msg="other" user=ann', 'msg="login ok"', 'msg="login ok" name=bob']
    assert [row["parse_error"] is None for row in rows(lines, "x", formats=table)] == [True, False, False, True]


def test_a_duration_with_its_unit_is_milliseconds() -> None:
    table = form(kind="regex", pattern=r"^(?P<duration>.*)$")
    texts = ["1.5s", "120 ms", "1h2m3.5s", "0:00:01.5", "250µs", "soon"]
    found = [row["duration_ms"] for row in rows(texts, "x", formats=table)]
    assert found == [1500.0, 120.0, 3_723_500.0, 1500.0, 0.25, None]


def test_a_message_that_names_no_program_goes_to_formats_that_say_so() -> None:
    lines = [
        "Oct 26 20:01:31 gate-7 CEF:0|Example|Gateway|1|7|Threat|7|src=192.0.2.7 msg=blocked",
        "Oct 26 20:01:32 gate-7 cron[7]: (root) CMD (true)",
        "CEF:0|Example|Gateway|1|7|Threat|7|src=192.0.2.8 msg=blocked",
    ]
    for text, choice in ((lines[:2], "syslog_rfc3164/json"), (lines, "cef,syslog_rfc3164")):
        found = rows(text, choice)
        assert [row["log_format"] for row in found] == ["cef", "cron", "cef"][: len(text)]
        assert (found[0]["host_name"], found[0]["client_address"]) == ("gate-7", "192.0.2.7")


def test_a_programs_messages_are_read_by_its_own_format_whatever_was_detected() -> None:
    inner = form(kind="regex", pattern=r"^served (?P<url_path>\S+)$", programs="^webby$")
    table = {**registry.load(), **inner}
    line = "Mar  5 06:25:01 web-1 {}[7]: served /a"
    first, second = rows([line.format("webby"), line.format("other")], "syslog_rfc3164/", formats=table)
    assert (first["url_path"], first["host_name"]) == ("/a", "web-1")
    assert second["body"] == "served /a"


def test_of_several_paths_the_first_that_holds_something_fills_the_column() -> None:
    made = form(kind="json", nulls=["", "-"], columns={"user_id": ["/mail", "/name", "/id"]})
    lines = ['{"mail":"","name":"-","id":7}', '{"mail":null,"name":"eve"}', '{"mail":"-","name":""}']
    assert [row["user_id"] for row in rows(lines, "x", formats=made)] == ["7", "eve", None]


def test_a_required_object_is_found_again_where_other_rows_have_none() -> None:
    made = form(kind="json", requires=["/app"], columns={"user_id": ["/user"]})
    apps = ['"app":{"name":"a"},', '"app":{},', "", '"app":"b",']
    lines = ["{" + app + '"user":"eve"}' for app in apps]
    for _ in range(2):  # the second time by the guess of the first
        assert [row["user_id"] for row in rows(lines, "x", formats=made)] == ["eve", None, None, "eve"]


def test_json_with_as_many_commas_is_no_csv_log_of_postgresql() -> None:
    line = "{" + ",".join(f'"k{number}":{number}' for number in range(25)) + "}"
    assert "postgresql_csv" not in detect(pl.Series([line])).choice.names
