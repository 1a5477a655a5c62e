"""Addresses as numbers that can be compared in bulk: those of IPv4 by Polars, those of IPv6 as their sixteen bytes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable

_OCTET = r"(0|[1-9][0-9]{0,2})"  # never has to choose, which makes it quick; what exceeds 255 is found afterwards
_HIGHEST = 255
_DOTTED = rf"^(?i:::ffff:)?{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}$"
BYTES = np.dtype("S16")
"""Compares as memory does, which is the order of addresses; NumPy leaves out zero bytes at the end on both sides."""


def fours(addresses: pl.Series) -> pl.Series:
    """Addresses of IPv4 as numbers.

    Args:
        addresses: Text; ``::ffff:192.0.2.1`` is an address of IPv4 too.

    Returns:
        Int64, 0 to 2**32 - 1; null where it is no address of IPv4.
    """
    octets = addresses.str.extract_groups(_DOTTED).struct.unnest().cast(pl.Int64)
    value = pl.sum_horizontal(
        (pl.col(name) * 256**place for place, name in enumerate(reversed(octets.columns))), ignore_nulls=False
    )
    return octets.select(number=pl.when(pl.max_horizontal(pl.all()) <= _HIGHEST).then(value))["number"]


def sixes(addresses: Iterable[str]) -> list[bytes | None]:
    """Addresses of IPv6 as their sixteen bytes; None where it is none. A zone (``%eth0``) is left out of sight."""
    return [_six(address) for address in addresses]


def _six(text: str) -> bytes | None:
    try:
        return socket.inet_pton(socket.AF_INET6, text.partition("%")[0])
    except (OSError, ValueError):  # ValueError: a zero byte or a lone surrogate in it
        return None
