from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import TYPE_CHECKING

import pytest
from tests.alerts import servers
from tests.alerts.samples import AUTHOR, alert, hostile, message, row
from tests.ports import free_port

from logshed.alerts import destination, destinations, mattermost, ocsf, pagerduty, slack, stdout, syslog, teams, webhook
from logshed.errors import AlertError, SettingsError

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

EVERY = ("Many failed logins", "192.0.2.7", "42", "T1110.003", "aaaa1111", "cccc3333", AUTHOR, "web_login")


def whole(data: object) -> str:
    return json.dumps(data, ensure_ascii=False)


def test_every_file_of_the_folder_is_a_destination() -> None:
    assert destinations() == [
        "email", "mattermost", "ocsf", "pagerduty", "slack", "stdout", "syslog", "teams", "webhook"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "shown",
    [
        whole(slack.payload(message(), None)), whole(teams.payload(message(), None)),
        whole(mattermost.payload(message(), None)).replace("\\\\", ""), whole(webhook.payload(message(), None)),
        whole(pagerduty.payload(message(), None)), "".join(stdout.lines(message(), None)),
        whole(ocsf.event(message().first, message(), None)),
        syslog.packet(message().first, message(), None, 2048).decode(),
    ],
    ids=["slack", "teams", "mattermost", "webhook", "pagerduty", "stdout", "ocsf", "syslog"],
)  # fmt: skip
def test_every_alert_says_rule_author_actor_count_score_evidence_and_technique(shown: str) -> None:
    for fact in (*EVERY, "42 times in 4 minutes"):
        assert fact in shown
    assert "dddd4444" not in shown
    assert re.search("high|error|4", shown, re.IGNORECASE)


# Slack


def test_slack_gets_blocks_within_its_limits(web: servers.Web) -> None:
    _, send = destination(alert("slack", url="env:PLANTED_URL"))
    send(message())
    send(message(hostile(), *(row(actor=f"192.0.2.{n}", explanation="&<>" * 2000 + str(n)) for n in range(9))))
    for number in (0, 1):
        posted = web.json(number)
        assert len(posted["blocks"]) <= 50
        assert posted["text"]
        for block in posted["blocks"]:
            if block["type"] == "header":
                assert block["text"]["type"] == "plain_text"
                assert 1 <= len(block["text"]["text"]) <= 150
            elif "fields" in block:
                assert 1 <= len(block["fields"]) <= 10
                assert all(1 <= len(field["text"]) <= 2000 for field in block["fields"])
            else:
                assert 1 <= len(block["text"]["text"]) <= 3000
    assert web.headers[0]["Content-Type"] == "application/json"


def test_slack_calls_nobody_and_links_nowhere() -> None:
    shown = whole(slack.payload(message(hostile()), "{explanation} <!here> by the user"))
    assert "<!channel>" not in shown
    assert "<@U123>" not in shown
    assert "<script>" not in shown
    assert "@channel" not in shown
    assert "https://evil" not in shown
    assert "&lt;!channel&gt;" in shown
    assert shown.count("<!here>") == 1  # the user's own word in the template
    assert not re.search(r"&(?!(amp|lt|gt);)", re.sub(r"&[a-z]*…", "", shown))


# Teams


