"""Data sets of Ray and frames of Spark hold the rows of the lake, and the stages do there what they do here.

That they do so on clusters is a part of the contract; this asks for more, on one machine, and runs with ``make soak``.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal
from tests.pipeline.samples import access

import logshed.ray
import logshed.spark
from logshed import files
from logshed.ray import Detect, Enrich, Parse, Redact
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.soak, pytest.mark.filterwarnings("ignore")]  # what Ray and Spark say of themselves

KEY = ["source", "generation", "offset", "item"]
LINES = [access(number).strip() for number in range(120)]
LINES += ['198.51.100.9 - - [01/Nov/2026:12:00:01 +0000] "GET /?id=1%27%20UNION%20SELECT%20a HTTP/1.1" 200 9 "-" "x"']
LINES += ['192.0.2.7 - - [01/Nov/2026:12:00:00 +0000] "GET /in?email=ann@example.com HTTP/1.1" 200 12 "-" "curl/8.5.0"']


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings.load(tmp_path_factory.mktemp("own"), environ={})


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    (folder / "access.log").write_text("".join(access(number) for number in range(3000)))
    trace = (
        "2026-11-01 12:00:00,500 ERROR [main] shop.Till - order {0}\njava.lang.Error: no {0}\n\tat shop.Till.pay(T)\n"
    )
    (folder / "till.log").write_text("".join(trace.format(number) for number in range(50)))
    return folder


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")  # one machine, and no token of anybody's
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        import ray  # noqa: PLC0415 - it looks at the environment when it is imported

        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        yield context
        ray.shutdown()


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        from pyspark.sql import SparkSession  # noqa: PLC0415 - it takes a second

        named = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
        builder = SparkSession.builder.master("local[2]").config("spark.sql.session.timeZone", "UTC")
        for name, value in named.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("OFF")
        yield session
        session.stop()


def expected(logs: Path, own: Settings) -> pl.DataFrame:
    return told(files.convert([logs], passing=files.reader(own)).pl())


def told(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.drop("observed_timestamp").sort(KEY)


def staged(own: Settings) -> tuple[list[Any], pl.DataFrame]:
    """Stages, and what they make of some lines here."""
    steps = [
        Redact(columns=["text"], settings=own),
        Parse("apache_combined", settings=own),
        Enrich(settings=own),
        Detect(["web_sql*"], settings=own),
    ]
    table = pa.table({"text": LINES})
    for step in steps:
        table = step(table)
    return steps, compared(pl.DataFrame(pl.from_arrow(table)))


def compared(rows: pl.DataFrame) -> pl.DataFrame:
    names = ("client_address", "url_path", "url_query", "redaction_count", "user_agent_name", "attributes", "findings")
    return rows.select("text", *names).sort("text")


def test_a_data_set_of_ray_holds_the_rows_of_the_lake(cluster: Any, logs: Path, own: Settings) -> None:
    cluster.target_max_block_size = 100_000
    found = logshed.ray.read_logs(logs, settings=own, override_num_blocks=2)
    blocks = list(found.iter_batches(batch_size=None, batch_format="pyarrow"))
    made = pl.concat([pl.DataFrame(pl.from_arrow(block)) for block in blocks])
    assert_frame_equal(told(made), expected(logs, own))
    assert len(blocks) > 2
    few = logshed.ray.read_logs(logs, settings=own, columns=["url_path", "offset"])
    assert few.columns() == ["url_path", "offset"]


def test_stages_map_batches_of_ray(cluster: Any, own: Settings) -> None:
    import ray  # noqa: PLC0415 - after its fixture

    del cluster
    _, wanted = staged(own)
    given: dict[str, Any] = {"batch_format": "pyarrow", "batch_size": 50}
    pool = given | {"num_cpus": 0.25, "compute": ray.data.ActorPoolStrategy(size=1)}
    rows = (
        ray.data.from_arrow(pa.table({"text": LINES}))
        .map_batches(Redact, fn_constructor_kwargs={"columns": ["text"], "settings": own}, **pool)
        .map_batches(Parse, fn_constructor_kwargs={"format": "apache_combined", "settings": own}, **pool)
        .map_batches(Enrich(settings=own), **given)
        .map_batches(Detect(["web_sql*"], settings=own), **given)
    )
    made = [pl.DataFrame(pl.from_arrow(one)) for one in rows.iter_batches(batch_size=None, batch_format="pyarrow")]
    assert_frame_equal(compared(pl.concat(made)), wanted)


def test_a_frame_of_spark_holds_the_rows_of_the_lake(spark: Any, logs: Path, own: Settings) -> None:
    found = logshed.spark.read_logs(spark, logs, settings=own, partitions=3)
    wanted = expected(logs, own)
    made = told(pl.DataFrame(pl.from_arrow(found.toArrow())))
    assert_frame_equal(made.cast(dict(wanted.schema)), wanted)


def test_stages_map_frames_of_spark(spark: Any, own: Settings) -> None:
    steps, here = staged(own)
    lines = spark.createDataFrame([(line,) for line in LINES], "text STRING").repartition(2)
    there = pl.DataFrame(pl.from_arrow(logshed.spark.apply(lines, *steps).toArrow()))
    assert_frame_equal(compared(there).cast(dict(here.schema)), here)
    redacted = lines.mapInArrow(steps[0].arrow, steps[0].schema).toArrow()
    assert sorted(redacted["text"].to_pylist()) == here["text"].to_list()
