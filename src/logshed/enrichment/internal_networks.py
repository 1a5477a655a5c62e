"""Tells clients of internal networks from the rest: fills ``client_is_internal`` and ``client_network``."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

import polars as pl

from logshed.enrichment.addresses import fours
from logshed.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

NETWORKS: tuple[tuple[str, str], ...] = (
    ("private", "10.0.0.0/8"),  # RFC 1918
    ("private", "172.16.0.0/12"),
    ("private", "192.168.0.0/16"),
    ("private", "fc00::/7"),  # RFC 4193
    ("loopback", "127.0.0.0/8"),  # RFC 1122
    ("loopback", "::1/128"),  # RFC 4291
    ("link-local", "169.254.0.0/16"),  # RFC 3927
    ("link-local", "fe80::/10"),  # RFC 4291
)
"""The networks that nobody reaches from outside, by name."""


def enrich(frame: pl.DataFrame, networks: Sequence[tuple[str, str | Sequence[str]]] = ()) -> pl.DataFrame:
    """Say of each client whether it is in an internal network and in which.

    Args:
        frame: Rows with ``client_address`` (String); without that column nothing is added.
        networks: More internal networks, name and CIDR or CIDRs; the narrowest that holds an address names it, and of
            two equally narrow ones the user's own.

    Returns:
        The frame with ``client_is_internal`` (Boolean) and ``client_network`` (String, null outside of them all); both
        null where the address is missing or is none.

    Raises:
        SettingsError: A network is no CIDR.
    """
    if "client_address" not in frame.columns:
        return frame
    addresses = frame["client_address"].drop_nulls().unique()
    single = tuple((name, cidr) for name, cidrs in networks for cidr in ([cidrs] if isinstance(cidrs, str) else cidrs))
    known = _looked_up(addresses, single)
    others = frame.drop("client_is_internal", "client_network", strict=False)
    return others.join(known, on="client_address", how="left", maintain_order="left")


def _looked_up(addresses: pl.Series, networks: tuple[tuple[str, str], ...]) -> pl.DataFrame:
    known_fours, known_sixes = _by_narrowness(networks)
    numbered = pl.DataFrame([addresses, fours(addresses).alias("number")])
    dotted = numbered.filter(pl.col("number").is_not_null())
    named = dotted.select("client_address", client_is_internal=pl.lit(value=True), client_network=_named(known_fours))
    rest = numbered.filter(pl.col("number").is_null())["client_address"]
    return pl.concat([named, _sixes(rest, known_sixes)]).with_columns(
        client_is_internal=pl.when("client_is_internal").then(pl.col("client_network").is_not_null())
    )


def _named(networks: Sequence[tuple[str, IPv4Network]]) -> pl.Expr:
    name = pl.lit(None, pl.String)
    for known, network in reversed(networks):
        first, last = int(network.network_address), int(network.broadcast_address)
        name = pl.when(pl.col("number").is_between(first, last)).then(pl.lit(known)).otherwise(name)
    return name


def _sixes(addresses: pl.Series, networks: Sequence[tuple[str, IPv6Network]]) -> pl.DataFrame:
    """Addresses of 128 bits exceed every column type: one by one, but only the distinct ones."""
    found = [_six(address) for address in addresses]
    names = [
        None if six is None else next((name for name, network in networks if six in network), None) for six in found
    ]
    columns = {
        "client_address": addresses,
        "client_is_internal": pl.Series([six is not None for six in found], dtype=pl.Boolean),
        "client_network": pl.Series(names, dtype=pl.String),
    }
    return pl.DataFrame(columns)


def _six(text: str) -> IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return None if isinstance(address, IPv4Address) else IPv6Address(int(address))  # a zone names a link, not a network


@lru_cache(maxsize=8)
def _by_narrowness(
    networks: tuple[tuple[str, str], ...],
) -> tuple[list[tuple[str, IPv4Network]], list[tuple[str, IPv6Network]]]:
    parsed = [(name, _parsed(name, cidr)) for name, cidr in (*networks, *NETWORKS)]
    parsed.sort(key=lambda item: -item[1].prefixlen)
    fours = [(name, network) for name, network in parsed if isinstance(network, IPv4Network)]
    sixes = [(name, network) for name, network in parsed if isinstance(network, IPv6Network)]
    return fours, sixes


def _parsed(name: str, cidr: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(cidr, strict=False)
    except ValueError as error:
        raise SettingsError(
            f"cannot use network {name}: '{cidr}' is no CIDR ({error}); write it like 10.0.0.0/8"
        ) from error
