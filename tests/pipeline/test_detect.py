"""What is found is found once, whatever comes when."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from logshed.alert_settings import Alert
from logshed.api import Lake
from logshed.errors import UsageError
from logshed.lake.store import Store
from logshed.pipeline import detect as verb
from logshed.pipeline import findings, suppress
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

LINE = '192.0.2.{who} - - [05/Jan/2026:10:{minute:02d}:00 +0000] "GET /p{n} HTTP/1.1" {status} 5 "-" "{agent}"\n'
SCANNER = """
title: A scanner
id: 11111111-1111-4111-8111-111111111111
author: Ann
logsource: {category: webserver}
detection: {s: {cs-user-agent|contains: Scanner}, condition: s}
level: high
"""
MISSING = """
title: Missing
name: missing
logsource: {category: webserver}
detection: {s: {sc-status: 404}, condition: s}
---
title: Many missing
id: 22222222-2222-4222-8222-222222222222
correlation: {type: event_count, rules: [missing], group-by: [client_address], timespan: 10m, condition: {gte: 5}}
level: medium
"""


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where rules of the user's own are, which are read once a place, with all of ours."""
    folder = tmp_path_factory.mktemp("plugins") / "detections"
    folder.mkdir()
    (folder / "t_scanner.yml").write_text(SCANNER)
    (folder / "t_missing.yml").write_text(MISSING)
    return folder.parent


@pytest.fixture
def lake(tmp_path: Path, plugins: Path) -> Lake:
    settings = Settings.load(tmp_path, environ={}).model_copy(update={"plugins": (plugins,)})
    return Lake.open(tmp_path / "lake", create=True, settings=settings)


def add(lake: Lake, path: Path, **parts: object) -> None:
    with path.open("a") as file:
        file.write(LINE.format(**{"who": 1, "minute": 0, "n": 0, "status": 200, "agent": "x", **parts}))
    lake.ingest([path])


def found(lake: Lake, rule: str = "t_*") -> list[tuple[object, ...]]:
    sql = f"SELECT rule_name, actor, event_count FROM findings WHERE rule_name GLOB '{rule}' ORDER BY ALL"
    return lake.query(sql).rows()


def detect(lake: Lake) -> int:
    return len(lake.security.detect(["t_*"]).findings)


