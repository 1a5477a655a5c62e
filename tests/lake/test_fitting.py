"""A lake of an older version gets the columns that came since, and one of a newer version is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.pipeline.samples import accesses, java

from logshed.api import Lake
from logshed.errors import CommitConflictError, LakeError, NewerLakeError
from logshed.lake.names import LAKE_VERSION, LINES, LOGS, VERSION_PROPERTY
from logshed.lake.promoted import Promoted, promoted
from logshed.lake.promoting import promote
from logshed.lake.store import Store
from logshed.lake.writing import FileWriter
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

LATER = {
    LOGS: ("url_path", "url_template", "http_response_status_code", "user_agent_is_bot"),
    LINES: ("cut_bytes",),
}
"""Columns that no record of the older lake has, as if they had come since."""
ASKED = (
    "SELECT source, url_template, http_response_status_code, body, attributes['page'] FROM logs ORDER BY 1, 3, 4",
    "SELECT count(*) FROM logs WHERE url_path LIKE '/item%'",
    "SELECT count(*) FROM logs WHERE url_path = '/item/1' AND timestamp > TIMESTAMPTZ '2020-01-01 00:00:00+00'",
    "SELECT count(*), count(cut_bytes) FROM lines",
)


def older(folder: Path) -> Lake:
    """A lake with Java records that an older version made, which knew fewer columns."""
    lake = Lake.open(folder / "lake", create=True, settings=Settings.load(folder, environ={}))
    (folder / "shop.log").write_text("".join(java(number, frames=number % 2) for number in range(6)))
    lake.ingest([folder / "shop.log"])
    for table, names in LATER.items():
        with Store.open(lake.root, create=False).table(table).update_schema() as update:
            for name in names:
                update.delete_column(name)
    return Lake.open(lake.root, settings=lake.settings)


def answers(lake: Lake) -> list[list[tuple[object, ...]]]:
    found = [lake.query(sql).rows() for sql in ASKED]
    assert [lake.query(sql, engine="clickhouse").rows() for sql in ASKED] == found
    return found


def test_columns_that_came_since_are_null_until_the_first_write_and_then_there_with_old_files_beside_new_ones(
    tmp_path: Path,
) -> None:
    lake = older(tmp_path)
    first, *counts = answers(lake)
    assert {row[1:3] for row in first} == {(None, None)}
    assert counts == [[(0,)], [(0,)], [(6, 0)]]
    (tmp_path / "access.log").write_text(accesses(0, 4))
    lake.ingest([tmp_path / "access.log"])
    names = [field.name for field in Store.open(lake.root, create=False).table(LOGS).schema().fields]
    assert sorted(names[-4:]) == sorted(LATER[LOGS])
    again = Lake.open(lake.root, settings=lake.settings)
    rows, *counts = answers(again)
    assert {row[2] for row in rows[:4]} == {200}
    assert all(row[1] for row in rows[:4])
    assert rows[4:] == first
    assert counts == [[(4,)], [(1,)], [(10, 0)]]
    again.reparse("all")
    assert answers(again)[1:] == counts
    assert again.audit().ok


def test_a_file_is_never_written_without_a_column_that_the_lake_lacks(tmp_path: Path) -> None:
    store = Store.open(older(tmp_path).root, create=False)
    with pytest.raises(LakeError, match="the lake has no column http_response_status_code yet"):
        FileWriter.of(LOGS, store.table(LOGS))
    assert FileWriter.of(LOGS, store.to_write(LOGS)).schema.names[-1] == "user_agent_is_bot"
    assert not store.fit(LOGS)


def test_a_table_of_a_newer_version_is_refused_also_where_the_folder_says_nothing(tmp_path: Path) -> None:
    lake = older(tmp_path)
    table = Store.open(lake.root, create=False).table(LOGS)
    with table.transaction() as transaction:
        transaction.set_properties({VERSION_PROPERTY: str(LAKE_VERSION + 1)})
    again = Lake.open(lake.root, settings=lake.settings)
    with pytest.raises(NewerLakeError, match="this Logshed knows up to 1; upgrade Logshed"):
        again.query("SELECT * FROM logs")
    with pytest.raises(NewerLakeError, match="upgrade Logshed"):
        again.ingest([tmp_path / "shop.log"])


@pytest.mark.parametrize("other", [Promoted("team", "crew", "string"), Promoted("crew", "team", "string")])
def test_an_attribute_or_a_column_that_another_has_just_taken_is_told_and_nothing_is_changed(
    store: Store, other: Promoted
) -> None:
    one = Promoted("team", "team", "string")
    promote(store, one)
    promote(store, one)
    with pytest.raises(CommitConflictError, match="another has just made it a column, or taken the name"):
        promote(store, other)
    assert promoted(store.table(LOGS)) == (one,)
