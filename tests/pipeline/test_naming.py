"""Names of files go through the policy before they rest, and files are known again all the same."""

from __future__ import annotations

import gzip
import json
import logging
import os
from typing import TYPE_CHECKING

import pytest

from logshed.api import Lake
from logshed.errors import RedactionError
from logshed.lake.secret import SECRET_FILE, lake_secret
from logshed.redaction.keyring import add_key

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.pipeline.outcome import Progress
    from logshed.settings import Settings

WHO = "ada@example.com"


def _file(logs: Path, who: str = WHO, name: str = "app.log", lines: int = 1) -> Path:
    (logs / who).mkdir(exist_ok=True)
    path = logs / who / name
    with path.open("a") as file:
        file.writelines(f"2026-01-01T00:00:0{number}Z INFO line {number}\n" for number in range(lines))
    return path


def _rows(lake: Lake, sql: str) -> list[tuple[object, ...]]:
    return list(lake.query(sql).pl().iter_rows())


def _everything(root: Path) -> bytes:
    return b"".join(path.read_bytes() + str(path).encode() for path in root.rglob("*") if path.is_file())


def test_no_byte_of_a_lake_holds_the_name_of_a_person_that_a_path_does(lake: Lake, logs: Path) -> None:
    lake.ingest([_file(logs), _file(logs, name=f"{WHO}.log")])
    found = _rows(lake, "SELECT source, log_file_path FROM logs ORDER BY source")
    assert all(str(source) == f"file:{path}" and "~[EMAIL]" in str(source) for source, path in found)
    resource = str(_rows(lake, "SELECT resource FROM lines ORDER BY source")[0][0])
    assert json.loads(resource)["log.file.path"] == found[0][1]
    assert lake.verify_redaction(1.0).ok
    assert WHO.encode() not in _everything(lake.root)
    assert lake.audit().ok


def test_a_service_is_redacted_as_the_names_of_files_are(lake: Lake, logs: Path) -> None:
    lake.ingest([_file(logs, "x")], service=f"shop of {WHO}")
    assert _rows(lake, "SELECT service_name FROM logs") == [("shop of [EMAIL]",)]


