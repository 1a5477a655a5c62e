from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

import logshed

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.api import Lake

pytestmark = pytest.mark.truth

LINE = re.compile(
    r'(?P<client>\S+) \S+ \S+ \[(?P<when>[^\]]+)\] "(?P<method>\S+) (?P<path>[^ ?]*)\S* [^"]*" '
    r'(?P<status>\d+) (?P<size>\S+) "(?P<referrer>[^"]*)" "(?P<agent>.*)"$'
)


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "truth" / "files" / "apache_logs"


@pytest.fixture(scope="module")
def lake(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = logshed.open(tmp_path_factory.mktemp("truth") / "lake", create=True)
    lake.ingest([folder / "apache_logs"], policy="none", workers=1)
    return lake


@pytest.fixture(scope="module")
def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "apache_logs").read_text("utf-8", errors="replace").splitlines()
    found: list[dict[str, Any]] = [match.groupdict() for line in text if (match := LINE.match(line))]
    for line in found:
        line["when"] = datetime.strptime(line["when"], "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC)
    return found


def asked(lake: Lake, name: str, **params: object) -> list[dict[str, Any]]:
    return lake.run(name, since="2015-05-17", until="2015-05-21", **params).pl().to_dicts()


def test_figures_are_those_counted_before(lake: Lake, folder: Path) -> None:
    truth = json.loads((folder / "expected.json").read_text("utf-8"))
    assert {str(row["status"]): row["requests"] for row in asked(lake, "status_codes")} == truth["status"]
    assert {row["method"]: row["requests"] for row in asked(lake, "methods")} == truth["method"]
    days = Counter[str]()
    for hour, requests in truth["requests_per_hour_utc"].items():
        days[hour[:10]] += requests
    assert {row["what"]: row["requests"] for row in asked(lake, "bandwidth", by="day")} == days
    assert sum(row["bytes"] for row in asked(lake, "traffic")) == truth["total_bytes"]
    clients = [(row["what"], row["requests"]) for row in asked(lake, "bandwidth", by="client", limit=5_000)]
    assert len(clients) == truth["distinct_clients"]
    assert {tuple(pair) for pair in truth["top_clients"]} <= set(clients)
    assert [list(pair) for pair in Counter(dict(asked_paths(lake))).most_common(3)] == truth["top_paths"][:3]


def asked_paths(lake: Lake) -> list[tuple[str, int]]:
    return [(row["template"], row["requests"]) for row in asked(lake, "top_templates", limit=10_000)]


def test_visitors_of_a_day_are_counted_as_goaccess_counts_them(lake: Lake, lines: list[dict[str, Any]]) -> None:
    days = defaultdict(set)
    for line in lines:
        days[line["when"].date()].add((line["client"], line["agent"]))
    assert {row["day"].date(): row["visitors"] for row in asked(lake, "traffic")} == {
        day: len(visitors) for day, visitors in days.items()
    }


def test_sessions_end_after_half_an_hour(lake: Lake, lines: list[dict[str, Any]]) -> None:
    moments = defaultdict(list)
    for line in lines:
        moments[line["client"], line["agent"]].append(line["when"])
    ends = sum(
        (later - sooner).total_seconds() > 1_800 for of in moments.values() for sooner, later in pairwise(sorted(of))
    )
    assert len(asked(lake, "sessions", limit=100_000)) == len(moments) + ends
