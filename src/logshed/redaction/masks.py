"""What a mask leaves of a value: a network of an address, the last digits of a number, a file's name of its path."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

_OCTET_BITS = 8


@dataclass(frozen=True, slots=True)
class Mask:
    """How much is left.

    Attributes:
        kind: One of ``KINDS``.
        ipv4: Leading bits of an IPv4 address that are left.
        ipv6: The same of an IPv6 address.
        filler: What stands for the other octets of an IPv4 address; empty makes them 0.
        shown: Trailing characters that ``last`` leaves; fewer where that would be more than a quarter.
    """

    kind: str
    ipv4: int = 24
    ipv6: int = 48
    filler: str = ""
    shown: int = 4

    @property
    def shows(self) -> str:
        """What is left, in words."""
        return {
            "network": f"{self.ipv4} bits of IPv4, {self.ipv6} of IPv6",
            "last": f"at most the last {self.shown} characters, a quarter of them",
            "domain": "the domain",
            "paths": "files without their folders",
        }[self.kind]


def apply(mask: Mask, values: pl.Series) -> pl.Series:
    """What is left of each distinct value."""
    return KINDS[mask.kind](mask, values)


def _network(mask: Mask, values: pl.Series) -> pl.Series:
    return pl.Series([_network_of(mask, value) for value in values.to_list()], dtype=pl.String)


def _network_of(mask: Mask, value: str) -> str:
    try:
        address = ip_address(value)
    except ValueError:
        return "*" * len(value)
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), mask.ipv6), strict=False).network_address)
    network = ip_network((int(address), mask.ipv4), strict=False).network_address
    if not mask.filler:
        return str(network)
    left = mask.ipv4 // _OCTET_BITS
    octets = str(network).split(".")
    return ".".join(octets[:left] + [mask.filler] * (len(octets) - left))


def _last(mask: Mask, values: pl.Series) -> pl.Series:
    """Letters and digits become stars but for the last; separators stay."""
    frame = pl.DataFrame({"value": values}).with_columns(length=pl.col("value").str.len_chars())
    shown = pl.min_horizontal(pl.lit(mask.shown), pl.col("length") // 4).cast(pl.Int64)
    hidden = pl.col("value").str.head(pl.col("length").cast(pl.Int64) - shown)
    return frame.select(hidden.str.replace_all(r"[\p{L}\p{N}]", "*") + pl.col("value").str.tail(shown)).to_series()


def _domain(_: Mask, values: pl.Series) -> pl.Series:
    """Of an e-mail address its domain."""
    return values.str.replace("^[^@%]*", "***")


def _paths(_: Mask, values: pl.Series) -> pl.Series:
    """Folders are left out of the paths of files; the files' names stay."""
    return values.str.replace_all(r"(?:[A-Za-z]:\\{1,2}|\\{2}|/)(?:[^\s/\\:\"'()<>]+[/\\]+)+", "")


KINDS: dict[str, Callable[[Mask, pl.Series], pl.Series]] = {
    "network": _network,
    "last": _last,
    "domain": _domain,
    "paths": _paths,
}
