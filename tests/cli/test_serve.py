"""``logshed serve`` as its users start it: the first administrator, who it is for, and its end."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from logshed.access import People

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.conftest import Run

WORDS = "quiet river under stone"
SECONDS = 60


@contextmanager
def serving(folder: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """One that runs in a process of its own; its address, and the process."""
    command = [sys.executable, "-m", "logshed", "serve", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            assert said.startswith("Logshed is at http://127.0.0.1:"), said
            yield said.split()[3].rstrip("/"), process
        finally:
            process.kill()


def test_the_first_start_prints_a_link_that_makes_the_administrator_and_later_ones_none(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    with serving(tmp_path, environment) as (url, process):
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Nobody administers it yet.")
        link = process.stdout.readline().strip()
        assert link.startswith(f"{url}/link/")
        made = httpx.post(link, data={"name": "root", "password": WORDS, "again": WORDS}, timeout=SECONDS)
        assert made.status_code == 303
        me = httpx.get(f"{url}/api/v1/session", cookies=made.cookies, timeout=SECONDS).json()
        assert (me["name"], me["role"]) == ("root", "admin")
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == -signal.SIGTERM
    with serving(tmp_path, environment) as (url, process):
        assert httpx.get(f"{url}/api/v1/session", cookies=made.cookies, timeout=SECONDS).json() == me
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=SECONDS)
        assert told == ""
    assert [one.name for one in People(tmp_path / "logshed-accounts.db").accounts.list()] == ["root"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--listen", "0.0.0.0:0"), "others than this machine reach it, and what they send can be read on its way"),
        (("--listen", "127.0.0.1"), "is no address; write host:port"),
        (("--certificate", "c.pem"), "a certificate needs its key"),
        (("--no-tokens", "--listen", "0.0.0.0:0", "--certificate", "c.pem", "--key", "k.pem"), "cannot use"),
    ],
)
def test_what_is_not_safe_is_refused_before_it_listens(logshed: Run, words: tuple[str, ...], text: str) -> None:
    done = logshed("serve", *words)
    assert (done.returncode in (1, 2), text in done.stderr) == (True, True), done.stderr
