from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from tests.alerts import servers
from tests.alerts.samples import AUTHOR, NOW, frame, hostile, message, row
from tests.ports import free_port

from logshed.alert_settings import Alert
from logshed.errors import AlertError, UsageError
from logshed.pipeline import alert_state, alerting
from logshed.pipeline.alert_sending import send
from logshed.pipeline.alert_state import State
from logshed.pipeline.alerting import Alerting

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def web() -> Iterator[servers.Web]:
    with servers.web() as got:
        yield got


def hook(web: servers.Web, **given: Any) -> Alert:
    return Alert.model_validate({"name": "ops", "to": "webhook", "url": web.url, **given})


def made(folder: Path, *alerts: Alert) -> Alerting:
    return Alerting(alerts, folder, sleep=lambda _: None)


def actors(number: int, **given: Any) -> list[dict[str, Any]]:
    return [row(actor=f"192.0.2.{n}", timestamp=NOW + timedelta(seconds=n), **given) for n in range(number)]


def test_findings_are_chosen_by_level_confidence_rule_and_collection(tmp_path: Path, web: servers.Web) -> None:
    alert = hook(web, rules=["web_*", "auth_*"], collections=["shop"])
    given = frame(
        row("web_login"), row("auth_root", level="critical"), row("db_dump"), row("web_b", level="low"),
        row("web_c", confidence="low"), row("web_d", collection="bank"), row("web_e", level="medium"),
    )  # fmt: skip
    (told,) = made(tmp_path, alert).deliver(given, NOW).destinations
    assert (told.sent, told.findings, told.failed) == (3, 3, 0)
    assert [web.json(n)["findings"][0]["rule_name"] for n in range(3)] == ["auth_root", "web_login", "web_e"]
    low = made(tmp_path / "b", hook(web, level="low", confidence="low")).deliver(given, NOW)
    assert low.destinations[0].sent == 7


def test_a_second_run_sends_nothing_again_not_even_after_a_restart(tmp_path: Path, web: servers.Web) -> None:
    made(tmp_path, hook(web)).deliver(frame(*actors(3)), NOW)
    again = made(tmp_path, hook(web)).deliver(frame(*actors(4)), NOW + timedelta(minutes=1))
    assert (again.destinations[0].sent, again.destinations[0].known) == (1, 3)
    assert len(web.bodies) == 4


CRASHING = """
import os, sys
from pathlib import Path
from tests.alerts.samples import NOW, frame
from tests.pipeline.test_alerting import actors
from logshed.alert_settings import Alert
from logshed.pipeline import alert_state, alerting
saves = int(sys.argv[3])
def save(self, kept=alert_state.State.save):
    global saves
    saves -= 1
    if saves < 0:
        os._exit(9)
    kept(self)
alert_state.State.save = save
alert = Alert.model_validate({"name": "ops", "to": "webhook", "url": sys.argv[1]})
alerting.Alerting([alert], Path(sys.argv[2])).deliver(frame(*actors(4)), NOW)
"""


@pytest.mark.parametrize("given_again", [True, False])
def test_a_crash_between_sending_and_marking_repeats_that_one_alert_and_loses_none(
    tmp_path: Path, web: servers.Web, *, given_again: bool
) -> None:
    words = [sys.executable, "-c", CRASHING, web.url, str(tmp_path), "2"]
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    assert subprocess.run(words, env=env, check=False, cwd=ROOT, timeout=60).returncode == 9
    assert len(web.bodies) == 3
    # What was not marked waits in the lake's folder, so that even a run that finds nothing new sends it.
    rest = frame(*actors(4)) if given_again else frame()
    made(tmp_path, hook(web)).deliver(rest, NOW)
    keys = [web.json(n)["key"] for n in range(len(web.bodies))]
    assert len(keys) == 5
    assert len(set(keys)) == 4
    assert keys[2] in keys[3:]
    made(tmp_path, hook(web)).deliver(frame(*actors(4)), NOW)
    assert len(web.bodies) == 5


