"""Storages and catalogs fail, disks fill up, files go: nothing is lost or doubled, and what is said is clear."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from tests.faulty import FAULTS, Proxy, Wire
from tests.pipeline.samples import accesses
from tests.pipeline.test_hardship import small_disk  # noqa: F401 - a fixture
from tests.storages import S3, Postgres, as_toml

from logshed.api import Lake
from logshed.errors import LogshedError, StorageError
from logshed.lake.writing import room_told
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Run
    from tests.started import Starter

LINES = 40
ONCE = 'SELECT count(*), count(DISTINCT ("generation", "offset")) FROM {}'
FEW, MANY = 2, 8
"""How often verbs meet faults; many times, which takes minutes, by `-m soak`."""
UPKEEP: dict[str, Any] = {"grace": "0s", "alone": True}


class Servers:
    """A PostgreSQL behind a wire, and an S3 behind a proxy."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.postgres = stack.enter_context(Postgres(folder / "postgres"))
        self.wire = stack.enter_context(Wire(self.postgres))
        self._folder, self._stack = folder, stack
        self._s3: S3 | None = None

    @property
    def s3(self) -> S3:
        """The S3 server."""
        if self._s3 is None:
            self._s3 = self._stack.enter_context(S3(self._folder / "s3"))
        return self._s3

    def catalog(self, name: str) -> dict[str, str]:
        """Settings of a catalog through the wire."""
        own = self.postgres.catalog(name)
        return own | {"uri": own["uri"].replace(f":{self.postgres.port}/", f":{self.wire.port}/")}


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with TemporaryDirectory(prefix="logshed-servers-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)
        yield Servers(Path(folder), stack)


def lake_on(root: Path, catalog: dict[str, str], storage: dict[str, str]) -> Lake:
    settings = Settings.model_validate({"catalog": catalog, "storage": storage})
    return Lake.open(root, create=True, settings=settings)


def assert_whole(lake: Lake, expected: int) -> None:
    for table in ("lines", "logs"):
        assert lake.query(ONCE.format(table)).rows() == [(expected, expected)], table
    assert lake.audit().as_dict()["ok"]


def upkept(lake: Lake, *tasks: str) -> None:
    """Maintain, and raise what a table failed with."""
    failed = [one.error for one in lake.maintain(tasks, **UPKEEP) if one.error]
    if failed:
        raise StorageError(failed[0])


def test_faults_that_pass_are_not_felt(servers: Servers, tmp_path: Path) -> None:
    with Proxy(servers.s3, 0.0, seed=1) as proxy:
        lake = lake_on(tmp_path / "lake", servers.catalog("pass"), servers.s3.storage("pass") | {"endpoint": proxy.url})
        log = tmp_path / "access.log"
        proxy.chance = 0.2
        for number in range(2):
            with log.open("a") as file:
                file.write(accesses(number * LINES, (number + 1) * LINES))
            assert lake.ingest([log]).totals.stored == LINES
        assert proxy.met.keys() == set(FAULTS)
        proxy.chance = 0.0
        assert_whole(lake, 2 * LINES)


@pytest.mark.soak
@pytest.mark.parametrize("rounds", [FEW, MANY])
def test_what_cannot_be_done_says_why_and_the_next_run_makes_it_whole(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> None:
    import s3fs  # noqa: PLC0415 - heavy

    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with Proxy(servers.s3, 0.0, seed=3, row=100) as proxy:
        lake = lake_on(tmp_path / "lake", servers.catalog("fail"), servers.s3.storage("fail") | {"endpoint": proxy.url})
        log = tmp_path / "access.log"
        verbs: dict[str, Callable[[], object]] = {
            "ingest": lambda: lake.ingest([log]),
            "query": lambda: lake.query("SELECT max(url_path), count(*) FROM logs").rows(),
            "compact": lambda: upkept(lake, "compact"),
            "erase": lambda: lake.erase(column="url_path", value="/item/3", alone=True),
        }
        if rounds == MANY:
            verbs |= {"maintain": lambda: upkept(lake), "reparse": lambda: lake.reparse("all")}
        said: dict[str, str] = {}
        for number in range(rounds):
            with log.open("a") as file:
                file.write(accesses(number * LINES, (number + 1) * LINES))
            proxy.chance = 0.07
            for verb, call in verbs.items():
                try:
                    call()
                except LogshedError as error:
                    said[verb] = str(error)
        proxy.chance = 0.0
        assert len(said) >= 2, "it is faults that are looked at"
        for verb, text in said.items():
            assert text.startswith("cannot "), (verb, text)
            assert text.partition(": ")[2].count("; ") >= 1, (verb, text)
        for call in verbs.values():
            call()
        assert_whole(lake, rounds * LINES - 1)


def test_a_connection_to_the_catalog_that_is_cut_at_a_commit_loses_and_doubles_nothing(
    servers: Servers, tmp_path: Path
) -> None:
    lake = lake_on(tmp_path / "lake", servers.catalog("cut"), {"warehouse": f"file://{tmp_path}/warehouse"})
    log = tmp_path / "access.log"
    servers.wire.done.clear()
    for number, cuts in enumerate((["before", "", "after"], ["after", "before"])):
        with log.open("a") as file:
            file.write(accesses(number * LINES, (number + 1) * LINES))
        servers.wire.cuts[:] = cuts
        assert lake.ingest([log]).totals.stored == LINES
    servers.wire.cuts[:] = ["after", "before", "after"]
    upkept(lake)
    assert servers.wire.done == ["before", "after", "after", "before", "after", "before", "after"]
    assert_whole(lake, 2 * LINES)


@pytest.mark.soak
def test_a_catalog_that_goes_and_comes_back_is_waited_for(
    servers: Servers, tmp_path: Path, starter: Starter, environment: dict[str, str]
) -> None:
    tables = {"catalog": servers.catalog("back"), "storage": {"warehouse": f"file://{tmp_path}/warehouse"}}
    (tmp_path / "logshed.toml").write_text(as_toml(tables))
    lake = lake_on(tmp_path / "logshed-lake", tables["catalog"], tables["storage"])
    log = tmp_path / "access.log"
    log.write_text(accesses(0, LINES))
    told = tmp_path / "told"
    with told.open("wb") as file, Path(os.devnull).open("rb") as nothing:
        files = [nothing.fileno(), file.fileno(), file.fileno()]
        following = starter.start(["ingest", "--follow", str(log)], tmp_path, environment, files)

    def taken(expected: int) -> bool:
        return lake.query("SELECT count(*) FROM logs").rows() == [(expected,)]

    try:
        _wait(lambda: taken(LINES))
        servers.postgres.stop()
        with log.open("a") as file:
            file.write(accesses(LINES, 2 * LINES))
        with pytest.raises(StorageError, match=r"^cannot use the catalog .*: it does not answer; check uri"):
            lake.maintain()
        _wait(lambda: "warning: cannot use the catalog" in told.read_text())
        assert following.poll() is None
        servers.postgres.start()
        _wait(lambda: taken(2 * LINES))
    finally:
        following.send_signal(signal.SIGTERM)
        code = following.wait(60)
    assert code == 0, told.read_text()
    assert_whole(lake, 2 * LINES)


def _wait(done: Callable[[], bool], seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until
        time.sleep(1)


@pytest.mark.parametrize("task", ["compact", "expire", "erase"])
def test_a_disk_that_is_full_leaves_the_lake_as_it_was(
    task: str,
    small_disk: Path,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    lake = lake_on(small_disk / "lake", {}, {})
    log = tmp_path / "access.log"
    for number in range(2):
        with log.open("a") as file:
            file.write(accesses(number * LINES, (number + 1) * LINES))
        lake.ingest([log])
    filled = small_disk / "filled"
    with pytest.raises(OSError, match="No space left"):
        filled.write_bytes(bytes(2**23))

    def run() -> None:
        if task == "erase":
            lake.erase(column="url_path", value="/item/3", alone=True)
        else:
            upkept(lake, task)

    with pytest.raises(LogshedError, match=r"^cannot (write|compact|erase|use) .*(full|No space left).*; "):
        run()
    assert_whole(lake, 2 * LINES)
    filled.unlink()
    run()
    assert_whole(lake, 2 * LINES - (task == "erase"))


def test_a_catalog_file_that_is_locked_is_waited_for_and_one_that_may_only_be_read_is_told(tmp_path: Path) -> None:
    lake = lake_on(tmp_path / "lake", {}, {})
    log = tmp_path / "access.log"
    log.write_text(accesses(0, LINES))
    other = sqlite3.connect(lake.root / "catalog.db", check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(6.5, other.rollback)  # SQLite itself gives up after 5 s
    timer.start()
    assert lake.ingest([log]).totals.stored == LINES
    timer.join()
    other.execute("CREATE TRIGGER only_read BEFORE UPDATE ON iceberg_tables BEGIN SELECT RAISE(ABORT, 'readonly'); END")
    other.close()
    with log.open("a") as file:
        file.write(accesses(LINES, 2 * LINES))
    with pytest.raises(StorageError, match=r"^cannot use .*catalog.db: it may only be read; check the rights to it"):
        lake.ingest([log])
    with sqlite3.connect(lake.root / "catalog.db") as own:
        own.execute("DROP TRIGGER only_read")
    own.close()
    assert lake.ingest([log]).totals.stored == LINES
    assert_whole(lake, 2 * LINES)


BROKEN: dict[str, tuple[str, tuple[str, ...], str]] = {
    "no lake": ("*", ("maintain", "all"), "cannot open lake .*: there is none; run `logshed ingest PATH"),
    "a data file": (
        "warehouse/silver/logs/data/**/*.parquet",
        ("query", "SELECT max(url_path) FROM logs"),
        "cannot read .*parquet: the file is gone; restore it from a backup, `logshed verify` says",
    ),
    "a manifest": (
        "warehouse/silver/logs/metadata/*.avro",
        ("query", "SELECT max(url_path) FROM logs"),
        "cannot read .*avro: the file is gone; restore it from a backup, `logshed verify` says",
    ),
    "metadata": (
        "warehouse/silver/logs/metadata/*.json",
        ("maintain", "all"),
        "cannot open table silver.logs of lake .*: its metadata file is gone; restore the warehouse",
    ),
    "the ledger": (
        "ledger/root-*",
        ("audit",),
        "cannot read .*root-.*json: the file is gone; restore it from a backup, `logshed verify` says",
    ),
    "the catalog": (
        "catalog.db",
        ("maintain", "all"),
        "cannot open table bronze.lines of lake .*: the catalog does not list it; restore catalog.db",
    ),
}
"""What is deleted, what is asked then, and what is said."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    (folder / "access.log").write_text(accesses(0, LINES))
    lake_on(folder / "lake", {}, {}).ingest([folder / "access.log"])
    return folder / "lake"


@pytest.mark.parametrize("case", BROKEN)
def test_of_a_lake_of_which_a_part_is_gone_is_said_which_and_what_to_do(
    case: str, sound: Path, tmp_path: Path, logshed: Run
) -> None:
    deleted, words, said = BROKEN[case]
    lake = sound  # its tables name their files by their paths
    kept = tmp_path / "kept"
    shutil.copytree(lake, kept)
    try:
        for path in [path for path in lake.glob(deleted) if path.is_file()] if case != "no lake" else []:
            path.unlink()
        if case == "no lake":
            shutil.rmtree(lake)
        done = logshed(*words, "--lake", lake)
        assert done.returncode == 1
        assert re.match(f"error: {said}", done.stderr), done.stderr
    finally:
        shutil.rmtree(lake, ignore_errors=True)
        subprocess.run(["cp", "-a", kept, lake], check=True)


def test_an_empty_lake_answers_and_has_nothing_to_maintain(tmp_path: Path, logshed: Run) -> None:
    lake = lake_on(tmp_path / "lake", {}, {})
    assert lake.query("SELECT count(*), max(timestamp) FROM logs").rows() == [(0, None)]
    assert "Nothing to do" in logshed("maintain", "all", "--lake", lake.root).stdout


def test_what_pyiceberg_hides_behind_an_error_of_its_own_is_told() -> None:
    def merged() -> None:
        try:
            raise StorageError("cannot use s3://lakes/x: the storage is too busy; try again later")  # noqa: TRY301 - as above
        except StorageError:
            raise ValueError("An empty manifest file has been written")  # noqa: B904 - as PyIceberg does

    with pytest.raises(StorageError, match="too busy; try again later"), room_told("table silver.logs"):
        merged()
