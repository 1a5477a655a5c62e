"""Security over the API: incidents, findings, rules, mutes, decisions; who may what, and what is written down."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.pipeline import security_lake
from tests.pipeline.security_lake import line, write
from tests.web_server import web_server

from logshed.access import Tokens
from logshed.pipeline.trail import FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from logshed.api import Lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return security_lake.filled(tmp_path_factory.mktemp("security"))


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens(tmp_path_factory.mktemp("access") / "tokens.db")


@pytest.fixture(scope="module")
def url(lake: Lake, tokens: Tokens) -> Iterator[str]:
    with web_server(lake, tokens) as found:
        yield f"{found}/api/v1"


def client(url: str, tokens: Tokens, *scopes: str, verbs: tuple[str, ...] = ("read", "admin")) -> httpx.Client:
    token, _ = tokens.create(list(scopes), list(verbs))
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)


@pytest.fixture(scope="module")
def every(url: str, tokens: Tokens) -> Iterator[httpx.Client]:
    with client(url, tokens, "*") as found:
        yield found


@pytest.fixture(scope="module")
def desk(url: str, tokens: Tokens) -> Iterator[httpx.Client]:
    """Who sees ``desk`` alone."""
    with client(url, tokens, "desk") as found:
        yield found


def told(answer: httpx.Response) -> Any:
    assert answer.status_code < 300, answer.text
    return answer.json()


def incident(asks: httpx.Client, actor: str) -> dict[str, Any]:
    (found,) = told(asks.get("/incidents", params={"since": "all", "actor": actor}))["items"]
    return dict(found)


def audited(lake: Lake) -> list[dict[str, Any]]:
    return [json.loads(text) for text in (lake.root / FILE).read_text().splitlines()[1:]]


def test_incidents_come_in_pages_and_every_one_once(every: httpx.Client) -> None:
    seen: list[str] = []
    asked: dict[str, Any] = {"since": "all", "limit": 3, "collection": ["shop", "bank", "desk"]}
    while True:
        page = told(every.get("/incidents", params=asked))
        seen += [row["actor"] for row in page["items"]]
        if page["next"] is None:
            break
        asked["cursor"] = page["next"]
    assert len(seen) == len(set(seen)) == 7


def test_an_incident_is_told_with_its_findings_records_and_actor(every: httpx.Client) -> None:
    name = incident(every, "192.0.2.1")["incident_id"]
    one = told(every.get(f"/incidents/{name[:10]}"))
    assert one["threat_level"] == "high"
    assert [entry["rule_name"] for entry in one["timeline"]] == ["t_scanner"]
    assert told(every.get(f"/incidents/{name}/findings"))["items"][0]["event_count"] == 5
    records = told(every.get(f"/incidents/{name}/evidence", params={"limit": 2, "cursor": 2}))
    assert (records["total"], records["next"]) == (5, 4)
    assert [row["url_path"] for row in records["items"]] == ["/p2", "/p3"]
    assert "Scanner/1" in records["items"][0]["line"]
    assert told(every.get(f"/incidents/{name}/actor"))["records"] == 5


def test_people_work_on_an_incident_under_their_own_names(every: httpx.Client, lake: Lake) -> None:
    name = incident(every, "198.51.100.1")["incident_id"]
    changed = told(every.patch(f"/incidents/{name}", json={"status": "closed", "note": "a test", "assignee": "ann"}))
    assert (changed["status"], changed["assignee"]) == ("closed", "ann")
    (note,) = changed["notes"]
    assert note["author"].startswith("token ")
    assert [one["text"] for one in changed["changes"]] == ["status: closed", "assignee: ann"]
    entry = audited(lake)[-1]
    assert (entry["actor"], entry["verb"], entry["target"]) == (note["author"], "incident", name)
    assert entry["collection"] == "desk"
    closed = told(every.get("/incidents", params={"since": "all", "status": "closed"}))["items"]
    assert [row["incident_id"] for row in closed] == [name]


def test_several_incidents_are_muted_at_once_or_none(every: httpx.Client) -> None:
    ids = [incident(every, f"198.51.100.{one}")["incident_id"] for one in (2, 3)]
    assert every.patch("/incidents", json={"ids": [*ids, "0" * 32], "status": "muted"}).status_code == 404
    assert incident(every, "198.51.100.2")["status"] == "open"
    rows = told(every.patch("/incidents", json={"ids": ids, "status": "muted", "until": "2d"}))["items"]
    assert {row["status"] for row in rows} == {"muted"}
    assert all(row["muted_until"] for row in rows)
    counts = {row["status"]: row["incidents"] for row in told(every.get("/incidents/counts?since=all"))["items"]}
    assert counts["muted"] == 2


def test_a_foreign_incident_and_one_that_is_not_there_are_answered_alike(
    every: httpx.Client, desk: httpx.Client, lake: Lake
) -> None:
    foreign = incident(every, "203.0.113.9")["incident_id"]
    for path in ("", "/findings", "/evidence", "/actor"):
        answers = [desk.get(f"/incidents/{name}{path}") for name in (foreign, "0" * 32)]
        assert [one.status_code for one in answers] == [403, 403], path
        assert answers[0].text.replace(foreign, "") == answers[1].text.replace("0" * 32, ""), path
    before = len(audited(lake))
    for name in (foreign, "0" * 32):
        assert desk.patch(f"/incidents/{name}", json={"status": "closed"}).status_code == 403
        assert desk.patch("/incidents", json={"ids": [name], "status": "closed"}).status_code == 403
    assert incident(every, "203.0.113.9")["status"] == "open"
    assert len(audited(lake)) == before
    assert told(desk.get("/incidents", params={"since": "all", "actor": "203.*"}))["items"] == []
    assert told(desk.get("/findings", params={"since": "all", "collection": "bank"}))["items"] == []


def test_who_may_read_changes_nothing(url: str, tokens: Tokens, every: httpx.Client) -> None:
    name = incident(every, "203.0.113.9")["incident_id"]
    with client(url, tokens, "*", verbs=("read",)) as reads:
        assert reads.patch(f"/incidents/{name}", json={"status": "closed"}).status_code == 403
        assert reads.put("/rules/t_scanner/state", json={"on": False}).status_code == 403
        assert reads.post("/rules/t_scanner/tests").status_code == 403
        assert reads.post("/mutes", json={"name": "x", "actor": "x"}).status_code == 403
        assert reads.post("/decisions", json={"address": "192.0.2.1"}).status_code == 403
        assert reads.post("/detections").status_code == 403
        assert told(reads.get(f"/incidents/{name}"))["actor"] == "203.0.113.9"


def test_what_is_of_all_collections_is_not_for_who_sees_some(desk: httpx.Client) -> None:
    assert desk.get("/decisions").status_code == 403
    assert desk.get("/decisions/export").status_code == 403
    assert desk.post("/mutes", json={"name": "all", "actor": "192.0.2.1"}).status_code == 403
    assert desk.post("/mutes", json={"name": "b", "actor": "192.0.2.1", "collection": "bank"}).status_code == 403
    assert desk.put("/rules/t_scanner/state", json={"on": False}).status_code == 403


def test_rules_are_listed_with_their_state_and_what_they_found(every: httpx.Client, desk: httpx.Client) -> None:
    found = {row["name"]: row for row in told(every.get("/rules", params={"since": "all"}))["items"]}
    assert len(found) > 700
    assert found["t_scanner"]["findings"] == 7
    assert found["error_rate_jump"]["kind"] == "anomaly"
    part = told(desk.get("/rules", params={"since": "all", "q": "t_scanner", "tag": "T1595"}))["items"]
    assert [(row["name"], row["findings"], row["on"]) for row in part] == [("t_scanner", 4, True)]
    page = told(every.get("/rules", params={"limit": 2}))
    assert page["next"] == page["items"][-1]["name"]
    assert told(every.get("/rules", params={"limit": 1, "cursor": page["next"]}))["items"][0]["name"] > page["next"]


def test_a_rule_is_switched_tested_and_tried(every: httpx.Client, url: str, tokens: Tokens) -> None:
    off = told(every.put("/rules/t_missing/state", json={"on": False, "reason": "noise"}))
    assert (off["on"], off["by_settings"], off["switched"]["reason"]) == (False, True, "noise")
    assert [row["name"] for row in told(every.get("/rules?state=off"))["items"]] == ["t_missing"]
    assert told(every.delete("/rules/t_missing/state"))["on"]
    assert every.put("/rules/t_nothing/state", json={"on": False}).status_code == 404
    one = told(every.get("/rules/t_scanner"))
    assert [case["finds"] for case in one["cases"]] == [True, False]
    assert "cs-user-agent" in one["text"]
    assert [case["ok"] for case in told(every.post("/rules/t_scanner/tests"))["items"]] == [True, True]
    result = json.loads(every.post("/rules/t_scanner/backtests", json={"since": "all"}).text.splitlines()[-1])["result"]
    assert (result["hits"], result["findings"], result["days"]) == (11, 7, [{"day": "2026-01-05", "hits": 11}])
    with client(url, tokens, "shop", verbs=("read",)) as reads:
        assert reads.post("/rules/t_scanner/backtests", json={"since": "all"}).status_code == 403


def test_mutes_are_made_shown_and_ended_by_those_who_see_what_they_are_about(
    every: httpx.Client, desk: httpx.Client, lake: Lake
) -> None:
    told(every.post("/mutes", json={"name": "all", "rule": "t_missing", "reason": "noise", "until": "2099-01-01"}))
    told(desk.post("/mutes", json={"name": "ours", "actor": "198.51.100.0/24", "collection": "desk"}))
    assert [row["name"] for row in told(every.get("/mutes"))["items"]] == ["all", "ours"]
    seen = told(desk.get("/mutes"))
    assert ([row["name"] for row in seen["items"]], seen["hidden"]) == (["ours"], 1)
    assert desk.delete("/mutes/all").status_code == desk.delete("/mutes/nothing").status_code == 403
    assert desk.post("/mutes", json={"name": "all", "actor": "x", "collection": "desk"}).status_code == 403
    assert every.post("/mutes", json={"name": "x"}).status_code == 422
    assert desk.delete("/mutes/ours").status_code == 204
    assert every.delete("/mutes/all").status_code == 204
    assert told(every.get("/mutes"))["items"] == []
    assert [entry["verb"] for entry in audited(lake)][-4:] == ["mute", "mute", "unmute", "unmute"]


def test_decisions_are_made_exported_and_taken_back(every: httpx.Client) -> None:
    made = told(every.post("/decisions", json={"address": "192.0.2.7/24", "until": "2d", "reason": "scans"}))
    assert made["address"] == "192.0.2.0/24"
    assert every.get("/decisions/export?form=nginx").text == "deny 192.0.2.0/24;\n"
    assert every.post("/decisions", json={"address": "x'; DROP"}).status_code == 422
    assert every.delete("/decisions", params={"address": "192.0.2.0/24"}).status_code == 204
    assert every.delete("/decisions", params={"address": "192.0.2.0/24"}).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/incidents?since=never", 422),
        ("/incidents?cursor=x", 422),
        ("/incidents?status=gone", 422),
        ("/incidents?nothing=1", 422),
        ("/incidents/%00", 404),
        ("/incidents/a", 404),
        ("/rules/..%2f..%2fetc", 404),
        ("/findings?limit=0", 422),
    ],
)
def test_what_is_asked_wrongly_is_told_as_a_problem(every: httpx.Client, path: str, status: int) -> None:
    answer = every.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_who_listens_hears_of_a_finding_of_theirs_and_of_no_other(
    lake: Lake, every: httpx.Client, desk: httpx.Client, tmp_path: Path
) -> None:
    heard: list[dict[str, Any]] = []
    listening = threading.Event()

    def listen() -> None:
        with desk.stream("GET", "/findings/stream") as answer:
            for text in answer.iter_lines():
                listening.set()
                if text.startswith("data: "):
                    heard.append(json.loads(text.removeprefix("data: ")))
                    return

    thread = threading.Thread(target=listen)
    thread.start()
    assert listening.wait(60)
    write(lake, tmp_path / "foreign.log", "bank", line(who="203.0.113.77", agent="Scanner"))
    write(lake, tmp_path / "own.log", "desk", line(who="198.51.100.77", agent="Scanner"))
    assert every.post("/detections").status_code == 202
    thread.join(60)
    assert [row["actor"] for row in heard] == ["198.51.100.77"]
    for _ in range(600):
        state = told(every.get("/detections"))
        if state["state"] != "running":
            break
        threading.Event().wait(0.1)
    assert state["state"] == "done"
    assert state["findings"] >= 2
