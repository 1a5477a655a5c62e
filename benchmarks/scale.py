"""Measures how ingest scales over the workers of an engine, and computes what many terabytes a day need.

One task takes one processor, so that two workers can do twice what one does and no more. ``--simulated`` gives an
engine more workers than there are processors, and tasks that only wait as long as a real one works: what is lost then
is the engine's own. ``--model`` computes from figures that were measured before, and runs nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
# Read when Polars is imported: a task has one processor here, too, so that engines and threads are alike.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("RAY_AUTH_MODE", "disabled")
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
os.environ["PYTHONPATH"] = f"{ROOT / 'src'}:{ROOT}"

from benchmarks.formats import lines_of  # noqa: E402 - the path comes first

from logshed.api import Lake  # noqa: E402 - as above
from logshed.engine_settings import EngineSettings  # noqa: E402 - as above
from logshed.engines import made  # noqa: E402 - as above
from logshed.prices import Prices  # noqa: E402 - as above
from logshed.settings import Settings  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SPLIT_BYTES = 16 * 2**20
GB = 10**9
DAY_S = 86_400
WARM = 2
"""Tasks of each worker before it is measured: it loads its libraries and formats with the first."""
TASKS = 8
"""Tasks of each worker that only waits."""
BUSY = 0.6
"""Share of a worker's time that it may be planned to work: logs come in waves, and machines go."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run took.

    Attributes:
        engine: What ran it.
        workers: Tasks at once.
        start_s: Until the engine was there and its workers had loaded what they need, in seconds.
        seconds: The ingest, commit included.
        gb_s: Gigabytes a second.
    """

    engine: str
    workers: int
    start_s: float
    seconds: float
    gb_s: float


def main() -> None:
    """Print the figures as JSON."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--engine", choices=["local", "ray", "spark"], default="ray")
    words.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="tasks at once, run after run")
    words.add_argument("--family", default="JSON nested", help="kind of lines, as benchmarks/formats.py has them")
    words.add_argument("--bytes", type=int, default=256 * 2**20, help="bytes of the log")
    words.add_argument("--repeat", type=int, default=3, help="runs of each, of which the median counts")
    words.add_argument("--simulated", type=int, nargs="+", help="workers, each with eight tasks that wait")
    words.add_argument("--task-s", type=float, default=2.0, help="how long such a task waits")
    words.add_argument("--model", metavar="TB", type=float, help="only compute what so many terabytes a day need")
    words.add_argument("--cpu-s-per-gb", type=float, default=40.0, help="of the model: seconds of one processor")
    words.add_argument("--efficiency", type=float, default=0.65, help="of the model: what many workers do beside one")
    words.add_argument("--commit-s", type=float, default=0.36, help="of the model: seconds of a commit of both tables")
    words.add_argument("--plan-ms", type=float, default=0.15, help="of the model: planning of a data file, in ms")
    given = words.parse_args()
    if given.model:
        found = model(given.model, given.cpu_s_per_gb, given.efficiency, given.commit_s, given.plan_ms)
        print(json.dumps(found, indent=2))
        return
    if given.simulated:
        print(json.dumps([simulated(given.engine, number, given.task_s) for number in given.simulated], indent=2))
        return
    print(json.dumps(scaled(given.engine, given.workers, given.family, given.bytes, given.repeat), indent=2))


