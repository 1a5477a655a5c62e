from __future__ import annotations

import json
import shutil
import zipfile
from email import message_from_bytes, policy
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

WINDOW = ("--since", "2015-05-19", "--until", "2015-05-21")


class Inbox:
    """Takes mail."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail."""
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


def test_a_report_of_the_sample_logs_is_made_and_told(lake: Path, logshed: Run, tmp_path: Path) -> None:
    done = logshed("report", "--lake", lake, *WINDOW, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "log_summary.txt").read_text("utf-8") in done.stdout
    assert str(tmp_path / "out" / "security_summary.html") in done.stdout
    assert "  1. HTTP 2xx" in done.stdout


def test_one_page_and_what_a_program_needs(lake: Path, logshed: Run, tmp_path: Path) -> None:
    words = ("--page", "error_breakdown", "--collection", "default", "--tz", "Europe/Berlin", "--json")
    done = logshed("report", "--lake", lake, *WINDOW, *words, "-o", tmp_path / "out")
    said = json.loads(done.stdout)
    assert [file["name"] for file in said["files"]] == ["error_breakdown.html", "log_summary.txt", "report.json"]
    assert said["files"][0]["bytes"] == (tmp_path / "out" / "error_breakdown.html").stat().st_size < 3_000_000
    assert said["events"] == json.loads((tmp_path / "out" / "report.json").read_bytes())["meta"]["events"]


def test_an_empty_window_says_what_the_lake_holds(lake: Path, logshed: Run, tmp_path: Path) -> None:
    words = ("--until", "2001-01-01", "--since", "2000-01-01", "--page", "compliance")
    done = logshed("report", "--lake", lake, *words, "-o", tmp_path / "out")
    assert done.returncode == 0
    assert "The report is empty. The lake holds 2015-05-19" in done.stderr
    assert "try --since 2015-05-19, or --since all." in done.stderr


def test_a_page_that_is_none_is_told(lake: Path, logshed: Run, tmp_path: Path) -> None:
    done = logshed("report", "--lake", lake, "--page", "comerce", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr == "error: cannot make the page 'comerce': there is none; did you mean commerce?\n"


def test_pages_are_printed_by_a_browser(lake: Path, logshed: Run, tmp_path: Path) -> None:
    if not shutil.which("chromium"):
        pytest.skip("needs the system package chromium, which is not installed; tools/system-packages installs it")
    done = logshed("report", "--lake", lake, *WINDOW, "--page", "security_summary", "--pdf", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "security_summary.pdf").read_bytes().startswith(b"%PDF")


def test_a_report_goes_by_mail_with_its_summary_and_its_pages(lake: Path, logshed: Run, tmp_path: Path) -> None:
    inbox = Inbox()
    server = Controller(inbox, "127.0.0.1", free_port(), data_size_limit=20_000_000)
    server.start()
    (tmp_path / "logshed.toml").write_text(
        f'[[alert]]\nname = "ops"\nto = "email"\nhost = "127.0.0.1"\nport = {server.port}\ntransport = "plain"\n'
        'sender = "logshed@example.org"\nrecipients = ["ops@example.org"]\n[[alert]]\nname = "out"\nto = "stdout"\n'
    )
    words = ("report", "--lake", lake, *WINDOW, "--page", "commerce", "-o", tmp_path / "may")
    try:
        done = logshed(*words, "--email", "ops")
        assert done.returncode == 0, done.stderr
        refused = logshed(*words, "--email", "out")
    finally:
        server.stop()
    (mail,) = inbox.mails
    assert mail["Subject"] == "[Logshed] Report 2015-05-19 00:00 to 2015-05-21 00:00"
    assert mail["To"] == "ops@example.org"
    text, packed = mail.iter_parts()
    summary = (tmp_path / "may" / "log_summary.txt").read_text("utf-8")
    assert text.get_content().splitlines() == summary.splitlines()
    assert packed.get_filename() == "may.zip"
    with zipfile.ZipFile(BytesIO(packed.get_content())) as archive:
        assert archive.namelist() == ["may/commerce.html", "may/log_summary.txt", "may/report.json"]
        assert archive.read("may/commerce.html") == (tmp_path / "may" / "commerce.html").read_bytes()
    assert refused.returncode == 2
    assert "alert out: to: stdout takes no documents" in refused.stderr
