"""A key is found however programs spell it, and addresses are parted from their ports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from logshed.formats.choice import Choice
from logshed.formats.keys import Keys, folded
from logshed.formats.parse import parse

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def parsed(line: str, name: str = "json") -> dict[str, Any]:
    return parse(pl.Series([line]), Choice.parse(name), observed=NOW).row(0, named=True)


@pytest.mark.parametrize("key", ["clientIp", "client_ip", "ClientIP", "client-ip", "CLIENT_IP"])
@pytest.mark.parametrize(
    ("name", "line"), [("json", '{{"msg":"x","{}":"192.0.2.7"}}'), ("logfmt", "msg=x {}=192.0.2.7")]
)
def test_a_key_is_known_in_every_spelling(key: str, name: str, line: str) -> None:
    row = parsed(line.format(key), name)
    assert row["client_address"] == "192.0.2.7"
    assert row["attributes"] is None


def test_a_nested_key_and_a_dotted_one_are_the_same() -> None:
    assert folded("/client.ip") == folded("/client/ip") == folded("/Client/IP")
    assert parsed('{"client":{"ip":"192.0.2.7"}}')["client_address"] == "192.0.2.7"


def test_of_two_spellings_that_differ_neither_is_lost() -> None:
    row = parsed('{"msg":"x","client_ip":"192.0.2.7","clientIp":"192.0.2.8"}')
    assert (row["client_address"], row["attributes"]) == ("192.0.2.7", {"clientIp": "192.0.2.8"})


def test_the_spelling_of_the_format_comes_first() -> None:
    assert Keys(["/A", "/a"], fold=True).meant_by("/a") == ["/a", "/A"]
    assert Keys(["/A", "/a"], fold=False).meant_by("/a") == ["/a"]


def test_an_object_of_hundreds_of_keys_is_still_asked_for_the_known_ones() -> None:
    many = ",".join(f'"key{number}":1' for number in range(400))
    row = parsed(f'{{"Client_IP":"192.0.2.7",{many}}}')
    assert row["client_address"] == "192.0.2.7"


@pytest.mark.parametrize(
    ("text", "address", "port"),
    [
        ("192.0.2.7:51000", "192.0.2.7", 51000),
        ("[2001:db8::7]:443", "2001:db8::7", 443),
        ("[2001:db8::7]", "2001:db8::7", None),
        ("2001:db8::7", "2001:db8::7", None),
        ("shop.example.com", "shop.example.com", None),
    ],
)
def test_an_address_is_parted_from_its_port(text: str, address: str, port: int | None) -> None:
    row = parsed(f'{{"msg":"x","remote_addr":"{text}"}}')
    assert (row["client_address"], row.get("client_port")) == (address, port)


def test_a_port_that_is_known_stays() -> None:
    row = parsed('{"msg":"x","remote_addr":"192.0.2.7:1","remote_port":2}')
    assert (row["client_address"], row["client_port"]) == ("192.0.2.7", 2)
