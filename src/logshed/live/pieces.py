"""Records as the hot store takes them: frames with time, place and line, and what is sent of a piece of one."""

from __future__ import annotations

from typing import Any

import polars as pl

from logshed.live import keys

SCHEMA = {
    "source": pl.String(),
    "generation": pl.String(),
    "offset": pl.Int64(),
    "collection": pl.String(),
    "timestamp": pl.Datetime("us", "UTC"),
    "text": pl.String(),
    "client_geo_country_iso_code": pl.String(),
    "client_geo_region": pl.String(),
    "client_geo_locality": pl.String(),
    "client_geo_lat": pl.Float64(),
    "client_geo_lon": pl.Float64(),
}
"""Columns of the rows that the hot store takes, one a record."""
ORIGIN = ["source", "generation", "offset"]
AT = (
    pl.when(pl.col("timestamp_source") != "observed")
    .then("timestamp")
    .forward_fill()
    .over("batch", "source", "generation", order_by="offset")
    .fill_null(pl.col("timestamp"))
)
"""The time by which a record is ordered: of one that tells none, that of the one before it in its batch, so that it
keeps its place."""
_COUNTRY, _REGION, _CITY = "client_geo_country_iso_code", "client_geo_region", "client_geo_locality"


def rows_of(lines: pl.DataFrame, logs: pl.DataFrame) -> pl.DataFrame:
    """One row a record, in their order.

    Args:
        lines: Rows of ``bronze.lines``: the record's text.
        logs: Rows of ``silver.logs``: its time and place; of a record with several items the first counts.
    """
    own = [name for name in SCHEMA if name not in (*ORIGIN, "text", "collection")]
    told = logs.filter(pl.col("item").fill_null(0) == 0).with_columns(timestamp=AT).select(*ORIGIN, *own)
    found = lines.select(*ORIGIN, "collection", "text").join(told, on=ORIGIN, how="inner", maintain_order="left")
    return found.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def counters(rows: pl.DataFrame) -> list[Any]:
    """How many counters the rows raise, then of each what it is, its key, its field and by how much."""
    rows = rows.select(
        "collection",
        country=pl.col(_COUNTRY).fill_null(""),
        place=pl.concat_str(pl.col(_COUNTRY, _REGION, _CITY).fill_null(""), separator="-"),
    )
    hits = rows.group_by("collection").len()
    places = rows.group_by("collection", "place").len()
    known = rows.filter(pl.col("country") != "")
    countries = known.group_by("country").len()
    own = known.group_by("country", "collection").len()
    whole = pl.concat(
        [
            hits.select(what=pl.lit("h"), key=pl.lit(keys.KNOWN), field=keys.HITS + pl.col("collection"), number="len"),
            places.select(what=pl.lit("l"), key=keys.PLACES + pl.col("collection"), field="place", number="len"),
            countries.select(what=pl.lit("c"), key=keys.COUNTRIES + pl.col("country"), field="country", number="len"),
            own.select(
                what=pl.lit("c"),
                key=pl.concat_str(pl.lit(keys.COUNTRIES), "country", pl.lit(":"), "collection"),
                field=pl.lit(""),
                number="len",
            ),
        ]
    )
    return [whole.height, *_flat(whole.with_columns(pl.col("number").cast(pl.String)))]


def lines(rows: pl.DataFrame, most: int) -> list[Any]:
    """How many collections have lines among the rows, then of each its key, the scores, the sizes and the lines.

    Args:
        rows: Records.
        most: Of a collection only so many are sent, the newest.
    """
    scored = rows.select("collection", "text", ms=pl.col("timestamp").dt.epoch("ms")).drop_nulls("text")
    if scored.height > most:
        newest = pl.col("ms").rank("ordinal", descending=True).over("collection") <= most
        scored = scored.filter(newest)
    score = pl.concat_str(
        (pl.col("ms") // 1000).cast(pl.String), pl.lit("."), (pl.col("ms") % 1000).cast(pl.String).str.zfill(3)
    )
    grouped = (
        scored.with_columns(score=score, size=pl.col("text").str.len_bytes().cast(pl.String))
        .group_by("collection", maintain_order=True)
        .agg(pl.col("score", "size").str.join(" "), pl.col("text").str.join(""))
        .with_columns(collection=keys.LINES + pl.col("collection"))
    )
    return [grouped.height, *_flat(grouped)]


def events(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    """The rows as what is seen of them: the values of each ``Event``."""
    shown = rows.select(
        pl.col("timestamp").dt.epoch("us") / 1e6,
        "collection",
        pl.col(_COUNTRY, _REGION, _CITY).fill_null(""),
        "client_geo_lat",
        "client_geo_lon",
        pl.col("text").fill_null(""),
    )
    return shown.rows()


def _flat(frame: pl.DataFrame) -> list[Any]:
    """The values of a frame of texts, row by row."""
    flat: list[Any] = [""] * (frame.width * frame.height)
    for number, column in enumerate(frame.get_columns()):
        flat[number :: frame.width] = column.to_list()
    return flat
