"""What a shop sells, by Ray, from its web server's log: funnel, conversion, revenue, products."""

# ruff: noqa: INP001 - a script

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

import logshed.ray
from clusters import BUILD, collected, show, start_ray

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

STEPS = ("product", "cart", "checkout", "purchase")
PATHS = (
    r"^/products/[^/]+$",
    r"^/cart/add$",
    r"^/checkout$",
    r"^/order/confirmation$",
)
COLUMNS = ("timestamp", "client_address", "url_path", "url_query", "http_response_status_code")
PRODUCTS = ("mug", "lamp", "chair", "table", "shelf")
PRICES = (12.5, 40.0, 75.0, 180.0, 95.0)
VISITORS, DAYS = 240, 3


def lines() -> Iterator[str]:
    """The log of a shop, the same each time: every 2nd visitor fills a cart, every 4th goes on, every 8th buys."""
    for visitor in range(VISITORS * DAYS):
        day, number = divmod(visitor, VISITORS)
        product = visitor % len(PRODUCTS)
        wanted = [(f"/products/{PRODUCTS[product]}", 200)]
        if visitor % 2 == 0:
            wanted.append((f"/cart/add?product={PRODUCTS[product]}", 302))
        if visitor % 4 == 0:
            wanted.append(("/checkout", 200))
        if visitor % 8 == 0:
            wanted.append((f"/order/confirmation?product={PRODUCTS[product]}&total={PRICES[product]}", 200))
        for step, (url, status) in enumerate(wanted):
            clock = f"{number // 12:02d}:{number % 12 * 5 + step:02d}:00"
            yield (
                f'198.51.{100 + day}.{number} - - [{9 + day:02d}/Nov/2026:{clock} +0000] "GET {url} HTTP/1.1" '
                f'{status} 512 "-" "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"\n'
            )


def written(folder: Path) -> Path:
    """The log as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "shop-access.log"
    path.write_text("".join(lines()), "utf-8")
    return path


def steps(batch: pa.Table) -> pa.Table:
    """The steps of the funnel among requests: day, visitor, step, product and value of an order."""
    rows = pl.DataFrame(pl.from_arrow(batch)).filter(pl.col("http_response_status_code") < 400)  # noqa: PLR2004 - errors
    step = pl.coalesce(
        [
            pl.when(pl.col("url_path").str.contains(path)).then(pl.lit(name))
            for name, path in zip(STEPS, PATHS, strict=True)
        ]
    )
    query = pl.col("url_query")
    named = pl.col("url_path").str.extract(r"^/products/([^/]+)$")
    return (
        rows.select(
            day=pl.col("timestamp").dt.date(),
            visitor="client_address",
            step=step,
            product=named.fill_null(query.str.extract(r"(?:^|&)product=([^&]+)")),
            value=query.str.extract(r"(?:^|&)total=([0-9.]+)").cast(pl.Float64),
        )
        .drop_nulls("step")
        .to_arrow()
    )


def figures(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The tables, from the steps of all batches."""
    reached = rows.group_by("step").agg(visitors=pl.col("visitor").n_unique())
    funnel = pl.DataFrame({"step": STEPS}).join(reached, on="step", how="left", maintain_order="left")
    visitors = pl.col("visitors").fill_null(0)
    orders = rows.filter(pl.col("step") == "purchase")
    days = (
        rows.group_by("day")
        .agg(visitors=pl.col("visitor").n_unique())
        .join(orders.group_by("day").agg(orders=pl.len(), revenue=pl.col("value").sum()), on="day", how="left")
    )
    seen = rows.filter(pl.col("step") == "product").group_by("product").agg(views=pl.len())
    sold = orders.group_by("product").agg(orders=pl.len(), revenue=pl.col("value").sum())
    return {
        "Funnel": funnel.select(
            "step",
            visitors=visitors,
            percent=(visitors / visitors.first() * 100).round(1),
            percent_of_previous=(visitors / visitors.shift(1) * 100).round(1),
        ),
        "Orders and revenue by day": days.select(
            "day",
            "visitors",
            "orders",
            conversion_percent=(pl.col("orders") / pl.col("visitors") * 100).round(2),
            revenue=pl.col("revenue").round(2),
            mean_order=(pl.col("revenue") / pl.col("orders")).round(2),
        ).sort("day"),
        "Products": seen.join(sold, on="product", how="left")
        .with_columns(pl.col("orders", "revenue").fill_null(0))
        .sort("revenue", "product", descending=[True, False]),
    }


def main() -> None:
    """Write the log, read it, and print the tables."""
    start_ray()
    logs = logshed.ray.read_logs(written(BUILD / "shop"), columns=COLUMNS)
    rows = collected(logs.map_batches(steps, batch_format="pyarrow", batch_size=None))
    for title, table in figures(rows).items():
        show(title, table)


if __name__ == "__main__":
    main()
