from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.pipeline.samples import accesses

from logshed.api import Lake
from logshed.errors import SettingsError
from logshed.pipeline import ingest as verb
from logshed.pipeline import transforms
from logshed.settings import Settings, Transform

if TYPE_CHECKING:
    from pathlib import Path


def rule(**keys: Any) -> Transform:
    return Transform.model_validate({"name": "own", **keys})


def fails(**keys: Any) -> list[str]:
    own = rule(**keys)
    transforms.check([own])
    return transforms.failures(own)


def test_set_computes_from_the_columns_and_where_limits_it() -> None:
    assert not fails(
        set={"user_id": "lower(user_id)", "attributes.team": "'shop'"},
        where="url_path LIKE '/shop/%'",
        test=[
            {
                "given": {"user_id": "ADA", "url_path": "/shop/1"},
                "expect": {"user_id": "ada", "attributes.team": "shop"},
            },
            {"given": {"user_id": "ADA", "url_path": "/"}, "expect": {"user_id": "ADA", "attributes.team": ""}},
        ],
    )


def test_attributes_are_read_renamed_and_keep_their_neighbours() -> None:
    assert not fails(
        rename={"attributes.usr": "user_id"},
        set={"attributes.size": "upper(\"attributes.size\") || '!'"},
        test=[
            {
                "given": {"attributes.usr": "ada", "attributes.size": "xl", "attributes.other": "stays"},
                "expect": {
                    "user_id": "ada",
                    "attributes.usr": "",
                    "attributes.size": "XL!",
                    "attributes.other": "stays",
                },
            }
        ],
    )


def test_a_value_that_does_not_fit_its_column_goes_into_the_attributes() -> None:
    assert not fails(
        set={"process_pid": "body"},
        test=[
            {
                "given": [{"body": "many"}, {"body": "17"}],
                "expect": [{"process_pid": "", "attributes.process_pid": "many"}, {"process_pid": 17}],
            }
        ],
    )


def test_filter_keeps_what_is_true() -> None:
    assert not fails(
        filter="severity_number >= 9",
        test=[{"given": [{"severity_number": 5}, {"severity_number": 9}, {}], "expect": [{"severity_number": 9}]}],
    )


def test_dedupe_keeps_the_first_of_each_span() -> None:
    times = ["2026-11-01T12:00:01Z", "2026-11-01T12:00:59Z", "2026-11-01T12:01:01Z"]
    given = [{"body": "down", "timestamp": time} for time in times]
    assert not fails(dedupe=["body"], test=[{"given": given, "expect": [{"timestamp": "2026-11-01T12:00:01+00:00"}]}])
    assert not fails(dedupe=["body"], within=60, test=[{"given": given, "expect": [{}, {}]}])


def test_route_puts_records_into_a_collection() -> None:
    assert not fails(
        route="payments",
        where="service_name = 'pay'",
        test=[
            {"given": {"service_name": "pay"}, "expect": {"collection": "payments"}},
            {"given": {"service_name": "web", "collection": "own"}, "expect": {"collection": "own"}},
        ],
    )


def test_a_sample_of_nothing_and_of_all() -> None:
    given = [{"body": str(number)} for number in range(5)]
    assert not fails(sample=0, test=[{"given": given, "expect": []}])
    assert not fails(sample=1, test=[{"given": given, "expect": [{}] * 5}])


def test_a_test_that_does_not_hold_is_told() -> None:
    assert fails(set={"user_id": "'x'"}, test=[{"given": {"body": "b"}, "expect": {"user_id": "y"}}]) == [
        "test 1: user_id is 'x', expected 'y'"
    ]
    assert fails(filter="body = 'a'", test=[{"given": {"body": "b"}, "expect": {}}]) == [
        "test 1: 0 records come out, expected 1"
    ]


