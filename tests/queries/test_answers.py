from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.queries import answers_of_reports, answers_of_watching, sample_lake
from tests.queries.answers import ANSWERS, Asked

from logshed.lake.store import Store
from logshed.pipeline.tables import LakeTables
from logshed.queries import load
from logshed.sql.duckdb import DuckDB

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.queries.answers import Answer, Row

NOW = datetime(2024, 5, 10, tzinfo=UTC)
QUESTIONS = load()
CLICKHOUSE = Path(__file__).parent.parent / "sql" / "clickhouse_answers.py"

MORE_ANSWERS = (answers_of_reports, answers_of_watching)
"""Modules whose import adds answers."""

PEOPLE = {"exclude_bots": True, "exclude_client": "198.51.100.1"}
NETWORKS = {"exclude_client": ["198.51.100.4/30", "203.0.113.7", "2001:db8::/32"]}
OTHERWISE: dict[str, list[dict[str, Any]]] = {
    "access_trail": [{"user": "bob"}, {"resource": "/shop"}, {"user": sample_lake.DROP, "resource": sample_lake.DROP}],
    "average_order_value": [{"value": "total"}, {"shop": "woocommerce"}],
    "bandwidth": [{"by": "client"}, {"by": "day", **PEOPLE}],
    "data_access_by_country": [{"service": sample_lake.DROP}, {"path": "/shop"}],
    "deploy_impact": [{"at": "2024-05-03T12:00:00+02:00", "minutes": 4_000}],
    "resource_usage": [{"resource": "cpu"}, {"service": "pay", "limit": 3}, {"resource": sample_lake.DROP}],
    "feature_usage": [{"shop": "generic"}],
    "funnel": [{"gap": 60, "shop": "generic"}, {"within": 40}, {"within": 1, "shop": "woocommerce"}],
    "journey_steps": [{"pages": 3, "gap": 60, "limit": 2_000}],
    "event_types": [{"kind": "security"}, {"kind": "application", "limit": 3}],
    "records_behind": [
        *({"by": by, "limit": 3} for by in ("region", "logger", "level", "exception", "service")),
        *({"only": only} for only in ("security", "application", "errors")),
    ],
    "records_by_day": [{"by": by} for by in ("region", "logger", "level", "exception", "service")],
    "requests_behind": [
        *({"by": by, "limit": 3} for by in ("method", "country", "template", "path", "client", "site")),
        {"status": 404},
    ],
    "requests_by_day": [{"by": by} for by in ("method", "country", "template", "path", "client", "site")],
    "root_causes": [{"min_errors": 1, "limit": 200}],
    "segments": [{"site": "example.org", "gap": 60}],
    "sessions": [{"gap": 60, "limit": 2_000}],
    "slow_endpoints": [{"min_requests": 20}],
    "top_referrers": [{"exclude_site": "example.org"}],
    "slo": [{"target": 90}, {"target": 75.5, "threshold_ms": 20.25}],
    "trace": [{"trace_id": "t1"}, {"trace_id": sample_lake.DROP}],
}
"""Parameters to ask with, beside the defaults."""


def ways(name: str) -> list[dict[str, Any]]:
    """What a question is asked with: the whole lake by default and by parameters, a collection's people in a window."""
    parameters = QUESTIONS[name].parameters
    own = list(OTHERWISE.get(name, []))
    if "exclude_client" in parameters and parameters["exclude_client"].kind == "addresses":
        own.append(NETWORKS)
    people = PEOPLE if "exclude_bots" in parameters else {}
    window = {"since": "20d", "until": "2d", "collection": "web", "values": people}
    return [*({"since": "all", "values": values} for values in [{}, *own]), window]


ASKED = [(name, way) for name in ANSWERS for way in ways(name)]
BARE = [sample_lake.record(1, datetime(2024, 5, 1, tzinfo=UTC))]
"""A row of which nothing is told."""


def bound(name: str, way: dict[str, Any]) -> dict[str, Any]:
    options = {key: value for key, value in way.items() if key != "values"}
    return QUESTIONS[name].bind(way["values"], now=NOW, **options)


ASKED_OF_SMALL = [(name, bound(name, {"since": "all", "values": {}})) for name in QUESTIONS]


@cache
def sample() -> tuple[list[Row], list[Row], list[Row]]:
    found = newest(sample_lake.findings(), "finding_id", "observed_timestamp")
    return sample_lake.records(), found, newest(sample_lake.incidents(), "incident_id", "updated_timestamp")


@cache
def engine(root: Path) -> DuckDB:
    """One for all questions: the lake does not change meanwhile."""
    store = Store.open(root, create=False)
    return DuckDB(LakeTables(lambda: store))


def on_duckdb(root: Path, name: str, params: dict[str, Any]) -> tuple[list[str], list[str], Answer]:
    result = engine(root).query(QUESTIONS[name].sql, params)
    return result.columns, [str(field.type) for field in result.schema], result.rows()


