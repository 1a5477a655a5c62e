"""Says how much a client is to be minded: fills ``client_risk_level``."""

from __future__ import annotations

import polars as pl


def enrich(frame: pl.DataFrame) -> pl.DataFrame:
    """Rate each client.

    Args:
        frame: Rows with ``client_is_internal`` (Boolean), and ``client_threat_list`` where lists were asked.

    Returns:
        The frame with ``client_risk_level`` (String): ``high`` where a threat list names the client or what it sent,
        else ``low`` inside and ``medium`` outside of the internal networks; null where there is no address. What the
        record itself says stays.
    """
    if "client_is_internal" not in frame.columns:
        return frame
    internal = pl.col("client_is_internal")
    level = pl.when(internal).then(pl.lit("low")).otherwise(pl.lit("medium"))
    if "client_threat_list" in frame.columns:
        level = pl.when(pl.col("client_threat_list").is_not_null()).then(pl.lit("high")).otherwise(level)
    level = pl.when(internal.is_not_null()).then(level)
    if "client_risk_level" in frame.columns:
        level = pl.col("client_risk_level").fill_null(level)
    return frame.with_columns(client_risk_level=level)
