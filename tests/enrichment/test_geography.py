"""Databases in MaxMind's format: told apart by what they hold, asked once for each client from outside."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from tests.enrichment import databases

from logshed.enrichment.geography import SCHEMA, Database, enrich
from logshed.errors import EnrichmentError

if TYPE_CHECKING:
    from pathlib import Path

PARIS = ("FR", "Île-de-France", "Paris", 48.8566, 2.3522, None, None)
NOWHERE = (None,) * len(SCHEMA)


def made(folder: Path, *records: dict[str, dict[str, Any]], ip_version: int = 6) -> list[Database]:
    paths = [
        databases.written(folder / f"{number}.mmdb", one, ip_version=ip_version) for number, one in enumerate(records)
    ]
    return [Database(path) for path in paths]


def looked_up(found: list[Database], *addresses: str | None, **columns: list[Any]) -> list[tuple[Any, ...]]:
    internal = [None if one is None else one.startswith("10.") for one in addresses]
    frame = pl.DataFrame(
        {
            "client_address": pl.Series(addresses, dtype=pl.String),
            "client_is_internal": pl.Series(internal, dtype=pl.Boolean),
            **columns,
        }
    )
    return enrich(frame, found).select(*SCHEMA).rows()


def test_a_nested_database_of_towns_gives_country_region_town_and_place(tmp_path: Path) -> None:
    found = made(tmp_path, databases.CITY)
    assert looked_up(found, "198.51.100.7", "8.8.8.8", "198.51.100.7") == [PARIS, NOWHERE, PARIS]


def test_where_the_country_is_not_known_the_one_that_registered_the_network_stands_for_it(tmp_path: Path) -> None:
    assert looked_up(made(tmp_path, databases.CITY), "203.0.113.9")[0][:1] == ("JP",)


def test_addresses_of_ipv6_are_looked_up_and_a_region_without_a_name_is_told_by_its_code(tmp_path: Path) -> None:
    found = made(tmp_path, databases.CITY, databases.NETWORK)
    assert (
        looked_up(found, "2001:db8::1", "2001:db8::2%eth0")
        == [("NZ", "AUK", None, None, None, 64497, "Example Six")] * 2
    )


def test_a_flat_database_of_towns_is_read_as_well(tmp_path: Path) -> None:
    found = made(tmp_path, databases.FLAT_CITY)
    assert looked_up(found, "198.51.100.7") == [("DE", "Bavaria", "Munich", 48.1, 11.6, None, None)]


def test_databases_are_told_apart_by_what_they_hold(tmp_path: Path) -> None:
    kinds = [
        one.kind
        for one in made(
            tmp_path,
            databases.CITY,
            databases.FLAT_CITY,
            databases.FLAT_COUNTRY,
            databases.NETWORK,
            databases.IPINFO,
        )
    ]
    assert kinds == ["city", "city", "country", "network", "country+network"]


def test_the_first_database_that_knows_a_value_gives_it(tmp_path: Path) -> None:
    found = made(tmp_path, databases.FLAT_COUNTRY, databases.NETWORK, databases.IPINFO, databases.CITY)
    assert looked_up(found, "192.0.2.1", "203.0.113.1") == [
        ("BR", None, None, None, None, 64496, "Example Net"),
        ("KR", None, None, 35.0, 139.0, None, None),
    ]
    assert looked_up(found[2:], "192.0.2.1") == [("CL", None, None, None, None, 64500, "Example South")]


def test_internal_clients_and_records_without_a_client_are_not_looked_up(tmp_path: Path) -> None:
    found = made(tmp_path, {"10.0.0.0/8": {"country_code": "XX"}, "198.51.100.0/24": {"country_code": "FR"}})
    assert looked_up(found, "10.0.0.1", None, "198.51.100.1")[:2] == [NOWHERE, NOWHERE]
    inside = pl.DataFrame({"client_address": ["10.0.0.1"], "client_is_internal": [True]})
    assert enrich(inside, found).equals(inside)


def test_a_database_of_ipv4_knows_nothing_of_ipv6(tmp_path: Path) -> None:
    found = made(tmp_path, databases.FLAT_COUNTRY, ip_version=4)
    assert looked_up(found, "2001:db8::1", "192.0.2.1") == [NOWHERE, ("BR", *NOWHERE[1:])]


def test_a_place_that_the_record_itself_tells_stays_whole_and_other_records_are_filled(tmp_path: Path) -> None:
    rows = looked_up(
        made(tmp_path, databases.CITY, databases.NETWORK),
        "198.51.100.1",
        "198.51.100.2",
        "192.0.2.1",
        client_geo_country_iso_code=["CH", None, None],
        client_as_number=[None, None, 1],
    )
    assert rows == [("CH", *NOWHERE[1:]), PARIS, (None, None, None, None, None, 1, None)]


def test_the_date_of_a_database_is_when_it_was_built(tmp_path: Path) -> None:
    built = made(tmp_path, databases.CITY)[0].built
    assert timedelta(0) <= datetime.now(UTC) - built < timedelta(minutes=5)


def test_a_file_that_is_overwritten_in_place_does_not_disturb_the_open_database(tmp_path: Path) -> None:
    found = made(tmp_path, databases.CITY)
    (tmp_path / "0.mmdb").write_bytes(b"")
    assert looked_up(found, "198.51.100.1") == [PARIS]


def test_what_is_no_database_or_holds_nothing_of_use_is_named_with_the_cause(tmp_path: Path) -> None:
    text = tmp_path / "text.mmdb"
    text.write_text("no database")
    with pytest.raises(EnrichmentError, match=r"cannot read .*text\.mmdb: it is no database in MaxMind's format; "):
        Database(text)
    with pytest.raises(EnrichmentError, match=r"cannot read .*none\.mmdb: No such file or directory; check"):
        Database(tmp_path / "none.mmdb")
    with pytest.raises(EnrichmentError, match=r"cannot use .*0\.mmdb: Test tells neither countries nor towns nor net"):
        made(tmp_path, {"192.0.2.0/24": {"is_proxy": 1}})


def test_without_the_reader_in_c_a_database_is_refused_with_what_to_install(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    path = databases.written(tmp_path / "a.mmdb", databases.CITY)
    program = f"""
import sys
sys.modules["maxminddb.extension"] = None  # as where its wheel has none
from pathlib import Path
from logshed.enrichment.geography import Database
Database(Path({str(path)!r}))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, env=environment, timeout=60
    )
    assert "only the slow reader of maxminddb is installed; install its wheel" in done.stderr
