"""Files of a real SSH server come into the lake, every numbered line once: through rotation, cuts and crashes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.collecting import NUMBERS, Collecting
from tests.conftest import ROOT
from tests.numbered import Writing, wait_for
from tests.servers import Sshd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.started import Starter

COLLECTIONS = """
SELECT collection, count(*), count(DISTINCT body), bool_and(body LIKE '% ' || collection)
FROM logs GROUP BY 1 ORDER BY 1
"""


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    """A server that allows commands, and no SFTP."""
    started = Sshd(tmp_path / "sshd")
    yield started
    started.cut()


@pytest.fixture
def collecting(
    tmp_path: Path, environment: dict[str, str], sshd: Sshd, logs: Path, starter: Starter
) -> Iterator[Collecting]:
    """A collection of what lies in ``logs`` over SSH."""
    words = ("--host", sshd.address, "--path", f"{logs}/*.log")
    found = Collecting(tmp_path, starter, {**environment, **sshd.environment}, *words)
    yield found
    if found.process is not None:
        found.process.kill()
        found.process.communicate()


@pytest.mark.parametrize("how", [("create",), ("copytruncate", "compress")], ids=" ".join)
def test_every_line_arrives_once_through_rotation_cuts_and_crashes(
    collecting: Collecting, sshd: Sshd, logs: Path, how: tuple[str, ...]
) -> None:
    log = Writing(logs / "app.log")
    with log.lines(10, 1_000):
        collecting.start("--follow", "--into-lake")
    wait_for(lambda: collecting.lines() == 10)
    with log.lines(12_000, 1_500):
        time.sleep(1.5)
        log.rotate(*how)
        time.sleep(0.5)
        sshd.cut()
        log.rotate(*how)
        time.sleep(0.5)
        sshd.start()
        time.sleep(1.5)
        collecting.stop(signal.SIGKILL)
        log.rotate(*how)
        collecting.start("--follow", "--into-lake")
        time.sleep(1)
    wait_for(lambda: collecting.lines() >= log.written)
    code, err = collecting.stop()
    assert (code, "error" in err) == (0, False)
    assert collecting.lake().query(NUMBERS).rows() == [(12_010, 12_010, 0, 12_009)]
    assert collecting.lake().audit().ok


def test_a_web_farm_is_one_stream_by_collection_and_only_what_is_wanted(collecting: Collecting, logs: Path) -> None:
    for server in ("web1", "web2"):
        log = Writing(logs / f"{server}.log")
        with log.lines(600, 10_000, f" on {server} %"):
            pass
        with log.path.open("a") as file:
            file.write("a line of nobody\n")
    words = (
        "--collection-from",
        " ([0-9]+)$",
        "--into-lake",
        "--json",
        "--where",
        "body NOT LIKE '%web2%' OR collection = '1'",
    )
    code, out, err = collecting.once(*words)
    assert code == 0, err
    texts = {one["name"].rpartition("/")[2]: one["text"] for one in json.loads(out)["targets"]}
    assert texts["web1.log"] == texts["web2.log"] == "1 lines dropped: no collection"
    rows = collecting.lake().query(COLLECTIONS).rows()
    assert rows == [("0", 200, 200, True), ("1", 400, 400, True), ("2", 200, 200, True)]
    dropped = [one.dropped for one in collecting.lake().audit().sources]
    assert sum(dropped) == 400


def test_only_allowed_commands_reach_the_host_and_all_are_noted(
    tmp_path: Path, environment: dict[str, str], logs: Path, starter: Starter
) -> None:
    record = tmp_path / "asked"
    forced = tmp_path / "forced"
    forced.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$SSH_ORIGINAL_COMMAND" >> {record}\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n'
    )
    forced.chmod(0o755)
    server = Sshd(tmp_path / "sshd2", forced=str(forced))
    try:
        for name in (
            "app.log",
            "it's.log",
            "$(touch x).log",
            "a b.log",
            "new\nline.log",
            "-rf.log",
            "umlaut-\u00e4.log",
        ):
            (logs / name).write_text(f"2026-01-01 00:00:00 INFO number={len(name)}\n")
        words = ("--host", server.address, "--path", f"{logs}/*.log")
        collecting = Collecting(tmp_path, starter, {**environment, **server.environment}, *words)
        assert collecting.once("--into-lake")[0] == 0
    finally:
        server.cut()
    asked = record.read_text().splitlines()
    limits = "-mindepth 1 -maxdepth 1 -type f '!' -name '*[[:cntrl:]]*'"
    find = f"find -L {logs} {limits} -exec stat -L -c '%d:%i %s %Y %n' '{{}}' +"
    path = re.escape(str(logs))
    reads = [line for line in asked if line != find]
    assert find in asked
    assert all(
        re.fullmatch(rf"(tail -c \+\d+|stat -L -c '%d:%i %s %Y %n') {path}/(app|-rf)\.log", line) for line in reads
    )
    assert collecting.lines() == 2
    trail = (tmp_path / "logshed-spool" / "audit.jsonl").read_text()
    assert "find" in trail
    assert "tail" in trail


def test_a_key_that_may_read_one_folder_is_enough_and_may_nothing_else(
    tmp_path: Path, environment: dict[str, str], logs: Path, starter: Starter
) -> None:
    (logs / "app.log").write_text("2026-01-01 00:00:00 INFO one\n")
    server = Sshd(tmp_path / "sshd2", forced=f"{ROOT}/examples/ssh/logshed-files {logs}")
    try:
        own = {**environment, **server.environment}
        given = ("--host", server.address, "--into-lake", "--path")
        assert Collecting(tmp_path, starter, own, *given, f"{logs}/*.log").once()[0] == 0
        found = Collecting(tmp_path, starter, own, *given, "/etc/*").once()
        assert (found[0], "logshed-files: not allowed" in found[2]) == (1, True)
        for command in (
            "id",
            f"tail -c +1 {logs}/../x",
            f"tail -c +1 {logs}x/y",
            f"tail -c +1 {logs}/a;id",
            "",
            f"tail -c +x {logs}/a",
        ):
            options = ("-o", f"UserKnownHostsFile={server.known}", "-o", "BatchMode=yes", "-i", server.key)
            words = ["ssh", *options, "-p", str(server.port), f"{server.user}@127.0.0.1", command]
            done = subprocess.run(words, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
            assert (done.returncode, done.stdout, "not allowed" in done.stderr) == (126, "", True), command
    finally:
        server.cut()
    assert Collecting(tmp_path, starter, own).lines() == 1


def test_a_host_that_is_down_stops_no_other_and_is_named(collecting: Collecting, logs: Path) -> None:
    (logs / "app.log").write_text("2026-01-01 00:00:00 INFO one\n")
    code, out, err = collecting.once("--host", "127.0.0.1:1", "--json")
    report: dict[str, Any] = json.loads(out)
    assert (code, report["lines"]) == (0, 1), err
    assert list(report["failed"]) == ["tail:127.0.0.1:1"]
    assert "cannot connect to 127.0.0.1:1: connection refused" in report["failed"]["tail:127.0.0.1:1"]


def test_what_goes_wrong_is_said_in_a_sentence(
    tmp_path: Path, environment: dict[str, str], sshd: Sshd, logs: Path, starter: Starter
) -> None:
    own = {**environment, **sshd.environment}
    for words, text, code in (
        (("--path", "/no/such/place/*.log"), "cannot look into /no/such/place on 127.0.0.1", 1),
        (("--path", "etc/*.log"), "no path of a file from the root on", 2),
        (("--path", "/a b/x.log"), "cannot run 'find' '-L' '/a b'", 1),
        (("--path", "/x.log", "--where", "nothing = 1", "--into-lake"), "nothing", 2),
        (("--path", "/x.log", "--where", "body = 'x'"), "cannot use --where without --into-lake", 2),
        (("--path", "/x.log", "--keep-unmatched", "rest"), "cannot use --keep-unmatched alone", 2),
        (("--path", "/x.log", "--match", "("), "no regular expression", 2),
        (("--path", f"{logs}/*.log", "--host", "local"), "leave --host out for this machine", 2),
    ):
        found = Collecting(tmp_path, starter, own, "--host", sshd.address, *words).once()
        assert (found[0], text in found[2]) == (code, True), found