def test_an_ingest_tells_and_logs_the_name_that_rests(lake: Lake, logs: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = _file(logs)
    (logs / WHO / "no.log").write_bytes(bytes(range(32)) * 10)
    told: list[Progress] = []
    with caplog.at_level(logging.DEBUG):
        report = lake.ingest(
            [path, logs / WHO / "no.log", logs / WHO / "missing.log", logs / f"{WHO}.log"], progress=told.append
        )
    assert report.files[-1].source == f"file:{report.files[-1].path}"
    assert len(report.failed) == 3
    assert WHO not in json.dumps(report.as_dict())
    assert WHO not in caplog.text + "".join(one.current for one in told)


def test_two_files_whose_names_differ_only_in_what_is_redacted_are_both_read_and_read_on(
    lake: Lake, logs: Path
) -> None:
    ada, bob = _file(logs), _file(logs, "bob@example.com", lines=2)
    lake.ingest([ada])
    lake.ingest([ada, bob])
    _file(logs, lines=2)
    assert lake.ingest([ada, bob]).totals.read == 2
    assert lake.ingest([ada, bob]).totals.read == 0
    assert _rows(lake, "SELECT count(*), count(DISTINCT source) FROM logs") == [(5, 2)]
    assert lake.audit().ok


def test_a_log_in_a_redacted_folder_is_known_again_renamed_compressed_and_under_another_inode(
    lake: Lake, logs: Path
) -> None:
    path = _file(logs, lines=3)
    lake.ingest([logs])
    (logs / WHO / "app.log.1.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    _file(logs, lines=1)
    report = lake.ingest([logs])
    assert report.totals.read == 1
    assert len(set(_rows(lake, "SELECT source FROM logs"))) == 1


@pytest.mark.parametrize("rotated", [False, True])
def test_a_lake_that_knows_a_file_by_its_real_name_goes_on_where_it_ended_under_the_redacted_one(
    lake: Lake, logs: Path, *, rotated: bool
) -> None:
    path = _file(logs, lines=3)
    lake.ingest([path], policy="none")
    _file(logs, lines=2)
    if rotated:
        copy = logs / WHO / "app.log.1.gz"
        copy.write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
        path = copy
    assert lake.ingest([path]).totals.read == 2
    assert lake.ingest([path]).totals.read == 0
    found = _rows(lake, "SELECT source, count(*) FROM logs GROUP BY 1 ORDER BY 2")
    assert ["~[EMAIL]" in str(source) for source, _ in found] == [True, False]
    assert lake.audit().ok


def test_names_that_hold_nothing_forbidden_are_as_they_were_and_need_no_secret(lake: Lake, logs: Path) -> None:
    path = _file(logs, "x")
    lake.ingest([path])
    assert _rows(lake, "SELECT source, log_file_path FROM logs") == [(f"file:{path}", str(path))]
    assert not (lake.root / SECRET_FILE).exists()


def test_the_secret_of_a_lake_is_its_owners_alone_and_stays(tmp_path: Path) -> None:
    first = lake_secret(tmp_path)
    assert lake_secret(tmp_path) == first != lake_secret(_folder(tmp_path / "other"))
    assert (tmp_path / SECRET_FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [SECRET_FILE]


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_a_policy_with_pseudonyms_marks_names_by_its_oldest_key_so_that_a_rotation_renames_none(
    tmp_path: Path, settings: Settings, logs: Path
) -> None:
    add_key(tmp_path / "keys")
    own = settings.model_copy(update={"policy": "strict", "keys": str(tmp_path / "keys")})
    lake = Lake.open(tmp_path / "strict", create=True, settings=own)
    path = _file(logs)
    first = lake.ingest([path]).files[0].source
    add_key(tmp_path / "keys")
    _file(logs)
    again = lake.ingest([path])
    assert (again.files[0].source, again.totals.read, again.files[0].note) == (first, 1, "")
    assert not (lake.root / SECRET_FILE).exists()


def test_a_column_that_the_policy_names_is_treated_where_the_resource_fills_it(
    tmp_path: Path, settings: Settings, logs: Path
) -> None:
    (tmp_path / "ours.toml").write_text('title="t"\nextends="default"\n[columns]\nlog_file_path="tag"\n')
    own = settings.model_copy(update={"policy": str(tmp_path / "ours.toml")})
    lake = Lake.open(tmp_path / "own", create=True, settings=own)
    lake.ingest([_file(logs, "x")])
    assert _rows(lake, "SELECT log_file_path FROM logs") == [("[LOG_FILE_PATH]",)]
    assert lake.verify_redaction(1.0).ok


def test_a_policy_that_names_the_column_by_which_files_are_known_is_refused(
    tmp_path: Path, lake: Lake, logs: Path
) -> None:
    (tmp_path / "ours.toml").write_text('title="t"\n[columns]\nsource="tag"\n')
    with pytest.raises(RedactionError, match=r"cannot use policy ours: its columns name source, .*; take it out"):
        lake.ingest([_file(logs)], policy=str(tmp_path / "ours.toml"))


def test_an_override_that_would_no_longer_fit_the_name_of_a_file_stops_that_file_and_no_other(
    tmp_path: Path, settings: Settings, logs: Path
) -> None:
    (tmp_path / "ours.toml").write_text(
        f'title="t"\nextends="default"\n[[override]]\nsource="*/{WHO}/*"\n[override.classes]\naddress="tag"\n'
    )
    own = settings.model_copy(update={"policy": str(tmp_path / "ours.toml")})
    lake = Lake.open(tmp_path / "own", create=True, settings=own)
    report = lake.ingest([_file(logs), _file(logs, "bob@example.com")])
    assert [one.status for one in report.files] == ["failed", "ingested"]
    assert report.files[0].error.startswith("cannot ingest ")
    assert report.files[0].error.endswith("write * for what is redacted")
    assert WHO not in report.files[0].error


def test_a_file_whose_name_is_no_utf_8_is_read(lake: Lake, logs: Path) -> None:
    path = os.fsencode(logs) + b"/a\xff.log"
    with open(path, "w") as file:  # noqa: PTH123 - a path of bytes
        file.write("2026-01-01T00:00:00Z INFO x\n")
    assert lake.ingest([logs]).totals.stored == 1


def test_files_without_a_lake_are_named_by_the_policy_too(logs: Path) -> None:
    from logshed.files import reader  # noqa: PLC0415 - only here

    passing = reader(policy="default")
    logs_rows = [refined.logs for refined in passing.all([str(_file(logs)), str(logs / WHO / "missing.log")])]
    assert "~[EMAIL]" in logs_rows[0]["log_file_path"][0]
    assert passing.problems
    assert WHO not in "".join(passing.problems)
