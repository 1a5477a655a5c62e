"""Writers, upkeep and readers at one time on one lake: every line once, every read whole, nobody waits for ever.

It takes some seconds with a few of them on a lake in a folder; ``LOGSHED_CONCURRENCY_S=300`` takes five minutes, with
eight writers and four readers, on a lake of PostgreSQL and S3 as well (moto answers one request after another).
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from tests.pipeline.samples import accesses
from tests.storages import S3, Postgres, as_toml

from logshed.api import Lake
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Run

SECONDS = float(os.environ.get("LOGSHED_CONCURRENCY_S", "5"))
LONG = SECONDS > 60
WRITERS, READERS = (8, 4) if LONG else (3, 2)
RESTS = ("own", "postgres", "postgres and s3") if LONG else ("own",)
LINES = 40
"""Lines that a writer adds at a time."""
UPKEEP = (("compact",), ("expire",), ("rewrite-manifests",), ("orphans",))
WHOLE = """
SELECT source, count(*) AS rows, count(DISTINCT "offset") AS places, max("offset") AS last
FROM {table} GROUP BY source
"""


class Together:
    """What runs beside each other until the time is up.

    Args:
        lake: The lake.
        logs: Where the writers' files lie.
        run: Runs the program.
    """

    def __init__(self, lake: Path, logs: Path, run: Run) -> None:
        self.lake, self._logs, self._run = lake, logs, run
        self._until = time.monotonic() + SECONDS
        self.written: dict[int, int] = {}
        self.reads = 0
        self.upkeep = 0
        self._lock = threading.Lock()

    def writer(self, number: int) -> None:
        """Ingest a file again and again, which grows each time."""
        log, rounds = self._logs / f"{number}.log", 0
        while rounds < 2 or time.monotonic() < self._until:
            with log.open("a") as file:
                file.write(accesses(rounds * LINES, (rounds + 1) * LINES))
            rounds += 1
            self._runs("ingest", log)
            self.written[number] = rounds * LINES

    def keeper(self) -> None:
        """Compact, expire, and so on, in turn."""
        while time.monotonic() < self._until or self.upkeep < len(UPKEEP):
            self._runs("maintain", *UPKEEP[self.upkeep % len(UPKEEP)])
            self.upkeep += 1

    def reader(self, table: str) -> None:
        """Each file is there up to some line, each of its lines once, and never less of it than before."""
        lake, seen, rounds = opened(self.lake), dict[str, int](), 0
        while rounds < 3 or time.monotonic() < self._until:
            rounds += 1
            found = lake.query(WHOLE.format(table=table)).rows()
            for source, rows, places, _ in found:
                assert rows == places, f"{table} has lines of {source} twice"
                assert rows % LINES == 0, f"{table} has a part of what was committed at once"
                assert rows >= seen.get(source, 0), f"{table} has lost lines of {source}"
                seen[source] = rows
            with self._lock:
                self.reads += 1

    def _runs(self, *words: str | Path) -> None:
        done = self._run(*words, "--lake", self.lake)
        assert done.returncode == 0, (words, done.stderr)


def opened(lake: Path) -> Lake:
    """The lake, with the settings that lie beside it."""
    return Lake.open(lake, settings=Settings.load(lake.parent, environ={}))


@pytest.fixture(params=RESTS)
def rests(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """Settings in the folder of the test, and the servers that they name."""
    with TemporaryDirectory(prefix="logshed-servers-") as folder, ExitStack() as servers:
        Path(folder).chmod(0o755)
        tables: dict[str, dict[str, str]] = {}
        if "postgres" in request.param:
            tables["catalog"] = servers.enter_context(Postgres(Path(folder) / "postgres")).catalog("together")
            tables["storage"] = {"warehouse": f"file://{tmp_path}/warehouse"}
        if "s3" in request.param:
            tables["storage"] = servers.enter_context(S3(Path(folder) / "s3")).storage("together")
        (tmp_path / "logshed.toml").write_text(as_toml(tables))
        yield


@pytest.mark.usefixtures("rests")
def test_writers_upkeep_and_readers_at_one_time_lose_nothing_and_double_nothing(
    tmp_path: Path, logs: Path, logshed: Run
) -> None:
    (logs / "first.log").write_text(accesses(0, LINES))
    lake = tmp_path / "lake"
    assert logshed("ingest", logs / "first.log", "--lake", lake).returncode == 0
    together = Together(lake, logs, logshed)
    work: list[Callable[[], None]] = [together.keeper]
    work += [lambda number=number: together.writer(number) for number in range(WRITERS)]  # type: ignore[misc]
    work += [lambda table=table: together.reader(table) for table in ("lines", "logs") * (READERS // 2)]  # type: ignore[misc]
    with ThreadPoolExecutor(len(work)) as pool:
        for one in [pool.submit(task) for task in work]:
            one.result()
    kept = {
        source.rpartition("/")[2]: rows for source, rows, *_ in opened(lake).query(WHOLE.format(table="logs")).rows()
    }
    assert kept == {"first.log": LINES, **{f"{number}.log": rows for number, rows in together.written.items()}}
    assert opened(lake).audit().ok
    assert together.reads > 2 * READERS
    assert together.upkeep >= len(UPKEEP)
