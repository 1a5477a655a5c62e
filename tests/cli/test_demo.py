from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


def test_the_demonstration_asks_five_questions_and_draws_the_traffic(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, str(DEMO)], check=False, capture_output=True, text=True, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("$ logshed run") == 6
    assert done.stdout.count("█") > 100
    assert "Try next:" in done.stdout
    assert re.search(r"took \d+\.\d s", done.stdout)
