"""What people do with incidents, and what they are shown of them."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.pipeline import security_lake
from tests.pipeline.security_lake import line, write

from logshed.detection_settings import Suppress
from logshed.errors import UsageError
from logshed.pipeline import casebook, evidence
from logshed.pipeline.casework import Change
from logshed.queries.times import EARLIEST, LATEST

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.api import Lake

EVER = casebook.Filter(EARLIEST, LATEST)
STILL = casebook.Filter(EARLIEST, LATEST, one_of={"collection": ["shop", "bank"]})
"""Those that no test changes: others change those of ``desk``."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return security_lake.filled(tmp_path_factory.mktemp("casework"))


def ids(lake: Lake) -> dict[str, str]:
    return {row["actor"]: row["incident_id"] for row in casebook.incidents(lake.query, EVER).items}


def test_pages_of_a_list_hold_every_incident_once(lake: Lake) -> None:
    for order in casebook.ORDERS.values():
        whole = casebook.incidents(lake.query, STILL, order)
        assert whole.next is None
        seen, cursor = [], None
        for _ in range(10):
            page = casebook.incidents(lake.query, STILL, order, limit=1, cursor=cursor)
            seen += page.items
            cursor = page.next
            if cursor is None:
                break
        assert [row["incident_id"] for row in seen] == [row["incident_id"] for row in whole.items]
        assert len(seen) == 3


@pytest.mark.parametrize("cursor", ["", "x", "W10", "WzFd", "bnVsbA", "WyJ4IiwieSIsInoiXQ", "\N{SNOWMAN}"])
def test_a_cursor_that_is_none_is_told(lake: Lake, cursor: str) -> None:
    with pytest.raises(UsageError, match="it is no cursor of this list"):
        casebook.incidents(lake.query, EVER, cursor=cursor)


@pytest.mark.parametrize(
    ("wanted", "actors"),
    [
        ({"one_of": {"collection": ["bank"]}}, {"203.0.113.9"}),
        ({"globs": {"actor": "192.0.2.*"}}, {"192.0.2.1", "192.0.2.2"}),
        ({"rule": "t_miss*"}, {"192.0.2.2"}),
        ({"text": "0.113"}, {"203.0.113.9"}),
        ({"one_of": {"status": ["closed"], "collection": ["shop"]}}, set()),
        ({"one_of": {"threat_level": ["low", "critical"]}}, set()),
        ({"text": "' OR 1=1 --"}, set()),
    ],
)
def test_incidents_are_filtered(lake: Lake, wanted: dict[str, object], actors: set[str]) -> None:
    found = casebook.incidents(lake.query, casebook.Filter(EARLIEST, LATEST, **wanted))  # type: ignore[arg-type]
    assert {row["actor"] for row in found.items} == actors


def test_who_sees_one_collection_finds_and_changes_nothing_of_others(lake: Lake) -> None:
    known, seen = ids(lake), lake.seen_by(["shop"])
    assert set(ids(seen)) == {"192.0.2.1", "192.0.2.2"}
    with pytest.raises(UsageError, match="there is none"):
        seen.security.change_incident(known["203.0.113.9"], status="closed")
    with pytest.raises(UsageError, match="there is none"):
        seen.security.change_incidents([known["192.0.2.1"], known["203.0.113.9"]], Change(note="both"))
    assert lake.security.incident(known["192.0.2.1"])["notes"] is None
    seen.security.change_incident(known["192.0.2.2"], note="mine", by="ann")
    assert casebook.told(lake.security.incident(known["192.0.2.2"]))["notes"][0]["author"] == "ann"


def test_evidence_is_the_records_with_their_lines_and_the_rules_that_they_met(lake: Lake) -> None:
    known = ids(lake)
    whole = evidence.records(lake.query, lake.security.incident(known["192.0.2.1"]))
    assert whole.total == 5
    assert [row["url_path"] for row in whole.items] == [f"/p{at}" for at in range(5)]
    assert whole.items[2]["line"] == line(minute=2, agent="Scanner/1", path="/p2").rstrip("\n")
    assert whole.items[2]["rules"] == ["t_scanner"]
    part = evidence.records(lake.query, lake.security.incident(known["192.0.2.1"]), offset=3, limit=1)
    assert [row["url_path"] for row in part.items] == ["/p3"]
    both = evidence.records(lake.query, lake.security.incident(known["192.0.2.2"]))
    assert sorted(both.items[0]["rules"]) == ["t_missing", "t_scanner"]