def test_findings_of_one_actor_come_as_one_alert_and_the_next_waits_its_time(tmp_path: Path, web: servers.Web) -> None:
    alert = hook(web, group="10m")
    first = frame(row("web_a"), row("web_b"), row("web_c", actor="192.0.2.9"), row("web_d", collection="bank"))
    (told,) = made(tmp_path, alert).deliver(first, NOW).destinations
    assert (told.sent, told.findings, told.grouped) == (3, 4, 1)
    later = made(tmp_path, alert).deliver(frame(row("web_e"), row("web_f")), NOW + timedelta(minutes=5))
    assert (later.destinations[0].sent, later.destinations[0].grouped) == (0, 2)
    graver = made(tmp_path, alert).deliver(frame(row("web_g", level="critical")), NOW + timedelta(minutes=6))
    assert graver.destinations[0].sent == 1
    due = made(tmp_path, alert).deliver(frame(), NOW + timedelta(minutes=17))
    assert (due.destinations[0].sent, due.destinations[0].findings) == (1, 2)
    assert sorted(one["rule_name"] for one in web.json()["findings"]) == ["web_e", "web_f"]


def test_findings_without_an_actor_and_ones_far_apart_are_not_grouped(tmp_path: Path, web: servers.Web) -> None:
    given = frame(
        row("web_a", actor=None), row("web_b", actor=None), row("web_c"),
        row("web_d", timestamp=NOW - timedelta(days=900)),
    )  # fmt: skip
    assert made(tmp_path, hook(web, group="10m")).deliver(given, NOW).destinations[0].sent == 4


def test_what_is_over_the_rate_is_summed_up_once_in_a_message_that_says_so(tmp_path: Path, web: servers.Web) -> None:
    alert = hook(web, rate="3/1h")
    given = [*actors(9), row("web_x", level="critical", rule_author="Bob", rule_title="Shell")]
    (told,) = made(tmp_path, alert).deliver(frame(*given), NOW).destinations
    assert (told.sent, told.held) == (4, 7)
    assert web.json(0)["level"] == "critical"
    summary = web.json(3)
    assert summary["kind"] == "summary"
    assert summary["title"] == "7 more findings held back by the rate of 3/1h"
    assert "7 of Many failed logins (high)" in summary["text"]
    assert summary["rule_authors"] == [AUTHOR]
    more = [row(actor=f"198.51.100.{n}") for n in range(5)]
    soon = made(tmp_path, alert).deliver(frame(*more[:3]), NOW + timedelta(minutes=30))
    assert (soon.destinations[0].sent, soon.destinations[0].held) == (0, 3)
    later = made(tmp_path, alert).deliver(frame(*more[3:]), NOW + timedelta(minutes=61))
    assert later.destinations[0].sent == 3
    assert web.json()["title"] == "3 more findings held back by the rate of 3/1h"
    assert made(tmp_path, alert).deliver(frame(*given, *more), NOW + timedelta(hours=9)).destinations[0].sent == 0


def test_in_quiet_hours_only_critical_ones_are_sent_and_the_rest_after_them(tmp_path: Path, web: servers.Web) -> None:
    alert = hook(web, quiet="22:00-07:00 Europe/Berlin")
    night = NOW.replace(hour=21, minute=30)  # 22:30 in Berlin
    (told,) = made(tmp_path, alert).deliver(frame(*actors(2), row("web_x", level="critical")), night).destinations
    assert (told.sent, told.quiet) == (1, 2)
    still = made(tmp_path, alert).deliver(frame(*actors(2)), night + timedelta(hours=8))
    assert (still.destinations[0].sent, still.destinations[0].quiet) == (0, 2)
    morning = made(tmp_path, alert).deliver(frame(*actors(2)), night + timedelta(hours=8, minutes=31))
    assert morning.destinations[0].sent == 2
    assert made(tmp_path, alert).deliver(frame(*actors(2)), night + timedelta(hours=9)).destinations[0].sent == 0


