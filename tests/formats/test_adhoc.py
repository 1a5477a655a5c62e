"""Formats that the user gives: their definition travels in the choice, and wrong ones are told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from logshed.errors import FormatError
from logshed.formats.adhoc import adhoc, configured
from logshed.formats.choice import Choice
from logshed.formats.multiline import splittable
from logshed.formats.parse import parse

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def parsed(kind: str, text: str, line: str) -> dict[str, Any]:
    pinned = str(Choice(formats=(adhoc(kind, text).spelling,)))
    row = parse(pl.Series([line]), Choice.parse(pinned), observed=NOW).row(0, named=True)
    assert row["parse_error"] is None
    return row


def test_a_log_format_reads_a_line_without_user_and_with_more_fields() -> None:
    line = '99.32.443.66 - [06/May/2013:09:54:52 -0400] "GET /index.php HTTP/1.1" 200 51 1824'
    row = parsed("log_format", '%h %l %u %t "%r" %>s %b', line)
    assert (row["client_address"], row["url_path"], row["http_response_body_size"]) == (
        "99.32.443.66",
        "/index.php",
        51,
    )
    assert row["attributes"] == {"extra": "1824"}
    assert row["timestamp"] == datetime(2013, 5, 6, 13, 54, 52, tzinfo=UTC)


def test_times_in_a_log_format_may_be_spelled_by_strftime_in_pieces() -> None:
    row = parsed(
        "log_format", "%{%Y-%m-%d}t %{%H:%M:%S}t.%{usec_frac}t %{%z}t %s", "2019-05-06 12:09:43.123456 -0400 200"
    )
    assert row["timestamp"] == datetime(2019, 5, 6, 16, 9, 43, 123456, tzinfo=UTC)


def test_escaped_bytes_of_an_apache_log_are_read_as_text() -> None:
    assert parsed("log_format", '%h "%U%q" %s', r'::1 "/t\xc3\xa9st?a=1" 200')["url_path"] == "/tést"


def test_escaped_bytes_that_are_no_text_stay_as_written() -> None:
    row = parsed("log_format", '%h "%r" %s', r'::1 "Gh0st\xAD\x00\xC4\x8C@" 400')
    assert row["attributes"] == {"http.request.line": r"Gh0st\xAD\x00\xC4\x8C@"}


def test_a_request_may_name_a_whole_url_and_no_version() -> None:
    row = parsed("log_format", '%h "%r" %s', '::1 "POST https://shop.example/a?b=c" 503')
    assert (row["http_request_method"], row["url_domain"], row["url_path"]) == ("POST", "shop.example", "/a")


def test_an_nginx_log_format_is_one_too() -> None:
    row = parsed(
        "log_format",
        '$remote_addr [$time_iso8601] "$request" $status $request_time',
        '2001:db8::1 [2024-01-01T00:00:00+00:00] "GET /a?b=c HTTP/2.0" 200 0.012',
    )
    assert (row["client_address"], row["url_query"], row["duration_ms"]) == ("2001:db8::1", "b=c", 12.0)


def test_formats_are_found_in_a_servers_configuration() -> None:
    apache = 'LogFormat "%h %l %u %t \\"%r\\" %>s %b" common\nCustomLog logs/access.log common\n'
    nginx = "http {\n  log_format main '$remote_addr - $remote_user [$time_local] '\n    '\"$request\" $status';\n}\n"
    assert configured(apache) == {"common": '%h %l %u %t "%r" %>s %b'}
    assert configured(nginx) == {"main": '$remote_addr - $remote_user [$time_local] "$request" $status'}
    line = '192.0.2.7 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 404'
    assert parsed("log_format", nginx, line)["http_response_status_code"] == 404


def test_grok_knows_the_names_of_patterns_and_fields() -> None:
    line = "55.3.244.1 GET /index.html?x=1 15824"
    row = parsed("grok", "^%{IP:client} %{WORD:method} %{URIPATHPARAM:request} %{NUMBER:bytes:int}$", line)
    assert (row["client_address"], row["http_request_method"], row["url_path"], row["url_query"]) == (
        "55.3.244.1",
        "GET",
        "/index.html",
        "x=1",
    )
    assert row["http_response_body_size"] == 15824


def test_groups_of_a_regular_expression_are_columns_or_attributes() -> None:
    row = parsed(
        "regex",
        r"^(?<timestamp>\S+) (?<level>\w+) (?<msg>.*) shard=(?P<shard>\d+)$",
        "2024-01-01T00:00:00Z warn it is late shard=7",
    )
    assert (row["severity_text"], row["body"], row["attributes"]) == ("WARN", "it is late", {"shard": "7"})


def test_a_format_file_is_pinned_whole() -> None:
    text = 'title = "mine"\nkind = "logfmt"\nlog_type = "application"\nspecificity = 1\n[columns]\nbody = "say"\n'
    form = adhoc("toml", text, "my app")
    assert form.name == "my_app"
    assert Choice.parse(str(Choice(formats=(form.spelling,)))).formats == (form.spelling,)
    assert parsed("toml", text, "say=hello to=you")["body"] == "hello"
    assert splittable(Choice(formats=(form.spelling,)))


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("regex", "(", "no regular expression"),
        ("grok", "%{IPP:x}", "did you mean IP"),
        ("grok", "(?=x)%{IP:x}", "looks ahead or behind"),
        ("toml", "title =", "mend the TOML"),
        ("toml", "", "`kind` is missing"),
        ("lua", "x", "use one of"),
    ],
)
def test_a_wrong_definition_is_told(kind: str, text: str, told: str) -> None:
    with pytest.raises(FormatError, match=told.replace("(", r"\(")):
        adhoc(kind, text)


@pytest.mark.parametrize("day", ["So", "Sonntag", "dim.", "Sun", "domingo"])
def test_a_time_may_be_the_day_of_a_week(day: str) -> None:
    row = parsed("log_format", "%{%G--%V %a %H:%M:%S}t", f"2019--20 {day} 12:34:56")
    assert row["timestamp"] == datetime(2019, 5, 19, 12, 34, 56, tzinfo=UTC)
