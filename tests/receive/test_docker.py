"""Docker's own log drivers deliver what containers write: to HEC, by the forward protocol, by syslog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.receive.content import FORBIDDEN, HIDDEN, lines, numbered
from tests.receive.receiver import Receiver

from logshed.api import Lake

if TYPE_CHECKING:
    from tests.servers import Engine
    from tests.started import Starter

pytestmark = pytest.mark.soak

SETTINGS = """
[receive]
every = "1h"
[receive.http]
listen = "127.0.0.1:0"
tokens = true
[receive.syslog_tcp]
listen = "127.0.0.1:0"
collection = "docker_syslog"
[receive.forward]
listen = "127.0.0.1:0"
collection = "docker_fluentd"
"""
NAMES = ("docker_splunk", "docker_fluentd", "docker_syslog")


def options(receiver: Receiver, name: str) -> dict[str, str]:
    """The options of a driver."""
    return {
        "docker_splunk": {
            "splunk-url": receiver.url(),
            "splunk-token": receiver.token(name),
            "splunk-format": "raw",
            "splunk-gzip": "true",
        },
        "docker_fluentd": {"fluentd-address": receiver.at("forward"), "fluentd-sub-second-precision": "true"},
        "docker_syslog": {"syslog-address": f"tcp://{receiver.at('syslog_tcp')}", "syslog-format": "rfc5424micro"},
    }[name]


@pytest.fixture(scope="module")
def ended(
    tmp_path_factory: pytest.TempPathFactory, engine: Engine, starter: Starter, environment: dict[str, str]
) -> Receiver:
    """A container of each driver has written its lines, and the receiver has ended."""
    receiver = Receiver(tmp_path_factory.mktemp("docker_clients"), starter, environment, SETTINGS)
    receiver.start()
    try:
        for name in NAMES:
            words = [word for key, value in options(receiver, name).items() for word in ("--log-opt", f"{key}={value}")]
            script = "\n".join(f"echo '{text}'" for text in lines(name))
            driver = name.removeprefix("docker_")
            engine.run(name, script, "--log-driver", driver, "--log-opt", "tag=shop", *words)
            engine("wait", name)
        receiver.until(*(f"{name} mail" for name in NAMES))
        rests = receiver.rests()
        assert [text for text in FORBIDDEN if text.encode() in rests] == []
        receiver.stop()
    finally:
        receiver.kill()
        engine.clear()
    return receiver


@pytest.mark.parametrize("name", NAMES)
def test_every_line_of_a_container_is_in_the_lake_once_and_tells_its_container(ended: Receiver, name: str) -> None:
    found = Lake.open(ended.lake).query(
        "SELECT body, container_name, service_name, log_iostream, CAST(attributes AS VARCHAR) FROM logs "
        'WHERE collection = $name ORDER BY "offset"',
        params={"name": name},
    )
    rows = found.rows()
    texts = [body.removeprefix("shop ") for body, *_ in rows]  # the raw form of the driver for HEC begins with the tag
    assert texts == [*numbered(name), f"{name} {HIDDEN}"]
    if name == "docker_fluentd":
        assert {row[1:4] for row in rows} == {(f"/{name}", None, "stdout")}
    if name == "docker_syslog":
        assert {row[2] for row in rows} == {"shop"}
