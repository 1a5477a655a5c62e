"""Gold tables hold what their days' records come to, however these came."""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from logshed.api import Lake
from logshed.errors import QueryError
from logshed.pipeline.aggregate import Aggregate
from logshed.queries.gold import load, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINE = '192.0.2.{who} - - [{when:%d/%b/%Y:%H:%M:%S} +0000] "GET {path} HTTP/1.1" {status} {size} "-" "{agent}"\n'
START = datetime(2026, 1, 5, 22, tzinfo=UTC)
HEADER = "/*\ntitle = 'x'\ndescription = 'x'\n[columns]\n{columns}*/\nSELECT 1 WHERE $since < $until"


def lines(count: int, step: int = 600) -> list[str]:
    return [
        LINE.format(
            who=1 + number % 3,
            when=START + timedelta(seconds=step * number),
            path=f"/p{number % 4}",
            status=(200, 200, 404, 500)[number % 4],
            size=number,
            agent="Mozilla/5.0 (X11; Linux x86_64; rv:100.0) Gecko/20100101 Firefox/100.0",
        )
        for number in range(count)
    ]


def everything(lake: Lake) -> dict[str, list[tuple[object, ...]]]:
    return {name: sorted(map(repr, lake.query(f"SELECT * FROM {name}").rows())) for name in load()}


@pytest.fixture
def filled(lake: Lake, logs: Path) -> Lake:
    (logs / "a.log").write_text("".join(lines(60)))
    lake.ingest([logs / "a.log"])
    assert not [one.error for one in lake.aggregate() if one.error]
    return lake


def test_increments_come_to_the_same_as_a_rebuild(filled: Lake, logs: Path) -> None:
    with (logs / "a.log").open("a") as file:
        file.writelines(lines(100)[60:])
    (logs / "late.log").write_text("".join(lines(8, 7200)))
    filled.ingest([logs])
    done = {one.table: one.days for one in filled.aggregate()}
    assert done["traffic_hourly"] == 2
    grown = everything(filled)
    filled.aggregate(rebuild=True)
    assert everything(filled) == grown
    assert sum(one.days for one in filled.aggregate()) == 0


