"""Internal networks: who is inside, and what is no address at all."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logshed.enrichment.internal_networks import NETWORKS, enrich
from logshed.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence


def _enriched(
    *addresses: str | None, networks: Sequence[tuple[str, str | Sequence[str]]] = ()
) -> list[tuple[bool | None, str | None]]:
    frame = pl.DataFrame({"client_address": pl.Series(addresses, dtype=pl.String)})
    return enrich(frame, networks).select("client_is_internal", "client_network").rows()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "private"),
        ("172.31.255.255", "private"),
        ("192.168.0.1", "private"),
        ("fd00::1", "private"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("::ffff:10.0.0.1", "private"),
    ],
)
def test_an_address_of_an_internal_network_is_internal_and_named(address: str, network: str) -> None:
    assert _enriched(address) == [(True, network)]


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.0", "172.15.255.255", "2001:db8::1", "::ffff:8.8.8.8"])
def test_an_address_outside_of_them_is_not_internal_and_has_no_network(address: str) -> None:
    assert _enriched(address) == [(False, None)]


@pytest.mark.parametrize(
    "address", [None, "", "-", "unknown", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1:80", "[EMAIL]"]
)
def test_what_is_no_address_gets_nulls(address: str | None) -> None:
    assert _enriched(address) == [(None, None)]


def test_the_narrowest_network_names_the_address_and_the_users_own_wins_a_tie() -> None:
    own = (("office", ("198.51.100.0/24", "203.0.113.0/24")), ("printers", "10.9.0.0/16"), ("site", "10.0.0.0/8"))
    found = _enriched("203.0.113.7", "10.9.1.1", "10.8.1.1", "192.168.1.1", networks=own)
    assert found == [(True, "office"), (True, "printers"), (True, "site"), (True, "private")]


def test_order_other_columns_and_repeated_addresses_stay_as_they_were() -> None:
    frame = pl.DataFrame({"n": [1, 2, 3, 4], "client_address": ["10.0.0.1", None, "8.8.8.8", "10.0.0.1"]})
    enriched = enrich(frame)
    assert enriched.select("n", "client_address").equals(frame)
    assert enriched["client_is_internal"].to_list() == [True, None, False, True]


def test_earlier_values_are_replaced_and_a_frame_without_addresses_is_left_alone() -> None:
    frame = pl.DataFrame({"client_address": ["8.8.8.8"], "client_network": ["stale"], "client_is_internal": [True]})
    assert enrich(frame)["client_network"].to_list() == [None]
    assert enrich(pl.DataFrame({"n": [1]})).columns == ["n"]


def test_a_network_that_is_no_cidr_is_named_in_the_error() -> None:
    with pytest.raises(SettingsError, match=r"cannot use network office: '10\.0\.0\.0/40' is no CIDR"):
        _enriched("10.0.0.1", networks=(("office", "10.0.0.0/40"),))


@given(st.lists(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str), max_size=20))
def test_any_address_is_judged_as_the_standard_library_judges_it(addresses: list[str]) -> None:
    for address, (internal, _) in zip(addresses, _enriched(*addresses), strict=True):
        four = getattr(ip_address(address), "ipv4_mapped", None) or ip_address(address)
        assert internal is any(
            four in ip_network(cidr) for _, cidr in NETWORKS if ip_network(cidr).version == four.version
        )