def test_a_finding_that_goes_on_is_told_once_and_while_it_waits_as_it_is_now(tmp_path: Path, web: servers.Web) -> None:
    alert = hook(web, quiet="22:00-07:00")
    night = NOW.replace(hour=23)
    for count in (1, 2):
        made(tmp_path, alert).deliver(frame(row(event_count=count)), night)
    morning = night + timedelta(hours=9)
    later = row(event_count=4, observed_timestamp=morning)
    made(tmp_path, alert).deliver(frame(later, row(event_count=3)), morning)
    assert [web.json(n)["findings"][0]["event_count"] for n in range(len(web.bodies))] == [4]
    told = made(tmp_path, alert).deliver(frame(row(event_count=9, observed_timestamp=morning)), morning)
    assert (told.destinations[0].sent, told.destinations[0].known) == (0, 1)


def test_more_than_can_wait_is_summed_up(tmp_path: Path, web: servers.Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerting, "LONGEST_WAITING", 2)
    alert = hook(web, quiet="22:00-07:00")
    night = NOW.replace(hour=23)
    made(tmp_path, alert).deliver(frame(*actors(5)), night)
    assert web.bodies == []
    made(tmp_path, alert).deliver(frame(), night + timedelta(hours=9))
    assert [web.json(n)["kind"] for n in range(3)] == ["finding", "finding", "summary"]


def test_tries_are_bounded_and_wait_as_long_as_the_destination_asks(web: servers.Web, tmp_path: Path) -> None:
    slept: list[float] = []
    web.answers = [(503, {}, b""), (429, {"Retry-After": "3"}, b""), (500, {}, b"")]
    target = Alerting([hook(web)], tmp_path, sleep=slept.append)
    assert target.deliver(frame(row()), NOW).destinations[0].sent == 1
    assert len(web.bodies) == 4
    assert slept[1] == 3.0
    assert all(0 < one < 10 for one in slept)
    web.always = (503, {}, b"")
    began = time.monotonic()
    assert target.deliver(frame(*actors(5)), NOW).destinations[0].failed == 5
    assert len(web.bodies) == 8  # behind a destination that is down nothing else is tried
    assert time.monotonic() - began < 5
    web.always = (429, {"Retry-After": "3600"}, b"")
    slept.clear()
    target.deliver(frame(row("web_z")), NOW)
    assert slept == []  # an hour is more than half a minute: given up at once


def test_a_refusal_is_not_repeated_and_the_others_are_sent(tmp_path: Path, web: servers.Web) -> None:
    web.answers = [(400, {}, b"bad")]
    (told,) = made(tmp_path, hook(web)).deliver(frame(*actors(3)), NOW).destinations
    assert (told.sent, told.failed) == (2, 1)
    assert "it answered 400" in told.cause


def test_two_that_replay_at_once_send_each_dead_letter_once(tmp_path: Path, web: servers.Web) -> None:
    web.always = (503, {}, b"")
    made(tmp_path, hook(web)).deliver(frame(*actors(5)), NOW)
    web.always, start = (200, {}, b"ok"), Barrier(2)
    before = len(web.bodies)

    def replayed(_: int) -> int:
        target = made(tmp_path, hook(web))
        start.wait(30)
        return target.replay().destinations[0].sent

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(replayed, range(2))) == [0, 5]
    assert len(web.bodies) == before + 5


def test_what_cannot_be_delivered_is_a_dead_letter_that_replay_sends(tmp_path: Path, web: servers.Web) -> None:
    web.always = (503, {}, b"")
    target = made(tmp_path, hook(web))
    (told,) = target.deliver(frame(*actors(2)), NOW).destinations
    assert (told.sent, told.failed) == (0, 2)
    lines = [json.loads(line) for line in (tmp_path / "alerts" / "dead-letter.ndjson").read_text().splitlines()]
    assert [one["alert"] for one in lines] == ["ops", "ops"]
    assert "it answered 503" in lines[0]["cause"]
    assert lines[0]["findings"][0]["rule_author"] == AUTHOR
    assert target.deliver(frame(*actors(2)), NOW).destinations[0].known == 2
    before = len(web.bodies)
    assert target.replay().destinations[0].failed == 2
    web.always = (200, {}, b"ok")
    assert target.replay(["ops"]).destinations[0].sent == 2
    assert [web.json(n)["key"] for n in (-2, -1)] == [one["key"] for one in lines]
    assert len(web.bodies) == before + 4
    assert target.replay().destinations[0].sent == 0
    with pytest.raises(UsageError, match="cannot find the alert nobody"):
        target.replay(["nobody"])


