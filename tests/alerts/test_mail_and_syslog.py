from __future__ import annotations

import re
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from tests.alerts import servers
from tests.alerts.samples import AUTHOR, alert, hostile, message, row
from tests.ports import free_port

from logshed.alerts import destination
from logshed.alerts.syslog import LARGEST, cef, header, packet, value
from logshed.errors import AlertError, SettingsError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path


class Inbox:
    """Takes mail; answers ``refusal`` if it has one."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refusal = ""

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail, or refuse it."""
        if self.refusal:
            return self.refusal
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


def login(_server: object, _session: object, _envelope: object, _mechanism: object, data: Any) -> AuthResult:
    return AuthResult(success=data.password == b"planted-password", handled=False)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def server(inbox: Inbox, authority: tuple[Path, ssl.SSLContext]) -> Iterator[dict[str, Any]]:
    """An SMTP server with STARTTLS that wants a user and a password; the settings that reach it."""
    path, context = authority
    made = Controller(
        inbox, "127.0.0.1", free_port(), tls_context=context, require_starttls=True, authenticator=login,
        auth_required=True,
    )  # fmt: skip
    made.start()
    yield {
        "host": "127.0.0.1", "port": made.port, "sender": "logshed@example.org", "recipients": ["ops@example.org"],
        "user": "logshed", "password": "env:PASSWORD", "ca_file": path,
    }  # fmt: skip
    made.stop()


