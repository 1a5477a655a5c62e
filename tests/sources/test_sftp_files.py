"""Files of a real SSH server over SFTP: the way is found out or set, and what a host does not offer is said."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.servers import Sshd

from logshed.errors import GoneError, SourceError, UnreachableError
from logshed.sources import places
from logshed.sources.machines import Glob
from logshed.ssh_settings import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logshed.sources.machines import Entry, Machine

    Start = Callable[..., Sshd]

SUBSYSTEM = ("Subsystem sftp internal-sftp",)


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


def machine(server: Sshd, **values: Any) -> Machine:
    """The files of a server."""
    return places.files(
        Place(**{"host": server.address, "key": str(server.key), "known_hosts": server.known, **values})
    )


async def content(files: Machine, entry: Entry, start: int = 0) -> bytes:
    """What is in a file from an offset on."""
    return b"".join([block async for block in files.blocks(entry, start)])


def held(files: Machine, glob: str) -> dict[str, bytes]:
    """What the files hold that a glob stands for."""

    async def read() -> dict[str, bytes]:
        try:
            entries = await files.listed(Glob.parse(glob))
            return {Path(one.path).name: await content(files, one) for one in entries}
        finally:
            await files.close()

    return asyncio.run(read())


def refusal(files: Machine, glob: str) -> str:
    with pytest.raises(SourceError) as caught:
        held(files, glob)
    return str(caught.value)


def test_a_user_who_is_locked_into_a_folder_is_read_though_no_program_is_there(sshd: Start) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: only root's sshd changes the root folder")
    root = Path(tempfile.mkdtemp(dir="/run"))  # each folder above must be root's alone
    try:
        root.chmod(0o755)
        (root / "logs").mkdir()
        (root / "logs" / "app.log").write_text("one\n")
        server = sshd(forced="internal-sftp", options=(f"ChrootDirectory {root}", *SUBSYSTEM))
        assert held(machine(server), "/logs/*.log") == {"app.log": b"one\n"}
        assert f"cannot look into {root}/logs on 127.0.0.1" in refusal(machine(server), f"{root}/logs/*.log")
    finally:
        shutil.rmtree(root)


def test_the_way_is_found_out_or_set(sshd: Start, logs: Path) -> None:
    (logs / "app.log").write_text("one\n")
    (logs / "a b.log").write_text("two\n")
    only_sftp, only_shell = sshd(forced="internal-sftp", options=SUBSYSTEM), sshd()
    both = sshd(options=SUBSYSTEM)
    glob, shell, sftp = f"{logs}/*.log", {"app.log": b"one\n"}, {"app.log": b"one\n", "a b.log": b"two\n"}
    assert held(machine(only_sftp), glob) == sftp
    assert held(machine(only_shell), glob) == shell
    assert held(machine(both), glob) == shell
    assert held(machine(both, files="sftp"), glob) == sftp
    assert "This service allows sftp connections only." in refusal(machine(only_sftp, files="shell"), glob)
    assert "cannot use SFTP on 127.0.0.1" in refusal(machine(only_shell, files="sftp"), glob)
    assert "cannot look into /no/such on 127.0.0.1" in refusal(machine(only_sftp), "/no/such/*.log")
    assert held(machine(only_sftp), f"{logs}/a b.*") == {"a b.log": b"two\n"}


def test_a_large_file_comes_whole_from_any_offset_on(sshd: Start, logs: Path) -> None:
    data = os.urandom(2**20) * 5 + b"the end"
    (logs / "app.log").write_bytes(data)
    server = sshd(forced="internal-sftp", options=SUBSYSTEM)

    async def read() -> None:
        files = machine(server)
        try:
            (entry,) = await files.listed(Glob.parse(f"{logs}/app.log"))
            for start in (0, 1, 2**18, 3_000_001, len(data) - 1, len(data)):
                assert await content(files, entry, start) == data[start:]
            (logs / "app.log").write_bytes(b"another")
            with pytest.raises(GoneError, match="another file has taken its place"):
                await content(files, entry)
            (logs / "app.log").unlink()
            with pytest.raises(GoneError, match="there is none"):
                await content(files, entry)
        finally:
            await files.close()

    asyncio.run(read())


def test_a_host_that_says_nothing_and_one_that_is_cut_are_errors_that_may_pass(sshd: Start, logs: Path) -> None:
    (logs / "app.log").write_text("one\n")
    mute = sshd(forced="sleep 60", options=SUBSYSTEM)
    with pytest.raises(UnreachableError):
        held(machine(mute, files="sftp", connect_seconds=1), f"{logs}/*.log")
    server = sshd(forced="internal-sftp", options=SUBSYSTEM)

    async def cut() -> None:
        files = machine(server)
        try:
            (entry,) = await files.listed(Glob.parse(f"{logs}/*.log"))
            await asyncio.to_thread(server.cut)
            with pytest.raises(UnreachableError, match="the connection was cut"):
                await content(files, entry)
            await asyncio.to_thread(server.start)
            (again,) = await files.listed(Glob.parse(f"{logs}/*.log"))
            assert (again, await content(files, again)) == (entry, b"one\n")
        finally:
            await files.close()

    asyncio.run(cut())
