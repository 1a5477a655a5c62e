"""Makes small databases in MaxMind's format: the layouts that there are, of addresses meant for documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

if TYPE_CHECKING:
    from pathlib import Path

CITY = {
    "198.51.100.0/24": {
        "country": {"iso_code": "FR", "names": {"en": "France"}},
        "subdivisions": [{"iso_code": "IDF", "names": {"en": "Île-de-France"}}],
        "city": {"names": {"en": "Paris", "de": "Paris"}},
        "location": {"latitude": 48.8566, "longitude": 2.3522},
    },
    "203.0.113.0/24": {"registered_country": {"iso_code": "JP"}, "location": {"latitude": 35.0, "longitude": 139.0}},
    "2001:db8::/32": {"country": {"iso_code": "NZ"}, "subdivisions": [{"iso_code": "AUK"}]},
}
FLAT_CITY = {
    "198.51.100.0/24": {
        "country_code": "DE",
        "state1": "Bavaria",
        "city": "Munich",
        "latitude": 48.1,
        "longitude": 11.6,
        "postcode": "",
    },
}
FLAT_COUNTRY = {"192.0.2.0/24": {"country_code": "BR"}, "203.0.113.0/24": {"country_code": "KR"}}
NETWORK = {
    "192.0.2.0/24": {"autonomous_system_number": 64496, "autonomous_system_organization": "Example Net"},
    "2001:db8::/32": {"autonomous_system_number": 64497, "autonomous_system_organization": "Example Six"},
}
IPINFO = {"192.0.2.0/24": {"country": "CL", "asn": "AS64500", "as_name": "Example South"}}


def written(path: Path, records: dict[str, dict[str, Any]], *, kind: str = "Test", ip_version: int = 6) -> Path:
    """Write a database.

    Args:
        path: Where.
        records: Records by CIDR.
        kind: What it calls itself.
        ip_version: 4 or 6.
    """
    writer = MMDBWriter(
        ip_version, kind, languages=["en"], description="made by a test", ipv4_compatible=ip_version == 6
    )
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path
