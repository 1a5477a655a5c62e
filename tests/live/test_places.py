"""Where an address is, for those who ask from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.enrichment import databases

from logshed.live import find_city_by_ip
from logshed.live.places import _sources

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_city_region_and_country_are_told_and_what_is_not_known_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGSHED_ENRICHMENT_GEOIP", str(databases.written(tmp_path / "c.mmdb", databases.CITY)))
    _sources.cache_clear()
    try:
        assert find_city_by_ip("198.51.100.7") == ["Paris", "Île-de-France", "FR"]
        assert find_city_by_ip("203.0.113.9") == ["", "", "JP"]
        assert find_city_by_ip("2001:db8::1")[2] == "NZ"
        assert find_city_by_ip("10.0.0.1") == find_city_by_ip("no address") == ["", "", ""]
    finally:
        _sources.cache_clear()
