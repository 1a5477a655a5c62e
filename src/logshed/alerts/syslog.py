r"""Syslog: a CEF event for each finding, over UDP, TCP or TLS.

CEF by ArcSight's implementation standard, revision 25: in the header ``\`` and ``|`` are escaped, in values ``\``,
``=`` and line ends. Around it the header of RFC 5424; over TLS each message has its length before it (RFC 5425), over
TCP it ends with a line feed (RFC 6587).
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logshed.alerts.common.kind import Kind, Send
from logshed.alerts.common.template import filled
from logshed.alerts.common.text import cut, cut_bytes
from logshed.alerts.common.version import VERSION
from logshed.errors import AlertError

if TYPE_CHECKING:
    from logshed.alert_settings import Alert
    from logshed.alerts.common.message import Finding, Message

KIND = Kind(needs=("host",), takes=("port", "transport", "ca_file"), batch=100)
PORTS = {"udp": 514, "tcp": 514, "tls": 6514}
SECONDS = 10.0
LARGEST = {"udp": 2048, "tcp": 8192, "tls": 8192}
"""Bytes of a message: what RFC 5426 and RFC 5425 say that every receiver should take."""
FACILITY = 4
SEVERITIES = {"critical": 2, "high": 3, "medium": 4, "low": 5, "informational": 6}
CEF_SEVERITIES = {"critical": 10, "high": 8, "medium": 5, "low": 3, "informational": 1}
MESSAGE = 1023
"""Characters that CEF's ``msg`` may have."""


def sender(alert: Alert) -> Send:
    """What sends to the listener."""
    transport = alert.transport or "udp"
    if transport not in PORTS:
        raise ValueError(f"transport: {transport!r} is none of syslog's; write udp, tcp or tls")
    host, port = alert.host or "", alert.port or PORTS[transport]

    def send(message: Message) -> None:
        data = [packet(one, message, alert.template, LARGEST[transport]) for one in message.findings]
        try:
            if transport == "udp":
                _datagrams(host, port, data)
            else:
                _stream(host, port, data, alert if transport == "tls" else None)
        except ssl.SSLCertVerificationError:
            cause = "its certificate is not trusted; ca_file names a private authority's certificate"
            raise AlertError(f"cannot send to {host}: {cause}") from None
        except OSError as error:
            cause = f"it cannot be reached ({type(error).__name__})"
            raise AlertError(f"cannot send to {host}: {cause}; check host, port and transport", retry=True) from None

    return send


def packet(finding: Finding, message: Message, template: str | None, largest: int) -> bytes:
    """A finding as a syslog message of at most ``largest`` bytes; what is said is cut first."""
    said = finding.text("explanation")
    if template and message.kind == "finding":
        said = filled(type(message).of([finding]), template, str)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    host = "".join(letter for letter in socket.gethostname() if "!" <= letter <= "~")[:255] or "-"
    before = f"<{FACILITY * 8 + SEVERITIES[finding.level]}>1 {now} {host} logshed - {message.kind} - "
    whole = before + cef(finding, message.kind) + " msg="
    room = largest - len(whole.encode())
    text = value(cut(said, MESSAGE))
    return (whole + _whole_escapes(cut_bytes(text, max(room, 3)))).encode()


def cef(finding: Finding, kind: str) -> str:
    """A finding as CEF, without ``msg``."""
    test = "[TEST] " if kind == "test" else ""
    parts = ("Logshed", "Logshed", VERSION, cut(finding.text("rule_name"), 128), cut(test + finding.title, 128))
    severity = CEF_SEVERITIES[finding.level]
    fields = " ".join(f"{name}={value(text)}" for name, text in extension(finding, kind).items() if text)
    return f"CEF:0|{'|'.join(header(part) for part in parts)}|{severity}|{fields}"


def extension(finding: Finding, kind: str) -> dict[str, str]:
    """The values of a CEF event by the dictionary's names."""
    kind_of_actor, actor = finding.actor
    labelled = (
        ("Collection", cut(finding.text("collection"), 128)),
        ("Technique", " ".join(finding.techniques[:4])),
        ("RuleAuthor", cut(finding.author, 200)),
        ("Actor", cut(f"{kind_of_actor} {actor}".strip(), 200)),
        ("Evidence", " ".join(finding.evidence)),
    )
    found = {
        "rt": _milliseconds(finding.observed), "start": _milliseconds(finding.start),
        "end": _milliseconds(finding.end), "cnt": str(finding.count), "externalId": cut(finding.id, 40), "cat": kind,
        "suser": cut(finding.text("user_id"), 128), **_address(finding.text("client_address")),
        "cfp1": f"{finding.score:.1f}", "cfp1Label": "Score",
    }  # fmt: skip
    for number, (label, text) in enumerate(labelled, 1):
        if text:
            found |= {f"cs{number}": text, f"cs{number}Label": label}
    return found


def header(text: str) -> str:
    """Text in a CEF header."""
    return " ".join(text.splitlines()).replace("\\", "\\\\").replace("|", "\\|")


def value(text: str) -> str:
    """Text as a CEF value."""
    escaped = text.replace("\\", "\\\\").replace("=", "\\=")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\r")


def _whole_escapes(text: str) -> str:
    """Without half an escape before the ellipsis at its end."""
    kept = text.removesuffix("…")
    slashes = len(kept) - len(kept.rstrip("\\"))
    return text if kept == text or slashes % 2 == 0 else kept[:-1] + "…"


def _address(text: str) -> dict[str, str]:
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(text)
        if address.version == 4:  # noqa: PLR2004 - IPv4
            return {"src": str(address)}
        return {"c6a2": address.compressed, "c6a2Label": "Source IPv6 Address"}
    return {}


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))


def _datagrams(host: str, port: int, data: list[bytes]) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as out:
        out.connect(address)  # so that a port that nobody listens on is told, where the system tells it
        for one in data:
            out.send(one)


def _stream(host: str, port: int, data: list[bytes], secure: Alert | None) -> None:
    with socket.create_connection((host, port), timeout=SECONDS) as plain:
        if secure is None:
            plain.sendall(b"".join(one + b"\n" for one in data))
            return
        context = ssl.create_default_context(cafile=str(secure.ca_file) if secure.ca_file else None)
        with context.wrap_socket(plain, server_hostname=host) as out:
            out.sendall(b"".join(b"%d %s" % (len(one), one) for one in data))
            with contextlib.suppress(OSError):  # it has all of it; some close without a word
                out.unwrap()
