"""Each way in which a host cannot be read is named, with what to do; host keys are verified; nothing tells of a key."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.servers import Engine, Sshd

from logshed.errors import SourceError, UnreachableError
from logshed.sources import commands
from logshed.sources.docker_containers import listed
from logshed.sources.hosts import Limits, answer, running, shown
from logshed.sources.ssh import SshHost
from logshed.sources.ssh_connections import SESSIONS
from logshed.ssh_settings import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., Sshd]

ANSWERS = "/bin/sh -c 'echo {}'"
LIMITS = Limits(command=20)


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Start]:
    """Starts servers; those that it started are ended."""
    started: list[Sshd] = []

    def start(**how: Any) -> Sshd:
        started.append(Sshd(tmp_path / f"ssh{len(started)}", **how))
        return started[-1]

    yield start
    for one in started:
        one.cut()


def place(server: Sshd, **values: Any) -> Place:
    return Place(**{"host": server.address, "key": str(server.key), "known_hosts": server.known, **values})


def asked(where: Place, limits: Limits = LIMITS) -> bytes:
    """What a host answers to ``docker ps``."""

    async def ask() -> bytes:
        host = SshHost(where)
        try:
            return await answer(host, commands.docker_ps(), limits)
        finally:
            await host.close()

    return asyncio.run(ask())


def refusal(where: Place, limits: Limits = LIMITS) -> str:
    with pytest.raises(SourceError) as caught:
        asked(where, limits)
    return str(caught.value)


def test_a_host_answers_by_key_file_and_by_key_text(sshd: Start, tmp_path: Path) -> None:
    server = sshd(forced=ANSWERS)
    assert asked(place(server)) == b"{}\n"
    text = server.key.read_text()
    assert asked(place(server, key=text)) == b"{}\n"
    assert asked(place(server, key=text.strip().replace("\n", "\\n"))) == b"{}\n"
    assert "cannot read the key /no/key: No such file" in refusal(place(server, key="/no/key"))
    (tmp_path / "bad").write_text("hello")
    assert "it is no private key" in refusal(place(server, key=str(tmp_path / "bad")))


def test_a_key_never_stands_in_an_error(sshd: Start) -> None:
    server = sshd(forced=ANSWERS)
    text = server.key.read_text()
    broken = text.replace(text.splitlines()[1][:20], "A" * 20)
    said = refusal(place(server, key=broken))
    assert said.startswith("cannot use the key of the settings: ")
    assert not any(line in said for line in text.splitlines()[1:-1])
    assert text.splitlines()[1] not in repr(place(server, key=text))


def test_a_wrong_user_and_a_wrong_key_are_not_let_in(sshd: Start) -> None:
    server = sshd(forced=ANSWERS)
    where = f"cannot connect to 127.0.0.1:{server.port}: "
    wrong = place(server, key=str(server.folder / "other"))
    assert refusal(wrong) == f"{where}it does not let {server.user} in with this key; check the user and the key"
    nobody = place(server, host=f"ssh://no-such-user@127.0.0.1:{server.port}")
    assert "it does not let no-such-user in" in refusal(nobody)


def test_an_unknown_host_is_refused_and_accepted_once_where_that_is_asked_for(sshd: Start) -> None:
    server = sshd(forced=ANSWERS)
    server.known.unlink()
    assert "host key SHA256:" in refusal(place(server))
    assert "is not known; compare it with the host's own and use --accept-new once" in refusal(place(server))
    assert not server.known.exists()
    assert asked(place(server, accept_new=True)) == b"{}\n"
    assert server.known.stat().st_mode & 0o077 == 0
    assert asked(place(server)) == b"{}\n"


def test_a_changed_host_key_is_refused_even_where_new_ones_are_accepted(sshd: Start) -> None:
    server = sshd(forced=ANSWERS)
    server.trust(server.folder / "other.pub")
    before = server.known.read_text()
    for accept_new in (False, True):
        assert "its host key has CHANGED to SHA256:" in refusal(place(server, accept_new=accept_new))
    assert server.known.read_text() == before
    rsa = server.folder / "rsa"  # the server has no key of this kind
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsa], check=True)
    server.trust(rsa.with_suffix(".pub"))
    assert "its host key has CHANGED" in refusal(place(server, accept_new=True))


def test_known_hosts_that_cannot_be_read_are_named(sshd: Start, tmp_path: Path) -> None:
    server = sshd(forced=ANSWERS)
    assert f"cannot read {tmp_path}: Is a directory; check its permissions" in refusal(
        place(server, known_hosts=tmp_path)
    )


def test_a_host_that_is_down_or_silent_or_has_no_name_is_named() -> None:
    assert refusal(Place(host="127.0.0.1:9")) == (
        "cannot connect to 127.0.0.1:9: connection refused; check the address, and that SSH runs there"
    )
    assert "its name is not known" in refusal(Place(host="no-such-host.invalid"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = Place(host=f"127.0.0.1:{silent.getsockname()[1]}", connect_seconds=0.5)
        assert "no answer in 0.5 s" in refusal(where)


def test_what_docker_or_the_shell_complains_of_is_named(sshd: Start, engine: Engine) -> None:
    none = place(sshd(environment={"DOCKER_HOST": "unix:///no/docker.sock"}))
    assert "Docker does not run there; start it, or check the socket" in refusal(none)
    without = place(sshd(forced='/usr/bin/env -i PATH=/no/path /bin/sh -c "$SSH_ORIGINAL_COMMAND"'))
    assert "there is no program docker; install Docker there" in refusal(without)
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv: apt-get install util-linux")
    drop = 'setpriv --reuid=65534 --clear-groups /bin/sh -c "$SSH_ORIGINAL_COMMAND"'
    outsider = place(sshd(forced=drop, environment={"DOCKER_HOST": engine.socket}))
    assert "the user may not use Docker there; let it, as docs/collect.md shows" in refusal(outsider)


def test_an_answer_that_is_late_or_too_large_or_none_of_dockers_is_refused(
    sshd: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no answer in 0.5 s" in refusal(place(sshd(forced="sleep 30")), Limits(command=0.5))
    monkeypatch.setattr("logshed.sources.hosts.ANSWER_BYTES", 2**20)
    assert "it is larger than 1,048,576 bytes" in refusal(place(sshd(forced="cat /dev/zero")))

    async def ask(where: Place) -> None:
        host = SshHost(where)
        try:
            await listed(host, LIMITS)
        finally:
            await host.close()

    with pytest.raises(SourceError, match="the answer is not Docker's; see what its login prints"):
        asyncio.run(ask(place(sshd(forced="echo welcome"))))


def test_more_commands_than_a_connection_takes_run_on_several(sshd: Start) -> None:
    server = sshd(forced="sleep 60", options=("MaxSessions 3",))

    async def many() -> int:
        host = SshHost(place(server))
        argv = commands.docker_logs("shop", follow=True)
        started = await asyncio.gather(*(host.start(argv) for _ in range(SESSIONS + 2)))
        number = len(host.connections)
        await asyncio.gather(*(one.end() for one in started))
        await host.close()
        return number

    assert asyncio.run(many()) >= 4


def test_a_cut_connection_is_an_error_that_may_pass(sshd: Start) -> None:
    server = sshd(forced="sleep 60")

    async def cut() -> None:
        host = SshHost(place(server))
        try:
            async with running(host, commands.docker_logs("shop", follow=True)) as one:
                await asyncio.to_thread(server.cut)
                await one.stdout.read(1)
                await one.ended()
        finally:
            await host.close()

    begun = time.monotonic()
    with pytest.raises(UnreachableError, match="the connection was cut"):
        asyncio.run(cut())
    assert time.monotonic() - begun < 10


def test_what_a_host_says_is_shown_in_one_line_without_what_moves_a_cursor() -> None:
    assert (
        shown(b"bad\x1b[2J\nnews\x00 \xff" + "\N{RIGHT-TO-LEFT OVERRIDE}".encode())
        == "bad [2J news \N{REPLACEMENT CHARACTER}"
    )
    assert len(shown(b"x" * 100_000)) == 300
