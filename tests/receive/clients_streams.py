"""Clients that hold a connection: fluent-logger of Python and of Node, Python's SysLogHandler, rsyslog."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
from contextlib import contextmanager
from logging.handlers import SysLogHandler
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fluent.sender import FluentSender
from tests.receive.content import EMAIL, MOMENT, NGINX, lines
from tests.servers import found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.receive.receiver import Receiver

SHARED_KEY = "only-these-two-know"
NODE = """
const { FluentClient, EventTime } = require("@fluent-org/logger");
const { name, port, key, lines, access, moment, mode } = JSON.parse(process.argv[1]);
const client = new FluentClient(name, {
  eventMode: mode, ack: { ackTimeout: 10000 }, socket: { host: "127.0.0.1", port },
  ...(key ? { security: { clientHostname: "shipper", sharedKey: key } } : {}),
});
const sent = lines.map((message, at) => client.emit("shop", { message, team: "core" }, new EventTime(moment + at, 7)));
sent.push(client.emit("access", { log: access }, new EventTime(moment + 30, 0)));
Promise.all(sent).then(() => { console.log("acknowledged"); return client.shutdown(); }).then(() => process.exit(0));
"""
"""Every promise is kept once the receiver has acknowledged the chunk that the event was in."""
RSYSLOG = """
global(workDirectory="{folder}")
module(load="imfile")
{more}
template(name="ecs" type="list" option.jsonf="on") {{
    property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="host.name" name="hostname" format="jsonf")
    property(outname="service.name" name="programname" format="jsonf")
    property(outname="level" name="syslogseverity-text" format="jsonf")
    property(outname="message" name="msg" format="jsonf")
}}
{inputs}
action({action} action.resumeRetryCount="-1" action.resumeInterval="1")
"""
INPUT = 'input(type="imfile" file="{folder}/{tag}.log" tag="{tag}:" facility="local3" severity="warning")'
PLUGINS = Path("/usr/lib")


def needs_rsyslog(plugin: str, package: str) -> None:
    """Skip the test where rsyslog has not got a plug-in."""
    if not any(PLUGINS.glob(f"*/rsyslog/{plugin}.so")):
        pytest.skip(f"needs {plugin} of rsyslog: apt-get install {package}")


def fluent_logger(receiver: Receiver, name: str) -> bool:
    """Python's library, which asks for no acknowledgement."""
    with FluentSender(name, "127.0.0.1", receiver.port("forward"), nanosecond_precision=True) as sender:
        taken = [
            sender.emit_with_time("shop", MOMENT + number, {"message": text}) for number, text in enumerate(lines(name))
        ]
        taken.append(sender.emit_with_time("shop", MOMENT + 60, {"user": "ann", "paid": 9.5, "owner": EMAIL}))
        taken.append(sender.emit_with_time("access", MOMENT + 30, {"log": NGINX}))
    return all(taken)


def node(receiver: Receiver, name: str, mode: str, key: str = "") -> str:
    """Fluent's library for Node, with acknowledgements, and with a shared key where one is given."""
    words = {
        "name": name,
        "port": receiver.port("forward"),
        "key": key,
        "lines": lines(name),
        "access": NGINX,
        "moment": MOMENT,
        "mode": mode,
    }
    command = [found("node", "nodejs"), "-e", NODE, json.dumps(words)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env={"NODE_PATH": modules()}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def modules() -> str:
    """Where npm keeps what was installed for all; the test is skipped where the library is not there."""
    folder = subprocess.run(
        [found("npm", "npm"), "root", "--global"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not Path(folder, "@fluent-org", "logger").exists():
        pytest.skip("needs @fluent-org/logger: npm install -g @fluent-org/logger")
    return folder


def syslog_handler(receiver: Receiver, name: str, kind: socket.SocketKind) -> None:
    """Python's handler, by TCP or UDP; what it sends has no header but the priority and what its formatter writes."""
    door = "syslog_tcp" if kind == socket.SOCK_STREAM else "syslog_udp"
    handler = SysLogHandler(("127.0.0.1", receiver.port(door)), facility="local3", socktype=kind)
    form = "1 2024-05-01T10:00:%(number)02dZ web-1 shop 17 - - %(message)s"
    handler.setFormatter(logging.Formatter(form))
    for number, text in enumerate(lines(name)):
        made = logging.LogRecord("x", logging.WARNING, "", 1, text, (), None)
        made.number = number
        handler.handle(made)
    handler.close()


def rsyslog(receiver: Receiver, name: str, folder: Path) -> None:
    """Files that it follows, forwarded by TCP, counted; nginx's comes first."""
    action = (
        f'type="omfwd" target="127.0.0.1" port="{receiver.port("syslog_tcp")}" protocol="tcp"'
        ' TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"'
    )
    with following(folder / name, {"nginx": [NGINX], "shop": []}, action):
        receiver.until("nginx - - - 203.0.113.9")
        written(folder / name / "shop.log", lines(name))
        receiver.until(lines(name)[-1].partition(EMAIL)[0])


def rsyslog_elastic(receiver: Receiver, name: str, folder: Path) -> None:
    """A file that it follows, as documents by its output for Elasticsearch."""
    needs_rsyslog("omelasticsearch", "rsyslog-elasticsearch")
    action = (
        f'type="omelasticsearch" server="127.0.0.1" serverport="{receiver.port("http")}" template="ecs" bulkmode="on"'
        f' searchIndex="shop" searchType="" uid="rsyslog" pwd="{receiver.token(name)}"'
    )
    with following(folder / name, {"shop": lines(name)}, action, 'module(load="omelasticsearch")'):
        receiver.until(lines(name)[-1].partition(EMAIL)[0])


def written(file: Path, some: Sequence[str]) -> None:
    """Write lines to a file."""
    file.write_text("".join(f"{text}\n" for text in some))


@contextmanager
def following(folder: Path, files: Mapping[str, Sequence[str]], action: str, more: str = "") -> Iterator[None]:
    """An rsyslogd that follows files, and forwards what is in them: lines by the tag that they get."""
    daemon = found("rsyslogd", "rsyslog")
    folder.mkdir()
    for tag, some in files.items():
        written(folder / f"{tag}.log", some)
    inputs = "\n".join(INPUT.format(folder=folder, tag=tag) for tag in files)
    (folder / "rsyslog.conf").write_text(RSYSLOG.format(folder=folder, more=more, inputs=inputs, action=action))
    with (folder / "errors").open("wb") as errors:
        command = [daemon, "-n", "-f", f"{folder}/rsyslog.conf", "-i", f"{folder}/pid"]
        process = subprocess.Popen(command, stdout=errors, stderr=errors)
        try:
            yield
        finally:
            process.terminate()
            process.wait()