def test_a_destination_that_is_down_or_misset_stops_no_other(tmp_path: Path, web: servers.Web) -> None:
    down = Alert.model_validate({"name": "down", "to": "webhook", "url": f"http://127.0.0.1:{free_port()}/x"})
    unset = Alert.model_validate({"name": "unset", "to": "slack", "url": "env:LOGSHED_TEST_NOT_SET"})
    damaged = hook(web, name="damaged")
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "damaged.json").write_text("{")
    report = made(tmp_path, down, unset, damaged, hook(web)).deliver(frame(row()), NOW)
    assert [(one.name, one.sent, one.failed) for one in report.destinations] == [
        ("down", 0, 1), ("unset", 0, 1), ("damaged", 0, 1), ("ops", 1, 0),
    ]  # fmt: skip
    assert "env:LOGSHED_TEST_NOT_SET: the variable is not set" in report.destinations[1].cause
    assert "damaged.json: it is damaged; move it away" in report.destinations[2].cause
    assert report.failed


def test_a_strangers_destination_may_fail_in_any_way(tmp_path: Path) -> None:
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "odd.py").write_text(
        "from logshed.alerts import Kind\nKIND = Kind()\ndef sender(alert):\n    return lambda message: 1 / 0\n"
    )
    odd = Alert.model_validate({"name": "odd", "to": "odd"})
    (told,) = Alerting([odd], tmp_path / "lake", [tmp_path]).deliver(frame(row()), NOW).destinations
    assert told.cause == "cannot send an alert: it fails with ZeroDivisionError; correct the destination"


def test_no_secret_is_in_a_log_an_error_or_a_file(
    tmp_path: Path, web: servers.Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    planted = "planted-" + "5ecre7"
    secrets = {name: f"{planted}-{name.lower()}" for name in ("KEY", "TOKEN", "PASSWORD", "ROUTING")}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ADDRESS", f"http://user:{planted}@127.0.0.1:{web.url.split(':')[2].split('/')[0]}/{planted}/b")
    words = {"level": "low", "rate": "1/1h", "group": "1m"}
    alerts = [
        Alert.model_validate({
            "name": "a", "to": "webhook", "url": "env:ADDRESS", "secret": "env:KEY", "token": "env:TOKEN", **words,
        }),
        Alert.model_validate({"name": "b", "to": "slack", "url": "env:ADDRESS", **words}),
        Alert.model_validate({"name": "c", "to": "pagerduty", "routing_key": "env:ROUTING", "url": web.url, **words}),
        Alert.model_validate({"name": "d", "to": "webhook", "url": f"http://127.0.0.1:1/{planted}", **words}),
        Alert.model_validate({
            "name": "e", "to": "email", "host": "127.0.0.1", "port": free_port(), "sender": "a@b",
            "recipients": ["c@d"], "user": "u", "password": "env:PASSWORD",
        }),
    ]  # fmt: skip
    caplog.set_level(logging.DEBUG)
    target = made(tmp_path, *alerts)
    for answer in ((200, {}, b"ok"), (500, {}, planted.encode()), (403, {}, f"no {planted}-token".encode())):
        web.always = answer
        report = target.deliver(frame(*actors(3, rule_name=f"web_{answer[0]}")), NOW)
        report_again = target.replay()
        assert planted not in repr(report) + repr(report_again)
    with pytest.raises(AlertError) as caught:
        send(lambda _: (_ for _ in ()).throw(AlertError(f"cannot: {planted}-token")), alerts[0], message())
    assert planted not in str(caught.value)
    assert planted not in repr(alerts) + str(alerts) + caplog.text
    assert planted not in json.dumps([alert.model_dump(mode="json") for alert in alerts])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"a.json", "dead-letter.ndjson"} <= {path.name for path in files}
    assert not [path for path in files if planted.encode() in path.read_bytes()]


