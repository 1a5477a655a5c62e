"""Addresses written with their port, as programs do that log one text for both: ``192.0.2.7:51000``, ``[::1]:443``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.formats.columns import column_or_nothing

if TYPE_CHECKING:
    import polars as pl

_PORTS = {"client_address": "client_port", "server_address": "@server.port"}
_WITH_PORT = r"^(?:((?:[0-9]{1,3}\.){3}[0-9]{1,3}):|\[([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\]:?)([0-9]{1,5})?$"


def split_ports(frame: pl.DataFrame) -> pl.DataFrame:
    """Take the port off each address that has one, and the brackets; a port that is known already stays."""
    for name, port in _PORTS.items():
        if name not in frame.columns:
            continue
        rows = frame[name].str.contains(_WITH_PORT).fill_null(value=False).arg_true()
        if rows.is_empty():
            continue
        four, six, number = frame[name].gather(rows).str.extract_groups(_WITH_PORT).struct.unnest().get_columns()
        ports = column_or_nothing(frame, port)
        frame = frame.with_columns(
            frame[name].clone().scatter(rows, four.fill_null(six)),
            ports.scatter(rows, ports.gather(rows).fill_null(number)).alias(port),
        )
    return frame
