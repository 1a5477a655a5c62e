"""Aggregates by Spark: hours of traffic, and what each address asked for, from files without a lake."""

# ruff: noqa: INP001 - a script

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

import logshed.spark
from clusters import HERE, show, start_spark

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

COLUMNS = ("timestamp", "client_address", "url_template", "http_response_status_code", "user_agent_is_bot")


def hours(logs: DataFrame) -> DataFrame:
    """Requests, errors and addresses of each hour."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - after Spark has begun

    status = f.col("http_response_status_code")
    return (
        logs.groupBy(f.date_trunc("hour", "timestamp").alias("hour"))
        .agg(
            f.count("*").alias("requests"),
            f.count_if(status.between(400, 499)).alias("client_errors"),
            f.count_if(status >= 500).alias("server_errors"),  # noqa: PLR2004 - by RFC 9110
            f.countDistinct("client_address").alias("addresses"),
        )
        .orderBy("hour")
    )


def pages(logs: DataFrame) -> DataFrame:
    """The pages that people, not programs, asked for most."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - after Spark has begun

    people = logs.where(~f.col("user_agent_is_bot") & (f.col("http_response_status_code") == 200))  # noqa: PLR2004 - OK
    counted = people.groupBy("url_template").agg(
        f.count("*").alias("requests"), f.countDistinct("client_address").alias("addresses")
    )
    return counted.orderBy(f.desc("requests"), "url_template").limit(8)


def main() -> None:
    """Read the web server's log, and print the tables."""
    spark = start_spark()
    logs = logshed.spark.read_logs(spark, HERE / "access.log", columns=COLUMNS, partitions=2)
    logs = logs.where("http_response_status_code IS NOT NULL").cache()
    for title, made in {"Requests by hour": hours(logs).limit(8), "Pages that people read": pages(logs)}.items():
        show(title, pl.DataFrame(pl.from_arrow(made.toArrow())))


if __name__ == "__main__":
    main()