def test_hostile_findings_survive_waiting_and_dead_letters(tmp_path: Path, web: servers.Web) -> None:
    web.always = (500, {}, b"")
    target = made(tmp_path, hook(web, quiet="22:00-07:00"))
    target.deliver(frame(hostile()), NOW.replace(hour=23))
    target.deliver(frame(), NOW + timedelta(days=1))
    web.always = (200, {}, b"")
    assert target.replay().destinations[0].sent == 1
    assert len((tmp_path / "alerts" / "ops.json").read_bytes()) < 4_000


def test_the_state_stays_small_and_old_findings_stay_done(tmp_path: Path, web: servers.Web) -> None:
    target = made(tmp_path, hook(web))
    old = [row(actor=f"a{n}", observed_timestamp=NOW - timedelta(days=5, seconds=n)) for n in range(3)]
    target.deliver(frame(*old), NOW - timedelta(days=5))
    target.deliver(frame(row()), NOW)
    state = State.load(tmp_path / "alerts" / "ops.json")
    assert len(state.ids) == 1
    assert state.watermark == NOW - timedelta(days=5)
    assert target.deliver(frame(*old), NOW).destinations[0].sent == 0
    assert target.since() == NOW - timedelta(hours=1)


def test_without_destinations_nothing_is_done(tmp_path: Path) -> None:
    target = made(tmp_path)
    assert target.deliver(frame(row()), NOW).destinations == ()
    assert target.since() is None
    assert not (tmp_path / "alerts").exists()


def test_a_saved_querys_finding_goes_where_it_says(tmp_path: Path, web: servers.Web) -> None:
    named = row("errors", rule_kind="query", level="low", attributes=[{"key": "alert.to", "value": "night"}])
    forged = row("web_x", level="low", attributes=[{"key": "alert.to", "value": "night"}])
    report = made(tmp_path, hook(web), hook(web, name="night")).deliver(frame(named, forged), NOW)
    assert [(one.name, one.sent) for one in report.destinations] == [("ops", 0), ("night", 1)]


def test_machines_get_many_findings_at_once(tmp_path: Path) -> None:
    out = Alert.model_validate({"name": "file", "to": "ocsf", "path": str(tmp_path / "out.ndjson")})
    (told,) = made(tmp_path, out).deliver(frame(*actors(250)), NOW).destinations
    assert (told.sent, told.findings) == (3, 250)
    assert len((tmp_path / "out.ndjson").read_text().splitlines()) == 250


def test_a_test_for_pagerduty_is_resolved_at_once(
    tmp_path: Path, web: servers.Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "planted-routing-key")
    duty = Alert.model_validate({"name": "duty", "to": "pagerduty", "routing_key": "env:KEY", "url": web.url})
    (told,) = made(tmp_path, duty).test().destinations
    assert (told.sent, told.failed) == (1, 0)
    assert [web.json(number)["event_action"] for number in (0, 1)] == ["trigger", "resolve"]
    assert web.json(0)["dedup_key"] == web.json(1)["dedup_key"]
    assert "[TEST]" in web.json(0)["payload"]["summary"]
    assert not (tmp_path / "alerts").exists()


def test_what_waits_is_sent_even_if_more_was_done_meanwhile_than_ids_are_kept(
    tmp_path: Path, web: servers.Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_state, "KEPT_IDS", 2)
    alert = hook(web, quiet="22:00-07:00")
    night = NOW.replace(hour=23)
    critical = [row(f"web_{n}", level="critical", observed_timestamp=night) for n in range(5)]
    made(tmp_path, alert).deliver(frame(row(observed_timestamp=night), *critical), night)
    state = State.load(tmp_path / "alerts" / "ops.json")
    assert state.watermark == night
    assert made(tmp_path, alert).deliver(frame(*critical), night + timedelta(hours=9)).destinations[0].sent == 1
    assert len(web.bodies) == 6
