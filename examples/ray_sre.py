"""What keeps services up, by Ray: error rates, latencies, availability against an objective, errors by hour."""

# ruff: noqa: INP001 - a script

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

import logshed.ray
from clusters import HERE, collected, show, start_ray

if TYPE_CHECKING:
    import pyarrow as pa

OBJECTIVE = 99.0
"""Per cent of the requests of a service that must be answered without an error of its own."""
COLUMNS = ("timestamp", "service_name", "http_response_status_code", "duration_ms")


def requests(batch: pa.Table) -> pa.Table:
    """The requests among records: service, hour, whether it failed, how long it took."""
    rows = pl.DataFrame(pl.from_arrow(batch))
    answered = rows.filter(pl.col("service_name").is_not_null() & pl.col("http_response_status_code").is_not_null())
    return answered.select(
        "service_name",
        "duration_ms",
        hour=pl.col("timestamp").dt.truncate("1h"),
        failed=pl.col("http_response_status_code") >= 500,  # noqa: PLR2004 - errors of the server
    ).to_arrow()


def figures(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The tables, from the requests of all batches."""
    each = rows.group_by("service_name").agg(
        requests=pl.len(),
        failed=pl.col("failed").sum(),
        p50_ms=pl.col("duration_ms").quantile(0.5, "linear"),
        p95_ms=pl.col("duration_ms").quantile(0.95, "linear"),
        p99_ms=pl.col("duration_ms").quantile(0.99, "linear"),
    )
    share = pl.col("failed") / pl.col("requests") * 100
    budget = 100 - OBJECTIVE
    hours = rows.group_by("hour").agg(requests=pl.len(), failed=pl.col("failed").sum())
    return {
        "Requests, errors and latencies": each.select(
            "service_name",
            "requests",
            "failed",
            error_percent=share.round(2),
            p50_ms=pl.col("p50_ms").round(1),
            p95_ms=pl.col("p95_ms").round(1),
            p99_ms=pl.col("p99_ms").round(1),
        ).sort("service_name"),
        f"Availability; {OBJECTIVE:g} % are promised": each.select(
            "service_name",
            available_percent=(100 - share).round(2),
            budget_used_percent=(share / budget * 100).round(0).cast(pl.Int64),
            kept=share <= budget,
        ).sort("service_name"),
        "The worst hours": hours.with_columns(error_percent=share.round(2))
        .sort("error_percent", "hour", descending=[True, False])
        .head(5),
    }


def main() -> None:
    """Read the log of the services, and print the tables."""
    start_ray()
    logs = logshed.ray.read_logs(HERE / "app.jsonl", columns=COLUMNS)
    rows = collected(logs.map_batches(requests, batch_format="pyarrow", batch_size=None))
    for title, table in figures(rows).items():
        show(title, table)


if __name__ == "__main__":
    main()
