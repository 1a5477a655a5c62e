"""Fuzzes decoders with atheris, one after the other: ``python -m tests.fuzz.run --seconds 600 [elastic ...]``.

Each begins with its corpus here and with what earlier runs found new. What a decoder fails on is written down, once for
each place that it fails at and as small as it came, and the search goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
LARGEST = 65_536
MEGABYTES = 1024
ONE = "--one"
_FIGURES = re.compile(r"#(\d+)\s+DONE\s+cov: (\d+) .*exec/s: (\d+)")


def main() -> int:
    """Fuzz what is asked for; returns 1 where anything failed."""
    from tests.fuzz.targets import BY_NAME  # noqa: PLC0415 - a child instruments what it imports

    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("names", nargs="*", help=f"of {', '.join(BY_NAME)}; all unless told otherwise")
    reader.add_argument("--seconds", type=int, default=600, help="for each")
    reader.add_argument("--work", type=Path, default=HERE.parents[1] / ".fuzz", help="where inputs go that are found")
    asked = reader.parse_args()
    if unknown := set(asked.names) - BY_NAME.keys():
        reader.error(f"there is no decoder {', '.join(sorted(unknown))}; there are {', '.join(BY_NAME)}")
    failed = [name for name in asked.names or BY_NAME if _run(name, asked.seconds, asked.work)]
    return int(bool(failed))


def _run(name: str, seconds: int, work: Path) -> bool:
    """Fuzz one; returns whether it failed on anything."""
    failed, inputs = work / "failed" / name, work / "corpus" / name
    for folder in (failed, inputs):
        folder.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-max_len={LARGEST}", f"-rss_limit_mb={MEGABYTES}", "-timeout=30"]
    folders = [str(inputs), str(HERE / "corpus" / name)]
    command = [sys.executable, "-m", "tests.fuzz.run", ONE, name, str(failed), *options, *folders]
    with (work / f"{name}.log").open("w+") as log:
        ended = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, cwd=HERE.parents[1], check=False)
        log.seek(0)
        told = log.read()
    found = sorted(one.stem for one in failed.glob("*.txt"))
    figures = _FIGURES.search(told)
    if figures is None or ended.returncode:
        sys.stdout.write(f"{name}: ended with {ended.returncode}; {work / name}.log says why\n")
        return True
    said = "{} executions, {} edges, {} executions a second".format(*figures.groups())
    sys.stdout.write(f"{name}: {said}, {len(found)} failures{f' in {failed}' if found else ''}\n")
    return bool(found)


def _fuzz(name: str, failed: Path, options: list[str]) -> None:
    import atheris  # noqa: PLC0415 - of the group `fuzz`

    with atheris.instrument_imports(include=["logshed.receivers", "logshed.doors.bodies"]):
        from tests.fuzz import targets  # noqa: PLC0415 - to be instrumented
    target = targets.BY_NAME[name]
    atheris.Setup([sys.argv[0], *options], _noting(lambda data: targets.bounded(target, data), failed))
    atheris.Fuzz()


def _noting(run: Callable[[bytes], None], failed: Path) -> Callable[[bytes], None]:
    def one(data: bytes) -> None:
        try:
            run(data)
        except Exception as error:  # noqa: BLE001 - that there is none is what is looked for
            _note(error, data, failed)

    return one


def _note(error: Exception, data: bytes, failed: Path) -> None:
    """Keep an input, unless a smaller one failed at the same place."""
    last = [f"{one.filename}:{one.lineno}" for one in traceback.extract_tb(error.__traceback__)[-2:]]
    place = hashlib.sha256(" ".join([type(error).__name__, *last]).encode()).hexdigest()[:12]
    kept = failed / place
    if not kept.exists() or len(data) < kept.stat().st_size:
        kept.write_bytes(data)
        kept.with_suffix(".txt").write_text("".join(traceback.format_exception(error)))


if __name__ == "__main__":
    if sys.argv[1:2] == [ONE]:
        _fuzz(sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
    else:
        sys.exit(main())
