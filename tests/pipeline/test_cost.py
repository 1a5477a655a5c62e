from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from logshed.errors import UsageError
from logshed.lake.store import Store
from logshed.pipeline.cost import Inflow, Kept, report
from logshed.pipeline.trail import FILE, Trail
from logshed.prices import Prices

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.api import Lake

KNOWN = Inflow.supposed(1_000_000, 500)
HOURLY = """
[[machine]]
name = "i3.xlarge"
cloud = "aws"
processors = 4
hour = 0.2778
spot_hour = 0.0833
date = 2026-11-26
source = "400 and 120 USD a month for 1,440 hours"
"""


def test_the_known_example_is_met_to_the_cent() -> None:
    found = report(KNOWN, Kept(), Prices.load())
    rows = {row["layer"]: (row["gb"], row["month"]) for row in found["storage"] if row["cloud"] == "aws"}
    assert rows == {
        "bronze": (Decimal("3.5"), Decimal("0.08")),
        "silver": (Decimal(45), Decimal("1.04")),
        "gold": (Decimal(180), Decimal("4.14")),
        "total": (Decimal("228.5"), Decimal("5.26")),
    }


def test_a_job_costs_its_machine_hours_by_list_prices_and_by_those_of_ones_own(tmp_path: Path) -> None:
    (listed,) = report(KNOWN, Kept(), Prices.load())["jobs"]
    assert listed["machine_hours"] == 4 * 720 / 2
    assert (listed["month"], listed["spot"]) == (Decimal("449.28"), Decimal("134.78"))
    (tmp_path / "own.toml").write_text(HOURLY)
    (own,) = report(KNOWN, Kept(), Prices.load(tmp_path / "own.toml"))["jobs"]
    assert (round(own["month"]), round(own["spot"])) == (400, 120)


def test_requests_and_machines_follow_from_what_is_assumed() -> None:
    prices = Prices.load()
    found = report(KNOWN, Kept(), prices)
    aws = found["requests"][0]
    assert aws["writes"] == 288 * prices.assumed.writes_per_commit * 30
    assert aws["month"] == round(aws["writes"] * Decimal("0.000005") + aws["reads"] * Decimal("0.0000004"), 2)
    machine = found["compute"][0]
    assert machine["processor_hours"] == Decimal(15) * prices.engine[0].cpu_s_per_gb / 3600


def test_what_if_changes_days_and_events() -> None:
    found = {
        row["if"]: row["month"] for row in report(KNOWN, Kept(), Prices.load())["what_if"] if row["cloud"] == "aws"
    }
    assert found["bronze kept for 30 days"] == Decimal("5.52")  # 15 + 45 + 180 GB
    assert found["ten times the events"] == Decimal("52.56")


def test_a_lake_is_measured_by_its_own_files(lake: Lake, logs: Path) -> None:
    raw = 0
    for number, name in enumerate(("shop", "shop", "mail")):
        log = logs / f"{name}{number}.log"
        lines = [f"2026-11-{day:02}T00:00:00Z INFO {name} order {day * 7919 % 10007}\n" for day in range(1, 12)]
        raw += log.write_text("".join(lines))
        lake.ingest([log], collection=name)
    found = lake.cost(by="event", days={"bronze": 10, "silver": 20})
    assert (found["measured_days"], found["events_per_day"]) == (10, Decimal("3.3"))
    assert found["raw_bytes_per_day"] == Decimal(raw) / 10
    assert found["requests"][0]["commits_per_day"] == Decimal("0.3")
    rows = {row["layer"]: row["gb"] * 10**9 for row in found["storage"] if row["cloud"] == "aws"}
    for layer, days in (("bronze", 10), ("silver", 20)):
        held = sum(file.stat().st_size for file in (lake.root / "warehouse" / layer).rglob("*.parquet"))
        assert rows[layer] == pytest.approx(held / 10 * days)
    own = {row["collection"]: row for row in found["collections"] if row["cloud"] == "gcp"}
    assert {name: row["events_per_day"] for name, row in own.items()} == {
        "shop": Decimal("2.2"),
        "mail": Decimal("1.1"),
    }
    assert sum(row["gb"] for row in own.values()) * 10**9 == pytest.approx(float(rows["total"]))
    lake.maintain(["compact"])  # one file holds both collections now
    again = lake.cost(by="event")
    assert {row["collection"]: row["events_per_day"] for row in again["collections"]} == {
        name: row["events_per_day"] for name, row in own.items()
    }
    assert lake.cost()["measured_days"] == 1  # all of it came within a day


def test_a_commit_writes_as_many_files_as_is_assumed(lake: Lake, logs: Path) -> None:
    def files() -> set[Path]:
        return {
            file for folder in ("warehouse", "ledger") for file in (lake.root / folder).rglob("*") if file.is_file()
        }

    for number in range(2):
        before = files()
        (logs / f"{number}.log").write_text("2026-11-01T00:00:00Z INFO one\n")
        lake.ingest([logs / f"{number}.log"])
    assert len(files() - before) == Prices.load().assumed.writes_per_commit


def test_ingests_that_ran_by_the_clock_say_what_a_gb_takes(lake: Lake, logs: Path) -> None:
    sizes = []
    for number, cpu_s in enumerate((3.5, 2.5, None)):
        begun = datetime.now(UTC)
        sizes.append((logs / f"{number}.log").write_text("2026-11-01T00:00:00Z INFO one\n" * 10 * (number + 1)))
        lake.ingest([logs / f"{number}.log"])
        details = {"command": "ingest", "cpu_seconds": cpu_s, "started": begun.isoformat()}
        details["ended"] = datetime.now(UTC).isoformat()
        if cpu_s is not None:
            Trail(lake.root / FILE).note("schedule", "take", "ok", details)
    assert not any(row["measured"] for row in lake.cost()["compute"])  # the lake does not have the entries yet
    Trail(lake.root / FILE).ship(Store.open(lake.root, create=False))
    for row in lake.cost()["compute"]:
        assert row["measured"]
        assert row["cpu_s_per_gb"] == pytest.approx(Decimal(6) / sum(sizes[:2]) * 10**9)


def test_an_empty_lake_costs_nothing_that_can_be_told(lake: Lake) -> None:
    with pytest.raises(UsageError, match="there is nothing in it; ingest something, or give --events-per-day"):
        lake.cost()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("storage = [", "cannot read prices .*correct the file"),
        ('[[storage]]\nname = "a"', r"cannot use prices of .*: storage.0.date: Field required"),
        ("[assumed]\ncommits_per_day = -1", "assumed.commits_per_day: Input should be greater than or equal to 0"),
        ('[[job]]\nname = "a"\nmachine = "b"\ncount = 1\nminutes = 1\nruns = 1', "is on b, which has no .*; add it"),
        ("price = 1", "price: Extra inputs are not permitted"),
    ],
)
def test_prices_that_are_wrong_are_refused_with_the_key(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        Prices.load(tmp_path / "own.toml")


@pytest.mark.parametrize(("events", "size"), [(-1, 1), (1, float("inf")), (float("nan"), 1)])
def test_amounts_that_are_none_are_refused(events: float, size: float) -> None:
    with pytest.raises(UsageError, match="it is no amount; give 0 or more"):
        Inflow.supposed(events, size)


def test_every_price_has_its_date_and_its_page() -> None:
    for row in report(KNOWN, Kept(), Prices.load())["sources"]:
        assert row["date"] >= "2026"
        assert "https://" in row["source"] or "benchmarks/" in row["source"]
