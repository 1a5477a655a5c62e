"""Shows what Logshed does: takes the sample logs into a lake, asks five questions, draws the traffic of each hour."""

# ruff: noqa: T201, INP001 - a script that talks to people

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

from logshed.cli.app import app

HERE = Path(__file__).parent
LAKE = HERE.parent / "build" / "demo-lake"
DAY = ("--since", "2015-05-19", "--until", "2015-05-21")
LOGS = ("access.log", "app.jsonl", "auth.log", "docker-json.log")

QUESTIONS = (
    ("What did the web server answer?", ("http_traffic", *DAY)),
    ("Which pages were asked for most?", ("top_paths", *DAY)),
    ("How bad is it?", ("levels", *DAY)),
    ("Which loggers write errors?", ("top_error_sources", *DAY)),
    ("Who tried to get in?", ("failed_logins", *DAY)),
)

NEXT = """
Try next:
  {program} query "SELECT client_address, count(*) AS n FROM logs GROUP BY 1 ORDER BY n DESC LIMIT 5" --lake {lake}
  {program} rejects --lake {lake}    the line that no format took, and why
  {program} audit --lake {lake}      proof that every line has one fate
  {program} run                                 all questions
  {program} formats explain /var/log/...        which format a file of yours has
  {program} ingest /var/log/...                 your own logs, into ./logshed-lake
"""


def main() -> int:
    """Run the demonstration; returns the exit code of the first command that fails."""
    shutil.rmtree(LAKE, ignore_errors=True)
    begun = time.perf_counter()
    title("Take four logs into a lake: what they are is found out, what is private is replaced")
    if code := logshed("ingest", *(name(HERE / log) for log in LOGS), "--lake", name(LAKE)):
        return code
    for text, words in QUESTIONS:
        title(text)
        if code := logshed("run", *words, "--lake", name(LAKE)):
            return code
    title("When was it busy?")
    if code := logshed("run", "traffic_by_hour", *DAY, "--chart", "--lake", name(LAKE)):
        return code
    print(f"\nIngest, five questions and the chart took {time.perf_counter() - begun:.1f} s.")
    print(NEXT.format(program=name(Path(sys.executable).with_name("logshed")), lake=name(LAKE)), end="")
    return 0


def logshed(*words: str) -> int:
    """Show a command line and run it, in this process so that it starts at once."""
    print(f"$ logshed {' '.join(words)}", flush=True)
    return int(app(list(words), prog_name="logshed", standalone_mode=False) or 0)


def title(text: str) -> None:
    """Say what comes next."""
    print(f"\n── {text} " + "─" * max(0, 76 - len(text)))


def name(path: Path) -> str:
    """A path as one would type it here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
