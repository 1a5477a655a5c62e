from __future__ import annotations

import ipaddress
import random
import re

import pytest

from logshed.networks import pattern

NETWORKS = [
    "10.0.0.0/8",
    "192.0.2.64/27",
    "198.51.100.7",
    "0.0.0.0/0",
    "172.16.0.0/12",
    "203.0.113.128/25",
    "2001:db8::/32",
    "2001:db8:0::/48",
    "2001:db8:0:0::/64",
    "2001:db8:a:b::/64",
    "fe80::/16",
    "2001:db8::1",
    "2001:0:5::/48",
]


@pytest.mark.parametrize("text", NETWORKS)
def test_an_address_matches_the_expression_of_a_network_exactly_when_it_is_in_it(text: str) -> None:
    dice = random.Random(text)  # noqa: S311 - a test's dice
    network, found = ipaddress.ip_network(text), re.compile(pattern([text]))
    bits = network.max_prefixlen
    inside = 0
    for _ in range(4_000):
        keep = dice.choice([0, 8, 16, 24, 32, 48, 64, 80, 96, bits])
        mask = (1 << max(0, bits - keep)) - 1
        number = (int(network.network_address) & ~mask) | (dice.getrandbits(bits) & mask)
        for group in range(0, bits, 16):  # zeros here and there, so that the text is compressed in every way
            if dice.random() < 0.4 and group < bits - network.prefixlen - 15:
                number &= ~(0xFFFF << group)
        address = ipaddress.ip_address(number.to_bytes(bits // 8, "big"))
        assert bool(found.search(str(address))) == (address in network), (text, address)
        inside += address in network
    assert inside > 100


def test_several_addresses_and_networks_are_one_expression() -> None:
    found = re.compile(pattern(["192.0.2.1", "10.0.0.0/8", "2001:db8::/32"]))
    assert [
        bool(found.search(text)) for text in ("192.0.2.1", "10.9.8.7", "2001:DB8::5", "192.0.2.10", "1192.0.2.1")
    ] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("text", ["nonsense", "10.0.0.0/33", "2001:db8::/33", "::/16", "2001:0:0:5::/64"])
def test_what_no_expression_describes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        pattern([text])