def test_teams_gets_an_adaptive_card_of_rich_text_below_28_kilobytes(web: servers.Web) -> None:
    _, send = destination(alert("teams", url="env:PLANTED_URL"))
    send(message(hostile(), row(explanation='"\\' * 50_000), row(actor="x", explanation="\U0001f600" * 9999)))
    posted = web.json()
    assert posted["type"] == "message"
    (attachment,) = posted["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    # RichTextBlock knows no Markdown, so neither links nor mentions can be made in it.
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert len(web.bodies[0]) < 28_000
    assert "://evil" not in web.bodies[0].decode()
    assert "entities" not in card["msteams"]


# Mattermost


def test_mattermost_gets_an_attachment_that_calls_nobody(web: servers.Web) -> None:
    _, send = destination(alert("mattermost", url="env:PLANTED_URL"))
    send(message(hostile()))
    posted = web.json()
    (attachment,) = posted["attachments"]
    assert {"fallback", "color", "title", "text", "fields"} == set(attachment)
    assert len(whole(posted)) < 16_383
    shown = whole(posted)
    assert not re.search(r"@(channel|all|here)", shown)
    assert "](https:" not in shown
    assert re.search(r"\\\\\[click\\\\\]\\\\\(", shown)
    for text in (attachment["title"], attachment["text"], *(one["value"] for one in attachment["fields"])):
        assert not re.search(r"(?<!\\)(?:\\\\)*[`<|]", text)


# PagerDuty


@pytest.mark.parametrize(
    ("level", "severity"),
    [("critical", "critical"), ("high", "error"), ("medium", "warning"), ("low", "info"), ("informational", "info")],
)
def test_pagerduty_gets_an_event_of_its_api(
    web: servers.Web, monkeypatch: pytest.MonkeyPatch, level: str, severity: str
) -> None:
    monkeypatch.setenv("KEY", "planted-routing-key")
    _, send = destination(alert("pagerduty", routing_key="env:KEY", url=web.url))
    send(message(row(level=level)))
    posted = web.json()
    assert posted["event_action"] == "trigger"
    assert posted["routing_key"] == "planted-routing-key"
    assert 1 <= len(posted["dedup_key"]) <= 255
    assert posted["payload"]["severity"] == severity
    assert {"summary", "source", "severity", "timestamp", "custom_details"} <= set(posted["payload"])
    assert posted["payload"]["custom_details"]["Rule author"] == AUTHOR


def test_pagerduty_stays_within_its_limits_and_the_same_findings_are_one_incident() -> None:
    event = pagerduty.payload(message(hostile()), None)
    assert len(event["payload"]["summary"]) <= 1024
    assert len(event["payload"]["source"]) <= 255
    assert len(json.dumps(event)) < 512_000
    assert message(row(), hostile()).key == message(hostile(), row()).key


# Webhook


def test_a_webhook_is_signed_over_time_and_body(web: servers.Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNING", "planted-signing-key")
    monkeypatch.setenv("TOKEN", "planted-token")
    _, send = destination(alert("webhook", url=web.url, secret="env:SIGNING", token="env:TOKEN"))  # noqa: S106 - a place
    send(message())
    headers, body = web.headers[0], web.bodies[0]
    signed = f"{headers['X-Logshed-Timestamp']}.".encode() + body
    wanted = hmac.new(b"planted-signing-key", signed, hashlib.sha256).hexdigest()
    assert headers["X-Logshed-Signature"] == f"sha256={wanted}"
    assert headers["Authorization"] == "Bearer planted-token"
    assert headers["X-Logshed-Key"] == web.json()["key"]
    assert web.json()["findings"][0]["rule_author"] == AUTHOR
    assert web.json()["findings"][0]["timestamp"] == "2026-11-02T11:55:00Z"


def test_a_webhooks_json_holds_no_markup_and_no_endless_text(web: servers.Web) -> None:
    _, send = destination(alert("webhook", url=web.url))
    send(message(hostile()))
    assert b"<" not in web.bodies[0]
    assert "\n" not in web.json()["findings"][0]["explanation"]
    assert len(web.bodies[0]) < 40_000


# HTTP


def test_certificates_are_verified_and_a_private_authority_can_be_named(
    authority: tuple[Path, ssl.SSLContext],
) -> None:
    path, context = authority
    with servers.web(context) as got:
        _, send = destination(alert("webhook", url=got.url))
        with pytest.raises(AlertError, match="its certificate is not trusted") as caught:
            send(message())
        assert not caught.value.retry
        _, send = destination(alert("webhook", url=got.url, ca_file=path))
        send(message())
        assert len(got.bodies) == 1


@pytest.mark.parametrize(
    ("answer", "retry", "after"),
    [
        ((503, {}, b""), True, None), ((429, {"Retry-After": "7"}, b""), True, 7.0),
        ((404, {}, b"no_service"), False, None),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), False, None), ((400, {}, b"invalid_payload"), False, None),
    ],
)  # fmt: skip
def test_an_answer_says_whether_to_try_again_and_a_redirect_is_not_followed(
    web: servers.Web, answer: tuple[int, dict[str, str], bytes], *, retry: bool, after: float | None
) -> None:
    web.answers = [answer]
    _, send = destination(alert("webhook", url=web.url))
    with pytest.raises(AlertError, match=f"cannot send to 127.0.0.1: it answered {answer[0]}") as caught:
        send(message())
    assert (caught.value.retry, caught.value.after) == (retry, after)
    assert "planted" not in str(caught.value)
    assert len(web.bodies) == 1


def test_a_host_that_does_not_answer_is_named_and_its_address_is_not() -> None:
    url = f"http://127.0.0.1:{free_port()}/planted-secret-path"
    _, send = destination(alert("webhook", url=url))
    with pytest.raises(AlertError, match=r"cannot send to 127\.0\.0\.1: it cannot be reached") as caught:
        send(message())
    assert caught.value.retry
    assert "planted" not in str(caught.value)


