"""Writes examples/places.mmdb: the countries of the addresses in examples/access.log, from a database of countries.

python tools/sample_places.py geo-whois-asn-country-ipv4.mmdb
"""

# ruff: noqa: T201, INP001 - a script that talks to people

from __future__ import annotations

import sys
from pathlib import Path

import maxminddb
from mmdb_writer import MMDBWriter
from netaddr import IPSet

EXAMPLES = Path(__file__).parent.parent / "examples"


def main(database: str) -> None:
    """Look each address up, and write what is known of it."""
    lines = (EXAMPLES / "access.log").read_text(errors="replace").splitlines()
    writer = MMDBWriter(4, "Logshed-Sample-Country", languages=["en"], description="Countries of the sample log")
    by_country: dict[str, set[str]] = {}
    with maxminddb.open_database(database) as known:
        for address in {line.partition(" ")[0] for line in lines}:
            found = known.get(address)
            if isinstance(found, dict) and found.get("country_code"):
                by_country.setdefault(str(found["country_code"]), set()).add(address)
    for country, addresses in sorted(by_country.items()):
        writer.insert_network(IPSet(sorted(addresses)), {"country_code": country})
    writer.to_db_file(str(EXAMPLES / "places.mmdb"))
    print(f"{sum(map(len, by_country.values()))} addresses of {len(by_country)} countries")


if __name__ == "__main__":
    main(*sys.argv[1:])