def test_who_is_erased_while_rules_are_looked_for_is_in_no_finding(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who in (1, 2):
        add(lake, tmp_path / "a.log", who=who, agent="Scanner")
    hits = verb.Detect._hits

    def late(run: verb.Detect, *words: Any, **named: Any) -> Any:
        made = hits(run, *words, **named)
        monkeypatch.setattr(verb.Detect, "_hits", hits)
        other = Lake.open(lake.root, settings=lake.settings)
        assert other.erase(column="client_address", value="192.0.2.1").ok
        return made

    monkeypatch.setattr(verb.Detect, "_hits", late)
    assert detect(lake) == 1
    assert found(lake) == [("t_scanner", "192.0.2.2", 1)]


def test_who_is_erased_while_all_is_looked_at_again_is_in_no_finding(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who in (1, 2):
        add(lake, tmp_path / "a.log", who=who, agent="nothing")
    detect(lake)
    for who in (1, 2):
        add(lake, tmp_path / "a.log", who=who, agent="Scanner")
    make = findings.make

    def late(*words: Any) -> Any:
        made = make(*words)
        monkeypatch.setattr(findings, "make", make)
        other = Lake.open(lake.root, settings=lake.settings)
        assert other.erase(column="client_address", value="192.0.2.1").ok
        return made

    monkeypatch.setattr(findings, "make", late)
    run = verb.Detect(lake._opened(), lake.settings, ["t_*"])
    assert len(run.again(datetime(2024, 1, 1, tzinfo=UTC)).findings) == 1
    assert found(lake) == [("t_scanner", "192.0.2.2", 1)]


def test_each_record_is_looked_at_once(lake: Lake, tmp_path: Path) -> None:
    add(lake, tmp_path / "a.log", agent="SCANNER/1")
    assert detect(lake) == 1
    assert detect(lake) == 0
    assert found(lake) == [("t_scanner", "192.0.2.1", 1)]


def test_a_finding_goes_on_under_its_name(lake: Lake, tmp_path: Path) -> None:
    add(lake, tmp_path / "a.log", agent="scanner")
    detect(lake)
    add(lake, tmp_path / "a.log", agent="scanner", minute=20)
    detect(lake)
    assert found(lake) == [("t_scanner", "192.0.2.1", 2)]


def test_a_series_that_comes_in_two_ingests_is_one_finding(lake: Lake, tmp_path: Path) -> None:
    for n in range(3):
        add(lake, tmp_path / "a.log", status=404, n=n)
    assert detect(lake) == 0
    for n in range(3):
        add(lake, tmp_path / "a.log", status=404, n=n, minute=2)
    assert detect(lake) == 1
    assert found(lake) == [("t_missing", "192.0.2.1", 6)]


def test_a_record_that_comes_late_completes_the_series_before_others(lake: Lake, tmp_path: Path) -> None:
    for minute in (0, 2, 6, 8):
        add(lake, tmp_path / "a.log", status=404, minute=minute)
    detect(lake)
    add(lake, tmp_path / "late.log", status=404, minute=4)
    assert detect(lake) == 1
    assert found(lake) == [("t_missing", "192.0.2.1", 5)]


def test_series_of_different_actors_are_told_apart(lake: Lake, tmp_path: Path) -> None:
    for n in range(8):
        add(lake, tmp_path / "a.log", status=404, who=1 + n % 2)
    assert detect(lake) == 0


def test_findings_of_an_actor_are_one_incident_that_grows(lake: Lake, tmp_path: Path) -> None:
    add(lake, tmp_path / "a.log", agent="scanner")
    detect(lake)
    for n in range(5):
        add(lake, tmp_path / "a.log", status=404, n=n, minute=3)
    detect(lake)
    ((name, actor, count, rules, level, score),) = lake.query(
        "SELECT incident_id, actor, finding_count, rules, severity_level, threat_score FROM incidents"
    ).rows()
    assert (actor, count, rules, level) == ("192.0.2.1", 2, "t_missing t_scanner", "high")
    assert 70 < score <= 100
    assert lake.security.incident(name[:12])["status"] == "open"


def test_a_closed_incident_stays_closed_and_the_next_one_is_another(lake: Lake, tmp_path: Path) -> None:
    add(lake, tmp_path / "a.log", agent="scanner")
    detect(lake)
    ((name,),) = lake.query("SELECT incident_id FROM incidents").rows()
    lake.security.change_incident(name, status="closed", note="ours")
    for n in range(5):
        add(lake, tmp_path / "a.log", status=404, n=n, minute=3)
    detect(lake)
    states = lake.query("SELECT status, finding_count FROM incidents ORDER BY 1").rows()
    assert states == [("closed", 1), ("open", 1)]


def test_a_muted_incident_goes_on_in_silence(lake: Lake, tmp_path: Path) -> None:
    add(lake, tmp_path / "a.log", agent="scanner")
    detect(lake)
    ((name,),) = lake.query("SELECT incident_id FROM incidents").rows()
    lake.security.change_incident(name, status="muted", muted_until=lake.later("2d"))
    add(lake, tmp_path / "a.log", agent="scanner", minute=9)
    detect(lake)
    assert lake.query("SELECT status, event_count FROM incidents").rows() == [("muted", 2)]


def test_an_unknown_incident_is_told(lake: Lake) -> None:
    with pytest.raises(UsageError, match=r"^cannot find incident abcdef: there is none; "):
        lake.security.change_incident("abcdef", status="closed")


@pytest.mark.parametrize(("actor", "kept"), [("192.0.2.0/24", 0), ("192.0.2.1", 0), ("10.0.0.0/8", 1), ("192.0.*", 0)])
def test_what_is_suppressed_is_counted_and_not_kept(lake: Lake, tmp_path: Path, actor: str, kept: int) -> None:
    suppress.add(lake.root, suppress.Suppress(name="own", actor=actor))
    add(lake, tmp_path / "a.log", agent="scanner")
    report = lake.security.detect(["t_*"])
    assert len(report.findings) == kept
    assert report.suppressed == ({} if kept else {"own": 1})


def test_a_broken_rule_of_a_users_stops_no_other(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "detections").mkdir()
    (tmp_path / "detections" / "t_bad.yml").write_text("title: x\nlogsource: [")
    add(lake, tmp_path / "a.log", agent="scanner")
    settings = lake.settings.model_copy(update={"plugins": (*lake.settings.plugins, tmp_path)})
    report = Lake.open(lake.root, settings=settings).security.detect(["t_*"])
    assert list(report.broken) == ["t_bad"]
    assert len(report.findings) == 1


def test_two_runs_at_once_keep_a_finding_once(lake: Lake, tmp_path: Path) -> None:
    from logshed.pipeline.detect import Detect  # noqa: PLC0415 - the inside of the verb

    add(lake, tmp_path / "a.log", agent="scanner")
    store = Store.open(lake.root, create=False)
    first, second = (Detect(store, lake.settings, ["t_*"]) for _ in range(2))
    batches = [row[0] for row in lake.query("SELECT DISTINCT batch FROM logs").rows()]
    first._group(batches)
    second._group(batches)
    assert found(lake) == [("t_scanner", "192.0.2.1", 1)]
    assert lake.query("SELECT count(*) FROM incidents").rows() == [(1,)]


def test_a_backtest_counts_what_a_rule_would_have_found(lake: Lake, tmp_path: Path) -> None:
    for n in range(6):
        add(lake, tmp_path / "a.log", status=404 if n < 5 else 200, n=n)
    tried = lake.security.backtest("t_missing", since="all")
    assert (tried.rows, tried.hits, tried.findings) == (6, 5, 1)
    assert tried.days == (("2026-01-05", 5),)
    assert tried.actors == (("192.0.2.1", 5),)
    assert tried.samples[0]["sc-status"] == 404


def test_findings_are_told_once(lake: Lake, tmp_path: Path) -> None:
    told = tmp_path / "told.ndjson"
    alert = Alert.model_validate({"name": "file", "to": "ocsf", "path": str(told), "level": "low"})
    settings = lake.settings.model_copy(update={"alert": (alert,)})
    watched = Lake.open(lake.root, settings=settings)
    add(lake, tmp_path / "a.log", agent="scanner")
    assert watched.security.detect(["t_*"]).alerts.destinations[0].sent == 1
    watched.security.detect(["t_*"])
    assert len(told.read_text().splitlines()) == 1
    assert "Ann" in told.read_text()


def test_a_saved_query_becomes_a_finding(lake: Lake, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    lines = [json.dumps({"time": (now - timedelta(minutes=ago)).isoformat(), "msg": "x"}) for ago in range(6)]
    (tmp_path / "now.jsonl").write_text("\n".join(lines) + "\n")
    lake.ingest([tmp_path / "now.jsonl"])
    queries = lake.root / "alerts" / "queries"
    queries.mkdir(parents=True)
    (queries / "many.toml").write_text('sql = "SELECT * FROM logs"\nwhen = "count > 0 in 2m"\nlevel = "low"\n')
    lake.security.detect(["t_*"])
    assert [row[0] for row in found(lake, "*")] == ["many"]


def test_anomalies_are_findings_too_and_once(lake: Lake, tmp_path: Path) -> None:
    lines = []
    for minute in range(0, 4 * 24 * 60, 2):
        moment = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=minute)
        failing = minute > 4 * 24 * 60 - 60
        for number in range(4):
            level = "error" if failing or (minute % 50 == 0 and number == 0) else "info"
            lines.append(
                json.dumps({"time": moment.isoformat(), "level": level, "service": "shop", "msg": f"a{number}"})
            )
    (tmp_path / "shop.jsonl").write_text("\n".join(lines) + "\n")
    lake.ingest([tmp_path / "shop.jsonl"])
    lake.security.detect(["error_rate_jump"])
    once = found(lake, "*")
    assert [row[0] for row in once] == ["error_rate_jump"]
    (lake.root / "security" / "anomalies.json").unlink()
    lake.security.detect(["error_rate_jump"])
    assert found(lake, "*") == once


def test_messages_of_a_new_kind_are_findings(lake: Lake, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    old = [(now - timedelta(days=3, seconds=number), f"served page {number} in 5 ms") for number in range(1200)]
    old += [(now - timedelta(days=3, seconds=number), f"old thing {number} done") for number in range(60)]
    new = [(now - timedelta(minutes=5, seconds=number), f"served page {number} in 6 ms") for number in range(20)]
    new += [(now - timedelta(minutes=5), "disk sda3 is failing now")]
    for name, messages in (("old", old), ("new", new)):
        lines = [json.dumps({"time": when.isoformat(), "service": "shop", "msg": text}) for when, text in messages]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
        lake.ingest([tmp_path / f"{name}.jsonl"])
        for turns in ("new_template", "vanished_template"):
            (lake.root / "security" / f"{turns}.json").unlink(missing_ok=True)
        lake.security.detect(["*_template"])
    told = dict(lake.query("SELECT rule_name, explanation FROM findings").rows())
    assert set(told) == {"new_template", "vanished_template"}
    assert "is failing now" in told["new_template"]
    assert "old thing" in told["vanished_template"]


def test_a_new_rule_looks_at_what_was_looked_at_before(lake: Lake, tmp_path: Path) -> None:
    add(lake, tmp_path / "a.log", agent="scanner")
    lake.security.detect(["t_missing"])
    assert found(lake) == []
    for _ in range(2):
        lake.security.detect(["t_scanner"], since="all")
    assert found(lake) == [("t_scanner", "192.0.2.1", 1)]


def test_a_rule_that_floods_is_summed_up(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "MOST", 3)
    with (tmp_path / "a.log").open("w") as file:
        for who in range(1, 8):
            file.write(LINE.format(who=who, minute=0, n=0, status=200, agent="scanner"))
    lake.ingest([tmp_path / "a.log"])
    lake.security.detect(["t_*"])
    assert lake.query("SELECT count(*), sum(event_count) FROM findings").rows() == [(4, 7)]
    told = lake.query("SELECT explanation FROM findings WHERE actor IS NULL").rows()
    assert "floods" in told[0][0]


def test_an_incident_that_a_crash_kept_back_is_made_by_the_next_run(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = verb.commit_follower

    def ended(store: Store, short: str, *words: Any, **more: Any) -> bool:
        if short == "incidents":
            raise KeyboardInterrupt
        return commit(store, short, *words, **more)

    add(lake, tmp_path / "a.log", agent="scanner")
    monkeypatch.setattr(verb, "commit_follower", ended)
    with pytest.raises(KeyboardInterrupt):
        lake.security.detect(["t_*"])
    monkeypatch.setattr(verb, "commit_follower", commit)
    assert lake.query("SELECT count(*) FROM incidents").rows() == [(0,)]
    for _ in range(2):
        lake.security.detect(["t_*"])
    assert lake.query("SELECT count(*) FROM incidents").rows() == [(1,)]
    assert found(lake) == [("t_scanner", "192.0.2.1", 1)]


def test_a_slow_series_that_comes_in_two_ingests_is_found_beside_a_quick_one(lake: Lake, tmp_path: Path) -> None:
    slow = MISSING.replace("22222222-2222-4222-8222", "33333333-3333-4333-8333").replace("10m", "3h")
    (tmp_path / "detections").mkdir()
    (tmp_path / "detections" / "t_slow.yml").write_text(slow.replace("missing", "missing_slow"))
    own = Lake.open(
        lake.root, settings=lake.settings.model_copy(update={"plugins": (*lake.settings.plugins, tmp_path)})
    )
    for minute in (0, 1, 2):
        add(own, tmp_path / "a.log", status=404, minute=minute)
    assert detect(own) == 0
    for minute in (50, 51):
        add(own, tmp_path / "a.log", status=404, minute=minute)
    assert detect(own) == 1
    assert found(own) == [("t_slow", "192.0.2.1", 5)]
