"""The network between the collector and a host is cut and comes back: each line once, and the wait is told.

The host and the collector run in network namespaces of their own with a cable between them, so that a cut is what it is
in a data centre: nobody says goodbye, and no packet says that a port is closed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.collecting import Collecting
from tests.numbered import Writing, wait_for
from tests.servers import Sshd, found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.started import Starter

HOST, COLLECTOR = "10.213.77.1", "10.213.77.2"
SHORT = ("CONNECT", "COMMAND", "SILENCE")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


class Cable:
    """Two network namespaces with a cable between them; skipped where none can be made."""

    def __init__(self) -> None:
        if os.geteuid() != 0:
            pytest.skip("needs root to make network namespaces")
        self._ip = found("ip", "iproute2")
        self._spaces = [f"logshed-{os.getpid()}-{side}" for side in ("host", "collector")]
        self._ends = [f"ls{os.getpid()}{side}" for side in ("h", "c")]

    @property
    def host(self) -> tuple[str, ...]:
        """What starts a program at the host's end."""
        return (self._ip, "netns", "exec", self._spaces[0])

    @property
    def collector(self) -> tuple[str, ...]:
        """What starts a program at the collector's end."""
        return (self._ip, "netns", "exec", self._spaces[1])

    def plug(self) -> None:
        """Make it."""
        try:
            for space in self._spaces:
                self._do("netns", "add", space)
            self._do("link", "add", self._ends[0], "type", "veth", "peer", "name", self._ends[1])
        except subprocess.CalledProcessError as error:
            pytest.skip(f"network namespaces cannot be made here: {error.stderr.strip()}")
        for space, end, address in zip(self._spaces, self._ends, (HOST, COLLECTOR), strict=True):
            self._do("link", "set", end, "netns", space)
            self._do("-n", space, "address", "add", f"{address}/24", "dev", end)
            self._do("-n", space, "link", "set", end, "up")
            self._do("-n", space, "link", "set", "lo", "up")

    def unplug(self) -> None:
        """Remove it; what runs at its ends must have ended."""
        for space in self._spaces:
            subprocess.run([self._ip, "netns", "delete", space], check=False, capture_output=True)

    def link(self, state: str) -> None:
        """Take the collector's end down, or up."""
        self._do("-n", self._spaces[1], "link", "set", self._ends[1], state)

    def packets(self, state: str) -> None:
        """Let all packets vanish at the host's end, without a word, or no longer."""
        if (tables := shutil.which("iptables", path=PATH)) is None:
            pytest.skip("needs iptables: apt-get install iptables")
        for chain in ("INPUT", "OUTPUT"):
            what = "--append" if state == "down" else "--delete"
            words = [*self.host, tables, what, chain, "--jump", "DROP"]
            done = subprocess.run(words, check=False, capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"packets cannot be dropped here: {done.stderr.strip()}")

    def _do(self, *words: str) -> None:
        subprocess.run([self._ip, *words], check=True, capture_output=True, text=True)


@pytest.fixture
def cable() -> Iterator[Cable]:
    """A cable between the host and the collector."""
    made = Cable()
    try:
        made.plug()
        yield made
    finally:
        made.unplug()


@pytest.mark.parametrize("over", ["a shell", "SFTP"])
def test_a_network_that_goes_without_a_word_costs_no_line_and_the_wait_is_told(
    tmp_path: Path, environment: dict[str, str], logs: Path, cable: Cable, over: str, starter: Starter
) -> None:
    only = {"forced": "internal-sftp", "options": ("Subsystem sftp internal-sftp",)} if over == "SFTP" else {}
    server = Sshd(tmp_path / "sshd", listen=HOST, within=cable.host, **only)  # type: ignore[arg-type]
    short = {f"LOGSHED_SSH_{name}_SECONDS": "2" for name in SHORT}
    words = ("--host", server.address, "--path", f"{logs}/*.log", "--follow")
    collecting = Collecting(
        tmp_path, starter, {**environment, **server.environment, **short}, *words, within=cable.collector
    )
    log, cut = Writing(logs / "app.log"), cable.link if over == "a shell" else cable.packets
    try:
        with log.lines(10, 1_000):
            collecting.start()
        collecting.wait_for(10)
        with log.lines(5_000, 1_000):
            cut("down")
            wait_for(lambda: f"{server.listen}:{server.port}: waiting. cannot" in collecting.said)
            assert len(collecting.rested()) < 4_000
            cut("up")
        collecting.wait_for(log.written)
        code, said = collecting.stop()
    finally:
        if collecting.process is not None:
            collecting.process.kill()
            collecting.process.communicate()
        server.cut()
    assert (code, "error" in said, "it refuses" in said) == (0, False, False), said
    assert collecting.rested() == [*range(5_010)]