def test_a_proxy_of_the_environment_is_used(web: servers.Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", web.url.partition("/services")[0])
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    _, send = destination(alert("webhook", url="http://alerts.example/planted"))
    send(message())
    assert web.headers[0]["Host"] == "alerts.example"


def test_slack_over_plain_http_to_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTED_URL", "http://hooks.slack.example/services/planted")
    _, send = destination(alert("slack", url="env:PLANTED_URL"))
    with pytest.raises(AlertError, match="its address is not https://"):
        send(message())


# OCSF


def test_ocsf_writes_a_detection_finding_a_line(tmp_path: Path) -> None:
    path = tmp_path / "out" / "findings.ndjson"
    _, send = destination(alert("ocsf", path=str(path)))
    send(message(row(), row(actor="192.0.2.8", level="critical")))
    path.write_bytes(path.read_bytes() + b'{"torn": ')
    send(message(hostile()))
    lines = path.read_bytes().split(b"\n")
    assert lines[2] == b'{"torn": '
    events = [json.loads(line) for line in (*lines[:2], lines[3])]
    for event in events:
        assert (event["class_uid"], event["category_uid"], event["activity_id"]) == (2004, 2, 1)
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
        assert event["severity_id"] in range(1, 6)
        assert isinstance(event["time"], int)
        assert event["metadata"]["version"]
        assert event["metadata"]["product"]["vendor_name"] == "Logshed"
        assert event["finding_info"]["uid"]
        assert event["finding_info"]["title"]
        assert event["unmapped"]["rule_author"]
    assert [event["severity_id"] for event in events] == [5, 4, 4]
    assert events[1]["time"] == 1793620800000
    assert events[1]["finding_info"]["attacks"] == [
        {"technique": {"uid": "T1110.003"}},
        {"technique": {"uid": "T1078"}},
    ]
    assert len(lines[3]) < 40_000


def test_ocsf_posts_one_finding_at_a_time(web: servers.Web) -> None:
    _, send = destination(alert("ocsf", url=web.url))
    send(message(row(), row(actor="192.0.2.8")))
    assert [web.json(number)["class_uid"] for number in (0, 1)] == [2004, 2004]


def test_ocsf_needs_one_place(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="alert ops: path: ocsf writes to a file or posts"):
        destination(alert("ocsf"))
    (tmp_path / "folder").mkdir()
    _, send = destination(alert("ocsf", path=str(tmp_path / "folder")))
    with pytest.raises(AlertError, match=r"cannot write .*: Is a directory"):
        send(message())


# Standard output


def test_standard_output_gets_a_line_a_finding_and_no_terminal_is_steered(capsys: pytest.CaptureFixture[str]) -> None:
    _, send = destination(alert("stdout"))
    send(message(row(), hostile()))
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) == 2
    assert "\x1b" not in shown
    assert "\u202e" not in shown


# Templates


def test_a_template_fills_in_columns_and_attributes_and_nothing_more() -> None:
    given = message(row(explanation="{rule_author} {attributes.url_path}"))
    text = "{rule_title}: {explanation} at {attributes.url_path} {attributes.none}{findings}"
    assert webhook.payload(given, text)["text"] == (
        "Many failed logins: {rule_author} {attributes.url_path} at /login 1"
    )
    assert AUTHOR in "".join(stdout.lines(given, "{actor}"))
    assert whole(slack.payload(given, "{actor}")).count(AUTHOR) == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"to": "slak"}, "alert ops: to: there is no destination 'slak'; did you mean slack?"),
        ({"to": "slack"}, 'alert ops: url: slack needs it; write url = "env:NAME"'),
        ({"to": "slack", "url": "https://hooks.slack.com/planted"}, "url: the address of slack is a secret; write url"),
        (
            {"to": "webhook", "url": "env:U", "port": 3},
            "port: webhook does not take it; it takes ca_file, secret, token",
        ),
        ({"to": "email", "host": "h", "sender": "a@b"}, "recipients: email needs it"),
        ({"to": "syslog", "host": "h", "transport": "smoke"}, "transport: 'smoke' is none of syslog's"),
        ({"to": "webhook", "url": "env:U", "ca_file": "/no/such"}, "ca_file: there is no file /no/such"),
    ],
)
def test_a_wrong_setting_is_named_with_its_alert(given: dict[str, str], told: str) -> None:
    made = alert(**(given | ({"recipients": []} if given["to"] == "email" else {})))
    with pytest.raises(SettingsError) as caught:
        destination(made)
    assert told in str(caught.value)
    assert "planted" not in str(caught.value)


def test_a_destination_of_ones_own_is_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "alerts"
    folder.mkdir()
    (folder / "ours.py").write_text(
        "from pathlib import Path\nfrom logshed.alerts import Kind\nKIND = Kind()\n\ndef sender(alert):\n"
        "    def send(message):\n        Path(alert.options['out']).write_text(message.title)\n    return send\n"
    )
    _, send = destination(alert("ours", options={"out": str(tmp_path / "out")}), [tmp_path])
    send(message())
    assert (tmp_path / "out").read_text() == "Many failed logins"
    (folder / "broken.py").write_text("1 / 0")
    with pytest.raises(SettingsError, match=r"to: .*broken\.py fails with ZeroDivisionError"):
        destination(alert("broken"), [tmp_path])
