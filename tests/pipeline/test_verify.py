"""What rests in a lake is looked at whole, and what its policy forbids is found wherever it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from logshed.api import Lake
from logshed.lake.names import TABLES
from logshed.pipeline import resting
from logshed.pipeline.verify import _Scanners
from logshed.redaction import load_policy
from logshed.redaction.keyring import add_key, load_keys
from logshed.redaction.treatments import Pseudonyms

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.settings import Settings

RECORDS = [
    {"time": f"2026-01-01T00:00:{number:02d}Z", "level": "info", "msg": f"mail to ada{number}@example.com", **more}
    for number, more in enumerate(
        [{"user_id": "u-17", "password": "hunter2"}, {"user_id": "u-17", "order_id": "o-1"}, {"user_id": "u-18"}]
    )
]


def _write(path: Path, records: list[dict[str, str]] = RECORDS) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.fixture
def strict(tmp_path: Path, settings: Settings) -> Lake:
    key = add_key(tmp_path / "keys")
    assert key.name == "k1"
    own = settings.model_copy(update={"policy": "strict", "keys": str(tmp_path / "keys")})
    return Lake.open(tmp_path / "strict-lake", create=True, settings=own)


def test_every_table_of_a_lake_is_among_the_places_that_are_looked_at() -> None:
    assert {table.name for table in TABLES.values()} <= {place.name for place in resting.RESTING_PLACES if place.table}


def test_every_file_of_a_lake_is_in_one_of_the_places(lake: Lake, logs: Path) -> None:
    lake.ingest([_write(logs / "a.log")])
    store = lake._opened()
    seen = {str(path) for path in resting.rest.other_files(store)} | set(resting.rest.ledger_files(store))
    for table in TABLES.values():
        found = resting.rest.data_files(store, table)
        seen |= {*found.current, *found.others}
    assert seen == {str(path) for path in lake.root.rglob("*") if path.is_file()}


def test_a_lake_that_was_redacted_by_its_policy_has_no_leak(lake: Lake, logs: Path) -> None:
    lake.ingest([_write(logs / "a.log")])
    report = lake.verify_redaction(1.0)
    assert report.ok
    assert report.read["bronze.lines"] == report.read["silver.logs"] == 3
    assert report.read["other files"] > 0


def test_values_that_were_stored_unredacted_are_found_in_both_tables_and_in_the_manifests(
    lake: Lake, logs: Path
) -> None:
    lake.ingest([_write(logs / "a.log", [{"msg": "a@b.io", "password": "hunter2"}])], policy="none")
    found = {(leak.table, leak.rule): leak for leak in lake.verify_redaction(1.0).leaks}
    for place in ("bronze.lines", "silver.logs"):
        assert {"email", "password"} <= {rule for table, rule in found if table == place}
    assert found["silver.logs", "password"].column == "attributes"
    assert found["other files", "email"].where.endswith(".avro")


def test_a_report_holds_no_value_that_it_found(lake: Lake, logs: Path) -> None:
    (logs / "ada@example.com").mkdir()
    lake.ingest([_write(logs / "ada@example.com" / "a.log")], policy="none")
    told = json.dumps(lake.verify_redaction(1.0).as_dict())
    assert "xxx9@xxxxxxx.xxx" in told
    assert "7 characters" in told
    for value in ("ada0@", "hunter2", "ada@example"):
        assert value not in told


def test_a_path_that_names_a_person_in_a_lake_of_before_is_a_leak_of_the_columns_that_hold_it(
    lake: Lake, logs: Path
) -> None:
    (logs / "ada@example.com").mkdir()
    lake.ingest([_write(logs / "ada@example.com" / "a.log", [{"msg": "nothing"}])], policy="none")
    found = {(leak.table, leak.column) for leak in lake.verify_redaction(1.0).leaks}
    assert {(table, "source") for table in ("bronze.lines", "silver.logs", "ledger")} <= found
    assert {("bronze.lines", "resource"), ("silver.logs", "log_file_path")} <= found


def test_an_address_before_the_ending_of_a_logs_name_is_a_leak(lake: Lake, logs: Path) -> None:
    lake.ingest([_write(logs / "ada@example.com.log.1", [{"msg": "nothing"}])], policy="none")
    found = {(leak.table, leak.column, leak.rule) for leak in lake.verify_redaction(1.0).leaks}
    assert {("bronze.lines", "source", "email"), ("ledger", "source", "email")} <= found


def test_a_name_is_a_leak_even_where_an_override_keeps_such_values_for_the_collection(
    tmp_path: Path, settings: Settings, logs: Path
) -> None:
    (tmp_path / "ours.toml").write_text(
        'title="t"\nextends="default"\n[[override]]\ncollection="tests"\n[override.rules]\nemail="keep"\n'
    )
    own = settings.model_copy(update={"policy": str(tmp_path / "ours.toml")})
    lake = Lake.open(tmp_path / "lake", create=True, settings=own)
    (logs / "ada@example.com").mkdir()
    path = _write(logs / "ada@example.com" / "a.log")
    lake.ingest([path], policy="none", collection="tests")
    assert "source" in {leak.column for leak in lake.verify_redaction(1.0).leaks if leak.table == "bronze.lines"}


def test_what_the_policy_keeps_is_no_leak_but_under_the_strictest(lake: Lake, logs: Path) -> None:
    lake.ingest([_write(logs / "a.log")])
    assert lake.verify_redaction(1.0).ok
    strictest = {leak.rule for leak in lake.verify_redaction(1.0, policy="strictest").leaks}
    assert {"user_id", "order_id"} <= strictest
    assert "email" not in strictest


def test_an_override_that_keeps_something_is_no_leak_in_its_collection(
    tmp_path: Path, settings: Settings, logs: Path
) -> None:
    (tmp_path / "ours.toml").write_text(
        'title="t"\nextends="default"\n[[override]]\ncollection="tests"\n[override.rules]\nemail="keep"\n'
    )
    own = settings.model_copy(update={"policy": str(tmp_path / "ours.toml")})
    lake = Lake.open(tmp_path / "lake", create=True, settings=own)
    lake.ingest([_write(logs / "a.log")], collection="tests")
    lake.ingest([_write(logs / "b.log")])
    assert lake.verify_redaction(1.0).ok
    assert {leak.rule for leak in lake.verify_redaction(1.0, policy="default").leaks} == {"email"}


def test_rows_of_a_table_without_sources_are_looked_at_by_what_holds_for_their_collection(tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(
        'title="t"\nextends="default"\n[[override]]\ncollection="tests"\n[override.rules]\nemail="keep"\n'
    )
    frame = pl.DataFrame({"collection": ["tests", "shop"], "actor": ["ada@example.com"] * 2})
    place = next(place for place in resting.RESTING_PLACES if place.name == "security.findings")
    parts = list(_Scanners(load_policy(str(tmp_path / "ours.toml"))).parts(frame, place))
    assert [bool(scanner.texts("actor", part["actor"])) for part, scanner in parts] == [False, True]


def test_a_file_that_no_snapshot_has_is_looked_at_and_half_a_file_is_named(lake: Lake, logs: Path) -> None:
    lake.ingest([_write(logs / "a.log")])
    folder = next(lake.root.rglob("data"))
    pl.DataFrame({"text": ["left by ada@example.com"], "source": "s", "collection": "c"}).write_parquet(
        folder / "left.parquet"
    )
    (folder / "half.parquet").write_bytes(b"PAR1 half")
    (folder / "half.avro").write_bytes(b"Obj\x01 half")
    pl.DataFrame({"anything": ["bob@example.com"]}).write_parquet(lake.root / "stray.parquet")
    report = lake.verify_redaction(1.0)
    found = [(leak.table, leak.column, leak.rule, leak.where) for leak in report.leaks]
    assert found == [("bronze.lines", "text", "email", "s"), ("other files", "anything", "email", "")]
    assert report.unread == (str(folder / "half.avro"), str(folder / "half.parquet"))


def test_a_sample_reads_about_its_share_and_the_same_seed_reads_the_same_rows(lake: Lake, logs: Path) -> None:
    lines = "".join(f"2026-01-01T00:00:00Z INFO line {number}\n" for number in range(100_000))
    (logs / "a.log").write_text(lines)
    lake.ingest([logs / "a.log"])
    first, again, other = (lake.verify_redaction(0.2, seed=seed).read for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert 19_000 < first["bronze.lines"] < 21_000


def test_few_rows_are_all_read_whatever_the_share(lake: Lake, logs: Path) -> None:
    lake.ingest([_write(logs / "a.log")])
    assert lake.verify_redaction(0.01).read["silver.logs"] == 3


def test_pseudonyms_are_the_same_in_both_tables_and_in_a_second_ingest_and_are_no_leak(
    strict: Lake, logs: Path, tmp_path: Path
) -> None:
    strict.ingest([_write(logs / "a.log")])
    strict.ingest([_write(logs / "b.log")])
    assert strict.verify_redaction(1.0).ok
    assert strict.verify_redaction(1.0, policy="strictest").ok
    wanted = Pseudonyms("user", load_keys(str(tmp_path / "keys")).current).of("u-17")
    logs_of = strict.query("SELECT source, user_id FROM logs").pl()
    lines_of = strict.query("SELECT source, text FROM lines").pl()
    assert logs_of.filter(pl.col("user_id") == wanted).height == 4
    assert lines_of.filter(pl.col("text").str.contains(wanted, literal=True))["source"].n_unique() == 2
    assert "u-17" not in "".join(lines_of["text"])


def test_names_of_structured_data_and_cut_bounds_are_no_leak(strict: Lake, logs: Path) -> None:
    (logs / "a.log").write_text(
        '<165>1 2026-01-01T00:00:00Z host app 1 ID47 [exampleSDID@32473 iut="3" event="x"] up\n'
        '<165>1 2026-01-01T00:00:01Z host app 1 ID47 [exampleSDID@32473 iut="3" event="x"] from 192.0.2.77\n'
    )
    (logs / "b.log").write_text("|      127.0.0.9 password=hunter2000\n|      127.0.0.9 is up\n")
    strict.ingest([logs])
    assert strict.verify_redaction(1.0).leaks == ()


def test_the_id_of_a_snapshot_is_no_card(lake: Lake, logs: Path) -> None:
    lake.ingest([_write(logs / "a.log")])
    folder = next(lake.root.rglob("metadata"))
    (folder / "snap-4111111111111111-0-a.avro").write_bytes(next(folder.glob("snap-*.avro")).read_bytes())
    (folder / "x.metadata.json").write_text('{"snapshot-id": "4111111111111111", "name": "snap-4111111111111111-0"}')
    assert lake.verify_redaction(1.0).leaks == ()
    (folder / "y.metadata.json").write_text('{"summary": {"note": "4111111111111111"}}')
    assert [leak.rule for leak in lake.verify_redaction(1.0).leaks] == ["payment_card"]


def test_a_number_under_the_name_of_a_version_is_no_address(strict: Lake, logs: Path) -> None:
    strict.ingest([_write(logs / "a.log", [{"msg": "up", "engineVersion": "1.2.0.2"}])])
    assert strict.verify_redaction(1.0).ok