def test_an_actor_is_told_by_their_records_in_the_incidents_time(lake: Lake) -> None:
    found = evidence.actor(lake.query, lake.security.incident(ids(lake)["192.0.2.1"]))
    assert found["records"] == 5
    assert found["values"]["user_agent_original"] == ["Scanner/1"]
    assert [row["records"] for row in found["activity"]] == [1, 1, 1, 1, 1]
    times = [row["bucket"] for row in found["activity"]]
    assert found["begin"] <= min(times)
    assert max(times) < found["end"]
    assert all((one - found["begin"]).total_seconds() % found["step"] == 0 for one in times)


@pytest.mark.parametrize(
    ("column", "sql"),
    [
        ("client_address", 'CAST("client_address" AS VARCHAR)'),
        ("attributes.it's", "attributes['it''s']"),
        ("1; DROP", None),
        (None, None),
    ],
)
def test_an_actors_column_is_one_of_ours_or_an_attribute(column: str | None, sql: str | None) -> None:
    assert evidence.actor_in_sql(column) == sql


def test_an_incident_tells_changes_apart_from_notes_that_read_alike(lake: Lake) -> None:
    name = ids(lake)["198.51.100.1"]
    lake.security.change_incident(name, note="status: closed", by="mallory")
    lake.security.change_incident(name, status="closed", note="a scan", assignee="bob", by="ann")
    told = casebook.told(lake.security.incident(name))
    assert [(one["author"], one["text"]) for one in told["notes"]] == [("mallory", "status: closed"), ("ann", "a scan")]
    assert [one["text"] for one in told["changes"]] == ["status: closed", "assignee: bob"]
    assert (told["status"], told["assignee"]) == ("closed", "bob")


def test_a_mute_that_is_over_mutes_nothing(lake: Lake) -> None:
    name = ids(lake)["198.51.100.2"]
    over = datetime.now(UTC) - timedelta(hours=1)
    lake.security.change_incident(name, status="muted", muted_until=over)
    (row,) = casebook.incidents(lake.query, casebook.Filter(EARLIEST, LATEST, globs={"actor": "198.51.100.2"})).items
    assert row["status"] == "open"
    assert "muted" not in {one["status"] for one in casebook.counts(lake.query, EARLIEST, LATEST)}


def test_notes_of_several_at_once_are_all_kept_also_while_the_incident_goes_on(lake: Lake, tmp_path: Path) -> None:
    name = ids(lake)["198.51.100.3"]
    write(lake, tmp_path / "more.log", "desk", line(who="198.51.100.3", minute=30, agent="Scanner/2"))
    work = [threading.Thread(target=lake.security.detect, args=(security_lake.RULES,))]
    work += [
        threading.Thread(target=lake.security.change_incident, args=(name,), kwargs={"note": f"n{number}"})
        for number in range(4)
    ]
    for one in work:
        one.start()
    for one in work:
        one.join()
    told = casebook.told(lake.security.incident(name))
    assert sorted(one["text"] for one in told["notes"]) == ["n0", "n1", "n2", "n3"]
    assert told["event_count"] == 2


def test_what_people_type_is_redacted_as_logs_are(lake: Lake) -> None:
    strict = type(lake).open(lake.root, settings=lake.settings.model_copy(update={"policy": "default"}))
    name = ids(lake)["198.51.100.4"]
    strict.security.change_incident(name, note="they tried password=hunter2 for ann@shop.example")
    strict.security.mute(Suppress(name="x", actor="192.0.2.1", reason="password=hunter2"))
    strict.security.switch("t_missing", on=False, by="ann", reason="password=hunter2")
    kept = json.dumps(casebook.told(lake.security.incident(name)), default=str)
    kept += "".join(path.read_text() for path in (lake.root / "security").iterdir())
    assert "hunter2" not in kept
    assert kept.count("[PASSWORD]") == 3


def test_a_try_on_the_lake_sees_what_who_tries_sees_and_ends_when_it_is_told_to(lake: Lake) -> None:
    whole, part = (one.security.backtest("t_scanner", since="all") for one in (lake, lake.seen_by(["bank"])))
    assert (part.rows, part.hits, part.findings) == (1, 1, 1)
    assert whole.hits > part.hits

    def stop(done: int, total: int) -> None:
        raise UsageError(f"cannot go on after {done} of {total}")

    with pytest.raises(UsageError, match="after 1 of 1"):
        lake.seen_by(["bank"]).security.backtest("t_scanner", since="all", progress=stop)
