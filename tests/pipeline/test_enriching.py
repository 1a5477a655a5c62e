"""Enrichment on the way into the lake: databases, lists, templates; changed files are seen by the next batch."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from tests.enrichment import databases
from tests.pipeline.samples import access, accesses

from logshed.api import Lake
from logshed.engines.local import LocalEngine
from logshed.enrichment import sources
from logshed.errors import EnrichmentError
from logshed.files import convert, reader
from logshed.pipeline import ingest as verb
from logshed.pipeline.ingest import Ingest
from logshed.pipeline.planning import Options
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

FOUND = "SELECT client_geo_country_iso_code, client_as_number, client_threat_list, client_risk_level, url_template"


def configured(folder: Path, **enrichment: Any) -> Settings:
    return Settings.load(folder, environ={}).enriched(**enrichment)


@pytest.fixture
def enriched(tmp_path: Path, logs: Path) -> Lake:
    """A lake whose settings name a database of countries, one of networks, and a list."""
    (logs / "access.log").write_text(access(0) + access(1).replace("192.0.2.2", "10.0.0.1") + access(2))
    (tmp_path / "bad.txt").write_text("192.0.2.3\n")
    geoip = [
        databases.written(tmp_path / "country.mmdb", databases.FLAT_COUNTRY),
        databases.written(tmp_path / "asn.mmdb", databases.NETWORK),
    ]
    settings = configured(tmp_path, geoip=geoip, threat_lists=[tmp_path / "bad.txt"])
    return Lake.open(tmp_path / "lake", create=True, settings=settings)


ROWS = [
    ("BR", 64496, None, "medium", "/item/{id}"),
    (None, None, None, "low", "/item/{id}"),
    ("BR", 64496, "bad", "high", "/item/{id}"),
]


def rows(lake: Lake) -> list[tuple[Any, ...]]:
    return lake.query(f'{FOUND} FROM logs ORDER BY source, "offset"').pl().rows()


def test_records_are_enriched_on_their_way_into_the_lake(enriched: Lake, logs: Path) -> None:
    enriched.ingest([logs])
    assert rows(enriched) == ROWS


def test_what_was_left_half_way_is_enriched_alike_when_it_is_completed(
    enriched: Lake, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(verb, "commit_follower", ended)
        with pytest.raises(KeyboardInterrupt):
            enriched.ingest([logs])
    assert enriched.query("SELECT count(*) AS n FROM logs").pl()["n"][0] == 0
    assert enriched.ingest([logs]).caught_up == 3
    assert rows(enriched) == ROWS


def test_files_without_a_lake_are_enriched_alike(enriched: Lake, logs: Path) -> None:
    found = convert([logs], passing=reader(enriched.settings)).pl()
    assert found.select("client_geo_country_iso_code", "client_risk_level", "url_template").rows() == [
        (country, risk, template) for country, _, _, risk, template in ROWS
    ]


def test_a_changed_list_is_seen_by_the_next_batch_of_the_same_run(
    tmp_path: Path, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two batches of one file the owner of the list adds a client to it."""
    monkeypatch.setattr(verb, "GROUP_BYTES", 2**16)
    (logs / "access.log").write_text(accesses(0, 3000))
    (tmp_path / "bad.txt").write_text("203.0.113.1\n")
    settings = configured(tmp_path, threat_lists=[tmp_path / "bad.txt"]).model_copy(update={"split_bytes": 2**16})
    lake = Lake.open(tmp_path / "lake", create=True, settings=settings)

    def add(_: object) -> None:
        if lake.query("SELECT count(*) AS n FROM logs").pl()["n"][0]:
            (tmp_path / "bad.txt").write_text("203.0.113.1\n192.0.2.0/24\n")

    Ingest(lake._opened(), settings, Options(), LocalEngine(1), add).run([str(logs)])
    found = lake.query('SELECT client_threat_list FROM logs ORDER BY "offset"').pl()["client_threat_list"]
    assert found[0] is None
    assert found[-1] == "bad"


def test_a_list_that_cannot_be_read_any_more_is_used_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{"type": "bundle", "objects": [{"type": "ipv4-addr", "value": "192.0.2.1"}]}')
    before = sources.opened(configured(tmp_path, threat_lists=[path]).enrichment)
    path.write_text('{"type": "bundle", "obj')
    assert sources.refreshed(before) == before
    path.unlink()
    assert sources.refreshed(before) == before
    assert sources.refreshed(before).lists[0].entries == 1
    assert [record.getMessage().endswith("what was read of it before is used on") for record in caplog.records] == [
        True
    ] * 3


def test_a_database_that_was_replaced_is_opened_anew(tmp_path: Path) -> None:
    path = databases.written(tmp_path / "geo.mmdb", databases.FLAT_COUNTRY)
    before = sources.opened(configured(tmp_path, geoip=[path]).enrichment)
    shutil.copy(databases.written(tmp_path / "new.mmdb", databases.CITY), path)
    assert [one.kind for one in (*before.databases, *sources.refreshed(before).databases)] == ["country", "city"]


def test_what_cannot_be_used_stops_the_run_before_anything_is_read(enriched: Lake, logs: Path, tmp_path: Path) -> None:
    with pytest.raises(EnrichmentError, match=r"cannot read .*none\.mmdb: No such file or directory; correct"):
        enriched.ingest([logs], geoip=[tmp_path / "none.mmdb"])
    with pytest.raises(EnrichmentError, match="cannot use two threat lists named bad"):
        enriched.ingest([logs], threat_lists=[tmp_path / "bad.txt", tmp_path / "bad.txt"])
    assert enriched.query("SELECT count(*) AS n FROM lines").pl()["n"][0] == 0


def test_an_empty_list_is_told_and_stops_nothing(
    tmp_path: Path, lake: Lake, logs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (logs / "access.log").write_text(access(0))
    (tmp_path / "empty.txt").write_text("# nothing\n")
    assert lake.ingest([logs], threat_lists=[tmp_path / "empty.txt"]).totals.stored == 1
    assert "empty.txt has no entry: nothing will be found on it" in caplog.text


def test_the_files_of_a_batch_say_what_they_were_enriched_from(enriched: Lake, logs: Path) -> None:
    enriched.ingest([logs])
    files = f"{enriched.root}/**/*.parquet"
    query = f"SELECT value FROM parquet_kv_metadata('{files}') WHERE key = '{sources.NOTE}'"
    notes = [json.loads(bytes(value)) for (value,) in duckdb.sql(query).fetchall()]
    assert len(notes) == 1
    assert [one["kind"] for one in notes[0]["geoip"]] == ["country", "network"]
    assert [(one["name"], one["entries"]) for one in notes[0]["threat_lists"]] == [("bad", 1)]


def test_states_tell_the_age_of_each_and_what_is_stale(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("192.0.2.1\n")
    os.utime(tmp_path / "old.txt", (1_700_000_000, 1_700_000_000))
    (tmp_path / "new.txt").write_text("192.0.2.1\nbad.example\n")
    geo = databases.written(tmp_path / "geo.mmdb", databases.CITY, kind="Test-City")
    lists = [tmp_path / "old.txt", tmp_path / "new.txt", tmp_path / "none.txt"]
    found = sources.states(configured(tmp_path, geoip=[geo], threat_lists=lists).enrichment)
    assert [(one.name, one.kind, one.stale, bool(one.error)) for one in found] == [
        ("Test-City", "city", False, False),
        ("old", "plain: address 1", True, False),
        ("new", "plain: address 1, domain 1", False, False),
        ("none", "", False, True),
    ]
    assert found[1].dated == "2023-11-14T22:13:20+00:00"