def on_clickhouse(asked: Iterable[tuple[str, dict[str, Any]]], *roots: Path) -> list[Any]:
    done = subprocess.run(
        [sys.executable, str(CLICKHOUSE), *map(str, roots)],
        input=pickle.dumps([(QUESTIONS[name].sql, params) for name, params in asked]),
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent / "src")},
    )
    found: list[Any] = pickle.loads(done.stdout)  # noqa: S301 - from our own child
    return found


def plain(rows: Answer) -> list[list[Any]]:
    """Rows whose values compare: NaN is NaN, moments have one zone."""
    return [[plain_value(value) for value in row] for row in rows]


def plain_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


def newest(rows: Iterable[Row], name: str, moment: str) -> list[Row]:
    versions: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: row[moment]):
        versions[row[name]] = row
    return list(versions.values())


def seen(params: dict[str, Any]) -> Asked:
    """What is in the window that the parameters say."""

    def within(rows: Iterable[Row], since: datetime) -> list[Row]:
        wanted = params["collection"]
        return [
            row for row in rows if since <= row["timestamp"] < params["until"] and wanted in {None, row["collection"]}
        ]

    logs, found, cases = sample()
    since = params["since"]
    return Asked(
        within(logs, since), within(logs, params["before"]), within(found, since), within(cases, since), params
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("questions") / "lake"
    sample_lake.write(root, sample_lake.records(), sample_lake.findings(), sample_lake.incidents())
    return root


@pytest.fixture(scope="module")
def told(root: Path) -> list[Any]:
    return [on_duckdb(root, name, bound(name, way)) for name, way in ASKED]


@pytest.fixture(scope="module")
def answers(root: Path) -> list[Any]:
    pytest.importorskip("chdb", reason="needs the extra `clickhouse`, which is not installed")
    return on_clickhouse([(name, bound(name, way)) for name, way in ASKED], root)


Small = dict[str, tuple[Path, list[Any]]]
"""The lakes that have next to nothing, each with ClickHouse's answers to every question."""


def asked_of(lakes: dict[str, list[Row]], folder: Path) -> Small:
    """All of one process."""
    pytest.importorskip("chdb", reason="needs the extra `clickhouse`, which is not installed")
    roots = [folder / str(number) for number in range(len(lakes))]
    for root, rows in zip(roots, lakes.values(), strict=True):
        sample_lake.write(root, rows)
    found = on_clickhouse(ASKED_OF_SMALL, *roots)
    assert len(found) == len(roots) * len(ASKED_OF_SMALL)
    each = [found[start : start + len(ASKED_OF_SMALL)] for start in range(0, len(found), len(ASKED_OF_SMALL))]
    return dict(zip(lakes, zip(roots, each, strict=True), strict=True))


@pytest.mark.parametrize("place", range(len(ASKED)), ids=[f"{name}-{way}" for name, way in ASKED])
def test_a_question_is_answered_as_plain_python_does(place: int, told: list[Any]) -> None:
    name, way = ASKED[place]
    columns, _, rows = told[place]
    assert columns == list(QUESTIONS[name].columns)
    assert plain(rows) == plain(ANSWERS[name](seen(bound(name, way))))
    assert rows or way["values"] or way["since"] != "all"


@pytest.mark.parametrize("place", range(len(ASKED)), ids=[f"{name}-{way}" for name, way in ASKED])
def test_clickhouse_gives_the_same_answer(place: int, told: list[Any], answers: list[Any]) -> None:
    columns, types, rows = told[place]
    assert not isinstance(answers[place], str), answers[place]
    assert answers[place][:2] == (columns, types)
    assert plain(answers[place][2]) == plain(rows)


def test_a_lake_with_next_to_nothing_is_no_failure(tmp_path: Path) -> None:
    assert_the_same(*asked_of({"bare": BARE}, tmp_path)["bare"], empty=False)


@pytest.mark.soak
def test_an_empty_lake_is_no_failure(tmp_path: Path) -> None:
    assert_the_same(*asked_of({"empty": []}, tmp_path)["empty"], empty=True)


@pytest.mark.soak
def test_a_lake_of_one_request_is_no_failure(tmp_path: Path) -> None:
    rows = [row for row in sample_lake.records() if row.get("http_response_status_code") == 401][:1]
    assert_the_same(*asked_of({"one": rows}, tmp_path)["one"], empty=False)


def assert_the_same(root: Path, answers: list[Any], *, empty: bool) -> None:
    """DuckDB answers as ClickHouse did; an empty lake gives no rows."""
    for (name, params), other in zip(ASKED_OF_SMALL, answers, strict=True):
        columns, types, rows = on_duckdb(root, name, params)
        assert not isinstance(other, str), (name, other)
        assert other[0] == columns == list(QUESTIONS[name].columns)
        assert (name, plain(other[2]), other[1]) == (name, plain(rows), types)
        if empty:
            assert not rows
