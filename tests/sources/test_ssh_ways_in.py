"""Hosts are logged in to by an agent, which is not forwarded, and through other hosts, which are verified as well."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from tests.servers import Sshd, found

from logshed.errors import SourceError
from logshed.sources import commands, places
from logshed.sources.hosts import Limits, answer
from logshed.sources.machines import Glob
from logshed.sources.ssh import SshHost
from logshed.ssh_settings import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AGENT_THERE = 'echo "[$SSH_AUTH_SOCK]"'
"""Says whether an agent is there, whatever it is asked."""


class Home:
    """A home of the user, with nothing but an SSH configuration.

    Args:
        folder: Where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.ssh = folder / ".ssh"
        self.ssh.mkdir(mode=0o700, parents=True)
        self.known = self.ssh / "hosts"

    def configure(self, text: str) -> None:
        """Write the configuration."""
        (self.ssh / "config").write_text(text)

    def trust(self, *servers: Sshd) -> None:
        """Let the keys of servers be known."""
        self.known.write_text("".join(one.known.read_text() for one in servers))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return Home(tmp_path / "home")


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Sshd]:
    """The host that is asked."""
    started = Sshd(tmp_path / "target", forced=AGENT_THERE)
    yield started
    started.cut()


@pytest.fixture
def jump(tmp_path: Path) -> Iterator[Sshd]:
    """The host that is on the way, with keys of its own, and nothing to run."""
    started = Sshd(tmp_path / "jump", forced="/bin/false", options=("LogLevel DEBUG1",))
    yield started
    started.cut()


@pytest.fixture
def agent(home: Home, target: Sshd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An agent that has the target's key; the file of the key is gone."""
    socket = home.ssh / "agent"
    with subprocess.Popen(
        [found("ssh-agent", "openssh-client"), "-D", "-a", socket], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()  # it says where it listens
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        subprocess.run([found("ssh-add", "openssh-client"), "-q", target.key], check=True)
        target.key.unlink()
        yield socket
        process.terminate()


def asked(home: Home, host: str, **values: object) -> bytes:
    """What a host answers to ``docker ps``."""

    async def ask() -> bytes:
        there = SshHost(Place(**{"host": host, "known_hosts": home.known, "connect_seconds": 10, **values}))  # type: ignore[arg-type]
        try:
            return await answer(there, commands.docker_ps(), Limits(command=20))
        finally:
            await there.close()

    return asyncio.run(ask())


def refusal(home: Home, host: str, **values: object) -> str:
    with pytest.raises(SourceError) as caught:
        asked(home, host, **values)
    return str(caught.value)


def configured(target: Sshd, jump: Sshd, more: str = "") -> str:
    """A configuration by which ``inside`` is reached through ``bastion``."""
    return (
        f"Host inside\n  HostName 127.0.0.1\n  Port {target.port}\n  ProxyJump bastion\n"
        f"Host bastion\n  HostName 127.0.0.1\n  Port {jump.port}\n{more}"
        "Host *\n  ForwardAgent yes\n  RemoteCommand id\n"
    )


@pytest.mark.usefixtures("agent")
def test_an_agent_logs_in_without_a_key_file_and_is_not_forwarded(home: Home, target: Sshd) -> None:
    home.configure("Host *\n  ForwardAgent yes\n")
    home.trust(target)
    assert asked(home, target.address) == b"[]\n"
    subprocess.run(["ssh-add", "-q", "-D"], check=True, capture_output=True)
    assert "in with this key; check the user and the key" in refusal(home, target.address)


@pytest.mark.usefixtures("agent")
def test_an_agent_logs_in_to_the_host_on_the_way_too(home: Home, target: Sshd, jump: Sshd) -> None:
    (jump.folder / "authorized_keys").write_text((target.folder / "key.pub").read_text())
    home.configure(configured(target, jump))
    home.trust(target, jump)
    assert asked(home, "inside", user=target.user) == b"[]\n"
    assert "server_request_direct_tcpip" in jump.log.read_text()
    assert "auth-agent-req" not in jump.log.read_text()


def test_a_host_is_reached_through_another_with_the_keys_of_the_settings_and_of_the_configuration(
    home: Home, target: Sshd, jump: Sshd
) -> None:
    home.configure(configured(target, jump, f"  IdentityFile {jump.key}\n"))
    home.trust(target, jump)
    assert asked(home, "inside", key=str(target.key)) == b"[]\n"
    assert "server_request_direct_tcpip" in jump.log.read_text()
    jump.cut()
    assert "cannot connect to bastion, on the way to inside: connection refused" in refusal(
        home, "inside", key=str(target.key)
    )


def test_a_host_on_the_way_is_verified_and_its_refusal_is_its_own(home: Home, target: Sshd, jump: Sshd) -> None:
    (jump.folder / "authorized_keys").write_text((target.folder / "key.pub").read_text())
    home.configure(configured(target, jump))
    home.trust(target)
    key = str(target.key)
    assert f"cannot trust [127.0.0.1]:{jump.port}: its host key" in refusal(home, "inside", key=key)
    assert asked(home, "inside", key=key, accept_new=True) == b"[]\n"
    assert asked(home, "inside", key=key) == b"[]\n"
    (jump.folder / "authorized_keys").write_text((jump.folder / "key.pub").read_text())
    assert "cannot connect to bastion, on the way to inside: it does not let the user in" in refusal(
        home, "inside", key=key
    )


def test_a_command_of_the_configuration_does_not_run_instead_of_sftp(home: Home, tmp_path: Path, logs: Path) -> None:
    (logs / "app.log").write_text("one\n")
    ran = tmp_path / "ran"
    home.configure(f"Host *\n  RemoteCommand touch {ran}\n")
    server = Sshd(tmp_path / "sshd", options=("Subsystem sftp internal-sftp",))
    home.trust(server)
    there = Place(host=server.address, known_hosts=home.known, key=SecretStr(str(server.key)), files="sftp")

    async def listed() -> list[str]:
        files = places.files(there)
        try:
            return [one.path for one in await files.listed(Glob.parse(f"{logs}/*.log"))]
        finally:
            await files.close()

    try:
        assert asyncio.run(listed()) == [f"{logs}/app.log"]
    finally:
        server.cut()
    assert not ran.exists()


def test_hosts_that_lead_in_a_circle_are_an_error(home: Home, target: Sshd) -> None:
    home.configure("Host *\n  ProxyJump inside\n")
    home.trust(target)
    assert "or in a circle; look at ~/.ssh/config" in refusal(home, target.address, key=str(target.key))
    home.configure("Host *\n  ProxyJump none\n")
    assert asked(home, target.address, key=str(target.key)) == b"[]\n"
