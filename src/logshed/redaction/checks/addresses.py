"""Addresses of machines: IPv6 and MAC."""

from __future__ import annotations

import ipaddress
import re

import polars as pl

# What is assigned to machines: global unicast, translation, unique local, link-local, multicast (IANA's registry of the
# IPv6 address space); outside of these "12::34" is more likely something else.
_NETWORKS = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2000::/3",
        "64:ff9b::/32",
        "100::/16",
        "fc00::/7",
        "fe80::/9",
        "ff00::/8",
        "::1/128",
        "::ffff:0:0/96",
    )
)
_ALL_GROUPS = re.compile(r"(?=.*[0-9A-Fa-f]{4})(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}")


def ipv6(candidates: pl.Series) -> pl.Series:
    """An address of RFC 4291, 2.2, in a range that machines have; eight pairs of digits are an EUI-64 instead."""
    return pl.Series([_is_ipv6(value) for value in candidates], dtype=pl.Boolean)


def mac_or_netfilter(candidates: pl.Series) -> pl.Series:
    """Six octets (IEEE 802, EUI-48) or more, neither all zero nor all one; digits between dashes alone are a date."""
    digits = candidates.str.replace_all("[^0-9A-Fa-f]", "").str.to_lowercase()
    nobody = digits.str.contains("^(?:0+|f+)$")
    date = candidates.str.contains("^[0-9]{2}(?:-[0-9]{2})+$")
    return ~nobody & ~date


def _is_ipv6(candidate: str) -> bool:
    try:
        address = ipaddress.IPv6Address(re.sub("%3[Aa]", ":", candidate))
    except ValueError:
        return False
    return any(address in network for network in _NETWORKS) or _ALL_GROUPS.fullmatch(candidate) is not None
