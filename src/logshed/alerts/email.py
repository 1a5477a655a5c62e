"""E-mail, by SMTP with STARTTLS or TLS: plain text, one message for each alert."""

from __future__ import annotations

import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from logshed.alerts.common.http import loopback
from logshed.alerts.common.kind import Document, Kind, Send, SendDocument
from logshed.alerts.common.template import body
from logshed.alerts.common.text import defanged
from logshed.errors import AlertError

if TYPE_CHECKING:
    from logshed.alert_settings import Alert
    from logshed.alerts.common.message import Message

KIND = Kind(
    needs=("host", "sender", "recipients"), takes=("port", "transport", "user", "password", "ca_file"), rate="60/1h"
)
PORTS = {"starttls": 587, "tls": 465, "plain": 25}
SECONDS = 15.0
TRANSIENT = range(400, 500)


def sender(alert: Alert) -> Send:
    """What hands a message to the server."""
    transport = _transport(alert)

    def send(message: Message) -> None:
        _handed(alert, transport, mail(message, alert))

    return send


def document_sender(alert: Alert) -> SendDocument:
    """What hands a document with files to the server."""
    transport = _transport(alert)

    def send(document: Document) -> None:
        made = _addressed(alert, document.title, uuid4().hex)
        made.set_content(document.text, cte="quoted-printable")
        for name, (kind, content) in document.files.items():
            main, _, sub = kind.partition("/")
            made.add_attachment(content, maintype=main, subtype=sub, filename=name)
        _handed(alert, transport, made)

    return send


def _transport(alert: Alert) -> str:
    """How the server is spoken to.

    Raises:
        ValueError: A setting does not fit.
    """
    transport = alert.transport or "starttls"
    if transport not in PORTS:
        raise ValueError(f"transport: {transport!r} is none of email's; write starttls, tls or plain")
    if transport == "plain" and alert.password and not loopback(alert.host or ""):
        raise ValueError("transport: plain would send the password in the clear; write starttls or tls")
    if bool(alert.user) != bool(alert.password):
        raise ValueError("password: user and password belong together; set both or none")
    return transport


def _handed(alert: Alert, transport: str, made: EmailMessage) -> None:
    try:
        _sent(alert, transport, made)
    except (smtplib.SMTPException, OSError) as error:
        raise _failure(alert.host or "", error) from None


def mail(message: Message, alert: Alert) -> EmailMessage:
    """The alert as an e-mail."""
    made = _addressed(alert, f"{message.level.upper()}: {message.title}", message.key)
    said = body(message, alert.template, defanged)
    facts = [f"{label + ':':<13}{defanged(value)}" for label, value in message.facts()]
    made.set_content("\n".join([*said, "", *facts]) + "\n", cte="quoted-printable")
    return made


def _addressed(alert: Alert, subject: str, key: str) -> EmailMessage:
    made = EmailMessage()
    made["Subject"] = defanged(f"[Logshed] {subject}")
    made["From"] = alert.sender
    made["To"] = ", ".join(alert.recipients)
    made["Date"] = format_datetime(datetime.now(UTC))
    made["Message-ID"] = f"<{key}@{(alert.sender or '').rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    return made


def _sent(alert: Alert, transport: str, made: EmailMessage) -> None:
    host, port = alert.host or "", alert.port or PORTS[transport]
    context = ssl.create_default_context(cafile=str(alert.ca_file) if alert.ca_file else None)
    if transport == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=SECONDS)
    with server:
        if transport == "starttls":
            server.starttls(context=context)
        if alert.user and alert.password:
            server.login(alert.user, alert.password.read())
        server.send_message(made)


def _failure(host: str, error: Exception) -> AlertError:
    """What went wrong, by the server's code; its own words may repeat what it was told."""
    if isinstance(error, ssl.SSLCertVerificationError):
        cause = "its certificate is not trusted; ca_file names a private authority's certificate"
        return AlertError(f"cannot send by {host}: {cause}")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return AlertError(f"cannot send by {host}: it has no STARTTLS or no login; correct transport")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        retry = any(code in TRANSIENT for code in codes)
        return AlertError(f"cannot send by {host}: it refuses every recipient ({codes[0]}); correct them", retry=retry)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        retry = error.smtp_code in TRANSIENT
        return AlertError(f"cannot send by {host}: it refuses user and password; correct them", retry=retry)
    if isinstance(error, smtplib.SMTPResponseException):
        retry = error.smtp_code in TRANSIENT
        return AlertError(f"cannot send by {host}: it answered {error.smtp_code}; ask its keeper", retry=retry)
    cause = f"it cannot be reached ({type(error).__name__})"
    return AlertError(f"cannot send by {host}: {cause}; check host, port and transport", retry=True)
