"""Threat lists: every published form is read, and each kind of entry finds what it should and nothing else."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.enrichment.internal_networks import enrich as with_networks
from logshed.enrichment.threat_files import read
from logshed.enrichment.threat_lists import ThreatList, enrich
from logshed.errors import EnrichmentError

if TYPE_CHECKING:
    from pathlib import Path

SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def listed(folder: Path, text: str, *, name: str = "list.txt", column: str = "", kind: str = "") -> ThreatList:
    (folder / name).write_text(text, encoding="utf-8")
    return ThreatList(name.partition(".")[0], read(folder / name, column=column, kind=kind))


def named(lists: list[ThreatList], column: str, *values: str | None) -> list[str | None]:
    frame = with_networks(pl.DataFrame({column: pl.Series(values, dtype=pl.String)}))
    marked = enrich(frame, lists)
    return marked["client_threat_list"].to_list() if "client_threat_list" in marked.columns else [None] * len(values)


def test_addresses_networks_and_ranges_of_a_plain_list_are_found(tmp_path: Path) -> None:
    text = """# drop
; SBL
192.0.2.1
198.51.100.0/24 ; SBL1
198.51.100.64/26
203.0.113.5 - 203.0.113.9   # a range
203.0.113.200:8080
2001:db8:1::/48
2001:db8:2::1
"""
    own = [listed(tmp_path, text)]
    assert own[0].entries == 7
    on = ["192.0.2.1", "::ffff:192.0.2.1", "198.51.100.0", "198.51.100.255", "203.0.113.5", "203.0.113.9"]
    on += ["203.0.113.200", "2001:db8:1:ffff::1", "2001:DB8:2:0::1"]
    off = ["192.0.2.0", "192.0.2.2", "198.51.99.255", "198.51.101.0", "203.0.113.4", "203.0.113.10", "2001:db8:2::2"]
    off += ["2001:db8::", "::", "not one", "-"]
    assert named(own, "client_address", *on) == ["list"] * len(on)
    assert named(own, "client_address", *off, None) == [None] * (len(off) + 1)


NETWORKS = st.one_of(
    st.builds(
        lambda number, bits: ip_network((number, bits), strict=False), st.integers(0, 2**32 - 1), st.integers(1, 32)
    ),
    st.builds(
        lambda number, bits: ip_network((number.to_bytes(16, "big"), bits), strict=False),
        st.integers(2**32, 2**128 - 1),
        st.integers(1, 128),
    ),
)


@settings(deadline=None)
@given(st.lists(NETWORKS, min_size=1, max_size=12), st.data())
def test_an_address_is_named_exactly_where_a_network_holds_it(networks: list[Any], data: st.DataObject) -> None:
    entries = pl.DataFrame({"kind": "address", "value": [str(one) for one in networks]})
    own = ThreatList("own", read_of(entries))
    edges = [edge for one in networks for edge in (int(one[0]) - 1, int(one[0]), int(one[-1]), int(one[-1]) + 1)]
    sizes = [one.max_prefixlen // 8 for one in networks for _ in range(4)]
    asked = [
        ip_address((edge % 2 ** (8 * size)).to_bytes(size, "big")) for edge, size in zip(edges, sizes, strict=True)
    ]
    asked += data.draw(st.lists(st.ip_addresses(), max_size=5))
    asked = [one for one in asked if one.version == 4 or one.ipv4_mapped is None]
    addresses = pl.Series([str(one) for one in asked], dtype=pl.String)
    frame = pl.DataFrame({"client_address": addresses, "client_is_internal": False})
    found = enrich(frame, [own])["client_threat_list"].is_not_null().to_list()
    assert found == [any(one.version == network.version and one in network for network in networks) for one in asked]


def read_of(entries: pl.DataFrame) -> Any:
    from logshed.enrichment.threat_files import Listed  # noqa: PLC0415 - only here

    return Listed("plain", entries)


def test_an_internal_client_is_only_named_by_an_entry_of_its_own_address(tmp_path: Path) -> None:
    own = [listed(tmp_path, "10.0.0.0/8\n192.168.7.7\nfc00::/7\nfd00::5\n")]
    assert named(own, "client_address", "10.1.2.3", "192.168.7.7", "fd00::4", "fd00::5") == [None, "list", None, "list"]


def test_a_domain_names_itself_and_what_is_below_it(tmp_path: Path) -> None:
    own = [listed(tmp_path, "127.0.0.1 localhost\n0.0.0.0 bad.example\n*.worse.example\nEvil.Example.\n")]
    on = ["bad.example", "WWW.bad.example:443", "a.b.worse.example", "evil.example."]
    assert named(own, "url_domain", *on) == ["list"] * 4
    assert named(own, "url_domain", "notbad.example", "example", "localhost", "", None) == [None] * 5


def test_a_list_without_addresses_domains_or_hashes_is_one_of_user_agents(tmp_path: Path) -> None:
    own = [listed(tmp_path, "# scanners\nsqlmap\nMozilla/5.0 zgrab/0.x\nab\n")]
    found = named(own, "user_agent_original", "SQLMap/1.7#stable", "Mozilla/5.0 zgrab/0.x", "curl/8.5", "cab", None)
    assert found == ["list", "list", None, None, None]
    assert own[0].strange == 1


def test_a_list_that_is_said_to_be_of_user_agents_may_hold_what_looks_like_domains(tmp_path: Path) -> None:
    own = [listed(tmp_path, "bad.bot\nnikto\n", kind="user_agent")]
    assert named(own, "user_agent_original", "Bad.Bot/1", "Nikto/2.5") == ["list", "list"]
    assert named(own, "url_domain", "bad.bot") == [None]


def test_a_list_of_urls_names_nothing(tmp_path: Path) -> None:
    own = listed(tmp_path, "https://bad.example/x\nhttp://192.0.2.1/y\n")
    assert (own.entries, own.strange) == (0, 2)


def test_a_stray_word_beside_addresses_names_no_user_agent(tmp_path: Path) -> None:
    own = [listed(tmp_path, "ip\n192.0.2.1\nhttps://bad.example/x\n")]
    assert named(own, "user_agent_original", "zip-client/1.0") == [None]
    assert (own[0].entries, own[0].strange) == (1, 2)


def test_hashes_are_looked_for_in_attributes_that_are_named_after_them(tmp_path: Path) -> None:
    own = [listed(tmp_path, f"{SHA256.upper()}\n{'d' * 32}\n")]
    attributes = [
        {"file.hash.sha256": SHA256},
        {"Hashes": f"MD5={'D' * 32},SHA256={'0' * 64}"},
        {"note": SHA256},
        {"sha256": "1" * 64},
        None,
    ]
    frame = pl.DataFrame({"attributes": pl.Series(attributes, dtype=pl.Map(pl.String(), pl.String()))})
    assert enrich(frame, own)["client_threat_list"].to_list() == ["list", "list", None, None, None]


def test_the_first_list_in_order_names_the_record_whatever_of_it_is_named(tmp_path: Path) -> None:
    domains = listed(tmp_path, "bad.example\n", name="domains.txt")
    clients = listed(tmp_path, "192.0.2.1\n", name="clients.txt")
    frame = with_networks(
        pl.DataFrame({"client_address": ["192.0.2.1", "192.0.2.1"], "url_domain": ["bad.example", "good.example"]})
    )
    assert enrich(frame, [clients, domains])["client_threat_list"].to_list() == ["clients", "clients"]
    assert enrich(frame, [domains, clients])["client_threat_list"].to_list() == ["domains", "clients"]


CSVS = {
    "a header in a comment": '# Feodo\n# "first_seen","dst_ip","port"\n"2026-01-01","192.0.2.1","443"\n',
    "a header": "id;ip;note\n1;192.0.2.1;x\n2;192.0.2.9;y\n",
    "none": "192.0.2.1,5,bad.example\n192.0.2.3,6,worse.example\n",
}


@pytest.mark.parametrize("text", CSVS.values(), ids=CSVS)
def test_the_column_of_a_csv_list_is_found(tmp_path: Path, text: str) -> None:
    own = [listed(tmp_path, text, name="c2.csv")]
    assert named(own, "client_address", "192.0.2.1", "192.0.2.2") == ["c2", None]
    assert own[0].strange == 0


def test_the_column_of_a_csv_list_is_taken_by_name_or_number(tmp_path: Path) -> None:
    text = "src,dst\n192.0.2.1,192.0.2.2\n"
    for column in ("dst", "DST", "2"):
        own = [listed(tmp_path, text, name="c2.csv", column=column)]
        assert named(own, "client_address", "192.0.2.1", "192.0.2.2") == [None, "c2"]
    with pytest.raises(EnrichmentError, match=r"cannot read .*c2\.csv: it has no column ip; its columns are src, dst"):
        listed(tmp_path, text, name="c2.csv", column="ip")


def test_a_csv_list_without_anything_known_asks_for_the_column(tmp_path: Path) -> None:
    with pytest.raises(EnrichmentError, match=r'name one with column = "..." in \[enrichment\] \(who, what\)'):
        listed(tmp_path, "who,what\nx,y\n", name="c2.csv")


def test_a_csv_column_named_after_user_agents_holds_them(tmp_path: Path) -> None:
    own = [listed(tmp_path, "id,http_user_agent\n1,bad.bot/2\n", name="bots.csv")]
    assert named(own, "user_agent_original", "Bad.Bot/2", "good") == ["bots", None]


def indicator(pattern: str, **more: Any) -> dict[str, Any]:
    return {"type": "indicator", "id": "indicator--1", "pattern": pattern, "pattern_type": "stix", **more}


def test_indicators_of_a_stix_bundle_are_taken_apart(tmp_path: Path) -> None:
    objects = [
        {"type": "identity", "name": "x"},
        {"type": "ipv4-addr", "value": "192.0.2.77"},
        indicator("[ipv4-addr:value = '192.0.2.1' OR ipv4-addr:value IN ('192.0.2.2', '192.0.2.3')]"),
        indicator("[ipv4-addr:value ISSUBSET '198.51.100.0/24'] OR [ipv6-addr:value = '2001:db8::1']"),
        indicator("[domain-name:value = 'bad.example']"),
        indicator(f"[file:hashes.'SHA-256' = '{SHA256}']"),
        indicator("[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'it\\'s bad']"),
        indicator("[ipv4-addr:value = '192.0.2.50' AND network-traffic:dst_port = 25]"),
        indicator("[url:value = 'https://bad.example/x']"),
        indicator("[ipv4-addr:value = '192.0.2.60']", valid_until="2020-01-01T00:00:00Z"),
        indicator("[ipv4-addr:value = '192.0.2.61']", revoked=True),
    ]
    own = [listed(tmp_path, json.dumps({"type": "bundle", "objects": objects}), name="intel.json")]
    on = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "198.51.100.9", "2001:db8::1"]
    assert named(own, "client_address", *on) == ["intel"] * len(on)
    assert named(own, "client_address", "192.0.2.50", "192.0.2.60", "192.0.2.61", "192.0.2.77") == [None] * 4
    assert named(own, "url_domain", "www.bad.example") == ["intel"]
    assert named(own, "user_agent_original", "So it's bad/1") == ["intel"]
    assert own[0].strange == 2


def test_a_stix_bundle_of_observables_alone_is_a_list_of_them(tmp_path: Path) -> None:
    objects = [{"type": "ipv4-addr", "value": "192.0.2.1"}, {"type": "file", "hashes": {"MD5": "d" * 32}}]
    own = listed(tmp_path, json.dumps({"type": "bundle", "objects": objects}))
    assert named([own], "client_address", "192.0.2.1") == ["list"]
    assert own.kind == "stix: address 1, hash 1"


MISP = {
    "Attribute": [
        {"type": "ip-dst", "value": "192.0.2.1", "to_ids": True},
        {"type": "ip-src|port", "value": "192.0.2.2|8080", "to_ids": True},
        {"type": "domain|ip", "value": "bad.example|192.0.2.3", "to_ids": True},
        {"type": "ip-dst", "value": "192.0.2.50", "to_ids": False},
        {"type": "ip-dst", "value": "192.0.2.51", "to_ids": True, "deleted": True},
        {"type": "user-agent", "value": "bad|agent", "to_ids": True},
        {"type": "url", "value": "https://bad.example/x", "to_ids": True},
    ],
    "Object": [{"Attribute": [{"type": "filename|sha256", "value": f"x.exe|{SHA256}", "to_ids": True}]}],
}


@pytest.mark.parametrize("wrapped", [{"Event": MISP}, [{"Event": MISP}], {"response": [{"Event": MISP}]}])
def test_attributes_of_misp_that_are_meant_for_detection_are_taken(tmp_path: Path, wrapped: Any) -> None:
    own = [listed(tmp_path, json.dumps(wrapped), name="misp.json")]
    assert named(own, "client_address", "192.0.2.1", "192.0.2.2", "192.0.2.3") == ["misp"] * 3
    assert named(own, "client_address", "192.0.2.50", "192.0.2.51") == [None] * 2
    assert named(own, "user_agent_original", "a bad|agent") == ["misp"]
    assert own[0].kind == "misp: address 3, domain 1, hash 1, user_agent 1"
    assert own[0].strange == 1


def test_what_cannot_be_read_is_named_with_the_cause_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EnrichmentError, match=r"cannot read .*none\.txt: No such file or directory; check the path"):
        read(tmp_path / "none.txt")
    with pytest.raises(EnrichmentError, match=r"it is no whole JSON \(.*\); download it again"):
        listed(tmp_path, '{"type": "bundle", ')
    with pytest.raises(
        EnrichmentError, match=r"its JSON is neither a STIX 2\.1 bundle nor a MISP event or feed; write"
    ):
        listed(tmp_path, '{"a": 1}')


def test_an_empty_list_names_nobody_and_says_so(tmp_path: Path) -> None:
    own = listed(tmp_path, "# nothing today\n")
    assert named([own], "client_address", "192.0.2.1") == [None]
    assert own.warnings(tmp_path / "list.txt")[0].endswith("has no entry: nothing will be found on it")


def test_an_entry_for_all_addresses_is_left_out(tmp_path: Path) -> None:
    own = listed(tmp_path, "0.0.0.0/0\n::/0\n999.1.1.1\n192.0.2.0/33\n192.0.2.1\n")
    assert (own.entries, own.strange) == (1, 4)


def test_what_the_record_itself_says_stays(tmp_path: Path) -> None:
    own = listed(tmp_path, "192.0.2.1\n")
    frame = pl.DataFrame(
        {"client_address": ["192.0.2.1"] * 2, "client_is_internal": False, "client_threat_list": ["waf", None]}
    )
    assert enrich(frame, [own])["client_threat_list"].to_list() == ["waf", "list"]