def test_mail_goes_by_starttls_with_a_password_and_says_everything(
    server: dict[str, Any], inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", "planted-password")
    _, send = destination(alert("email", **server))
    send(message())
    (mail,) = inbox.mails
    assert mail["Subject"] == "[Logshed] HIGH: Many failed logins"
    assert mail["To"] == "ops@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content()
    for fact in ("42 times", "192.0.2.7", "T1110.003", "aaaa1111, bbbb2222, cccc3333", f"Rule author: {AUTHOR}"):
        assert fact in text


def test_a_hostile_finding_adds_no_header_and_no_part(
    server: dict[str, Any], inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", "planted-password")
    _, send = destination(alert("email", **server))
    send(message(row(rule_title="x\r\nBcc: evil@example.org\r\n\r\n<script>"), hostile()))
    (mail,) = inbox.mails
    assert mail["Bcc"] is None
    assert not mail.is_multipart()
    assert "https://evil" not in mail.get_content()
    assert len(mail.as_bytes()) < 60_000


def test_mail_by_tls_from_the_start(inbox: Inbox, authority: tuple[Path, ssl.SSLContext]) -> None:
    path, context = authority
    made = Controller(inbox, "127.0.0.1", free_port(), ssl_context=context)
    made.start()
    try:
        words = {"host": "127.0.0.1", "port": made.port, "sender": "a@example.org", "recipients": ["b@example.org"]}
        _, send = destination(alert("email", transport="tls", ca_file=path, **words))
        send(message())
        _, untrusting = destination(alert("email", transport="tls", **words))
        with pytest.raises(AlertError, match="its certificate is not trusted"):
            untrusting(message())
    finally:
        made.stop()
    assert len(inbox.mails) == 1


@pytest.mark.parametrize(("refusal", "retry"), [("451 later", True), ("554 planted-password", False)])
def test_the_servers_code_says_whether_to_try_again(
    server: dict[str, Any], inbox: Inbox, monkeypatch: pytest.MonkeyPatch, refusal: str, *, retry: bool
) -> None:
    monkeypatch.setenv("PASSWORD", "planted-password")
    inbox.refusal = refusal
    _, send = destination(alert("email", **server))
    with pytest.raises(AlertError, match=f"it answered {refusal[:3]}") as caught:
        send(message())
    assert caught.value.retry is retry
    assert "planted" not in str(caught.value)


def test_a_wrong_password_is_told_and_not_shown(server: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "planted-wrong")
    _, send = destination(alert("email", **server))
    with pytest.raises(AlertError, match="it refuses user and password") as caught:
        send(message())
    assert "planted" not in str(caught.value)


def test_a_password_never_goes_in_the_clear() -> None:
    words = {"sender": "a@b", "recipients": ["c@d"], "user": "u", "password": "env:P", "transport": "plain"}
    with pytest.raises(SettingsError, match="transport: plain would send the password in the clear"):
        destination(alert("email", host="mail.example.org", **words))


# Syslog


def test_cef_escapes_what_its_standard_names() -> None:
    assert header("a|b\\c\nd=e") == "a\\|b\\\\c d=e"
    assert value("a|b\\c\nd=e\r") == "a|b\\\\c\\nd\\=e\\r"


def fields(text: str) -> dict[str, str]:
    """A CEF event taken apart as a reader does, by its escapes."""
    parts = re.split(r"(?<!\\)(?:\\\\)*\|", text, maxsplit=7)
    assert len(parts) == 8
    return dict(re.findall(r"(\w+)=((?:\\.|[^=\\])*?)(?=\s\w+=|$)", parts[7]))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_hostile_finding_is_one_cef_event_within_its_size(transport: str) -> None:
    given = message(hostile())
    data = packet(given.first, given, None, LARGEST[transport])
    assert len(data) <= LARGEST[transport]
    assert b"\n" not in data
    text = data.decode()
    assert re.match(r"<35>1 \d{4}-\d\d-\d\dT[\d:.]+Z \S+ logshed - finding - CEF:0\|Logshed\|Logshed\|", text)
    found = fields(text[text.index("CEF:") :])
    assert {"rt", "start", "end", "cnt", "externalId", "msg", "cs3"} <= set(found)
    assert "act" not in found  # the text forges one
    assert "src" not in found  # its address is none


def test_cef_says_who_did_what_by_the_dictionarys_names() -> None:
    found = fields(cef(message().first, "finding"))
    assert found["src"] == "192.0.2.7"
    assert found["suser"] == "alice"
    assert (found["cs3"], found["cs3Label"]) == (AUTHOR, "RuleAuthor")
    assert found["cnt"] == "42"
    six = fields(cef(message(row(client_address="2001:db8::1")).first, "finding"))
    assert six["c6a2"] == "2001:db8::1"


def test_syslog_over_udp_tcp_and_tls(authority: tuple[Path, ssl.SSLContext]) -> None:
    path, context = authority
    two = message(row(), row(actor="192.0.2.8", level="critical"))
    with servers.datagrams() as got:
        _, send = destination(alert("syslog", host="127.0.0.1", port=got.port))
        send(message())
        assert got.wait().startswith(b"<35>1 ")
    with servers.stream() as got:
        _, send = destination(alert("syslog", host="127.0.0.1", port=got.port, transport="tcp"))
        send(two)
        lines = got.wait().splitlines()
        assert [line[:6] for line in lines] == [b"<34>1 ", b"<35>1 "]
    with servers.stream(context) as got:
        _, untrusting = destination(alert("syslog", host="127.0.0.1", port=got.port, transport="tls"))
        with pytest.raises(AlertError, match="its certificate is not trusted"):
            untrusting(two)
        _, send = destination(alert("syslog", host="127.0.0.1", port=got.port, transport="tls", ca_file=path))
        send(two)
        data = got.wait()
        length, _, rest = data.partition(b" ")
        assert rest[: int(length)].startswith(b"<34>1 ")
        assert re.match(rb"\d+ <35>1 ", rest[int(length) :])


def test_a_listener_that_is_not_there_is_told() -> None:
    _, send = destination(alert("syslog", host="127.0.0.1", port=free_port(), transport="tcp"))
    with pytest.raises(AlertError, match=r"cannot send to 127.0.0.1: it cannot be reached \(ConnectionRefusedError\)"):
        send(message())
