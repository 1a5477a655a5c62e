"""The journal of a machine, read by the real journalctl from real journal files, comes into the lake: every entry once.

No systemd runs where these tests do: systemd-journal-remote writes the files, and adds to them while they are followed.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.numbered import wait_for
from tests.servers import Sshd

from logshed.api import Lake
from logshed.settings import Settings

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.started import Process, Starter

NUMBERS = """
SELECT count(*), count(DISTINCT text), min(n), max(n)
FROM (SELECT text, regexp_extract(text, '#(\\d+)#', 1)::int AS n FROM lines)
"""
REMOTE = Path("/lib/systemd/systemd-journal-remote")


class WrittenJournal:
    """A journal file.

    Args:
        folder: Its folder.
    """

    def __init__(self, folder: Path) -> None:
        if not REMOTE.exists() or shutil.which("journalctl") is None:
            pytest.skip("needs systemd-journal-remote and journalctl: apt-get install systemd-journal-remote")
        folder.mkdir()
        self.folder, self.entries = folder, 0

    def add(self, count: int, message: bytes = b"shop is open #%d# for bob@example.com\nsecond line") -> None:
        """Add entries, of two units in turn, in the form in which journals are exported."""
        written = b""
        for number in range(self.entries, self.entries + count):
            fields = {
                "__REALTIME_TIMESTAMP": 1_767_225_600_000_000 + number * 1000,
                "__MONOTONIC_TIMESTAMP": 1000 + number,
                "_BOOT_ID": "1" * 32,
                "_MACHINE_ID": "2" * 32,
                "_HOSTNAME": "web-1",
                "_SYSTEMD_UNIT": ("a.service", "b.service")[number % 2],
                "SYSLOG_IDENTIFIER": "shop",
                "PRIORITY": number % 8,
            }
            text = message % number
            written += "".join(f"{name}={value}\n" for name, value in fields.items()).encode()
            written += b"MESSAGE\n" + len(text).to_bytes(8, "little") + text + b"\n\n"
        self.entries += count
        words = [REMOTE, f"--output={self.folder}/app.journal", "-"]
        subprocess.run(words, input=written, check=True, capture_output=True)


@pytest.fixture
def journal(tmp_path: Path) -> WrittenJournal:
    """A journal without entries."""
    return WrittenJournal(tmp_path / "journal")


def lake(folder: Path) -> Lake:
    return Lake.open(folder / "logshed-lake", settings=Settings.load(folder, environ={}))


def test_entries_come_with_their_fields_redacted_and_once(
    tmp_path: Path, journal: WrittenJournal, logshed: Run
) -> None:
    words = ("collect", "journal", "--directory", journal.folder, "--into-lake")
    for count in (3, 0, 400):
        if count:
            journal.add(count)
        done = logshed(*words)
        assert done.returncode == 0, done.stderr
    assert lake(tmp_path).query(NUMBERS).rows() == [(403, 403, 0, 402)]
    rows = lake(tmp_path).query(
        "SELECT host_name, service_name, severity_text, attributes['_SYSTEMD_UNIT'], body FROM logs "
        "ORDER BY timestamp LIMIT 1"
    )
    assert rows.rows() == [("web-1", "shop", "EMERG", "a.service", "shop is open #0# for [EMAIL]\nsecond line")]
    written = b"".join(path.read_bytes() for path in (tmp_path / "logshed-spool").rglob("*") if path.is_file())
    assert b"bob@example.com" not in written


def test_only_the_units_that_are_asked_for_come_and_each_choice_goes_on_by_itself(
    tmp_path: Path, journal: WrittenJournal, logshed: Run
) -> None:
    journal.add(10)
    words = ("collect", "journal", "--directory", journal.folder, "--into-lake")
    assert logshed(*words, "--unit", "b.service", "--since", "2026-01-01T00:00:00Z").returncode == 0
    assert lake(tmp_path).query(NUMBERS).rows() == [(5, 5, 1, 9)]
    assert logshed(*words, "--since", "1m").returncode == 0
    assert lake(tmp_path).query(NUMBERS).rows()[0][0] == 5
    for wrong in ("--unit=-x", "--unit=a;b", "--unit=a\nb", "--directory=/a b", "--directory=x"):
        done = logshed(*words, wrong)
        assert (done.returncode, "cannot run 'journalctl'" in done.stderr) == (2, True)


def test_messages_that_are_no_text_and_large_ones_come_too(
    tmp_path: Path, journal: WrittenJournal, logshed: Run
) -> None:
    journal.add(1, b"\x1b[1mcaf\xe9\x1b[0m #%d# of bob@example.com")
    journal.add(1, b"x" * 100_000 + b"#%d#")
    assert logshed("collect", "journal", "--directory", journal.folder, "--into-lake").returncode == 0
    bodies = lake(tmp_path).query("SELECT body FROM logs ORDER BY timestamp").rows()
    assert bodies[1] == ("x" * 100_000 + "#1#",)
    assert "#0# of [EMAIL]" in bodies[0][0]
    assert "caf\\xe9" in bodies[0][0]


def test_a_journal_is_followed_over_ssh_through_cuts_and_crashes(
    tmp_path: Path, journal: WrittenJournal, starter: Starter, environment: dict[str, str]
) -> None:
    sshd = Sshd(tmp_path / "sshd")
    words = ("collect", "journal", "--host", sshd.address, "--directory", str(journal.folder))

    def start() -> Process:
        own = {**environment, **sshd.environment, "HOME": str(tmp_path)}
        return starter.open([*words, "--follow", "--into-lake"], tmp_path, own)

    def lines() -> int:
        made = (tmp_path / "logshed-lake" / "logshed-lake.json").is_file()
        return int(lake(tmp_path).query("SELECT count(*) FROM lines").rows()[0][0]) if made else 0

    process = start()
    try:
        journal.add(300)
        wait_for(lambda: lines() == 300)
        sshd.cut()
        journal.add(300)
        sshd.start()
        journal.add(300)
        wait_for(lambda: lines() == 900)
        process.send_signal(signal.SIGKILL)
        process.wait()
        journal.add(300)
        process = start()
        wait_for(lambda: lines() == 1200)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        sshd.cut()
    assert lake(tmp_path).query(NUMBERS).rows() == [(1200, 1200, 0, 1199)]
