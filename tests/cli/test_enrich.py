"""``logshed enrich status``, ``--geoip`` and what ``logshed check`` says of databases and lists."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from tests.enrichment import databases
from tests.pipeline.samples import access

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

OLD = (1_700_000_000, 1_700_000_000)


def test_status_names_what_is_set_with_its_age_and_warns_of_what_is_old_or_empty(logshed: Run, tmp_path: Path) -> None:
    databases.written(tmp_path / "geo.mmdb", databases.CITY, kind="Test-City")
    (tmp_path / "bad.txt").write_text("192.0.2.1\n")
    os.utime(tmp_path / "bad.txt", OLD)
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "logshed.toml").write_text(
        '[enrichment]\ngeoip = ["geo.mmdb"]\nthreat_lists = ["bad.txt", { file = "empty.txt", name = "nothing" }]\n'
    )
    found = json.loads(logshed("enrich", "status", "--json").stdout)
    assert [(one["name"], one["stale"], one["entries"] > 0) for one in found] == [
        ("Test-City", False, True),
        ("bad", True, True),
        ("nothing", False, False),
    ]
    done = logshed("enrich", "status")
    assert done.returncode == 0
    assert "stale: " in done.stdout
    assert "warning: the threat list " in done.stdout
    assert done.stderr == ""
    assert "2023-11-14" in done.stdout


def test_status_of_a_file_that_cannot_be_used_is_its_error_and_exit_code_1(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "logshed.toml").write_text('[enrichment]\ngeoip = ["none.mmdb"]\n')
    done = logshed("enrich", "status")
    assert done.returncode == 1
    assert "error: cannot read " in done.stdout
    assert "cannot read " in logshed("check").stdout


def test_status_without_any_says_where_to_name_them(logshed: Run) -> None:
    done = logshed("enrich", "status")
    assert done.returncode == 0
    assert done.stdout == "Nothing is set; name databases and lists under [enrichment] in logshed.toml.\n"


def test_databases_and_lists_are_given_on_the_command_line_or_by_variables(logshed: Run, tmp_path: Path) -> None:
    country = databases.written(tmp_path / "country.mmdb", databases.FLAT_COUNTRY)
    network = databases.written(tmp_path / "asn.mmdb", databases.NETWORK)
    (tmp_path / "bad.txt").write_text("192.0.2.1\n")
    (tmp_path / "access.log").write_text(access(0))
    sql = "SELECT client_geo_country_iso_code AS c, client_as_number AS a, client_threat_list AS t FROM logs"
    options = ("--geoip", country, "--geoip", network, "--threat-list", tmp_path / "bad.txt")
    assert logshed("ingest", "access.log", *options).returncode == 0
    expected = [{"c": "BR", "a": 64496, "t": "bad"}]
    assert json.loads(logshed("query", sql, "--format", "json").stdout) == expected
    env = {
        "LOGSHED_ENRICHMENT_GEOIP": f"{country}{os.pathsep}{network}",
        "LOGSHED_ENRICHMENT_THREAT_LISTS": str(tmp_path / "bad.txt"),
        "LOGSHED_LAKE": str(tmp_path / "other"),
    }
    assert logshed("ingest", "access.log", env=env).returncode == 0
    assert json.loads(logshed("query", sql, "--format", "json", env=env).stdout) == expected


def test_a_missing_database_is_bad_news_before_anything_is_read(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text(access(0))
    done = logshed("ingest", "access.log", "--geoip", "none.mmdb")
    assert done.returncode == 1
    assert done.stderr.startswith("error: cannot read none.mmdb: No such file or directory; ")
