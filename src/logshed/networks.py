"""Regular expressions that addresses and networks match as text: both SQL engines know these, and no addresses."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Network, IPv6Network

GROUPS = 8
GROUP_BITS = 16


def pattern(texts: Iterable[str]) -> str:
    """What addresses among some addresses and networks match, and no others.

    Args:
        texts: Such as ``192.0.2.1``, ``10.0.0.0/8``, ``2001:db8::/32``.

    Raises:
        ValueError: A text is none; or it is a network of IPv6 that no expression describes, as compressed addresses
            of it are written in several ways.
    """
    parts = [_of(ipaddress.ip_network(text.strip(), strict=False)) for text in texts]
    return "^(?:" + "|".join(parts) + ")$"


def of_version_4(network: IPv4Network) -> str:
    """The expression of a network of IPv4, without anchors."""
    whole, bits = divmod(network.prefixlen, 8)
    octets = network.network_address.packed
    fixed = [str(octet) for octet in octets[:whole]]
    if bits:
        some = range(octets[whole], octets[whole] + 2 ** (8 - bits))
        fixed.append("(?:" + "|".join(map(str, some)) + ")")
    rest = ["[0-9]+"] * (len(octets) - len(fixed))
    return "[.]".join([*fixed, *rest])


def _of(network: IPv4Network | IPv6Network) -> str:
    return of_version_4(network) if isinstance(network, ipaddress.IPv4Network) else _of_version_6(network)


def _of_version_6(network: IPv6Network) -> str:
    """That of compressed text (RFC 5952): a run of zeros that follows the fixed groups may hold some of them."""
    if network.prefixlen == GROUPS * GROUP_BITS:
        return f"(?i:{re.escape(str(network.network_address))})"
    groups = network.network_address.exploded.split(":")[: network.prefixlen // GROUP_BITS]
    fixed = [f"{int(group, 16):x}" for group in groups]
    zeros = len(fixed) - len(":".join(fixed).rstrip("0:").split(":")) if set(fixed) != {"0"} else len(fixed)
    begin = fixed[: len(fixed) - zeros]
    if network.prefixlen % GROUP_BITS or not begin or "0:0" in ":".join(begin):
        raise ValueError(
            f"{network} is a network of IPv6 that cannot be looked for; take one with a prefix of /32 or /48"
        )
    left = GROUPS - len(fixed)
    group = "[0-9a-f]{1,4}"
    if not zeros:
        return f"(?i:{':'.join(begin)}:[0-9a-f:]+)"
    written = f"(?:0:){{{zeros}}}[0-9a-f:]+"
    compressed = f":(?:{group}(?::{group}){{0,{left - 1}}})?"
    return f"(?i:{':'.join(begin)}:(?:{written}|{compressed}))"
