"""Files of a real SSH server that offers nothing but SFTP are collected, every numbered line once."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.collecting import Collecting
from tests.numbered import Writing
from tests.servers import Sshd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.started import Starter


READING = "realpath,open,close,read,lstat,stat,fstat,opendir,readdir"
"""What SFTP has for reading; the server refuses all else."""
ONLY_SFTP = f"internal-sftp -R -p {READING}"
SUBSYSTEM = ("Subsystem sftp internal-sftp",)
ODD = ("app.log", "a b.log", "it's.log", "$(touch x).log", "-rf.log", "umlaut-\u00e4.log")


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    """A server that allows reading over SFTP, and no commands."""
    started = Sshd(tmp_path / "sshd", forced=ONLY_SFTP, options=SUBSYSTEM)
    yield started
    started.cut()


@pytest.fixture
def own(environment: dict[str, str], sshd: Sshd) -> dict[str, str]:
    """An environment that gets in."""
    return {**environment, **sshd.environment}


@pytest.mark.parametrize("how", [("create",), ("copytruncate", "compress")], ids=" ".join)
def test_every_line_arrives_once_through_rotation_cuts_and_crashes_without_inodes(
    tmp_path: Path, own: dict[str, str], sshd: Sshd, logs: Path, how: tuple[str, ...], starter: Starter
) -> None:
    log = Writing(logs / "app.log")
    collecting = Collecting(tmp_path, starter, own, "--host", sshd.address, "--path", f"{logs}/*.log", "--follow")
    with log.lines(10, 1_000):
        collecting.start()
    try:
        collecting.wait_for(10)
        with log.lines(6_000, 1_500):
            time.sleep(0.8)
            log.rotate(*how)
            time.sleep(0.5)
            sshd.cut()
            log.rotate(*how)
            sshd.start()
            time.sleep(1.5)
            collecting.stop(signal.SIGKILL)
            log.rotate(*how)
            collecting.start()
        collecting.wait_for(log.written)
    finally:
        code, err = collecting.stop()
    assert (code, "error" in err) == (0, False), err
    assert collecting.rested() == [*range(6_010)]


def test_names_that_no_shell_is_given_are_read_over_sftp_and_told_over_a_shell(
    tmp_path: Path, environment: dict[str, str], own: dict[str, str], sshd: Sshd, logs: Path, starter: Starter
) -> None:
    for name in (*ODD, "new\nline.log"):
        (logs / name).write_text(f"2026-01-01 00:00:00 INFO number={len(name)}\n")
    (logs / "link.log").symlink_to("app.log")
    (logs / "around").symlink_to(".")
    collecting = Collecting(tmp_path, starter, own, "--host", sshd.address, "--path", f"{logs}/**/*.log")
    code, _, err = collecting.once()
    assert (code, sorted(collecting.rested())) == (0, sorted(map(len, ODD))), err
    assert err.count("letters in its name cannot be seen") == 2  # when it is found, and at the end
    trail = (tmp_path / "logshed-spool" / "audit.jsonl").read_text()
    asked = [json.loads(json.loads(line)["details"]) for line in trail.splitlines() if '"verb": "sftp"' in line]
    assert {Path(one["path"]).name for one in asked if one["asks"] == "open"} == set(ODD)
    assert {one["path"] for one in asked if one["asks"] == "list"} == {str(logs)}

    shell = Sshd(tmp_path / "shell")
    try:
        over = Collecting(
            tmp_path, starter, {**environment, **shell.environment}, "--host", shell.address, "--path", f"{logs}/*.log"
        )
        code, out, err = over.once("--json")
    finally:
        shell.cut()
    told = {one["name"].rpartition("/")[2]: one for one in json.loads(out)["targets"]}
    assert code == 0, err
    for name in ("a b.log", "it's.log", "$(touch x).log", "umlaut-\u00e4.log"):
        assert told[name]["state"] == "failed"
        assert f"{name} over a shell: it has blanks, quotes or letters beyond ASCII" in told[name]["text"]
