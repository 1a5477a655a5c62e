"""A receiver that crashes and is started again loses nothing that its clients try again; and doors that are secured.

Here clients have no tokens: the doors are open to this machine, speak TLS, or ask for a shared key.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING

import pytest
import trustme
from opentelemetry._logs import LogRecord
from tests.receive import clients_otlp, clients_streams
from tests.receive.content import HIDDEN, lines, numbered
from tests.receive.receiver import SECONDS, Receiver

from logshed.api import Lake

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.sdk._logs import LoggerProvider
    from tests.started import Starter

pytestmark = pytest.mark.soak  # two starts and what real clients wait for: five seconds of processor time

SETTINGS = """
[receive]
every = "1h"
[receive.http]
listen = "127.0.0.1:{http}"
[receive.grpc]
listen = "127.0.0.1:{grpc}"
[receive.syslog_tcp]
listen = "127.0.0.1:{syslog_tcp}"
certificate = "{folder}/server.pem"
key = "{folder}/server.key"
clients = "{folder}/authority.pem"
[receive.forward]
listen = "127.0.0.1:{forward}"
shared_key = "file:{folder}/shared_key"
"""
DOORS = ("http", "grpc", "syslog_tcp", "forward")


@dataclass
class Ended:
    """A receiver that was killed, started again and asked to end."""

    receiver: Receiver
    failed: dict[str, BaseException] = field(default_factory=dict)

    def bodies(self, name: str) -> list[str]:
        """The bodies in the lake of a client that has delivered."""
        if name in self.failed:
            raise self.failed[name]
        return bodies(self.receiver, name)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, starter: Starter, environment: dict[str, str]) -> Ended:
    """Clients deliver, the receiver crashes, clients go on, it is started again, and clients end."""
    folder = tmp_path_factory.mktemp("restarts")
    secure(folder)
    receiver = Receiver(
        folder / "receiver", starter, environment, SETTINGS.format(folder=folder, **dict.fromkeys(DOORS, 0))
    )
    found = Ended(receiver)
    receiver.start()
    ports = {door: receiver.port(door) for door in DOORS}
    (receiver.folder / "logshed.toml").write_text(SETTINGS.format(folder=folder, **ports))
    half = len(numbered("")) // 2
    try:
        made = {
            name: clients_otlp.provider(clients_otlp.exporter(receiver, "", name.removeprefix("otlp_")))
            for name in ("otlp_http", "otlp_grpc")
        }
        for name, provider in made.items():
            emit(provider, numbered(name)[:half])
        for name, send in {"rsyslog_tls": by_tls, "node_key": by_key, "node_wrong": by_wrong_key}.items():
            try:
                send(receiver, name, folder)
            except (Exception, pytest.skip.Exception) as error:  # noqa: BLE001 - it fails the tests of this client alone
                found.failed[name] = error
        for provider in made.values():
            assert provider.force_flush(SECONDS * 1000)  # these are acknowledged, and in the spool alone
        receiver.kill()
        flushing = [Thread(target=ending, args=(provider, numbered(name)[half:])) for name, provider in made.items()]
        for one in flushing:
            one.start()
        time.sleep(0.5)  # they have tried by now, and found nobody
        receiver.start()
        for one in flushing:
            one.join()
        receiver.stop()
    finally:
        receiver.kill()
    return found


def secure(folder: Path) -> None:
    """Make certificates of a receiver and of a client, and a shared key."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    for name, one in (("server", authority.issue_cert("127.0.0.1")), ("client", authority.issue_cert("shipper"))):
        one.private_key_pem.write_to_path(folder / f"{name}.key")
        one.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
    (folder / "shared_key").write_text(clients_streams.SHARED_KEY)


def by_tls(receiver: Receiver, name: str, folder: Path) -> None:
    """Rsyslog by TLS, showing a certificate."""
    clients_streams.needs_rsyslog("lmnsd_ossl", "rsyslog-openssl")
    files = (
        f'DefaultNetstreamDriverCAFile="{folder}/authority.pem" DefaultNetstreamDriverCertFile="{folder}/client.pem"'
    )
    more = f'global(DefaultNetstreamDriver="ossl" {files} DefaultNetstreamDriverKeyFile="{folder}/client.key")'
    action = (
        f'type="omfwd" target="127.0.0.1" port="{receiver.port("syslog_tcp")}" protocol="tcp"'
        ' TCP_Framing="octet-counted" StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/certvalid"'
        ' template="RSYSLOG_SyslogProtocol23Format"'
    )
    with clients_streams.following(folder / name, {"shop": lines(name)}, action, more):
        receiver.until(f"{name} mail")


def by_key(receiver: Receiver, name: str, folder: Path) -> None:
    """Fluent's library for Node, which proves that it knows the key; packed."""
    del folder
    assert "acknowledged" in clients_streams.node(receiver, name, "CompressedPackedForward", clients_streams.SHARED_KEY)


def by_wrong_key(receiver: Receiver, name: str, folder: Path) -> None:
    """The same with another key."""
    del folder
    assert clients_streams.node(receiver, name, "Forward", "another") == ""


def ending(provider: LoggerProvider, texts: list[str]) -> None:
    """Log some lines, and wait till they are delivered."""
    emit(provider, texts)
    provider.force_flush(SECONDS * 1000)
    provider.shutdown()


def emit(provider: LoggerProvider, texts: list[str]) -> None:
    """Log some lines."""
    logger = provider.get_logger("shop")
    for text in texts:
        logger.emit(LogRecord(timestamp=clients_otlp.SECOND, body=text))


def bodies(receiver: Receiver, some: str) -> list[str]:
    """The bodies in the lake that have some text, in order."""
    found = Lake.open(receiver.lake).query(
        "SELECT body FROM logs WHERE contains(body, $some) ORDER BY body", params={"some": some}
    )
    return [body for (body,) in found.rows()]


@pytest.mark.parametrize("name", ["otlp_http", "otlp_grpc"])
def test_what_the_sdk_tries_again_is_there_once_after_a_crash(ended: Ended, name: str) -> None:
    assert ended.bodies(f"{name} ") == numbered(name)


def test_rsyslog_delivers_by_tls_with_a_certificate(ended: Ended) -> None:
    assert ended.bodies("rsyslog_tls") == sorted([*numbered("rsyslog_tls"), f"rsyslog_tls {HIDDEN}"])


def test_fluents_library_delivers_with_a_shared_key_and_not_with_another(ended: Ended) -> None:
    assert ended.bodies("node_key") == sorted([*numbered("node_key"), f"node_key {HIDDEN}"])
    assert ended.bodies("node_wrong") == []