@pytest.mark.parametrize(
    "keys",
    [
        {"set": {"nothing": "1"}},
        {"set": {"source": "'x'"}},
        {"set": {"timestamp": "observed_timestamp"}},
        {"set": {"user_id": "no_such_column"}},
        {"filter": "SELECT"},
        {"dedupe": ["nothing"]},
        {"sample": 0.5, "by": "nothing"},
        {"rename": {"attributes.a": "generation"}},
    ],
)
def test_what_does_not_fit_the_columns_is_refused_before_any_work(keys: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="cannot use transform own: "):
        transforms.check([rule(**keys)])


@pytest.mark.parametrize("keys", [{}, {"by": "trace_id", "filter": "true"}, {"within": 5, "filter": "true"}])
def test_a_rule_that_says_nothing_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"rule|belongs"):
        rule(**keys)


CONFIG = """
[[drop]]
name = "zero"
where = "url_path = '/item/0'"

[[transform]]
name = "half"
sample = 0.5

[[transform]]
name = "small"
filter = "http_response_body_size < 1090"

[[transform]]
name = "tenths"
where = "url_path LIKE '%0'"
route = "tens"
set = { user_id = "'u-' || url_path", "attributes.kind" = "'ten'" }

[[transform]]
name = "once"
where = "collection = 'tens'"
dedupe = ["collection"]
"""


@pytest.fixture
def ruled(tmp_path: Path) -> Lake:
    (tmp_path / "logshed.toml").write_text(CONFIG)
    return Lake.open(tmp_path / "lake", create=True, settings=Settings.load(tmp_path, environ={}))


def state(lake: Lake) -> list[tuple[object, ...]]:
    return lake.query('SELECT collection, url_path, user_id, attributes::VARCHAR FROM logs ORDER BY "offset"').rows()


def test_what_transforms_drop_is_counted_and_the_audit_adds_up(ruled: Lake, logs: Path) -> None:
    (logs / "access.log").write_text(accesses(0, 100) + "no format takes this\n")
    counts = ruled.ingest([logs / "access.log"]).totals
    assert counts.balanced
    assert counts.rejected == 1
    assert counts.dropped["zero"] == 1
    assert 25 < counts.dropped["half"] < 75
    assert counts.dropped.keys() <= {"zero", "half", "small", "once"}
    assert ruled.audit().as_dict()["ok"], ruled.audit().as_dict()
    tens = [row for row in state(ruled) if row[0] == "tens"]
    assert len(tens) == 1
    assert str(tens[0][1]).endswith("0")
    assert tens[0][2] == f"u-{tens[0][1]}"
    assert "ten" in str(tens[0][3])
    same = ruled.query("SELECT count(*) FROM lines WHERE collection = 'tens'").rows()
    assert same == [(1,)]


def test_catching_up_gives_the_same_rows_as_the_ingest_would_have(
    ruled: Lake, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (logs / "access.log").write_text(accesses(0, 100))
    ruled.ingest([logs / "access.log"])
    wanted = state(ruled)

    other = Lake.open(ruled.root.with_name("other"), create=True, settings=ruled.settings)
    with monkeypatch.context() as patch:
        patch.setattr(verb, "commit_follower", lambda *_: True)
        other.ingest([logs / "access.log"])
    assert state(other) == []
    (logs / "empty.log").write_text("")
    assert other.ingest([logs / "empty.log"]).caught_up == len(wanted)
    assert state(other) == wanted
    assert other.audit().as_dict()["ok"]


def test_a_sample_by_trace_keeps_traces_whole(tmp_path: Path, logs: Path) -> None:
    settings = Settings.load(tmp_path, environ={}).model_copy(update={"transform": (rule(sample=0.5, by="trace_id"),)})
    lake = Lake.open(tmp_path / "lake", create=True, settings=settings)
    records = [{"timestamp": "2026-11-01T12:00:00Z", "message": f"m{n}", "trace_id": f"t{n % 20}"} for n in range(200)]
    (logs / "app.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    counts = lake.ingest([logs / "app.jsonl"]).totals
    assert 0 < counts.stored < 200
    traces = lake.query("SELECT trace_id, count(*) FROM logs GROUP BY 1").rows()
    assert {count for _, count in traces} == {10}
    assert counts.stored == 10 * len(traces)