def test_what_another_computes_of_newer_records_meanwhile_stays(
    filled: Lake, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = Aggregate._computed

    def late(verb: Aggregate, *words: Any) -> Iterator[Any]:
        made = list(computed(verb, *words))
        monkeypatch.setattr(Aggregate, "_computed", computed)
        with (logs / "a.log").open("a") as file:
            file.writelines(lines(70)[60:])
        other = Lake.open(filled.root, settings=filled.settings)
        other.ingest([logs])
        assert other.aggregate(["traffic_hourly"])[0].days == 1
        yield from made

    monkeypatch.setattr(Aggregate, "_computed", late)
    (told,) = filled.aggregate(["traffic_hourly"], rebuild=True)
    assert not told.error
    assert filled.query("SELECT sum(requests) FROM traffic_hourly").rows() == [(70,)]


def test_traffic_counts_every_request_once(filled: Lake) -> None:
    rows = filled.query(
        "SELECT timestamp, url_template, sum(requests), sum(bytes) FROM traffic_hourly GROUP BY 1, 2 ORDER BY 1, 2"
    ).rows()
    counts: Counter[tuple[datetime, str]] = Counter()
    sizes: Counter[tuple[datetime, str]] = Counter()
    for number in range(60):
        hour = (START + timedelta(seconds=600 * number)).replace(minute=0, second=0)
        counts[hour, f"/p{number % 4}"] += 1
        sizes[hour, f"/p{number % 4}"] += number
    assert rows == [(hour, path, counts[hour, path], sizes[hour, path]) for hour, path in sorted(counts)]


def test_sessions_end_after_half_an_hour_and_with_the_day(filled: Lake) -> None:
    """Each of three visitors comes every 30 minutes, which is one session still; midnight cuts it."""
    rows = filled.query("SELECT client_address, requests, errors FROM sessions ORDER BY 1, timestamp").rows()
    assert len(rows) == 6
    by_visitor: dict[str, int] = defaultdict(int)
    for address, requests, _ in rows:
        by_visitor[address] += requests
    assert set(by_visitor.values()) == {20}


def test_health_is_that_of_the_hour(filled: Lake) -> None:
    rows = filled.query("SELECT requests, errors, availability FROM service_health_hourly ORDER BY timestamp").rows()
    for place, (requests, errors, availability) in enumerate(rows):
        numbers = range(place * 6, place * 6 + 6)
        assert (requests, errors) == (6, sum(number % 4 == 3 for number in numbers))
        assert availability == pytest.approx(1 - errors / 6)


def test_a_percentile_of_buckets_is_within_one_per_cent(lake: Lake, logs: Path) -> None:
    times = [1.01**number for number in range(1000)]
    text = "".join(
        f'{{"time":"2026-01-05T{number % 24:02d}:00:00Z","path":"/x","duration_ms":{value!r}}}\n'
        for number, value in enumerate(times)
    )
    (logs / "d.jsonl").write_text(text)
    lake.ingest([logs / "d.jsonl"])
    lake.aggregate(["latency_hourly"])
    buckets = lake.query("SELECT bucket, sum(requests) FROM latency_hourly GROUP BY 1 ORDER BY 1").rows()
    assert sum(count for _, count in buckets) == 1000
    for share in (0.5, 0.9, 0.99):
        reached = itertools.accumulate(count for _, count in buckets)
        bucket = next(number for (number, _), total in zip(buckets, reached, strict=True) if total >= share * 1000)
        middle = 2 * 1.02**bucket / (1.02 + 1)
        assert middle == pytest.approx(times[int(share * 1000) - 1], rel=0.011)


def test_an_empty_lake_has_empty_gold(lake: Lake) -> None:
    assert {one.days for one in lake.aggregate()} == {0}
    assert all(not rows for rows in everything(lake).values())


def test_a_table_of_a_users_own_is_kept_like_ours(lake: Lake, logs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own" / "queries"
    folder.mkdir(parents=True)
    (folder / "gold_mine.sql").write_text(
        "/*\ntitle = 'Mine'\ndescription = 'Mine.'\n[columns]\ntimestamp = 'timestamptz: day'\n"
        "collection = 'string: c'\nn = 'long: records'\n*/\nSELECT date_trunc('day', timestamp) AS timestamp, "
        "collection, count(*) AS n FROM logs WHERE timestamp >= $since AND timestamp < $until GROUP BY ALL\n"
    )
    (logs / "a.log").write_text("".join(lines(3)))
    lake.ingest([logs / "a.log"])
    own = Lake.open(lake.root, settings=lake.settings.model_copy(update={"plugins": (tmp_path / "own",)}))
    own.aggregate(["mine"])
    assert lake.query("SELECT n FROM mine").rows() == [(3,)]


def test_a_column_that_a_table_gets_is_filled_for_all_days_that_the_lake_still_holds(
    lake: Lake, logs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "own" / "queries"
    folder.mkdir(parents=True)
    head = "/*\ntitle = 'x'\ndescription = 'x'\n[columns]\ntimestamp = 'timestamptz: t'\ncollection = 'string: c'\n"
    rows = "FROM logs WHERE timestamp >= $since AND timestamp < $until GROUP BY 1, 2"
    day = "date_trunc('day', timestamp) AS timestamp, collection"
    mine = folder / "gold_mine.sql"
    mine.write_text(f"{head}n = 'long: n'\n*/\nSELECT {day}, count(*) AS n {rows}")
    (logs / "a.log").write_text("".join(lines(60)))
    lake = Lake(lake.root, lake.settings.model_copy(update={"plugins": (tmp_path / "own",)}))
    lake.ingest([logs / "a.log"])
    lake.aggregate(["mine"])
    mine.write_text(f"{head}n = 'long: n'\nsize = 'double: s'\n*/\nSELECT {day}, count(*) AS n, 2.5 AS size {rows}")
    assert [(one.days, one.error) for one in lake.aggregate(["mine"])] == [(2, "")]
    assert lake.query("SELECT n, size FROM mine ORDER BY timestamp").rows() == [(12, 2.5), (48, 2.5)]
    mine.write_text(f"{head}n = 'string: n'\n*/\nSELECT {day}, 'x' AS n {rows}")
    (told,) = lake.aggregate(["mine"])
    assert "its column n is long in the lake and string in its file; give the new one another name" in told.error


def test_errors_of_the_same_message_stand_together_whatever_its_numbers_are(lake: Lake, logs: Path) -> None:
    (logs / "e.jsonl").write_text(
        "".join(
            json.dumps({"time": time, "level": level, "logger": "db", "message": f'lost {number} of "x"'}) + "\n"
            for number, level in enumerate(["error", "error", "info", "fatal"])
            for time in [f"2026-01-05T10:{number:02d}:00Z"]
        )
    )
    lake.ingest([logs / "e.jsonl"])
    lake.aggregate(["errors_hourly"])
    assert lake.query("SELECT scope_name, message_template, errors FROM errors_hourly").rows() == [
        ("db", "lost <n> of <text>", 3)
    ]


PUSH = {
    "id": "1",
    "type": "PushEvent",
    "actor": {"id": 1, "login": "anna"},
    "repo": {"id": 2, "name": "anna/shop"},
    "payload": {"size": 2, "ref": "refs/heads/main"},
    "public": True,
    "created_at": "2026-01-05T10:00:00Z",
}


def test_pushes_and_pull_requests_are_counted_by_repository_whatever_tells_of_them(lake: Lake, logs: Path) -> None:
    pull = {"action": "closed", "number": 7, "pull_request": {"number": 7, "merged": True}}
    events = [
        PUSH,
        PUSH | {"id": "2", "payload": {"size": 3, "ref": "refs/heads/dev"}, "created_at": "2026-01-05T10:59:59Z"},
        PUSH | {"id": "3", "created_at": "2026-01-05T11:00:00Z"},
        PUSH | {"id": "4", "type": "PullRequestEvent", "payload": pull},
        PUSH | {"id": "5", "type": "PullRequestEvent", "payload": pull | {"action": "opened", "pull_request": {}}},
        PUSH | {"id": "6", "type": "WatchEvent", "payload": {"action": "started"}},
    ]
    (logs / "gh.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    hook = {
        "ref": "refs/heads/main",
        "repository": {"id": 1, "full_name": "anna/shop"},
        "pusher": {"name": "bert"},
        "commits": [],
        "head_commit": {"id": "b", "message": "m", "timestamp": "2026-01-05T10:30:00Z"},
    }
    (logs / "hook.jsonl").write_text(json.dumps(hook) + "\n")
    lake.ingest([logs])
    lake.aggregate(["push_events_hourly", "pr_events_hourly", "event_metrics"])
    pushes = lake.query(
        "SELECT repository, pushes, commits, users, branches FROM push_events_hourly ORDER BY timestamp"
    )
    assert pushes.rows() == [("anna/shop", 3, 5, 2, 2), ("anna/shop", 1, 2, 1, 1)]
    pulls = lake.query("SELECT action, events, merged, pull_requests, users FROM pr_events_hourly ORDER BY action")
    assert pulls.rows() == [("closed", 1, 1, 1, 1), ("opened", 1, 0, 1, 1)]
    assert lake.query("SELECT max(repositories) FROM event_metrics").rows() == [(1,)]


def test_an_unknown_table_is_told(lake: Lake) -> None:
    with pytest.raises(QueryError, match=r"^cannot refresh trafic: there is no such gold table; take "):
        lake.aggregate(["trafic"])


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("a = 'long: x'\n", "timestamp"),
        ("timestamp = 'timestamptz: x'\ncollection = 'string: x'\na = 'map: x'\n", "columns.a"),
        ("timestamp = 'timestamptz: x'\ncollection = 'string: x'\na = 'long'\n", "columns.a"),
    ],
)
def test_a_wrong_header_names_the_table_and_the_key(columns: str, said: str) -> None:
    with pytest.raises(QueryError, match=r"^cannot load the gold table x: ") as caught:
        parse("x", HEADER.format(columns=columns))
    assert said in str(caught.value)


@pytest.mark.truth
def test_the_truth_files_figures_come_out(lake: Lake, shared: Path) -> None:
    path = shared / "truth" / "files" / "apache_logs" / "apache_logs"
    lake.ingest([path])
    lake.aggregate(["traffic_hourly", "top_n_daily"])
    expected = json.loads(path.with_name("expected.json").read_text())
    ((requests, size),) = lake.query("SELECT sum(requests), sum(bytes) FROM traffic_hourly").rows()
    assert (requests, size) == (expected["lines"] - expected["unparsed"], expected["total_bytes"])
    hours = lake.query("SELECT timestamp, sum(requests) FROM traffic_hourly GROUP BY 1").rows()
    assert {f"{hour:%Y-%m-%dT%H}": count for hour, count in hours} == expected["requests_per_hour_utc"]
    top = "SELECT value, sum(records) AS n FROM top_n_daily WHERE dimension = 'path' GROUP BY 1 ORDER BY n DESC LIMIT 6"
    assert lake.query(top).rows() == [tuple(pair) for pair in expected["top_paths"][:6]]
