"""Where an address is, by the databases of places that the settings name."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from logshed.enrichment import sources
from logshed.settings import Settings

if TYPE_CHECKING:
    from logshed.enrichment.sources import Sources

_PARTS = ("client_geo_locality", "client_geo_region", "client_geo_country_iso_code")


def find_city_by_ip(ip: str) -> list[str]:
    """City, region and country (ISO 3166-1) of an address; what is not known of it is an empty text.

    Args:
        ip: IPv4 or IPv6.

    Raises:
        logshed.errors.EnrichmentError: A database cannot be read.
        logshed.errors.SettingsError: A setting is wrong.
    """
    found = dict.fromkeys(_PARTS, "")
    for database in _sources().databases:
        row = database.rows(pl.Series([ip])).row(0, named=True)
        found = {name: value or str(row[name] or "") for name, value in found.items()}
    return [found[name] for name in _PARTS]


@lru_cache(maxsize=1)
def _sources() -> Sources:
    return sources.opened(Settings.load().enrichment)
