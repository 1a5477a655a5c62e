"""Loki's API as Grafana's data source and LogCLI ask it, on ten records whose answers are counted by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.logql.conftest import SMALL, START
from tests.sql.conftest import record, write_lake
from tests.web_server import web_server
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from logshed.access import Tokens
from logshed.api import Lake
from logshed.pipeline.loki_answers import LokiAnswers
from logshed.web import loki_tails, tailing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FROM = int(START.timestamp())
NANO = 1_000_000_000
WHOLE = {"start": str(FROM * NANO), "end": str((FROM + 120) * NANO)}
FLAGS = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
DAY = [record(0, START, collection="secret", service_name="vault", severity_number=9, body="a secret")]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("loki") / "lake"
    write_lake(root, [*SMALL, *DAY], files=1)
    return root


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens(tmp_path_factory.mktemp("access") / "tokens.db")


@pytest.fixture(scope="module")
def token(tokens: Tokens) -> str:
    return tokens.create(["app", "web"])[0]


@pytest.fixture(scope="module")
def base(root: Path, tokens: Tokens) -> Iterator[str]:
    before = loki_tails.POLL_SECONDS, tailing.SECONDS
    loki_tails.POLL_SECONDS = tailing.SECONDS = 0.2
    with web_server(Lake.open(root), tokens) as url:
        yield f"{url}/loki/api/v1"
    loki_tails.POLL_SECONDS, tailing.SECONDS = before


@pytest.fixture(scope="module")
def grafana(base: str, token: str) -> Iterator[httpx.Client]:
    """A client that asks as the data source does whose password is a token."""
    with httpx.Client(base_url=base, auth=("grafana", token), timeout=60) as client:
        yield client


def data(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["status"] == "success"
    return told["data"]


def test_the_data_sources_health_check_finds_a_two(grafana: httpx.Client) -> None:
    asked = {"query": "vector(1)+vector(1)", "direction": "backward", "time": "4000000000"}
    found = data(grafana.get("query", params=asked))
    assert found["resultType"] == "vector"
    assert found["result"] == [{"metric": {}, "value": [4_000_000_000, "2"]}]


def test_explore_lists_lines_newest_first_with_their_metadata_apart(grafana: httpx.Client) -> None:
    asked = {"query": '{collection="app"} |= `timeout`', "direction": "backward", "limit": "1000", "step": "1000ms"}
    found = data(grafana.get("query_range", params=asked | WHOLE, headers=FLAGS))
    assert found["resultType"] == "streams"
    assert found["encodingFlags"] == ["categorize-labels"]
    streams = {one["stream"].get("service_name"): one for one in found["result"]}
    assert streams["pay"]["stream"] == {
        "collection": "app",
        "service_name": "pay",
        "level": "error",
        "host_name": "h1",
        "log_format": "json",
        "source": "file:/var/log/a.log",
    }
    when, line, more = streams["pay"]["values"][0]
    assert (when, line) == (str((FROM + 10) * NANO), "timeout after 5s")
    assert more == {"structuredMetadata": {"order_id": "77", "job": "billing"}}
    assert streams[None]["values"][0][1] == 'timeout of "db"'


def test_what_a_pipeline_made_stands_apart_as_parsed(grafana: httpx.Client) -> None:
    asked = {"query": '{collection="app"} | json n="n" | n > 1 | drop level', "limit": "10"}
    (one,) = data(grafana.get("query_range", params=asked | WHOLE, headers=FLAGS))["result"]
    assert one["values"][0][2] == {"parsed": {"n": "1.5"}}
    assert "level" not in one["stream"]


def test_without_the_flag_metadata_belongs_to_the_stream(grafana: httpx.Client) -> None:
    asked = {"query": '{collection="app"} | order_id="77"'}
    (one,) = data(grafana.get("query_range", params=asked | WHOLE))["result"]
    assert one["stream"]["order_id"] == "77"
    assert len(one["values"][0]) == 2


@pytest.mark.parametrize(("direction", "lines"), [("forward", [0, 5]), ("backward", [85, 80])])
def test_a_limit_keeps_the_lines_at_the_end_that_is_asked_for(
    grafana: httpx.Client, direction: str, lines: list[int]
) -> None:
    asked = {"query": '{collection=~"app|web"}', "limit": "2", "direction": direction}
    streams = data(grafana.get("query_range", params=asked | WHOLE))["result"]
    found = {int(value[0]) // NANO - FROM for one in streams for value in one["values"]}
    assert found == set(lines)


def test_the_end_of_lines_is_not_in_it_and_the_start_is(grafana: httpx.Client) -> None:
    asked = {"query": '{collection="app"}', "start": str(FROM), "end": "2026-03-01T10:00:20.000000000Z"}
    streams = data(grafana.get("query_range", params=asked))["result"]
    assert sorted(int(value[0]) // NANO - FROM for one in streams for value in one["values"]) == [0, 10]


def test_the_histogram_of_explore_counts_by_level(grafana: httpx.Client) -> None:
    asked = {
        "query": 'sum by (level, detected_level) (count_over_time({collection=~"app|web"} | drop __error__[30s]))',
        "direction": "backward",
        "step": "30000ms",
    }
    found = data(grafana.get("query_range", params=asked | WHOLE, headers={"X-Query-Tags": "Source=logvolhist"}))
    assert found["resultType"] == "matrix"
    counts = {one["metric"]["level"]: {at - FROM: value for at, value in one["values"]} for one in found["result"]}
    assert all(one["metric"]["level"] == one["metric"]["detected_level"] for one in found["result"])
    assert counts == {
        "info": {0: "1", 30: "1", 90: "2"},
        "error": {30: "2", 90: "1"},
        "warn": {30: "1", 60: "1"},
        "fatal": {90: "1"},
    }


def test_a_panels_rate_is_a_matrix_of_seconds_and_texts(grafana: httpx.Client) -> None:
    asked = {
        "query": 'sum(rate({service_name="shop"}[1m]))',
        "step": "60s",
        "start": f"{FROM}.0",
        "end": f"{FROM + 120}.5",
    }
    (one,) = data(grafana.get("query_range", params=asked))["result"]
    assert one == {"metric": {}, "values": [[FROM + 60, "0.03333333333333333"], [FROM + 120, "0.03333333333333333"]]}


def test_logcli_asks_with_forms_and_gets_the_same(grafana: httpx.Client) -> None:
    asked = {"query": 'count_over_time({service_name="shop"}[2m])', "time": WHOLE["end"]}
    told = data(grafana.post("query", data=asked))
    assert told["resultType"] == "vector"
    assert told["result"] == data(grafana.get("query", params=asked))["result"]
    assert {one["metric"]["level"]: one["value"] for one in told["result"]}["info"] == [FROM + 120, "2"]


def test_more_points_than_anybody_reads_are_refused(grafana: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {**WHOLE, "query": 'sum by (level) (count_over_time({collection="app"}[1m]))', "step": "1"}
    assert grafana.get("query_range", params=asked).status_code == 200
    monkeypatch.setattr("logshed.pipeline.loki_json.MOST_POINTS", 10)
    told = grafana.get("query_range", params=asked)
    assert (told.status_code, "take a longer step" in told.text) == (400, True)


def test_a_plain_number_is_a_scalar(grafana: httpx.Client) -> None:
    assert data(grafana.get("query", params={"query": "1+1", "time": str(FROM)}))["result"] == [FROM, "2"]


def test_labels_are_those_that_there_are(grafana: httpx.Client) -> None:
    named = ["collection", "host_name", "level", "log_format", "service_name", "source"]
    assert data(grafana.get("labels", params=WHOLE)) == named
    assert data(grafana.get("labels", params=WHOLE | {"query": '{service_name="shop"}'})) == [
        name for name in named if name != "host_name"
    ]
    assert data(grafana.get("labels", params={"start": "0", "end": "1"})) == []


def test_values_of_a_label_are_for_variables_and_completion(grafana: httpx.Client) -> None:
    assert data(grafana.get("label/service_name/values", params=WHOLE)) == ["pay", "shop"]
    assert data(grafana.get("label/level/values", params=WHOLE | {"query": '{collection="web"}'})) == [
        "error",
        "info",
        "warn",
    ]
    assert data(grafana.get("label/level/values", params=WHOLE | {"query": "{}"})) == ["error", "fatal", "info", "warn"]
    assert data(grafana.get("label/nothing/values", params=WHOLE)) == []


def test_series_are_the_streams(grafana: httpx.Client) -> None:
    found = data(grafana.get("series", params={"match[]": ['{service_name="shop"}', '{level="fatal"}']} | WHOLE))
    assert sorted(one["level"] for one in found) == ["error", "fatal", "info", "warn"]
    assert grafana.get("series", params=WHOLE).status_code == 400


def test_fields_are_detected_without_a_parser(grafana: httpx.Client) -> None:
    sizes = grafana.get("detected_labels", params=WHOLE).json()["detectedLabels"]
    assert {one["label"]: one["cardinality"] for one in sizes}["service_name"] == 2
    asked = WHOLE | {"query": '{collection=~"app|web"} | level="error"', "limit": "1000"}
    fields = {one["label"]: one for one in grafana.get("detected_fields", params=asked).json()["fields"]}
    assert fields["order_id"] == {"label": "order_id", "type": "float", "cardinality": 2, "parsers": None}
    assert fields["url_path"]["type"] == "string"
    assert "trace_id" not in fields
    assert grafana.get("detected_field/order_id/values", params=asked).json() == {"values": ["77", "78"], "limit": 1000}
    assert grafana.get("detected_fields", params=WHOLE | {"query": "vector(1)"}).status_code == 400


def test_stats_say_what_a_selector_would_read(grafana: httpx.Client) -> None:
    answer = grafana.get("index/stats", params=WHOLE | {"query": '{collection="app"}'}).json()
    lines = ["started", "timeout after 5s", 'timeout of "db"', 'msg=slow took=3s user="Ann B"']
    lines += ['{"order": {"id": 5, "tags": ["x", "y"]}, "level": "odd", "n": 1.5}', "\x1b[31mdead\x1b[0mEE: x\n at y"]
    assert answer == {"streams": 5, "chunks": 0, "entries": 6, "bytes": sum(map(len, lines))}


def test_volume_is_bytes_by_label(grafana: httpx.Client) -> None:
    asked = WHOLE | {"query": '{collection=~"app|web"}', "targetLabels": "collection", "limit": "10"}
    found = data(grafana.get("index/volume", params=asked))
    size = grafana.get("index/stats", params=WHOLE | {"query": '{collection="app"}'}).json()["bytes"]
    assert {one["metric"]["collection"]: one["value"][1] for one in found["result"]}["app"] == str(size)


def test_context_of_a_line_is_asked_by_its_stream_on_both_sides(grafana: httpx.Client) -> None:
    stream = '{collection="app",service_name="pay",host_name="h1",log_format="json",source="file:/var/log/a.log"}'
    middle = (FROM + 60) * NANO
    before = {"query": stream, "direction": "backward", "limit": "2", "start": str(FROM * NANO), "end": str(middle)}
    after = before | {"direction": "forward", "start": str(middle), "end": WHOLE["end"]}
    told = [
        sorted(
            int(value[0]) // NANO - FROM
            for one in data(grafana.get("query_range", params=asked))["result"]
            for value in one["values"]
        )
        for asked in (before, after)
    ]
    assert told == [[0, 10], [60, 70]]


@pytest.mark.parametrize(
    ("path", "asked", "told"),
    [
        ("query_range", {"query": '{collection="app"'}, "^"),
        ("query_range", {"query": ""}, "query is missing"),
        ("query_range", {"query": "vector(1)", "step": "1ms"} | WHOLE, "so many points"),
        ("query_range", {"query": '{collection="app"}', "limit": "999999"}, "lines at once"),
        ("query_range", {"query": '{collection="app"}', "start": "tomorrow"}, "no time"),
        ("query_range", {"query": '{collection="app"}', "direction": "up"}, "forward or backward"),
        ("query", {"query": '{collection="app"}'}, "ask query_range"),
        ("labels", {"start": "20", "end": "10"}, "before its start"),
        ("labels", {"query": "{"}, "cannot search"),
    ],
)
def test_what_is_wrong_is_told_as_text_that_grafana_shows(
    grafana: httpx.Client, path: str, asked: dict[str, str], told: str
) -> None:
    answer = grafana.get(path, params=asked)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert told in answer.text


def test_a_stranger_is_refused_and_a_foreign_collection_is_not_there(
    base: str, grafana: httpx.Client, tokens: Tokens
) -> None:
    writes, _ = tokens.create(["*"], ["write"])
    assert httpx.get(f"{base}/labels").status_code == 401
    assert httpx.get(f"{base}/labels", headers={"Authorization": "Basic !!"}).status_code == 401
    assert httpx.get(f"{base}/labels", headers={"Authorization": f"Bearer {writes}"}).status_code == 403
    asked = {"query": '{collection=~".+"}', "limit": "100"} | WHOLE
    told = grafana.get("query_range", params=asked, headers={"X-Scope-OrgID": "secret"})
    assert len(data(told)["result"]) > 3
    assert "secret" not in told.text
    assert "vault" not in grafana.get("label/service_name/values", params=WHOLE).text
    assert grafana.get("index/stats", params=WHOLE | {"query": '{collection="secret"}'}).json()["entries"] == 0


def test_the_program_tells_its_version_and_that_it_is_ready(base: str, grafana: httpx.Client) -> None:
    assert grafana.get("status/buildinfo").json()["version"]
    assert httpx.get(base.replace("/loki/api/v1", "/ready")).text == "ready\n"


def test_a_live_tail_begins_with_the_latest_lines_and_goes_on_with_new_ones(base: str, token: str, root: Path) -> None:
    query = "%7Bcollection%3D%22app%22%7D%20%7C%3D%20%60t%60"
    url = f"{base.replace('http', 'ws')}/tail?query={query}&start={WHOLE['start']}"
    with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        first = json.loads(socket.recv(20))
        assert {value[1] for one in first["streams"] for value in one["values"]} >= {"started", "timeout after 5s"}
        late = [
            {"timestamp": "2026-03-01T10:05:00Z", "level": "INFO", "message": text} for text in ("it came late", "-")
        ]
        (root.parent / "late.jsonl").write_text("".join(json.dumps(one) + "\n" for one in late))
        Lake.open(root).ingest([root.parent / "late.jsonl"], collection="app")
        more = json.loads(socket.recv(30))
        assert [value[1] for one in more["streams"] for value in one["values"]] == ["it came late"]
        assert more["streams"][0]["stream"]["collection"] == "app"


def test_those_who_follow_the_same_cost_one_look_and_who_sees_less_is_told_less(
    base: str, token: str, tokens: Tokens, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    real = LokiAnswers.arrived

    def counted(self: LokiAnswers, text: str, batches: Sequence[str], *, apart: bool = False) -> Any:
        looks.append(text)
        return real(self, text, batches, apart=apart)

    monkeypatch.setattr(LokiAnswers, "arrived", counted)
    other, url = (
        tokens.create(["nothing"])[0],
        f"{base.replace('http', 'ws')}/tail?query=%7Bcollection%3D~%22.%2B%22%7D",
    )

    def opened(shown: str) -> Any:
        return connect(url, additional_headers={"Authorization": f"Bearer {shown}"})

    with opened(token) as one, opened(token) as same, opened(other) as foreign:
        begun = [json.loads(socket.recv(20)) for socket in (one, same, foreign)]
        assert begun[2] == {"streams": []}
        (root.parent / "shared.jsonl").write_text('{"timestamp":"2026-03-01T10:06:00Z","message":"told to all"}\n')
        Lake.open(root).ingest([root.parent / "shared.jsonl"], collection="app")
        told = [json.loads(socket.recv(30)) for socket in (one, same)]
        assert told[0] == told[1]
        assert "told to all" in json.dumps(told[0])
        assert len(looks) == 2
        with pytest.raises(TimeoutError):
            foreign.recv(0.5)


def test_a_tail_is_refused_as_any_other_question_is(base: str, token: str, tokens: Tokens) -> None:
    url = f"{base.replace('http', 'ws')}/tail?query="
    own = {"Authorization": f"Bearer {token}"}
    for query, headers, status in (
        ("%7Bcollection%3D%22app%22%7D", {}, 401),
        ("%7Bcollection%3D%22app%22%7D", own | {"Origin": "https://evil.example"}, 403),
        ("vector(1)", own, 400),
        ("%7B", own, 400),
    ):
        with pytest.raises(InvalidStatus) as refused, connect(url + query, additional_headers=headers):
            raise AssertionError(query)
        assert refused.value.response.status_code == status
    short, known = tokens.create(["app"])
    with connect(
        f"{url}%7Bcollection%3D%22app%22%7D", additional_headers={"Authorization": f"Bearer {short}"}
    ) as socket:
        socket.recv(20)
        tokens.revoke(known.id)
        with pytest.raises(ConnectionClosed):
            socket.recv(20)
        assert socket.close_code == 1008
