"""The examples on Ray and Spark come to the figures that their logs hold."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from logshed import files
from logshed.ray import Detect
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

EXAMPLES = Path(__file__).parents[2] / "examples"
SAID = {
    "ray_soc": ("| 203.0.113.77   | 72     |", "| Tool of attackers by its user agent"),
    "ray_sre": ("| checkout     | 111      | 8      | 7.21", "| 2015-05-20 14:00:00 UTC | 25       | 8"),
    "ray_commerce": ("| purchase | 90       | 12.5", "| table   | 144   | 18     | 3240.0"),
    "spark_ingest": ("read 3,706 lines, stored 3,705, rejected 1", "read 0 lines", "accounted for: True"),
    "spark_aggregate": ("| 2015-05-19 22:00:00 UTC |", "Pages that people read"),
}
"""What each prints."""


@pytest.fixture(scope="module")
def example() -> Iterator[Any]:
    """Loads an example as a module."""
    sys.path.insert(0, str(EXAMPLES))

    def load(name: str) -> Any:
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load
    sys.path.remove(str(EXAMPLES))


def rows(folder: Path, *paths: Path) -> pa.Table:
    return files.convert(paths, passing=files.reader(Settings.load(folder, environ={}))).arrow()


def frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table))


def test_the_shop_sells_what_its_log_was_written_to_say(example: Any, tmp_path: Path) -> None:
    shop = example("ray_commerce")
    read = rows(tmp_path, shop.written(tmp_path))
    # in two batches, whose sums must not differ from those of one
    found = shop.figures(pl.concat([frame(shop.steps(read.slice(0, 500))), frame(shop.steps(read.slice(500)))]))
    visitors, prices = 240 * 3, {"mug": 12.5, "lamp": 40.0, "chair": 75.0, "table": 180.0, "shelf": 95.0}
    assert found["Funnel"]["visitors"].to_list() == [visitors, visitors // 2, visitors // 4, visitors // 8]
    days = found["Orders and revenue by day"]
    assert days["orders"].to_list() == [30, 30, 30]
    assert days["conversion_percent"].to_list() == [12.5] * 3
    assert days["revenue"].sum() == sum(18 * price for price in prices.values())
    assert dict(found["Products"].select("product", "revenue").iter_rows()) == {
        name: 18 * price for name, price in prices.items()
    }


def test_the_services_answer_as_their_log_says(example: Any, tmp_path: Path) -> None:
    sre = example("ray_sre")
    found = sre.figures(frame(sre.requests(rows(tmp_path, EXAMPLES / "app.jsonl"))))
    text = (EXAMPLES / "app.jsonl").read_text()
    own = [line for line in text.splitlines() if '"service":"checkout"' in line]
    failed = [line for line in own if '"status_code":5' in line]
    table = found["Requests, errors and latencies"]
    checkout = table.row(by_predicate=pl.col("service_name") == "checkout", named=True)
    assert (checkout["requests"], checkout["failed"]) == (len(own), len(failed)) == (111, 8)
    took = sorted(float(line.partition('"latency_ms":')[2].partition("}")[0].partition(",")[0]) for line in own)
    assert checkout["p50_ms"] == round(took[55], 1)
    (kept,) = found["Availability; 99 % are promised"].filter(service_name="checkout")["kept"]
    assert not kept
    assert found["The worst hours"]["failed"].to_list() == [8, 0, 0, 0, 0]


def test_the_guesses_and_attacks_are_those_in_the_logs(example: Any, tmp_path: Path) -> None:
    soc = example("ray_soc")
    read = rows(tmp_path, EXAMPLES / "auth.log", soc.written(tmp_path))
    detect = Detect(["web_*"], settings=Settings.load(tmp_path, environ={}))
    sums = [frame(soc.signals(detect(read.slice(start, 200)))) for start in range(0, read.num_rows, 200)]
    failed, brute, attacks, hours = soc.figures(pl.concat(sums)).values()
    guesses = (EXAMPLES / "auth.log").read_text().count("Failed password")
    assert failed["failed"].sum() == guesses == 75
    assert brute.select("client_address", "failed", "got_in").rows() == [("203.0.113.77", 72, False)]
    found = {title: (records, addresses) for title, _, records, addresses in attacks.iter_rows()}
    assert found["SQL injection in a request"] == (2, 1)
    assert found["Way out of the web root in a request"] == (1, 1)
    assert found["Lookup of Log4j in a request (CVE-2021-44228, Log4Shell)"] == (1, 1)
    assert hours["addresses"].to_list() == [1, 2]


@pytest.mark.soak
@pytest.mark.parametrize("name", SAID)
def test_an_example_says_this_when_it_is_run(name: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, f"examples/{name}.py"],
        cwd=EXAMPLES.parent,
        env={**environment, "PYTHONWARNINGS": "default"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for text in SAID[name]:
        assert text in done.stdout