def scaled(engine: str, workers: Sequence[int], family: str, size: int, repeat: int) -> dict[str, Any]:
    """Runs with more and more workers, and the efficiency of each beside the first."""
    with tempfile.TemporaryDirectory(prefix="logshed-scale-") as folder:
        log = Path(folder) / "input.log"
        block = ("\n".join(lines_of(family)) + "\n").encode()
        log.write_bytes(block * max(size // len(block), 1))
        found = [run(engine, number, log, Path(folder), repeat) for number in workers]
    first = found[0]
    rows = [
        asdict(one) | {"efficiency": round(one.gb_s / first.gb_s / (one.workers / first.workers), 3)} for one in found
    ]
    return {"family": family, "bytes": log_bytes(block, size), "processors": os.cpu_count(), "runs": rows}


def log_bytes(block: bytes, size: int) -> int:
    """Bytes of the log: whole blocks."""
    return len(block) * max(size // len(block), 1)


def run(engine: str, workers: int, log: Path, folder: Path, repeat: int) -> Measured:
    """Ingest a log several times, each into a lake of its own."""
    start, *others = apart(lambda: _runs(engine, workers, log, folder, repeat))
    seconds = statistics.median(others)
    return Measured(engine, workers, round(start, 2), round(seconds, 2), round(log.stat().st_size / GB / seconds, 4))


def apart(call: Callable[[], Any]) -> Any:
    """Call it in a process of its own: an engine is begun once a process, with so many processors."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as told:
            told.write(json.dumps(call()))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        found = told.read()
    _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit(f"a run ended with {os.waitstatus_to_exitcode(status)}")
    return json.loads(found)


def _runs(engine: str, workers: int, log: Path, folder: Path, repeat: int) -> list[float]:
    few = folder / "few.log"
    with log.open("rb") as file:
        few.write_bytes(file.read(workers * WARM * SPLIT_BYTES))
    took = []
    for number, path in enumerate([few, *[log] * repeat]):
        settings = Settings.load(folder, environ={}).model_copy(update={"split_bytes": SPLIT_BYTES, "workers": workers})
        lake = Lake.open(
            folder / f"lake-{engine}-{workers}-{number}",
            create=True,
            settings=settings,
            engine={"name": engine, "num_cpus": workers, "task_cpus": 1},
        )
        begun = time.perf_counter()
        lake.ingest([path])
        took.append(time.perf_counter() - begun)
    return took


class Wait:
    """A task that takes as long as it is told, and no processor."""

    def __call__(self, seconds: float, /) -> float:
        """Wait."""
        time.sleep(seconds)
        return seconds

    def stop(self) -> None:
        """Nothing is under way."""


def simulated(engine: str, workers: int, seconds: float) -> dict[str, Any]:
    """How near an engine comes to ``workers`` times one worker where tasks only wait."""

    def timed() -> dict[str, Any]:
        runs = made(EngineSettings.model_validate({"name": engine, "num_cpus": workers}), workers)
        wait = import_module("benchmarks.scale").Wait()  # by a name that workers know, too
        list(runs.run(wait, [0.1] * workers * 2))  # its workers are begun by now
        begun = time.perf_counter()
        list(runs.run(wait, [seconds] * workers * TASKS))
        took = time.perf_counter() - begun
        return {"workers": workers, "seconds": round(took, 2), "efficiency": round(seconds * TASKS / took, 3)}

    return {"engine": engine, "tasks": workers * TASKS, "task_s": seconds} | apart(timed)


def model(terabytes: float, cpu_s_per_gb: float, efficiency: float, commit_s: float, plan_ms: float) -> dict[str, Any]:
    """What so many terabytes a day need.

    Args:
        terabytes: Bytes of raw logs a day, in 10**12.
        cpu_s_per_gb: Seconds of one processor that a gigabyte takes from its bytes to both tables' files.
        efficiency: Share of a worker's processor that does that, beside many others; the rest is the engine's.
        commit_s: Seconds of a commit of both tables; commits come one after another.
        plan_ms: Milliseconds that planning a question takes for each data file that may hold rows of it.
    """
    machine = next(one for one in Prices.load().machine if one.name == "i3.xlarge")
    gb = terabytes * 1000
    processors = math.ceil(gb * cpu_s_per_gb / DAY_S / BUSY / efficiency)
    machines = math.ceil(processors / machine.processors)
    batch_gb = 2**30 / GB
    commits = gb / batch_gb / 24
    files = gb / (2**26 / GB)  # one a split
    return {
        "raw_gb_a_day": gb,
        "processors": processors,
        "machines": {"kind": machine.name, "number": machines},
        "commits_an_hour": round(commits),
        "share_of_an_hour_that_commits_take": round(commits * commit_s / 3600, 3),
        "data_files_a_day_and_table_before_compaction": round(files),
        "manifests_a_day_before_they_are_merged": round(commits * 24),
        "planning_of_one_hour_s": round(files / 24 * plan_ms / 1000, 2),
        "dollars_a_day_on_demand": round(machines * 24 * float(machine.hour)),
        "dollars_a_day_spot": round(machines * 24 * float(machine.spot_hour)),
    }


if __name__ == "__main__":
    main()
