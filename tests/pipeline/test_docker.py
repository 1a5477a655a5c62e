"""A real Docker behind a real SSH server: every line arrives once, whatever is cut, killed, restarted or removed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from collections import Counter
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.servers import Engine, Sshd

from logshed import spool
from logshed.api import Lake
from logshed.settings import Settings
from logshed.sources.docker import Docker
from logshed.sources.local_docker import LocalDocker
from logshed.sources.spool import SPOOL, SpoolFile, targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.conftest import Run
    from tests.started import Process, Starter

    from logshed.sources.feeds import Arrival, Stream

NUMBERED = """
awk -v n={lines} 'BEGIN {{
    for (i = 1; i <= n; i++) {{
        print "INFO out " i; print "INFO err " i > "/dev/stderr"
        if (i % {step} == 0) {{ fflush(); system("sleep 0.1") }}
    }}
}}'
"""
"""Writes numbered lines on both outputs, ten times ``step`` a second on each."""
FAST = 200
ENDS_S = 120


@pytest.fixture
def sshd(engine: Engine, tmp_path: Path) -> Iterator[Sshd]:
    """A server whose commands find the engine; its containers are removed at the end."""
    server = Sshd(tmp_path / "ssh", environment={"DOCKER_HOST": engine.socket})
    yield server
    server.cut()
    engine.clear()


@contextmanager
def following(folder: Path, starter: Starter, environment: dict[str, str], *words: str) -> Iterator[Process]:
    """The program while it follows; it is told to end, unless it has."""
    with (folder / "said").open("a") as said, Path(os.devnull).open() as nothing:
        files = [nothing.fileno(), said.fileno(), said.fileno()]
        process = starter.start(["collect", "docker", "--follow", *words], folder, environment, files)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(60)


def until(holds: Callable[[], Any], seconds: float = ENDS_S) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.2)


def rested(folder: Path) -> dict[str, list[str]]:
    """What rests in the spool and nowhere else yet, by source."""
    found = targets(f"{SPOOL}{folder / 'logshed-spool'}") if (folder / "logshed-spool").is_dir() else []
    return {one.source: SpoolFile(one.locator).read(2**30).decode().splitlines() for one in found}


def wrote(engine: Engine, name: str, output: str) -> Counter[str]:
    """What Docker itself says that a container wrote on one output."""
    done = subprocess.run(
        ["docker", "-H", engine.socket, "logs", "--timestamps", name], check=True, capture_output=True, text=True
    )
    lines = getattr(done, output).splitlines()
    return Counter(f"{line[:30]} {output} F {line[31:]}" for line in lines)


@pytest.mark.slow
def test_every_line_comes_once_through_cut_connections_kills_restarts_and_removals(
    engine: Engine, sshd: Sshd, tmp_path: Path, starter: Starter, environment: dict[str, str]
) -> None:
    environment = {**environment, **sshd.environment}
    words = ("--host", sshd.address, "--hours", "2", "--into-lake")
    engine.run("shop", NUMBERED.format(lines=24_000, step=FAST))
    engine.run("till", NUMBERED.format(lines=8_000, step=FAST // 5))
    with following(tmp_path, starter, environment, *words) as process:
        until(lambda: _newest(tmp_path))
        sshd.cut()
        assert engine("ps", "-q").count("\n") == 2
        time.sleep(1)
        sshd.start()
        before = time.time()
        until(lambda: _newest(tmp_path) > before)
        process.kill()  # SIGKILL: no word of farewell
    engine("restart", "-t", "0", "shop")
    with following(tmp_path, starter, environment, *words):
        engine.run("brief", NUMBERED.format(lines=800, step=FAST))
        until(lambda: "true" not in engine("inspect", "--format", "{{.State.Running}}", "shop", "till", "brief"))
        truth = {
            f"docker:127.0.0.1:{sshd.port}/{name}:{output}": wrote(engine, name, output)
            for name in ("shop", "till", "brief")
            for output in ("stdout", "stderr")
        }
        until(lambda: all(_ends(tmp_path, source, own) for source, own in truth.items() if "/brief:" in source))
        engine("rm", "-f", "brief")
        until(lambda: all(_ends(tmp_path, source, own) for source, own in truth.items()))
    lake = Lake.open(tmp_path / "logshed-lake")
    found = lake.query("SELECT source, text FROM lines").rows()
    assert lake.audit().ok
    came: dict[str, Counter[str]] = {}
    for source, text in found:
        came.setdefault(source, Counter()).update(text.split("\n"))
    assert {source: own.total() for source, own in came.items()} == {one: own.total() for one, own in truth.items()}
    assert came == truth
    assert sum(own.total() for own in truth.values()) > 60_000
    assert not _running_there("docker logs"), "a command was left on the host"


def _newest(folder: Path) -> float:
    """When the newest line that rests was written, in seconds since 1970."""
    times = [str(cursor.get("time", "")) for cursor in _cursors(folder).values()]
    last = max((time[:26] for time in times if time), default="1970-01-01T00:00:00.000000")
    return datetime.fromisoformat(f"{last}+00:00").timestamp()


def _cursors(folder: Path) -> dict[str, dict[str, Any]]:
    root = folder / "logshed-spool"
    return {one.source: one.cursor for one in spool.read(root).streams.values()} if root.is_dir() else {}


def _ends(folder: Path, source: str, truth: Counter[str]) -> bool:
    """Whether the cursor of a stream stands behind its last line."""
    return str(_cursors(folder).get(source, {}).get("time", "")) >= max(line[:30] for line in truth)


def _running_there(words: str) -> list[str]:
    said = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    return [line for line in said.splitlines() if line.startswith(words)]


@pytest.mark.slow
def test_binary_long_and_unfinished_lines_come_as_they_are(
    engine: Engine, sshd: Sshd, tmp_path: Path, logshed: Run
) -> None:
    long = r"head -c 1000000 /dev/zero | tr '\0' x; echo"
    script = rf"printf '\377\376bin\000ary\n'; {long}; echo after; sleep 1; printf 'no end'"
    engine.run("odd", script)
    until(lambda: engine("ps", "-q") == "")
    engine("start", "odd")
    until(lambda: engine("ps", "-q") == "")
    words = ("collect", "docker", "--host", sshd.address, "--into-lake", "--json")
    done = logshed(*words, env=sshd.environment)
    assert done.returncode == 0, done.stderr
    lake = Lake.open(tmp_path / "logshed-lake")
    bodies = [row[0] for row in lake.query("SELECT body FROM logs").rows()]
    kept = lake.query("SELECT DISTINCT container_name, container_id, host_name, log_iostream FROM logs").rows()
    assert sorted(bodies, key=len)[:4] == ["after", "after", "no end", "no end"]
    assert [len(body) for body in bodies if set(body) == {"x"}] == [1_000_000, 1_000_000]
    assert sum("bin" in body for body in bodies) == 2
    assert len(bodies) == 8
    assert [(row[0], len(row[1]), *row[2:]) for row in kept] == [("odd", 64, "127.0.0.1", "stdout")]
    assert json.loads(logshed(*words, env=sshd.environment).stdout)["lines"] == 0


def test_a_local_docker_is_collected_with_the_same_commands(engine: Engine, tmp_path: Path, logshed: Run) -> None:
    engine.run("here", "echo INFO one; echo INFO two >&2", "--label", "com.docker.compose.service=web")
    until(lambda: engine("ps", "-q") == "")
    try:
        done = logshed("collect", "docker", "--host", engine.socket, "--container", "here", "--json")
        assert json.loads(done.stdout)["lines"] == 2, done.stderr
        assert sorted(line[31:] for lines in rested(tmp_path).values() for line in lines) == [
            "stderr F INFO two", "stdout F INFO one",
        ]  # fmt: skip
        resource = dict(next(iter(targets(f"{SPOOL}{tmp_path / 'logshed-spool'}"))).resource)
        assert (resource["container.name"], resource["service.name"]) == ("here", "web")
        missing = logshed("collect", "docker", "--host", engine.socket, "--container", "shop")
        assert missing.returncode == 1
        assert "it has no container shop" in missing.stderr
    finally:
        engine.clear()
    empty = logshed("collect", "docker", "--host", engine.socket)
    assert empty.returncode == 1
    assert "it has no containers" in empty.stderr


class Kept:
    """Takes lines and keeps the cursor behind them, as a spool would."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.cursors: dict[str, dict[str, Any]] = {}
        self.said: list[tuple[str, str]] = []

    def cursor(self, stream: Stream) -> dict[str, Any]:
        """Where it goes on."""
        return self.cursors.get(stream.source, {})

    async def put(self, arrivals: Sequence[Arrival]) -> None:
        """Take lines."""
        for one in arrivals:
            self.lines += one.lines
            self.cursors[one.stream.source] = one.cursor(len(one.lines))

    def tell(self, target: str, state: str, text: str = "") -> None:
        """Keep what was said."""
        del text
        self.said.append((target, state))

    def note(self, *noted: object) -> None:
        """Keep nothing."""


