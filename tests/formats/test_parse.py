"""Parsing is total, typed, and says what it could not read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.errors import FormatError
from logshed.formats import registry
from logshed.formats.choice import Choice
from logshed.formats.parse import parse
from logshed.schema import SILVER_BY_NAME, polars_type

if TYPE_CHECKING:
    from pathlib import Path

OBSERVED = datetime(2026, 11, 22, 12, tzinfo=UTC)
ACCESS = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a?b=1 HTTP/1.1" 200 5 "-" "curl"'


def frame(lines: list[str], choice: str, **options: Any) -> pl.DataFrame:
    return parse(pl.Series(lines, dtype=pl.String), Choice.parse(choice), observed=OBSERVED, **options)


def rows(lines: list[str], choice: str, **options: Any) -> list[dict[str, Any]]:
    return frame(lines, choice, **options).to_dicts()


def test_the_real_access_log_has_exactly_the_figures_of_a_separate_count(shared: Path) -> None:
    folder = shared / "truth" / "files" / "apache_logs"
    expected = json.loads((folder / "expected.json").read_text())
    found = frame((folder / "apache_logs").read_text().rstrip("\n").split("\n"), "apache_combined")
    rejected = found.filter(pl.col("parse_error").is_not_null())
    assert (rejected["row"] + 1).to_list() == expected["unparsed_lines"]
    assert rejected["parse_error"].to_list() == ["not apache_combined: unclosed quote"]
    assert found["client_address"].drop_nulls().n_unique() == expected["distinct_clients"]
    assert found["http_response_body_size"].sum() == expected["total_bytes"]
    statuses = found["http_response_status_code"].drop_nulls().value_counts()
    assert {str(status): count for status, count in statuses.iter_rows()} == expected["status"]
    assert found["timestamp"].min() == datetime.fromisoformat(expected["first"])
    assert found["timestamp"].max() == datetime.fromisoformat(expected["last"])


def test_no_line_and_no_format_are_no_error() -> None:
    assert frame([], "apache_combined").height == 0
    assert rows(["x", ""], "")[0]["parse_error"] == "not any known format"
    assert rows(["x", " "], "")[1]["parse_error"] == "empty line"


def test_an_unknown_format_is_named_with_its_nearest() -> None:
    with pytest.raises(FormatError, match=r"apache_combind.*did you mean `apache_combined`"):
        frame(["x"], "apache_combind")


def test_an_alias_is_its_format() -> None:
    assert rows([ACCESS], "nginx_combined")[0]["log_format"] == "apache_combined"


def test_a_row_takes_the_first_candidate_that_matches_it() -> None:
    found = rows([ACCESS, '{"msg":"a","level":"info"}', "else", ACCESS], "apache_combined,json")
    assert [row["log_format"] for row in found] == ["apache_combined", "json", None, "apache_combined"]
    assert [row["row"] for row in found] == [0, 1, 2, 3]
    assert found[2]["parse_error"] == "not apache_combined"
    assert found[1]["body"] == "a"


def test_a_rejected_row_holds_nothing_but_its_reason() -> None:
    bad = ACCESS.replace(" 200 ", " 2x0 ")
    row = rows([bad, ACCESS], "apache_combined")[0]
    assert {name for name, value in row.items() if value is not None} == {"row", "item", "parse_error"}


def test_columns_have_the_schemas_types() -> None:
    found = frame([ACCESS, '{"pid":1,"time":"2024-01-01","latency_ms":3,"x":1}'], "apache_combined,json")
    for name, kind in found.schema.items():
        if name in SILVER_BY_NAME:
            assert kind == polars_type(SILVER_BY_NAME[name].kind), name


@pytest.mark.parametrize(
    ("document", "name", "column", "attribute"),
    [
        ('{"status":{"code":1}}', "status.code", None, "1"),
        ('{"status":"late"}', "http_response_status_code", None, "late"),
        ('{"status":99999999999}', "http_response_status_code", None, "99999999999"),
        ('{"status":200.0}', "http_response_status_code", 200, None),
        ('{"status":200.5}', "http_response_status_code", None, "200.5"),
        ('{"status":null}', "http_response_status_code", None, None),
        ('{"n":18446744073709551617}', "n", None, "18446744073709551617"),
        ('{"n":[1,{"a":2}]}', "n", None, '[1,{"a":2}]'),
        ('{"n":true}', "n", None, "true"),
        ('{"n":1,"n":2}', "n", None, "1"),
        ('{"a~b/c":{"":5}}', "a~b/c.", None, "5"),
        ('{"it\'s":"x"}', "it's", None, "x"),
        ('{"source":"s","batch":"b"}', "source", None, "s"),
    ],
)
def test_a_json_value_that_fits_no_column_is_an_attribute(
    document: str, name: str, column: int | None, attribute: str | None
) -> None:
    row = rows([document], "json")[0]
    assert row["parse_error"] is None
    assert row.get("http_response_status_code") == column
    assert (row["attributes"] or {}).get(name) == attribute


def test_a_key_that_is_an_object_here_and_a_number_there_loses_neither() -> None:
    lines = ['{"a":{"b":1}}', '{"a":2}', '{"a":null}', '{"a":{}}', '{"a":"{text"}', '{"a":{"c":{"d":3}}}']
    for _ in range(2):  # the second time with what was learnt in the first
        found = [row["attributes"] for row in rows(lines, "json")]
        assert found == [{"a.b": "1"}, {"a": "2"}, None, None, {"a": "{text"}, {"a.c.d": "3"}]


def test_what_was_an_object_in_one_chunk_may_be_another_thing_in_the_next() -> None:
    rows(['{"a":{"b":1}}'], "json")
    assert rows(['{"a":"{x"}', '{"c":{"d":1}}'], "json")[1]["attributes"] == {"c.d": "1"}
    assert rows(['{"a":7}'], "json")[0]["attributes"] == {"a": "7"}


def test_an_object_with_very_many_keys_stays_text() -> None:
    lines = [json.dumps({"msg": "m", "by_id": {f"k{n}": n}}) for n in range(400)]
    found = rows(lines, "json")
    assert found[7]["attributes"] == {"by_id": '{"k7":7}'}
    assert found[7]["body"] == "m"


def test_records_with_very_many_different_keys_keep_their_text_and_known_columns() -> None:
    lines = [json.dumps({"msg": "m", f"k{n}": n}) for n in range(400)]
    row = rows(lines, "json")[3]
    assert row["body"] == "m"
    assert json.loads(row["attributes"]["json"]) == {"msg": "m", "k3": 3}


def test_invalid_json_among_valid_is_rejected_alone() -> None:
    found = rows(['{"msg":"a"}', '{"msg":', '{"msg":"\x01"}', "[1]", '{"msg":"b"}'], "json")
    assert [row["parse_error"] is None for row in found] == [True, False, False, False, True]
    assert [row["body"] for row in found] == ["a", None, None, None, "b"]


@pytest.mark.parametrize("shift", range(4))
def test_invalid_json_with_any_characters_is_rejected(shift: int) -> None:
    bad = '{"msg":"' + "x" * shift + "é€😀" * 100
    assert [row["parse_error"] is None for row in rows([bad, '{"msg":"b"}'], "json")] == [False, True]


def test_a_second_name_for_the_same_column_is_kept_if_it_says_something_else() -> None:
    row = rows(['{"message":"a","msg":"b","level":"info","severity":"info"}'], "json")[0]
    assert (row["body"], row["attributes"]) == ("a", {"msg": "b"})


def test_an_envelopes_time_counts_where_the_inner_time_has_no_zone() -> None:
    line = json.dumps({"log": "2024-05-01 12:00:00 INFO a - b\n", "stream": "stdout", "time": "2024-05-01T10:00:00.5Z"})
    row = rows([line], "docker_json/java")[0]
    assert row["timestamp"] == datetime(2024, 5, 1, 10, 0, 0, 500_000, tzinfo=UTC)
    zoned = rows([line], "docker_json/java", timezone="Europe/Berlin")[0]
    assert zoned["timestamp"] == datetime(2024, 5, 1, 10, tzinfo=UTC)


def test_an_envelopes_time_counts_where_the_inner_record_has_none() -> None:
    line = "Mar  5 06:25:01 mail dovecot: imap-login: Login: user=<bob>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1"
    row = rows([line], "syslog_rfc3164")[0]
    assert (row["log_format"], row["timestamp_source"]) == ("dovecot", "inferred_year")
    assert (row["timestamp"].month, row["timestamp"].day, row["timestamp"].hour) == (3, 5, 6)


def test_a_line_of_no_program_still_goes_to_the_formats_of_any_program() -> None:
    packet = "IN=eth0 OUT= SRC=203.0.113.5 DST=192.0.2.7 LEN=40 TTL=244 ID=1 PROTO=TCP SPT=51514 DPT=22"
    lines = [f"Mar  5 06:25:01 gate [WAN_LOCAL-D-1] {packet}", "Mar  5 06:25:02 gate sshd[1]: Connection closed"]
    assert [row["log_format"] for row in rows(lines, "syslog_rfc3164")] == ["iptables", "syslog_rfc3164"]


def test_an_envelopes_time_tells_the_zone_of_a_finer_inner_time() -> None:
    line = "2024-05-01T10:00:02+00:00 web-1 app[7]: 2024-05-01 12:00:01,250 [main] INFO a.B - c"
    row = rows([line], "syslog_rfc3164/java")[0]
    assert row["timestamp"] == datetime(2024, 5, 1, 10, 0, 1, 250_000, tzinfo=UTC)
    assert row["timestamp_source"] == "event"


def test_an_envelopes_time_counts_where_the_inner_format_knows_times_but_this_line_has_none() -> None:
    row = rows(["May  1 10:00:00 web fail2ban.actions[12]: NOTICE [sshd] Ban 192.0.2.7"], "syslog_rfc3164")[0]
    assert (row["log_format"], row["event_name"]) == ("fail2ban", "ban")
    assert row["timestamp"] == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert row["timestamp_source"] == "inferred_year"


def test_envelopes_nest() -> None:
    inner = "<13>Mar  5 06:25:01 web-1 nginx: " + ACCESS
    line = "2024-03-05T06:25:02.5Z stdout F " + inner
    row = rows([line], "cri/syslog_rfc3164/apache_combined")[0]
    assert row["log_format"] == "apache_combined"
    assert (row["host_name"], row["log_iostream"], row["url_path"]) == ("web-1", "stdout", "/a")


def test_a_payload_that_no_candidate_takes_is_the_message() -> None:
    row = rows(["2024-03-05T06:25:02.5Z stderr F plain"], "cri/json")[0]
    assert (row["body"], row["log_format"], row["parse_error"]) == ("plain", "cri", None)


def test_a_whole_url_keeps_its_scheme_and_port() -> None:
    asked = [
        ACCESS,
        *(ACCESS.replace(" /", f" {url}/", 1) for url in ("http://[2001:db8::7]:8080", "https://bob@example.com")),
    ]
    found = rows(asked, "apache_combined")
    attributes = [row["attributes"] or {} for row in found]
    assert [row["url_domain"] for row in found] == [None, "[2001:db8::7]", "example.com"]
    assert [one.get("url.scheme") for one in attributes] == [None, "http", "https"]
    assert [one.get("url.port") for one in attributes] == [None, "8080", None]


def test_terminal_colours_are_not_in_columns() -> None:
    row = rows(["2024-05-01 12:00:00 \x1b[32mINFO\x1b[0m a - \x1b[1mb\x1b[0m"], "java")[0]
    assert (row["severity_text"], row["body"]) == ("INFO", "b")


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(st.text(max_size=60), max_size=8), name=st.sampled_from(sorted(registry.load())))
def test_no_text_makes_parsing_fail(lines: list[str], name: str) -> None:
    lines = [line.encode("utf-8", "replace").decode() for line in lines]
    assert frame(lines, name)["row"].to_list() == list(range(len(lines)))


@settings(max_examples=40, deadline=None)
@given(
    documents=st.lists(
        st.dictionaries(
            st.text(max_size=4).filter(lambda key: key.isascii()),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                lambda inner: st.dictionaries(st.sampled_from(["a", "b", "/", "~", ""]), inner, max_size=3),
                max_leaves=6,
            ),
            max_size=4,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_every_leaf_of_any_json_object_is_somewhere(documents: list[dict[str, Any]]) -> None:
    found = rows([json.dumps(one) for one in documents], "json")
    for row, document in zip(found, documents, strict=True):
        assert row["parse_error"] is None
        attributes = row["attributes"] or {}
        if "\0" in "".join(documents_keys(documents)):
            assert json.loads(attributes["json"]) == document
            continue
        columns = set(SILVER_BY_NAME) - {"item", "attributes", "log_format", "log_type", "timestamp_source"}
        kept = sum(1 for name, value in row.items() if value is not None and name in columns)
        assert kept + len(attributes) >= len(leaves(document))


def documents_keys(documents: list[dict[str, Any]]) -> list[str]:
    return [key for document in documents for key in document]


def leaves(value: Any, path: str = "") -> list[str]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, f"{path}/{key}")]
    return [] if value is None else [path]


def test_a_document_over_lines_is_in_the_format_of_those_on_one_line() -> None:
    found = rows(['{"msg":"a"}', '{\n "msg": "b"\n}'], "json_items,json")
    assert [(row["log_format"], row["body"]) for row in found] == [("json", "a"), ("json", "b")]


def test_lines_under_a_header_that_is_not_theirs_are_read_without_it() -> None:
    header = "#Fields: date time cs-method cs-uri-stem sc-status sc-substatus"
    line = "2024-05-01 10:00:00 192.0.2.1 GET /a - 80 - 192.0.2.7 curl/8.0 404 0 2 15"
    lines = [f"{header}\n2024-05-01 10:00:00 GET /a 200 0", f"{header}\n{line}"]
    found = rows(lines, "iis,iis_default_fields")
    assert [(row["log_format"], row["http_response_status_code"]) for row in found] == [
        ("iis", 200),
        ("iis_default_fields", 404),
    ]


def test_a_whole_url_gives_its_scheme_and_port() -> None:
    lines = [
        ACCESS,
        ACCESS.replace("/a?b=1", "https://shop.example:8443/a?b=1"),
        ACCESS.replace("/a", "http://[::1]/a"),
    ]
    found = [row["attributes"] or {} for row in rows(lines, "apache_combined")]
    assert [(one.get("url.scheme"), one.get("url.port")) for one in found] == [
        (None, None),
        ("https", "8443"),
        ("http", None),
    ]


def test_fields_known_by_their_order_alone_need_a_time_among_them() -> None:
    found = rows(["\t".join(f"a{number}" for number in range(20))], "aws_cloudfront")
    assert (found[0]["parse_error"], found[0]["timestamp"]) == ("not aws_cloudfront", None)
