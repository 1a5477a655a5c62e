from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.started import Starter

LINE = b"user=ada mail=bob@example.com\n"


@pytest.mark.parametrize(
    ("words", "stdin", "code"),
    [
        (["sanitize", "-"], LINE, 0),
        (["query", "SELECT getenv('TZ') AS zone, count(*) FROM logs"], b"", 1),
        (["audit", "--lake", "there-is-none"], b"", 1),
        (["ingst"], b"", 2),
        (["formats", "list", "--json"], b"", 0),
    ],
)
def test_a_process_is_as_one_that_an_interpreter_has_started(
    words: list[str], stdin: bytes, code: int, starter: Starter, environment: dict[str, str], tmp_path: Path
) -> None:
    environment = {**environment, "TZ": "Asia/Tokyo"}
    done = starter.run(words, tmp_path, environment, stdin, timeout=60)
    other = starter.run(words, tmp_path, {**environment, "PYTHONWARNINGS": "error::UserWarning"}, stdin, timeout=60)
    assert other.args[1:3] == ["-m", "logshed"]
    told, other_told = (re.sub(rb"in [0-9.]+ s;", b"", one.stderr) for one in (done, other))
    assert (done.returncode, done.stdout, told) == (other.returncode, other.stdout, other_told)
    assert done.returncode == code


def test_a_process_is_killed_and_told_to_end_as_any(
    starter: Starter, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "a.log").write_bytes(LINE)
    words = ["ingest", "--follow", "a.log"]
    process = starter.open(words, tmp_path, environment)
    assert process.poll() is None
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    assert process.poll() == -signal.SIGKILL
    assert process.communicate() == ("", "")