def test_an_output_that_is_silent_is_not_read_from_its_beginning_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logshed.sources.docker.MARK_S", 0.5)
    engine.run("talks", "i=0; while [ $i -lt 900 ]; do i=$((i+1)); echo INFO $i; sleep 0.1; done")
    kept = Kept()
    feed = Docker(LocalDocker(engine.socket, "here"), b"key", follow=True)

    async def some() -> None:
        await asyncio.wait_for(feed.run(kept), 9)

    try:
        with pytest.raises(TimeoutError):
            asyncio.run(some())
        times = {source.rpartition(":")[2]: cursor["time"] for source, cursor in kept.cursors.items()}
        assert "" < times["stderr"] < times["stdout"]
        came = len(kept.lines)
        time.sleep(1)  # the container writes on
        asyncio.run(Docker(LocalDocker(engine.socket, "here"), b"key").run(kept))
        numbers = [int(line.rpartition(b" ")[2]) for line in kept.lines]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) > came
        assert ("here/talks", "following") in kept.said
    finally:
        engine.clear()


def test_one_bad_host_or_container_stops_no_other(engine: Engine, sshd: Sshd, tmp_path: Path, logshed: Run) -> None:
    engine.run("good", "echo INFO fine")
    engine.run("mute", "echo INFO lost", "--log-driver", "none")
    until(lambda: engine("ps", "-q") == "")
    done = logshed(
        "collect", "docker", "--host", sshd.address, "--host", "ssh://root@127.0.0.1:9", "--json", env=sshd.environment
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["lines"] == 1
    assert "cannot connect to 127.0.0.1:9: connection refused" in report["failed"]["docker:127.0.0.1:9"]
    failed = [one for one in report["targets"] if one["state"] == "failed"]
    cause = "its logging driver cannot be read; use json-file, local or journald"
    assert [one["text"] for one in failed] == [f"cannot read the container mute of 127.0.0.1:{sshd.port}: {cause}"]
    assert any(line.endswith("INFO fine") for lines in rested(tmp_path).values() for line in lines)
    noted = [json.loads(line) for line in (tmp_path / "logshed-spool" / "audit.jsonl").read_text().splitlines()[1:]]
    assert {entry["verb"] for entry in noted} >= {"collect", "command", "disconnect"}
    assert Settings.load(tmp_path, environ={}).spool.is_dir()
    assert os.stat(tmp_path / "logshed-spool" / "audit.jsonl").st_mode & 0o077 == 0  # noqa: PTH116 - plain


def test_the_forced_command_of_the_examples_lets_all_that_is_needed_through_and_nothing_else(
    engine: Engine, tmp_path: Path, examples: Path, logshed: Run
) -> None:
    engine.run("shop", "echo INFO one; sleep 60")
    server = Sshd(
        tmp_path / "ssh",
        forced=str(examples / "ssh" / "logshed-docker"),
        environment={"DOCKER_HOST": engine.socket},
    )
    try:
        done = logshed("collect", "docker", "--host", server.address, "--json", env=server.environment)
        assert json.loads(done.stdout)["lines"] == 1, done.stderr
        status = logshed("collect", "status", "--host", server.address, "--json", env=server.environment)
        assert json.loads(status.stdout)["containers"][0]["cpu"].endswith("%"), status.stderr
        ssh = ("ssh", "-p", str(server.port), "-i", server.key, "-o", f"UserKnownHostsFile={server.known}", "127.0.0.1")
        for asked in (
            "id",
            "docker rm -f shop",
            "docker logs --timestamps shop;id",
            "docker logs --timestamps $(id)",
            "",
        ):
            refused = subprocess.run(
                [*ssh, asked], check=False, capture_output=True, stdin=subprocess.DEVNULL, text=True
            )
            assert (refused.returncode, refused.stdout) == (126, ""), asked
        assert engine("ps", "-q").strip()
    finally:
        server.cut()
        engine.clear()
