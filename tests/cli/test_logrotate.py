"""The real logrotate between ingests: no line is lost and none is there twice."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

LOGROTATE = shutil.which("logrotate", path="/usr/sbin:/usr/bin:/sbin:/bin")


def lines(first: int, last: int) -> str:
    return "".join(
        f'192.0.2.1 - - [20/May/2015:12:{n // 60:02d}:{n % 60:02d} +0000] "GET /{n} HTTP/1.1" 200 5 "-" "x"\n'
        for n in range(first, last)
    )


@pytest.mark.skipif(LOGROTATE is None, reason="needs logrotate; as root: apt-get install logrotate")
@pytest.mark.parametrize(
    "how",
    [
        "create",
        pytest.param("copytruncate", marks=pytest.mark.soak),
        pytest.param("create\n  compress", marks=pytest.mark.soak),
        "copytruncate\n  compress",
    ],
)
def test_a_log_that_logrotate_turns_over_is_neither_lost_nor_doubled(logshed: Run, tmp_path: Path, how: str) -> None:
    folder = tmp_path / "logs"
    folder.mkdir(mode=0o755)
    log = folder / "access.log"
    rules = tmp_path / "rules"
    rules.write_text(f"{log} {{\n  rotate 9\n  missingok\n  {how}\n}}\n")
    rules.chmod(0o644)
    written = 0
    for more in (40, 25, 30):
        with log.open("a") as file:
            file.write(lines(written, written + more))
        written += more
        assert logshed("ingest", folder).returncode == 0
        with log.open("a") as file:  # not seen before it is rotated away
            file.write(lines(written, written + 7))
        written += 7
        state = tmp_path / "state"
        subprocess.run([str(LOGROTATE), "--force", "--state", str(state), str(rules)], check=True, timeout=30)
    assert logshed("ingest", folder).returncode == 0
    asked = logshed("query", "SELECT count(*) AS n, count(DISTINCT url_path) AS d FROM logs", "--json")
    assert json.loads(asked.stdout) == [{"n": written, "d": written}]
    assert logshed("audit").returncode == 0
