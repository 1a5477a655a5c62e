"""The contract of engines: each makes the same rows, ledger, findings and gold tables, whatever is lost on the way."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.clusters import Cluster, started
from tests.engines.conftest import ACCESSES, TRACES
from tests.engines.lakes import opened

import logshed.ray
import logshed.spark
from logshed import files
from logshed.engine_settings import EngineSettings
from logshed.errors import EngineError, UsageError
from logshed.lake.compact_plan import Sizes
from logshed.lake.ledger import Ledger
from logshed.lake.names import LINES
from logshed.pipeline.away import Runner, Site, Sited
from logshed.pipeline.maintain import Maintain
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from logshed.api import Lake

pytestmark = pytest.mark.filterwarnings("ignore")  # what Ray and Spark say of themselves
GOLD = ["traffic_hourly", "errors_hourly"]
RULES = ["web_*"]
OF_A_RUN = ("batch", "observed_timestamp", "updated_timestamp", "incident_id")
"""Columns that tell one run from another."""


@pytest.fixture(scope="module", params=["ray", "spark"])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    yield from started(request.param, tmp_path_factory.mktemp("cluster"))


def worked(lake: Lake, logs: Path) -> Lake:
    """All that engines do, one after another; a part of the lines comes later."""
    lake.ingest([logs / "access.log", logs / "auth.log"])
    report = lake.ingest([logs])
    assert not [one.error for one in report.files if one.error]
    assert not [one.error for one in lake.aggregate(GOLD) if one.error]
    lake.security.detect(RULES)
    lake.reparse("all", format="java", source="file:*/noise.txt")
    assert not [one.error for one in lake.aggregate(GOLD) if one.error]
    upkeep = Maintain(lake._opened(), lake.settings, ["compact"], sizes=Sizes(least=2), runner=lake._runner()).run()
    assert [one.table for one in upkeep if one.commits] == ["lines", "logs"]
    return lake


def rows(lake: Lake, table: str) -> pl.DataFrame:
    found = lake.query(f"SELECT * FROM {table}").pl()
    if "timestamp_source" in found.columns:  # the time of a line that tells none is that of its reading
        known = pl.col("timestamp_source") != "observed"
        found = found.with_columns(timestamp=pl.when(known).then(pl.col("timestamp")))
    found = found.drop([name for name in OF_A_RUN if name in found.columns])
    return found.select(sorted(found.columns)).cast({pl.List: pl.String}, strict=False).sort(pl.all())


def ledger(lake: Lake) -> pl.DataFrame:
    entries = Ledger.of(lake._opened().table(LINES)).scan()
    return entries.select("source", "start", "end", "read", "stored", "rejected").sort(pl.all()).collect()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, logs: Path) -> Lake:
    return worked(opened(tmp_path_factory.mktemp("local") / "lake", EngineSettings()), logs)


def test_every_engine_makes_the_same_lake(cluster: Cluster, local: Lake, logs: Path, tmp_path: Path) -> None:
    lake = worked(opened(tmp_path / "lake", cluster.settings), logs)
    for table in ("lines", "logs", "findings", "incidents", *GOLD):
        expected = rows(local, table)
        assert expected.height, table
        assert_frame_equal(rows(lake, table), expected)
    assert ledger(lake).equals(ledger(local))
    assert lake.audit().ok
    assert lake.ingest([logs]).totals.read == 0


def test_data_sets_and_frames_hold_the_rows_of_a_lake(cluster: Cluster, logs: Path, tmp_path: Path) -> None:
    own, paths = Settings.load(tmp_path, environ={}), [logs / "access.log", logs / "app.log"]
    made = framed(cluster, own, paths)
    wanted = files.convert(paths, passing=files.reader(own)).pl()
    assert made.height == wanted.height == ACCESSES + TRACES
    key, told = ["source", "offset"], [name for name in wanted.columns if name != "observed_timestamp"]
    assert_frame_equal(
        made.select(told).cast(dict(wanted.select(told).schema)).sort(key), wanted.select(told).sort(key)
    )


def framed(cluster: Cluster, own: Settings, paths: list[Path]) -> pl.DataFrame:
    """The records of files as the cluster reads them, in several pieces."""
    if cluster.settings.name == "ray":
        from logshed.engines.ray import RayEngine  # noqa: PLC0415 - heavy, and only where it is installed

        RayEngine(cluster.settings).join()
        read = logshed.ray.read_logs(paths, settings=own, override_num_blocks=4)
        return pl.concat([pl.DataFrame(pl.from_arrow(one)) for one in read.iter_batches(batch_format="pyarrow")])
    from logshed.engines.spark import SparkEngine  # noqa: PLC0415 - heavy, and only where it is installed

    session = SparkEngine(cluster.settings).session()
    return pl.DataFrame(pl.from_arrow(logshed.spark.read_logs(session, paths, settings=own, partitions=4).toArrow()))


def test_what_a_killed_worker_had_begun_is_done_again(cluster: Cluster, logs: Path, tmp_path: Path) -> None:
    for name in ("once-a.log", "b.log", "once-c.log"):
        shutil.copy(logs / "access.log", tmp_path / name)
        with (tmp_path / name).open("a") as file:
            file.write(f"the end of {name}\n")
    lake = opened(tmp_path / "lake", cluster.settings)
    report = lake.ingest(sorted(tmp_path.glob("*.log")))
    assert (tmp_path / "once-a.log.begun").exists()
    assert not [one.error for one in report.files if one.error]
    assert lake.query('SELECT count(*), count(DISTINCT (source, "offset")) FROM lines').rows() == [
        (3 * ACCESSES + 3,) * 2
    ]
    assert lake.audit().ok


def test_another_version_of_logshed_is_refused_with_both_versions(
    cluster: Cluster, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = __import__("logshed").__version__
    monkeypatch.setattr("logshed.__version__", "0.0.9")
    with pytest.raises(EngineError, match=rf"Logshed {own}, the driver has Python \S+ and Logshed 0\.0\.9; install"):
        opened(tmp_path / "lake", cluster.settings).ingest([logs / "auth.log"])


def test_workers_that_do_not_reach_the_warehouse_say_so_before_any_work(cluster: Cluster, tmp_path: Path) -> None:
    settings = opened(tmp_path / "lake", cluster.settings).settings
    engine = Runner.of(settings).engine
    site = Site(settings.storage, settings.objects.access(settings.storage), f"{tmp_path}/not-mounted/check", "token")
    with pytest.raises(
        EngineError, match=r"cannot reach the lake's warehouse \S+/not-mounted from the worker on .+mount"
    ):
        list(engine.run(Sited(_Nothing(), site), [1]))


def test_what_is_read_once_is_not_given_to_workers(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot ingest - by workers elsewhere"):
        opened(tmp_path / "lake", cluster.settings).ingest(["-"])


class _Nothing:
    def __call__(self, item: int, /) -> int:
        return item

    def stop(self) -> None:
        pass
