"""Stages over batches: the outcome does not depend on how rows are cut, and together they do what an ingest does."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as checked
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from logshed import sanitize
from logshed.errors import FormatError, RedactionError, UsageError
from logshed.ray import Detect, Enrich, Parse, Redact, Stage, format_of
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.api import Lake

OBSERVED = datetime(2026, 11, 26, tzinfo=UTC)
LINES = (
    '192.0.2.7 - - [01/Nov/2026:12:00:00 +0000] "GET /item/7?email=ann@example.com HTTP/1.1" 200 12 "-" "curl/8.5.0"',
    '198.51.100.9 - - [01/Nov/2026:12:00:01 +0000] "GET /?id=1%27%20UNION%20SELECT%20*-- HTTP/1.1" 200 9 "-" "sqlmap"',
    "no format takes this",
    "",
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings.load(tmp_path_factory.mktemp("own"), environ={})


def stages(own: Settings) -> list[Stage]:
    return [
        Redact(columns=["text"], settings=own),
        Parse("apache_combined", observed=OBSERVED, settings=own),
        Enrich(settings=own),
        Detect(["web_sql*", "web_scanner*"], settings=own),
    ]


def through(steps: list[Stage], table: pa.Table, sizes: list[int]) -> pl.DataFrame:
    """The rows of a table after some steps, cut into batches of these many rows for each."""
    for step in steps:
        cuts, start = [], 0
        for size in [*sizes, table.num_rows]:
            cuts.append(step(table.slice(start, size)))
            start += size
        table = pa.concat_tables(cuts)
    return pl.DataFrame(pl.from_arrow(table))


@given(st.lists(st.integers(1, 40), max_size=4), st.lists(st.sampled_from(LINES), min_size=1, max_size=60))
@checked(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_how_rows_are_cut_into_batches_changes_nothing(own: Settings, sizes: list[int], lines: list[str]) -> None:
    steps, table = stages(own), pa.table({"text": lines})
    assert_frame_equal(through(steps, table, sizes), through(steps, table, []))


def test_a_date_that_only_its_neighbours_could_tell_is_told_in_no_batch(own: Settings) -> None:
    lines = ["25/05/2025 10:00:00 INFO a", "04/05/2025 10:00:00 INFO b"]
    step = Parse(format_of(lines, settings=own), observed=OBSERVED, settings=own)
    both = through([step], pa.table({"text": lines}), [])
    assert_frame_equal(both, through([step], pa.table({"text": lines}), [1]))
    assert both["timestamp"].to_list() == [datetime(2025, 5, 25, 10, tzinfo=UTC), OBSERVED]


def test_fields_of_other_records_change_nothing_in_a_record(own: Settings) -> None:
    lines = ['{"b":{"x":1},"a":{}}', '{"a":{"y":"2"},"c":"3"}', '{"a":"none","b":{}}', '{"c":{"z":4},"b":5}'] * 3
    step, table = Parse("json", observed=OBSERVED, settings=own), pa.table({"text": lines})
    whole = through([step], table, [])
    for size in (1, 2, 5):
        assert_frame_equal(whole, through([step], table, [size] * 12))
    assert dict(whole["attributes"].to_list()[0]) == {"b.x": "1"}


def test_the_stages_make_of_lines_what_an_ingest_makes_of_their_file(
    tmp_path: Path, lake: Lake, settings: Settings
) -> None:
    (tmp_path / "access.log").write_text("".join(f"{line}\n" for line in LINES))
    lake.ingest([tmp_path / "access.log"], format="apache_combined")
    held = lake.query('SELECT source, generation, "offset", text FROM lines ORDER BY "offset"').arrow()
    raw = held.set_column(3, "text", pa.array(LINES))
    made = through(stages(settings)[:3], raw, [2]).drop(
        "text", "batch", "observed_timestamp", "timestamp", "log_file_path"
    )
    logs = lake.query('SELECT * FROM logs ORDER BY "offset"').pl()
    shared = [name for name in made.columns if name in logs.columns]
    assert len(shared) == len(made.columns)
    assert_frame_equal(made, logs.select(shared).cast(dict(made.schema)))


def test_a_stage_travels_to_another_process_without_what_it_has_open(own: Settings) -> None:
    table = pa.table({"text": LINES})
    for step in stages(own):
        sent = pickle.dumps(step)
        assert len(sent) < 20_000
        assert pickle.loads(sent)(table).equals(step(table))  # noqa: S301 - our own
        table = step(table)


def test_redact_treats_columns_by_their_names_as_sanitize_treats_a_record(own: Settings) -> None:
    record = {
        "text": "mail ann@example.com",
        "password": "hunter2",
        "note": "of no harm",
        "api_key": "abcd1234efgh5678",
    }
    done = Redact(settings=own)(pa.table({name: [value] for name, value in record.items()}))
    (row,) = done.to_pylist()
    assert row.pop("redaction_count") == 3
    assert row == sanitize(record, settings=own)
    assert "hunter2" not in row.values()
    assert "ann@" not in row["text"]


def test_redact_keeps_types_nulls_and_other_columns(own: Settings) -> None:
    table = pa.table(
        {
            "text": pa.array(["password=hunter2", None], pa.large_string()),
            "kind": pa.array(["a", "a"]).dictionary_encode(),
            "n": [1, 2],
        }
    )
    done = Redact(settings=own)(table)
    assert done.schema.field("text").type == pa.large_string()
    assert done["n"].to_pylist() == [1, 2]
    assert done["text"].to_pylist()[1] is None
    assert done["redaction_count"].to_pylist() == [1, 0]
    assert Redact(settings=own)(done).equals(done)


@pytest.mark.parametrize("kind", [pa.binary(), pa.list_(pa.string()), pa.map_(pa.string(), pa.string())])
def test_redact_refuses_a_column_in_which_text_may_hide(own: Settings, kind: pa.DataType) -> None:
    table = pa.table({"text": ["a"], "hidden": pa.array([None], kind)})
    with pytest.raises(UsageError, match="cannot redact column hidden"):
        Redact(settings=own)(table)
    assert Redact(columns=["text"], settings=own)(table).num_rows == 1


def test_parse_keeps_the_text_and_the_other_columns_and_takes_what_the_batch_knows(own: Settings) -> None:
    table = pa.table(
        {
            "text": [LINES[0], LINES[2]],
            "path": ["/logs/a", "/logs/b"],
            "offset": [0, 120],
            "service_name": ["shop", None],
            "source": ["file:/logs/a", "file:/logs/b"],
        }
    )
    rows = Parse("apache_combined", settings=own)(table).to_pylist()
    assert [(row["path"], row["offset"], row["source"], row["service_name"]) for row in rows] == [
        ("/logs/a", 0, "file:/logs/a", "shop"),
        ("/logs/b", 120, "file:/logs/b", None),
    ]
    assert rows[1]["text"] == LINES[2]
    assert rows[1]["parse_error"]


def test_parse_gives_a_row_for_each_item_of_an_envelope(own: Settings) -> None:
    text = (
        '{"Records":[{"eventTime":"2026-01-05T10:00:00Z","eventVersion":"1.08","eventSource":"s3.amazonaws.com",'
        '"eventName":"GetObject","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.1","userIdentity":{"type":"IAMUser"},'
        '"requestParameters":null,"responseElements":null,"eventID":"a","eventType":"AwsApiCall"},'
        '{"eventTime":"2026-01-05T10:00:01Z","eventVersion":"1.08","eventSource":"s3.amazonaws.com",'
        '"eventName":"PutObject","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.1","userIdentity":{"type":"IAMUser"},'
        '"requestParameters":null,"responseElements":null,"eventID":"b","eventType":"AwsApiCall"}]}'
    )
    table = pa.table({"text": [text, text], "number": [1, 2]})
    done = Parse(format_of([text], settings=own), settings=own)(table)
    assert done["number"].to_pylist() == [1, 1, 2, 2]
    assert done["item"].to_pylist() == [0, 1, 0, 1]
    assert done["event_name"].to_pylist() == ["GetObject", "PutObject"] * 2


def test_parse_takes_each_rows_own_format_where_none_is_named(own: Settings) -> None:
    table = pa.table(
        {"text": ['{"level":"warn","msg":"slow"}', LINES[0], '{"level":"info","msg":"quick"}']}
        | {"format": ["json", "apache_combined", "json"]}
    )
    done = Parse(settings=own)(table)
    assert done["log_format"].to_pylist() == ["json", "apache_combined", "json"]
    assert done["severity_text"].to_pylist() == ["WARN", None, "INFO"]
    with pytest.raises(UsageError, match="cannot find column format"):
        Parse(settings=own)(table.select(["text"]))


def test_parse_rewrites_a_record_whose_columns_show_what_its_text_hid(own: Settings) -> None:
    table = pa.table({"text": [r'{"level":"info","msg":"in","\u0070assword":"hunter2"}']})
    done = Parse("json", settings=own)(table)
    assert "hunter2" not in str(done.to_pylist())
    assert done["redaction_count"].to_pylist() == [1]


def test_a_body_that_is_parsed_comes_back_rewritten_where_no_field_holds_it(own: Settings) -> None:
    table = pa.table({"body": [r'{"level":"info","\u0070assword":"hunter2"}', "no json"]})
    done = Parse("json", column="body", settings=own)(table)
    assert "hunter2" not in str(done.to_pylist())
    assert done["body"].to_pylist()[1] == "no json"
    assert done.schema.names.count("body") == 1


def test_a_format_with_a_header_in_the_file_cannot_be_parsed_in_batches(own: Settings) -> None:
    with pytest.raises(FormatError, match="its header stands in the file"):
        Parse("w3c", settings=own)


def test_enrich_takes_a_table_of_addresses_alone(own: Settings, examples: Path) -> None:
    table = pa.table({"client_address": ["10.0.0.1", "96.254.233.150", None], "n": [1, 2, 3]})
    done = Enrich(geoip=[str(examples / "places.mmdb")], settings=own)(table)
    assert done["n"].to_pylist() == [1, 2, 3]
    assert done["client_is_internal"].to_pylist() == [True, False, None]
    assert done["client_geo_country_iso_code"].to_pylist() == [None, "US", None]
    assert done.schema == Enrich(settings=own)(table.slice(0, 1)).schema


def test_detect_tells_rules_in_a_list_or_a_row_each(own: Settings) -> None:
    logs = stages(own)[1](pa.table({"text": LINES}))
    found = [[one["rule_name"] for one in row] for row in Detect(["web_*"], settings=own)(logs)["findings"].to_pylist()]
    assert [bool(names) for names in found] == [False, True, False, False]
    rows = Detect(["web_*"], as_rows=True, settings=own)(logs).to_pylist()
    assert [row["rule_name"] for row in rows] == found[1]
    assert {row["actor"] for row in rows} == {"198.51.100.9"}


def test_detect_leaves_out_rules_that_count_and_says_which(own: Settings) -> None:
    assert "login_bruteforce" in Detect(settings=own).left_out
    with pytest.raises(UsageError, match="count over many records"):
        Detect(["login_bruteforce"], settings=own)


def test_spark_is_told_the_columns_that_come(own: Settings) -> None:
    assert Redact(columns=["value"], settings=own).schema == "`value` STRING, `redaction_count` INT"
    told = Parse("json", settings=own).schema
    assert told.startswith("`timestamp` TIMESTAMP, `observed_timestamp` TIMESTAMP")
    assert "`attributes` MAP<STRING, STRING>" in told
    assert told.endswith("`text` STRING")
    assert "`findings` ARRAY<STRUCT<`rule_name`: STRING" in Detect(["web_*"], settings=own).schema
    with pytest.raises(UsageError, match="name them"):
        _ = Redact(settings=own).schema


def test_a_column_of_another_kind_is_refused_by_its_name(own: Settings) -> None:
    with pytest.raises(UsageError, match="cannot use column offset"):
        Parse("json", settings=own)(pa.table({"text": ["{}"], "offset": ["first"]}))


def test_what_is_wrong_is_said_where_the_stage_is_made(own: Settings) -> None:
    with pytest.raises(RedactionError, match="nosuch"):
        Redact("nosuch", settings=own)
    with pytest.raises(FormatError, match="nosuch"):
        Parse("nosuch", settings=own)
    with pytest.raises(UsageError, match='batch_format="pyarrow"'):
        Redact(settings=own)({"text": ["a"]})  # type: ignore[arg-type]
    with pytest.raises(FormatError, match="cannot tell the format"):
        format_of(["???"], settings=own)
